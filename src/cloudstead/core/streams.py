"""Bodies too large to hold, on their way in and out, and what S3 must know of HTTP besides.

An upload is to be believed only once it has been read to its end: the hash, the signatures of its chunks and
its trailers come last. Whoever reads must keep nothing if the reading raises.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec


class Incoming(Protocol):
    """A body while it comes. Reading it raises ServiceError where it is not what was announced."""

    @property
    def length(self) -> int:
        """How many bytes will come, transfer codings undone."""
        ...

    @property
    def trailers(self) -> Mapping[str, str]:
        """Headers sent after the body, names in lower case; complete once the last byte was read."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def __anext__(self) -> bytes: ...


@dataclass(slots=True)
class Outgoing:
    """A body sent while it is read. `chunks` gives exactly `length` bytes, and is closed whatever happens."""

    length: int
    chunks: AsyncIterator[bytes]


class HttpFacts(msgspec.Struct, frozen=True):
    """The HTTP request behind a call, for what S3 decides by headers that no shape has."""

    method: str
    host: str
    headers: Mapping[str, str]  # names in lower case
    peer: str  # the client's address
    secure: bool  # came over TLS
    presigned: bool  # signed in its query
    at: datetime | None = None  # when it came
    signature_version: int = 4  # whether signed or not
