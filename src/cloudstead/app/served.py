"""Networks with what guests find in them: the metadata service and the resolver.

A network counts as whole only while these listen. So a machine never boots before it can ask, and after a restart
of ours the listeners come back the same way they first came: the network is seen without them and ensured.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol

import msgspec

from cloudstead.dataplane.network.driver import NetworkDriver, NetworkSeen, NetworkSpec

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Something that listens until it is stopped."""

    async def stop(self) -> None: ...


#: Starts to listen in the network of this id.
Open = Callable[[str], Awaitable[Listener]]


class ServedNetworks:
    """A NetworkDriver that also opens these listeners, by name, in every network."""

    def __init__(self, networks: NetworkDriver, listeners: Mapping[str, Open]) -> None:
        self._networks = networks
        self._open = listeners
        self._listening: dict[str, dict[str, Listener]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def observe(self) -> list[NetworkSeen]:
        seen = await self._networks.observe()
        return [one if self._served(one.id) else msgspec.structs.replace(one, revision="") for one in seen]

    async def ensure(self, spec: NetworkSpec) -> None:
        async with self._lock(spec.id):
            await self._networks.ensure(spec)
            listening = self._listening.setdefault(spec.id, {})
            for name, open_in in self._open.items():
                if name not in listening:
                    listening[name] = await open_in(spec.id)
                    log.info("%s: %s listens", spec.id, name)

    async def remove(self, id: str) -> None:
        async with self._lock(id):
            for listener in self._listening.pop(id, {}).values():
                await listener.stop()
            await self._networks.remove(id)

    async def teardown(self) -> None:
        await self.stop()
        await self._networks.teardown()

    def open_socket(
        self, id: str, kind: Literal["tcp", "udp"], address: str, port: int, *, listen: bool = True
    ) -> socket.socket:
        return self._networks.open_socket(id, kind, address, port, listen=listen)

    async def stop(self) -> None:
        """Stop listening everywhere; the networks stay."""
        for listening in self._listening.values():
            for listener in listening.values():
                await listener.stop()
        self._listening.clear()

    def _served(self, id: str) -> bool:
        return self._listening.get(id, {}).keys() == self._open.keys()

    def _lock(self, id: str) -> asyncio.Lock:
        return self._locks.setdefault(id, asyncio.Lock())
