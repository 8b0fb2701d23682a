"""A name server over sockets it is given. The socket is the view: who asks is told by where the question arrives."""

import asyncio
import logging
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, cast

from cloudstead.dataplane.dns.answers import Answers
from cloudstead.dataplane.dns.forward import Forwarder
from cloudstead.dataplane.dns.respond import NotOurs, Reply, respond

log = logging.getLogger(__name__)

_CONNECTIONS_MAX = 128
_FORWARDING_MAX = 512
_IDLE_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 2.0


async def serve(
    answers: Answers,
    sockets: Sequence[socket.socket],
    *,
    view: str | None = None,
    forwarder: Forwarder | None = None,
) -> "Server":
    """Answer on these sockets (bound; listening, if TCP) until the server is told to stop, which closes them.

    What is not ours goes to the forwarder; without one it is refused.
    """
    server = Server(answers, view, forwarder)
    for sock in sockets:
        await server.listen(sock)
    return server


class Server:
    def __init__(self, answers: Answers, view: str | None, forwarder: Forwarder | None) -> None:
        self._answers = answers
        self._view = view
        self._forwarder = forwarder
        self._transports: list[asyncio.DatagramTransport] = []
        self._servers: list[asyncio.Server] = []
        self._forwarding: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[Any]] = set()

    async def listen(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if sock.type == socket.SOCK_DGRAM:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=sock)
            self._transports.append(transport)
        else:
            self._servers.append(await asyncio.start_server(self._connected, sock=sock))

    async def stop(self) -> None:
        """Close the sockets and drop what is under way."""
        for transport in self._transports:
            transport.close()
        for server in self._servers:
            server.close()
        tasks = self._forwarding | self._connections
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_TIMEOUT_S)

    def received(self, wire: bytes, peer: tuple[Any, ...], transport: asyncio.DatagramTransport) -> None:
        """Answer at once what is ours; only what must be asked elsewhere waits."""
        outcome = self._respond(wire)
        if isinstance(outcome, Reply):
            transport.sendto(outcome.over_udp(), peer)
        elif isinstance(outcome, NotOurs) and len(self._forwarding) < _FORWARDING_MAX:
            self._spawn(self._forward_datagram(outcome, peer, transport))

    async def _forward_datagram(
        self, asked: NotOurs, peer: tuple[Any, ...], transport: asyncio.DatagramTransport
    ) -> None:
        reply = await self._ask_elsewhere(asked)
        if not transport.is_closing():
            transport.sendto(reply.over_udp(), peer)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._connections) < _CONNECTIONS_MAX:
                self._connections.add(task)
                await self._converse(reader, writer)
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            pass  # gone, too slow, or we stop: a connection has nothing to be told of that
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question after the other, until the client is done or idle for too long (RFC 7766)."""
        while True:
            async with asyncio.timeout(_IDLE_TIMEOUT_S):
                length = int.from_bytes(await reader.readexactly(2))
                wire = await reader.readexactly(length)
            outcome = self._respond(wire)
            if isinstance(outcome, NotOurs):
                outcome = await self._ask_elsewhere(outcome)
            if outcome is None:
                return
            writer.write(outcome.over_tcp())
            async with asyncio.timeout(_IDLE_TIMEOUT_S):
                await writer.drain()

    def _respond(self, wire: bytes) -> Reply | NotOurs | None:
        if not self._answers.serves(self._view):
            return None
        outcome = respond(wire, self._answers, self._view)
        return outcome.refused() if isinstance(outcome, NotOurs) and self._forwarder is None else outcome

    async def _ask_elsewhere(self, asked: NotOurs) -> Reply:
        assert self._forwarder is not None
        return asked.answered(await self._forwarder.ask(asked.query))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._forwarding.add(task)
        task.add_done_callback(self._forwarding.discard)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            asyncio.DatagramTransport, transport
        )  # no loop's own class is one by inheritance

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        assert self._transport is not None
        self._server.received(data, addr, self._transport)

    def error_received(self, exc: Exception) -> None:
        log.debug("an answer did not arrive: %s", exc)
