"""A request as it came over the wire, and the response to it.

The one thing a reader would get wrong: text here is latin-1, one character per byte that was sent, so that
`.encode("latin-1")` gives back exactly what the client signed. Nothing is percent-decoded.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus


class HttpRequest:
    """One request. `body` is whole, unless the server was told to stream it: then read `stream`."""

    __slots__ = ("body", "headers", "local", "method", "path", "peer", "query", "scheme", "stream", "tls")

    def __init__(
        self,
        method: str,
        path: str,
        query: str,
        headers: dict[str, str],
        body: bytes = b"",
        *,
        scheme: str = "http",
        peer: str = "",
        local: str = "",
        stream: "BodyStream | None" = None,
        tls: tuple[str, str] | None = None,
    ) -> None:
        self.method = method
        self.path = path  # as sent, percent-encoded, without the query
        self.query = query  # as sent, without the `?`
        self.headers = headers  # lower-cased names; values of a repeated name are joined with a comma
        self.body = body
        self.scheme = scheme
        self.peer = peer  # the client's address, without its port
        self.local = local  # where we were reached, `address:port`
        self.stream = stream
        self.tls = tls  # protocol and cipher suite: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method} {self.path}>"


class HttpResponse:
    """One response. With `stream`, `headers` must carry `content-length`, or the body is sent chunked.

    Instead of `headers` it may have `lines`, written out: then they end with a line break each, have none inside, and
    tell the length.
    """

    __slots__ = ("body", "close", "headers", "hop_limit", "lines", "status", "stream")

    def __init__(
        self,
        status: int,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        *,
        stream: AsyncIterator[bytes] | None = None,
        close: bool = False,
        hop_limit: int | None = None,
        lines: bytes | None = None,
    ) -> None:
        self.status = status
        self.headers = headers if headers is not None else []
        self.body = body
        self.stream = stream
        self.close = close  # end the connection after this response
        self.lines = lines
        self.hop_limit = hop_limit  # IP time-to-live from this response on; None leaves it be

    def __repr__(self) -> str:
        return f"<HttpResponse {self.status}, {len(self.body)} bytes>"


STATUS_LINES: dict[int, bytes] = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def status_line(status: int) -> bytes:
    return STATUS_LINES.get(status) or f"HTTP/1.1 {status} Status\r\n".encode()


class BodyAborted(Exception):
    """The client went away, or sent something wrong, before the body was whole."""


class BodyLate(BodyAborted):
    """The rest of the body did not come within the time allowed."""


class BodyStream:
    """A body read while it comes, at most `high_water_bytes` (and one read) of it held in memory."""

    def __init__(self, resume: Callable[[], None]) -> None:
        self._resume = resume
        self._invite: Callable[[], None] | None = None
        self._chunks: deque[bytes] = deque()
        self._ended = False
        self._aborted: BodyAborted | None = None
        self._wake = asyncio.Event()
        self.held_bytes = 0

    def __aiter__(self) -> "BodyStream":
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._aborted is not None:
                raise self._aborted
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            if self._invite is not None:
                self._invite()
                self._invite = None
            self._resume()
            await self._wake.wait()  # the connection's own timeouts end this: they abort the stream
        chunk = self._chunks.popleft()
        self.held_bytes -= len(chunk)
        return chunk

    def invite_by(self, invite: Callable[[], None]) -> None:
        """The client waits to be asked for the body: `invite` does, once somebody wants to read."""
        self._invite = invite

    @property
    def ended(self) -> bool:
        """Whether the last byte has come (it may still wait to be read)."""
        return self._ended

    def feed(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self.held_bytes += len(chunk)
        self._wake.set()

    def end(self) -> None:
        self._ended = True
        self._wake.set()

    def abort(self, why: BodyAborted) -> None:
        if not self._ended:
            self._aborted = why
            self._wake.set()
