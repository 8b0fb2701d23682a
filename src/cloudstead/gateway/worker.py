"""One gateway process: the chain behind the HTTP server, until it is told to stop."""

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

import uvloop

from cloudstead.core.clock import Clock
from cloudstead.core.heap import keep_freed_memory
from cloudstead.dataplane import http
from cloudstead.gateway.chain import Gateway
from cloudstead.gateway.failing import refuse
from cloudstead.gateway.incoming import wants_stream

log = logging.getLogger(__name__)


async def serve(
    gateway: Gateway,
    sockets: Sequence[socket.socket],
    *,
    ssl_context: ssl.SSLContext | None = None,
    limits: http.Limits | None = None,
    clock: Clock | None = None,
    finish_within_s: float = 10.0,
    at_end: Callable[[], Awaitable[None]] | None = None,
    seat: http.Seat | None = None,
) -> None:
    """Serve on these listening sockets until SIGTERM or SIGINT, then finish what is under way and return.

    Without `ssl_context` only HTTP is spoken. `at_end` is awaited when no request is under way any more.
    """
    server = await http.serve(
        sockets,
        gateway.handle,
        ssl_context=ssl_context,
        limits=limits,
        clock=clock,
        wants_stream=wants_stream,
        refuse=refuse,
        seat=seat,
    )
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    log.debug("gateway listens on port %s", server.ports)
    await told.wait()
    await server.stop(finish_within_s)
    if at_end is not None:
        await at_end()


def run(
    gateway: Gateway,
    sockets: Sequence[socket.socket],
    *,
    ssl_context: ssl.SSLContext | None = None,
    limits: http.Limits | None = None,
    clock: Clock | None = None,
    finish_within_s: float = 10.0,
    at_end: Callable[[], Awaitable[None]] | None = None,
    seat: http.Seat | None = None,
) -> None:
    """`serve` on a loop of its own; what a forked worker calls."""
    keep_freed_memory()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            serve(
                gateway,
                sockets,
                ssl_context=ssl_context,
                limits=limits,
                clock=clock,
                finish_within_s=finish_within_s,
                at_end=at_end,
                seat=seat,
            )
        )
