"""Connections of one port spread over the processes that serve it."""

import asyncio
import os
import signal
import socket
import ssl

import pytest
import uvloop

from cloudstead.core.clock import SystemClock
from cloudstead.dataplane.http import HttpResponse, Sharing, listen, serve
from cloudstead.gateway import tls

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def _serve(port, seat, context):
    async def main():
        name = str(os.getpid()).encode()
        await serve(
            listen("127.0.0.1", port, reuse_port=True),
            lambda _: HttpResponse(200, [], name),
            seat=seat,
            ssl_context=context,
        )
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def _free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class World:
    """Processes that serve one port, and connections to it."""

    def __init__(self):
        self.port = _free_port()
        self.pids = {}
        self.socks = []
        self._sharing = Sharing(2)

    def start(self, number, context=None):
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            try:
                _serve(self.port, self._sharing.seat(number), context)
            finally:
                os._exit(1)
        self.pids[number] = pid

    def kill(self, number):
        pid = self.pids.pop(number)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def close(self):
        for sock in self.socks:
            sock.close()
        for number in list(self.pids):
            self.kill(number)
        self._sharing.close()

    def connect(self, context=None):
        """A new connection, once anybody listens."""
        for _ in range(500):
            try:
                sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
            except ConnectionRefusedError:
                signal.sigtimedwait([signal.SIGUSR2], 0.01)
            else:
                self.socks.append(context.wrap_socket(sock, server_hostname="localhost") if context else sock)
                return self.socks[-1]
        raise AssertionError("nobody listens")


def asked(sock):
    """The process that answers."""
    sock.sendall(ASK)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += sock.recv(4096)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += sock.recv(4096)
    return int(body)


@pytest.fixture
def world():
    world = World()
    yield world
    world.close()


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_connections_are_spread_evenly_and_each_stays_where_it_is(world, tmp_path, secure):
    there = tls.server_context(tmp_path, SystemClock())
    here = ssl.create_default_context(cafile=str(tmp_path / "ca.pem")) if secure else None
    for number in range(2):
        world.start(number, there)
    while len({asked(world.connect(here)) for _ in range(8)}) < 2:
        continue  # both listen now

    for _ in range(40):
        world.connect(here)
    owners = [asked(sock) for sock in world.socks]

    counts = [owners.count(pid) for pid in world.pids.values()]
    assert abs(counts[0] - counts[1]) <= 4, counts
    assert owners == [asked(sock) for sock in world.socks]


def test_nothing_is_handed_to_where_nobody_sits(world):
    world.start(0)

    assert {asked(world.connect()) for _ in range(20)} == {world.pids[0]}


def test_what_was_handed_to_a_process_that_was_killed_is_served_by_the_next(world):
    for number in range(2):
        world.start(number)
    while len({asked(world.connect()) for _ in range(8)}) < 2:
        continue
    world.kill(1)
    waiting = [world.connect() for _ in range(20)]

    world.start(1)

    assert {asked(sock) for sock in waiting} == set(world.pids.values())
