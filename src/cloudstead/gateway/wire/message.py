"""A request and a response as plain data: no sockets, no framework."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cloudstead.core.streams import Outgoing


@dataclass(slots=True)
class WireRequest:
    """One HTTP request, whole.

    `path` is percent-encoded as it came, without the query; for S3 it is in path style, whatever the host said.
    Header names are in lower case, repeated ones joined by a comma.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class WireResponse:
    """One HTTP response. Content-Length and Date are the business of whoever sends it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Outgoing = b""
