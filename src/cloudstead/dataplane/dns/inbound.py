"""Inbound endpoints: the same resolver as the network's own, at addresses that others are told of.

They live in this process alone. After its restart nothing is seen of them, and the reconciler opens them again.
"""

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from cloudstead.dataplane.dns.driver import EndpointSeen
from cloudstead.dataplane.dns.server import Server

_PORT = 53

Kind = Literal["udp", "tcp"]
_KINDS: tuple[Kind, ...] = ("udp", "tcp")
#: Opens a bound socket ("udp", or "tcp" that listens) in the network of this id.
Bind = Callable[[str, Kind, str, int], socket.socket]
#: Starts the resolver of a network on sockets.
Start = Callable[[str, Sequence[socket.socket]], Awaitable[Server]]


@dataclass(frozen=True)
class _Listening:
    addresses: tuple[str, ...]
    server: Server


class InboundEndpoints:
    """The EndpointsDriver where networks are real."""

    def __init__(self, bind: Bind, start: Start) -> None:
        self._bind = bind
        self._start = start
        self._listening: dict[str, _Listening] = {}
        self._lock = asyncio.Lock()

    async def observe(self) -> list[EndpointSeen]:
        return [EndpointSeen(id=id, addresses=each.addresses) for id, each in self._listening.items()]

    async def ensure(self, id: str, network: str, addresses: Sequence[str]) -> None:
        async with self._lock:
            await self._end(id)
            wanted = tuple(sorted(addresses))
            server = await self._start(network, self._sockets(network, wanted))
            self._listening[id] = _Listening(wanted, server)

    async def remove(self, id: str) -> None:
        async with self._lock:
            await self._end(id)

    async def stop(self) -> None:
        for id in list(self._listening):
            await self.remove(id)

    async def _end(self, id: str) -> None:
        known = self._listening.pop(id, None)
        if known is not None:
            await known.server.stop()

    def _sockets(self, network: str, addresses: Sequence[str]) -> list[socket.socket]:
        opened: list[socket.socket] = []
        try:
            for address, kind in itertools.product(addresses, _KINDS):
                opened.append(self._bind(network, kind, address, _PORT))
        except BaseException:  # whatever it was, nothing stays half open
            for sock in opened:
                sock.close()
            raise
        return opened
