"""The server: listening sockets, the connections on them, their time limits, and an orderly end."""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from functools import partial

from cloudstead.core.clock import Clock, SystemClock
from cloudstead.dataplane.http.connection import Connection
from cloudstead.dataplane.http.message import HttpRequest, HttpResponse
from cloudstead.dataplane.http.sharing import Seat
from cloudstead.dataplane.http.tls import FirstByte

log = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]
WantsStream = Callable[[HttpRequest], bool]
#: Of a status, the reason, and the request as far as its headers were understood.
Refuse = Callable[[int, str, HttpRequest | None], HttpResponse]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one client may make us hold, and for how long."""

    connections_max: int = 4096
    head_bytes_max: int = 64 * 1024
    header_count_max: int = 200
    body_bytes_max: int = 32 * 1024 * 1024
    stream_held_bytes: int = 1024 * 1024
    head_timeout_s: float = 15.0
    body_timeout_s: float = 30.0
    body_bytes_per_s_min: int = 4 * 1024  # each of these bytes earns a slow body another second
    write_timeout_s: float = 60.0
    idle_timeout_s: float = 75.0
    linger_timeout_s: float = 2.0

    @property
    def sweep_s(self) -> float:
        """How often connections are looked at: a timeout may be this much late."""
        return min(1.0, self.head_timeout_s / 4, self.body_timeout_s / 4, self.idle_timeout_s / 4)


def refuse_in_plain_text(status: int, why: str, _: HttpRequest | None) -> HttpResponse:
    return HttpResponse(status, [("content-type", "text/plain")], why.encode() + b"\n")


class HttpServer:
    """Listens from `serve` on until `stop`."""

    def __init__(
        self,
        handler: Handler,
        *,
        limits: Limits,
        clock: Clock,
        ssl_context: ssl.SSLContext | None,
        wants_stream: WantsStream | None,
        refuse: Refuse,
        server_header: str,
        seat: Seat | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.handler = handler
        self.limits = limits
        self.wants_stream = wants_stream
        self.refuse = refuse
        self.stopping = False
        self._clock = clock
        self._ssl_context = ssl_context
        self._server_header = server_header
        self._stamp = (-1, b"")
        self._listeners: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
        self._emptied = asyncio.Event()
        self._sweep: asyncio.TimerHandle | None = None
        self._seat = seat
        self._taking: set[asyncio.Task[object]] = set()
        if seat is not None:
            self.loop.add_reader(seat.inbox, self._take)

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    @property
    def ports(self) -> list[int]:
        return [int(sock.getsockname()[1]) for listener in self._listeners for sock in listener.sockets]

    async def listen_on(self, sock: socket.socket) -> None:
        self._listeners.append(await self.loop.create_server(self._protocol, sock=sock, backlog=1024))

    def _protocol(self, *, settled: bool = False) -> asyncio.Protocol:
        connection = Connection(self, settled=settled)
        return connection if self._ssl_context is None else FirstByte(connection, self._ssl_context)

    async def stop(self, within_s: float = 10.0) -> None:
        """Take no more, finish what is under way, and after `within_s` cut off what is not finished."""
        self.stopping = True
        if self._seat is not None:
            self._seat.close()
            self.loop.remove_reader(self._seat.inbox)
        for listener in self._listeners:
            listener.close()
        for connection in list(self._connections):
            connection.stop()
        if not self._connections:
            self._emptied.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._emptied.wait()
        for connection in list(self._connections):
            connection.abort()
        if self._sweep is not None:
            self._sweep.cancel()
        await asyncio.sleep(0)  # let the transports say goodbye

    # -- what connections ask of it

    def hands_on(self, transport: asyncio.BaseTransport) -> bool:
        """Whether another process serves this new connection, for it has fewer."""
        if self._seat is None or self.stopping:
            return False
        fd = transport.get_extra_info("socket").fileno()
        return self._seat.hands_on(fd, len(self._connections) + 1)

    def _take(self) -> None:
        assert self._seat is not None
        for sock in self._seat.taken():
            sock.setblocking(False)
            task: asyncio.Task[object] = self.loop.create_task(
                self.loop.connect_accepted_socket(partial(self._protocol, settled=True), sock)
            )
            self._taking.add(task)
            task.add_done_callback(self._took)

    def _took(self, task: asyncio.Task[object]) -> None:
        self._taking.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.debug("a connection that was handed on is gone: %s", task.exception())

    def admit(self, connection: Connection) -> bool:
        self._connections.add(connection)
        self._tell()
        if self._sweep is None:
            self._sweep = self.loop.call_later(self.limits.sweep_s, self._sweep_connections)
        return len(self._connections) <= self.limits.connections_max

    def forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._tell()
        if self.stopping and not self._connections:
            self._emptied.set()

    def _tell(self) -> None:
        if self._seat is not None and not self.stopping:
            self._seat.tell(len(self._connections))

    def stamp(self) -> bytes:
        """The Date and Server headers, made anew each second."""
        now = self._clock.now()
        second = int(now.timestamp())
        if self._stamp[0] != second:
            text = f"date: {format_datetime(now, usegmt=True)}\r\nserver: {self._server_header}\r\n"
            self._stamp = (second, text.encode("latin-1"))
        return self._stamp[1]

    def _sweep_connections(self) -> None:
        now_s = self.loop.time()
        for connection in [c for c in self._connections if c.overdue(now_s)]:
            connection.expire()
        self._sweep = None
        if self._connections:  # an idle server has no timer
            self._sweep = self.loop.call_later(self.limits.sweep_s, self._sweep_connections)


async def serve(
    sockets: socket.socket | Sequence[socket.socket],
    handler: Handler,
    *,
    ssl_context: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
    wants_stream: WantsStream | None = None,
    refuse: Refuse = refuse_in_plain_text,
    server_header: str = "Cloudstead",
    seat: Seat | None = None,
) -> HttpServer:
    """Serve HTTP on these listening sockets, and HTTPS on the same ones if there is an `ssl_context`.

    `handler` answers at once or returns an awaitable of the answer. Where `wants_stream(request)` is true the
    handler is called as soon as the headers are there and reads `request.stream`. Processes that serve one port
    share its connections evenly if each has a `seat`.
    """
    server = HttpServer(
        handler,
        limits=limits or Limits(),
        clock=clock or SystemClock(),
        ssl_context=ssl_context,
        wants_stream=wants_stream,
        refuse=refuse,
        server_header=server_header,
        seat=seat,
    )
    for sock in [sockets] if isinstance(sockets, socket.socket) else sockets:
        await server.listen_on(sock)
    return server


def listen(host: str, port: int, *, reuse_port: bool = False, backlog: int = 1024) -> list[socket.socket]:
    """Listening sockets for a name or address: `""` is every address of this machine, IPv4 and IPv6.

    With `reuse_port` each worker process binds its own and the kernel spreads connections over them.
    Raises OSError if an address is taken. A family the machine has not is left out, unless none is left.
    """
    found: list[socket.socket] = []
    infos = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE, proto=socket.IPPROTO_TCP
    )
    lacking: OSError | None = None
    for family, kind, proto, _, address in dict.fromkeys(infos):
        try:
            if found and port == 0:  # every family on the one port the kernel chose
                address = (address[0], found[0].getsockname()[1], *address[2:])  # noqa: PLW2901
            found.append(_listener(family, kind, proto, address, reuse_port=reuse_port, backlog=backlog))
        except OSError as e:
            if e.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                for sock in found:
                    sock.close()
                raise
            lacking = e
    if not found and lacking is not None:
        raise lacking
    return found


def _listener(
    family: int, kind: int, proto: int, address: tuple[object, ...], *, reuse_port: bool, backlog: int
) -> socket.socket:
    sock = socket.socket(family, kind, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock
