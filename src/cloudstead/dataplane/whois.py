"""A WHOIS server (RFC 3912): one line comes, text goes, the connection ends."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any

log = logging.getLogger(__name__)

_QUESTION_BYTES_MAX = 512
_CONNECTIONS_MAX = 64
_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 1.0

#: The text for what stands on a line, which has no line break.
Answer = Callable[[str], str]


async def serve(sockets: Sequence[socket.socket], answer: Answer) -> "WhoisServer":
    """Answer on these sockets (listening) until the server is told to stop, which closes them."""
    server = WhoisServer(answer)
    for sock in sockets:
        await server.listen(sock)
    return server


class WhoisServer:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[Any]] = set()

    async def listen(self, sock: socket.socket) -> None:
        self._servers.append(
            await asyncio.start_server(self._connected, sock=sock, limit=_QUESTION_BYTES_MAX)
        )

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(set(self._connections), timeout=_STOP_TIMEOUT_S)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._connections) < _CONNECTIONS_MAX:
                self._connections.add(task)
                await self._converse(reader, writer)
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # gone, too slow, too long, or we stop: WHOIS has no errors
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_TIMEOUT_S):
            line = await reader.readuntil(b"\n")
            question = line.decode("ascii", "replace").strip()
            writer.write(self._answer(question).encode())
            await writer.drain()
