"""A name server over sockets it is given. The socket is the view: who asks is told by where the question arrives."""

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

from cloudstead.dataplane.dns import datagrams
from cloudstead.dataplane.dns.answers import Answers
from cloudstead.dataplane.dns.desk import Desk, Later, Outbound
from cloudstead.dataplane.dns.forward import Asker
from cloudstead.dataplane.dns.limits import Limits
from cloudstead.dataplane.dns.query_log import QueryNotes
from cloudstead.dataplane.dns.responder import Responder

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
    forwarder: Asker | None = None,
    zones: Responder | None = None,
    limits: Limits | None = None,
    outbound: Outbound | None = None,
    notes: QueryNotes | None = None,
) -> "Server":
    """Answer on these sockets (bound; listening, if TCP) until the server is told to stop, which closes them.

    Zones go before `answers`. What is in neither goes to the forwarder; without one it is refused.
    """
    server = Server(
        Desk(answers, view, forwarder=forwarder, zones=zones, limits=limits, outbound=outbound, notes=notes)
    )
    for sock in sockets:
        await server.listen(sock)
    return server


class Server:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._sockets: list[socket.socket] = []
        self._transports: list[asyncio.DatagramTransport] = []
        self._servers: list[asyncio.Server] = []
        self._forwarding: set[asyncio.Task[None]] = set()
        self._connections: set[_Conversation] = set()

    async def listen(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        if sock.type != socket.SOCK_DGRAM:
            self._servers.append(await loop.create_server(lambda: _Conversation(self), sock=sock))
        elif datagrams.POSSIBLE:
            loop.add_reader(sock, self._batched, datagrams.Datagrams(sock), sock)
            self._sockets.append(sock)
        else:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=sock)
            self._transports.append(transport)

    async def stop(self) -> None:
        """Close the sockets and drop what is under way."""
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        for server in self._servers:
            server.close()
        for transport in self._transports:
            transport.close()
        for conversation in list(self._connections):
            conversation.close()
        for task in self._forwarding:
            task.cancel()
        if self._forwarding:
            await asyncio.wait(self._forwarding, timeout=_STOP_TIMEOUT_S)

    def _batched(self, batches: datagrams.Datagrams, sock: socket.socket) -> None:
        def answer(message: bytes, peer: Callable[[], str]) -> bytes | None:
            said = self.desk.over_udp(message, peer)
            if isinstance(said, Later):
                self.later(said, functools.partial(_send, sock, batches.address()), tcp=False)
                return None
            return said

        batches.serve(self.desk.refresh, answer)

    def received(self, message: bytes, peer: tuple[Any, ...], transport: asyncio.DatagramTransport) -> None:
        """Answer one datagram, where they do not come in batches."""
        self.desk.refresh()
        said = self.desk.over_udp(message, lambda: cast(str, peer[0]))
        if isinstance(said, Later):
            self.later(said, lambda reply: transport.sendto(reply, peer), tcp=False)
        elif said is not None:
            transport.sendto(said, peer)

    def later(self, asked: Later, reply: Callable[[bytes], None], *, tcp: bool) -> None:
        """Answer when somebody else has. So many at once; what is too much is dropped, and will be asked again."""
        if len(self._forwarding) >= _FORWARDING_MAX:
            return

        async def work() -> None:
            answered = await asked.reply()
            reply(answered.over_tcp() if tcp else answered.over_udp())

        self._spawn(work())

    def admitted(self, conversation: "_Conversation") -> bool:
        if len(self._connections) >= _CONNECTIONS_MAX:
            return False
        self._connections.add(conversation)
        return True

    def ended(self, conversation: "_Conversation") -> None:
        self._connections.discard(conversation)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._forwarding.add(task)
        task.add_done_callback(self._forwarding.discard)


class _Conversation(asyncio.Protocol):
    """One TCP connection (RFC 7766): questions as they come, answers as they are ready, until it is idle for too long.

    A client that does not read its answers is not read from either.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._idle: asyncio.TimerHandle | None = None
        self._heard_at_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # no loop's own class is one by inheritance
        if not self._server.admitted(self):
            self.close()
            return
        self._heard_at_s = asyncio.get_running_loop().time()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self._idle is not None:
            self._idle.cancel()
        self._transport = None
        self._server.ended(self)

    def data_received(self, data: bytes) -> None:
        self._heard_at_s = asyncio.get_running_loop().time()
        self._server.desk.refresh()
        said, at = [], 0
        data = self._unread + data
        while len(data) - at >= 2:
            end = at + 2 + (data[at] << 8 | data[at + 1])
            if end > len(data):
                break
            answer = self._server.desk.over_tcp(data[at + 2 : end], self._peer)
            at = end
            if isinstance(answer, Later):
                self._server.later(answer, self.write, tcp=True)
            elif answer is None:
                self.close()  # silence is for datagrams: here it would make the client wait
                return
            else:
                said.append(answer)
        self._unread = data[at:]
        if said:
            self.write(b"".join(said))

    def write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _peer(self) -> str:
        assert self._transport is not None
        return cast(str, self._transport.get_extra_info("peername")[0])

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        left_s = self._heard_at_s + _IDLE_TIMEOUT_S - loop.time()
        if left_s <= 0:
            self.close()
        else:
            self._idle = loop.call_later(left_s, self._watch)


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


def _send(sock: socket.socket, address: tuple[Any, ...], reply: bytes) -> None:
    with contextlib.suppress(OSError):  # full, gone or closed by now: who asked will ask again
        sock.sendto(reply, address)
