"""A client for HTTP/1.1 as the cluster speaks it: short requests, whole answers, few connections to each server.

Every request here can be repeated, so one that fails on a connection kept from before is sent once more on a new one.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import httptools

from cloudstead.dataplane.objects.disk import Bytes
from cloudstead.dataplane.objects.driver import Unreachable

_CONNECTIONS_MAX = 32  # to one server, of one process
_WAITING_MAX = 1000
_READ_BYTES = 256 << 10
_WRITE_BYTES = 256 << 10
_ANSWER_BYTES_MAX = 4 << 20
#: What a server must take or give in a second, over the time that it has for its first word.
_BYTES_A_SECOND_MIN = 1 << 20


class Answer(NamedTuple):
    status: int
    body: bytes


class Http:
    """For one event loop. `timeout_s` is for a request and its answer, but for the time that many bytes take."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._servers: dict[str, _Server] = {}

    async def ask(
        self, server: str, method: str, target: str, *, headers: str = "", body: Sequence[Bytes] = ()
    ) -> Answer:
        """Raises Unreachable, which names the server."""
        # In a task of its own: the gateway takes the first step of an operation in none, and there are no timeouts in that.
        asking = self._ask(server, method, target, headers=headers, body=body)
        return await asyncio.get_running_loop().create_task(asking)

    async def close(self) -> None:
        for server in self._servers.values():
            server.close()
        await asyncio.sleep(0)  # the loop closes them in its next turn

    async def _ask(
        self, server: str, method: str, target: str, *, headers: str, body: Sequence[Bytes]
    ) -> Answer:
        size = sum(map(len, body))
        length = f"Content-Length: {size}\r\n" if body else ""
        head = f"{method} {target} HTTP/1.1\r\nHost: {server}\r\n{length}{headers}\r\n".encode()
        known = self._servers.setdefault(server, _Server())
        try:
            async with asyncio.timeout(self._timeout_s + size / _BYTES_A_SECOND_MIN), known.turn(server):
                return await self._on_some_connection(known, server, [head, *body], method)
        except TimeoutError:
            raise Unreachable(f"{server} does not answer within {self._timeout_s:g} s") from None
        except (OSError, asyncio.IncompleteReadError, httptools.HttpParserError) as e:
            raise Unreachable(f"{server}: {str(e) or type(e).__name__}") from e

    async def _on_some_connection(
        self, known: "_Server", server: str, buffers: Sequence[Bytes], method: str
    ) -> Answer:
        if known.idle:
            connection = known.idle.pop()
            try:
                return await connection.exchange(buffers, method, known)
            except (OSError, asyncio.IncompleteReadError):
                pass  # it was closed while nobody looked
        connection = await _Connection.open(server)
        return await connection.exchange(buffers, method, known)


class _Server:
    """The connections to one server."""

    def __init__(self) -> None:
        self.idle: list[_Connection] = []
        self._free = asyncio.Semaphore(_CONNECTIONS_MAX)
        self._asked = 0

    @asynccontextmanager
    async def turn(self, server: str) -> AsyncIterator[None]:
        """To be entered before a connection is used."""
        if self._asked >= _WAITING_MAX:
            raise Unreachable(f"{server}: too many requests wait")
        self._asked += 1
        try:
            async with self._free:
                yield
        finally:
            self._asked -= 1

    def close(self) -> None:
        while self.idle:
            self.idle.pop().close()


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, server: str) -> "_Connection":
        host, _, port = server.rpartition(":")
        return cls(*await asyncio.open_connection(host.strip("[]"), int(port), limit=_READ_BYTES))

    def close(self) -> None:
        self._writer.transport.abort()

    async def exchange(self, buffers: Sequence[Bytes], method: str, server: _Server) -> Answer:
        """Send, and take the answer. The connection is kept if it can be used again, and closed otherwise."""
        kept = False
        try:
            await self._send(buffers)
            parsed = _Parsed(without_body=method == "HEAD")
            while not parsed.is_whole:
                data = await self._reader.read(_READ_BYTES)
                if not data:
                    raise asyncio.IncompleteReadError(b"", None)
                parsed.feed(data)
            if parsed.can_go_on:
                server.idle.append(self)
                kept = True
            return Answer(parsed.status, b"".join(parsed.body))
        finally:
            if not kept:
                self.close()

    async def _send(self, buffers: Sequence[Bytes]) -> None:
        """A little at a time: what the transport is given at once it keeps a copy of."""
        waiting: list[Bytes] = []
        size = 0
        for buffer in buffers:
            waiting.append(buffer)
            size += len(buffer)
            if size >= _WRITE_BYTES:
                self._writer.writelines(waiting)
                await self._writer.drain()
                waiting, size = [], 0
        self._writer.writelines(waiting)
        await self._writer.drain()


class _Parsed:
    """An answer as it comes in."""

    def __init__(self, *, without_body: bool) -> None:
        self.is_whole = False
        self.can_go_on = False
        self.status = 0
        self.body: list[bytes] = []
        self._size = 0
        self._without_body = without_body
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self._without_body:
            self.is_whole = True  # the length that is told is that of what a GET would give

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _ANSWER_BYTES_MAX:
            raise OSError("the answer is too long")
        self.body.append(data)

    def on_message_complete(self) -> None:
        if not self._without_body:
            self.is_whole = True
            self.can_go_on = self._parser.should_keep_alive()
