"""Networks in a Docker engine: a bridge for each VPC that has instances, where each has its private address.

The one thing a reader would get wrong: this carries packets, and filters none. Instances of a VPC reach each
other by their private addresses and go out as the engine lets them; security groups, network ACLs, route tables,
public addresses and IPv6 are kept in the API and do nothing. Two VPCs with equal ranges cannot both have instances.
"""

import contextlib
import socket
from pathlib import Path
from typing import Any, Literal

import msgspec

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.engine import NETWORK, Absent, Engine
from cloudstead.dataplane.network.driver import NetworkSeen, NetworkSpec, revision


class DockerNetworks:
    """The NetworkDriver of a Docker engine. What was applied is kept in `folder`, one file per network."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder

    async def observe(self) -> list[NetworkSeen]:
        bridges = {each["Labels"][NETWORK] for each in await self._engine.find("networks")}
        kept = {spec.id: spec for spec in self._kept()}
        return [
            NetworkSeen(id=id, revision=_applied(kept.get(id), bridge=id in bridges))
            for id in sorted(bridges | kept.keys())
        ]

    async def ensure(self, spec: NetworkSpec) -> None:
        if _has_instances(spec) and not await self._engine.find("networks", network=spec.id):
            await self._engine.ask(lambda c: self._make(c, spec))
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._file(spec.id).with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(spec))
        draft.replace(self._file(spec.id))

    async def remove(self, id: str) -> None:
        if await self._engine.find("networks", network=id):
            with contextlib.suppress(Absent):
                await self._engine.ask(lambda c: c.remove_network(self._engine.name(id)))
        self._file(id).unlink(missing_ok=True)

    async def teardown(self) -> None:
        for seen in await self.observe():
            await self.remove(seen.id)

    def open_socket(
        self,
        id: str,
        kind: Literal["tcp", "udp"],
        address: str,
        port: int,
        *,
        listen: bool = True,  # noqa: ARG002 - the contract's
    ) -> socket.socket:
        raise DriverError(
            f"{id}: nobody but containers can listen on {kind} {address}:{port} in an engine's network"
        )

    def address(self, instance: str) -> str | None:
        """The private address of an instance, once it is in a network that was applied."""
        return next(
            (
                interface.addresses[0]
                for spec in self._kept()
                for interface in spec.interfaces
                if interface.instance == instance and interface.device == 0
            ),
            None,
        )

    def _kept(self) -> list[NetworkSpec]:
        return [
            msgspec.json.decode(file.read_bytes(), type=NetworkSpec)
            for file in sorted(self._folder.glob("vpc-*.json"))
        ]

    def _file(self, id: str) -> Path:
        return self._folder / f"{id}.json"

    def _make(self, client: Any, spec: NetworkSpec) -> None:
        from docker.types import IPAMConfig, IPAMPool  # noqa: PLC0415 - see dataplane.engine

        client.create_network(
            self._engine.name(spec.id),
            driver="bridge",
            ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=spec.cidrs[0])]),
            labels=self._engine.labels(network=spec.id),
        )


def _has_instances(spec: NetworkSpec) -> bool:
    return any(interface.instance is not None for interface in spec.interfaces)


def _applied(spec: NetworkSpec | None, *, bridge: bool) -> str:
    """The revision of what is there whole; "" if some of it is missing."""
    return revision(spec) if spec is not None and (bridge or not _has_instances(spec)) else ""
