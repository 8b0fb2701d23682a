"""What the gateway must know of a bucket before any operation: which pages may call it, and how it is a website."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cloudstead.core.caller import Caller


class Redirect(Protocol):
    @property
    def location(self) -> str: ...
    @property
    def status(self) -> int: ...


class Visit(Protocol):
    """A request to a bucket's website, and where its rules lead."""

    def sent_away(self) -> Redirect | None:
        """Where it is redirected to, whatever lies under its key."""
        ...

    def page(self) -> str:
        """The key to read."""
        ...

    def as_folder(self) -> str | None:
        """The key whose existence makes a missing key a folder."""
        ...

    def to_folder(self) -> Redirect: ...

    def after_error(self, status: int) -> Redirect | str | None:
        """After a 4xx or 5xx: a redirect, or the key of the error document."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A request about a bucket and how it was answered, for the bucket's access log."""

    caller: Caller
    operation: str  # by its name in the model
    method: str
    target: str  # path and query as they were sent
    key: str
    status: int
    error_code: str
    bytes_sent: int | None
    headers: Mapping[str, str]  # of the request, names in lower case
    presigned: bool
    answer: Mapping[str, str] = field(default_factory=dict)  # its headers, names in lower case
    came_at: datetime | None = None
    answered_at: datetime | None = None  # when its first byte was there to be sent
    streamed: bool = False  # the answer came while the request's body still did
    tls: tuple[str, str] | None = None  # protocol and cipher suite


class Buckets(Protocol):
    def is_logged(self, bucket: str) -> bool: ...

    def log(self, bucket: str, served: Served) -> None:
        """Let the request stand in the bucket's access log. Never waits."""
        ...

    def exists(self, bucket: str) -> bool: ...

    def preflight(self, bucket: str, headers: Mapping[str, str], *, of_object: bool) -> Mapping[str, str]:
        """The headers of the answer to an OPTIONS request. Raises ServiceError where the bucket's rules forbid it."""
        ...

    def cors_headers(self, bucket: str, origin: str, method: str) -> Mapping[str, str]:
        """What an answer to a page of this origin carries besides; nothing if no rule fits."""
        ...

    def visit(self, bucket: str, key: str, host: str, scheme: str) -> Visit:
        """Raises ServiceError if there is no such bucket, or it is no website."""
        ...

    def error_page(
        self, status: int, code: str, message: str, more: Mapping[str, object], request_id: str
    ) -> bytes: ...
