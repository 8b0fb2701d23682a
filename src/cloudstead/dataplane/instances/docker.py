"""Machines as containers of a Docker engine: for macOS, and for people without root.

A container is machine and root volume in one: its writable layer is the volume. So it outlives the machine, and
its name says which of the two it is now:

    cloudstead-<cloud>-i-…-<boot>    a machine, at this boot since it was last started
    cloudstead-<cloud>-vol-…         a root volume whose machine is gone

No metadata service reaches a guest here. What it would ask at boot it finds in a folder, put there before each start.
"""

import asyncio
import io
import re
import tarfile
from collections.abc import Callable
from typing import Any

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.engine import INSTANCE, VOLUME, Absent, Engine
from cloudstead.dataplane.images import guest
from cloudstead.dataplane.instances.driver import Capability, InstanceSeen, InstanceSpec, Usage

#: What stands at a path of an instance's metadata (`meta-data/instance-id`, `user-data`); None for nothing.
Metadata = Callable[[str, str], bytes | None]

_ASKED_AT_BOOT = (
    "meta-data/instance-id",
    "meta-data/local-hostname",
    "meta-data/local-ipv4",
    "meta-data/placement/region",
    "meta-data/public-keys/0/openssh-key",
    "user-data",
)
_SEED = "usr/lib/cloudstead/seed"
_INIT = "usr/lib/cloudstead/init"
_SSH_PORT = 22
_PERIOD_US = 100_000
_PIDS_MAX = 4096
_CONSOLE_BYTES = 64 * 1024
_CONSOLE_LINES = 2000
_CONSOLE_KEPT = "4m"
# Beyond what engines give: a guest's root changes its network and looks at its processes.
_CAPABILITIES = ["NET_ADMIN", "SYS_PTRACE"]


class DockerMachines:
    """The InstancesDriver of a Docker engine."""

    name = "docker"

    def __init__(
        self,
        engine: Engine,
        metadata: Metadata,
        address: Callable[[str], str | None],
        *,
        grace_s: int = 5,
        starting_max: int = 4,
    ) -> None:
        """`address` is an instance's private one, once its network is there: see DockerNetworks."""
        self._engine = engine
        self._metadata = metadata
        self._address = address
        self._grace_s = grace_s
        self._starting = asyncio.Semaphore(starting_max)
        real: frozenset[Capability] = frozenset({"console", "real"})
        self.capabilities: frozenset[Capability] = real | ({"own_ip"} if engine.is_host else set())

    async def observe(self) -> list[InstanceSeen]:
        found = await self._engine.find("containers")
        return sorted((seen for each in found if (seen := _seen(each))), key=lambda seen: seen.id)

    async def ensure(self, spec: InstanceSpec) -> None:
        async with self._starting:
            found = await self._container(spec.id)
            seen = _seen(found) if found else None
            if seen is not None and seen.running and seen.boot >= spec.boot:
                return
            if found is None:
                container = await self._create(spec)
            else:
                container = found["Id"]
                await self.stop(spec.id)
                await self._fit(container, found, spec)
            seed = self._seed(spec.id)
            await self._engine.ask(lambda c: c.put_archive(container, "/", seed))
            await self._engine.ask(lambda c: c.start(container))

    async def stop(self, id: str, *, force: bool = False) -> None:
        found = await self._container(id)
        if found is None or found["State"] != "running":
            return
        grace_s = 0 if force else self._grace_s
        try:
            await self._engine.ask(lambda c: c.stop(found["Id"], timeout=grace_s))
        except Absent:
            return

    async def remove(self, id: str) -> None:
        found = await self._container(id)
        if found is None or _seen(found) is None:
            return
        await self.stop(id, force=True)
        for network in found["NetworkSettings"]["Networks"] or {}:
            await self._leave(found["Id"], network)
        volume = self._engine.name(found["Labels"][VOLUME])
        await self._engine.ask(lambda c: c.rename(found["Id"], volume))

    async def set_limits(self, id: str, *, vcpus: float, memory_bytes: int) -> None:
        found = await self._container(id)
        if found is None or found["State"] != "running":
            raise DriverError(f"{id}: does not run")
        await self._limit(found["Id"], vcpus, memory_bytes)

    async def console(self, id: str) -> bytes:
        found = await self._container(id)
        if found is None or _seen(found) is None:
            return b""
        said: bytes = await self._engine.ask(lambda c: c.logs(found["Id"], tail=_CONSOLE_LINES))
        return said[-_CONSOLE_BYTES:]

    async def usage(self, id: str) -> Usage | None:
        found = await self._container(id)
        if found is None or found["State"] != "running":
            return None
        try:
            return _usage(await self._engine.ask(lambda c: c.stats(found["Id"], stream=False, one_shot=True)))
        except Absent:
            return None

    async def ssh_at(self, id: str) -> tuple[str, int] | None:
        found = await self._container(id)
        if found is None or found["State"] != "running":
            return None
        for port in found["Ports"]:
            if port.get("PrivatePort") == _SSH_PORT and port.get("PublicPort"):
                return port["IP"], port["PublicPort"]
        return None

    # --- inside

    async def _container(self, id: str) -> dict[str, Any] | None:
        """The container that this instance runs in, or that holds its root volume."""
        found = await self._engine.find("containers", instance=id)
        return found[0] if found else None

    async def _create(self, spec: InstanceSpec) -> str:
        image, network = await self._image(spec), self._engine.name(spec.network)
        address = self._its_address(spec)
        if not await self._engine.find("volumes", volume=spec.root_volume):
            raise DriverError(f"{spec.id}: {spec.root_volume} is not there yet")

        def create(client: Any) -> str:
            made = client.create_container(
                image,
                name=self._name(spec),
                hostname=spec.hostname,
                entrypoint=["/sbin/cloudstead-init"],
                environment={"container": "docker"},
                ports=[_SSH_PORT],
                labels=self._engine.labels(instance=spec.id, volume=spec.root_volume),
                host_config=_host_config(client, spec, network),
                networking_config=client.create_networking_config(
                    {network: client.create_endpoint_config(ipv4_address=address)}
                ),
            )
            return str(made["Id"])

        return await self._engine.ask(create)

    async def _fit(self, container: str, found: dict[str, Any], spec: InstanceSpec) -> None:
        """Give a container that does not run what it lacks of its spec."""
        if found["Labels"][VOLUME] != spec.root_volume:
            raise DriverError(
                f"{spec.id}: its machine stands on {found['Labels'][VOLUME]}, not on {spec.root_volume}"
            )
        now = await self._engine.ask(lambda c: c.inspect_container(container))
        limits = now["HostConfig"]["CpuQuota"], now["HostConfig"]["Memory"]
        if limits != (_quota(spec.vcpus), spec.memory_bytes):
            await self._limit(container, spec.vcpus, spec.memory_bytes)
        network = self._engine.name(spec.network)
        if network not in now["NetworkSettings"]["Networks"]:
            address = self._its_address(spec)
            await self._engine.ask(
                lambda c: c.connect_container_to_network(container, network, ipv4_address=address)
            )
        if now["Name"].lstrip("/") != self._name(spec):
            await self._engine.ask(lambda c: c.rename(container, self._name(spec)))

    async def _leave(self, container: str, network: str) -> None:
        """A network cannot be removed as long as any container, running or not, is said to be in it."""
        await self._engine.ask(lambda c: c.disconnect_container_from_network(container, network, force=True))

    async def _limit(self, container: str, vcpus: float, memory_bytes: int) -> None:
        try:
            await self._engine.ask(
                lambda c: c.update_container(
                    container,
                    cpu_period=_PERIOD_US,
                    cpu_quota=_quota(vcpus),
                    mem_limit=memory_bytes,
                    memswap_limit=-1,
                )
            )
        except Absent as e:
            raise DriverError(
                "This engine cannot change the limits of what it has made; a newer one can, or Docker's own"
            ) from e

    async def _image(self, spec: InstanceSpec) -> str:
        found = await self._engine.find("images", image=spec.image)
        if not found:
            raise DriverError(f"{spec.id}: there is no image {spec.image}")
        return str(found[0]["Id"])

    def _its_address(self, spec: InstanceSpec) -> str:
        address = self._address(spec.id)
        if address is None:
            raise DriverError(f"{spec.id}: its network is not there yet")
        return address

    def _name(self, spec: InstanceSpec) -> str:
        return self._engine.name(f"{spec.id}-{spec.boot}")

    def _seed(self, id: str) -> bytes:
        """An archive with today's init and what that asks; readable by root alone, for user data holds secrets."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            folder = tarfile.TarInfo(_SEED)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(folder)
            for path in _ASKED_AT_BOOT:
                _pack(archive, f"{_SEED}/{path}", self._metadata(id, path) or b"", 0o600)
            _pack(archive, _INIT, guest.text("init").encode(), 0o755)
        return packed.getvalue()


def _pack(archive: tarfile.TarFile, name: str, body: bytes, mode: int) -> None:
    file = tarfile.TarInfo(name)
    file.size, file.mode = len(body), mode
    archive.addfile(file, io.BytesIO(body))


def _host_config(client: Any, spec: InstanceSpec, network: str) -> dict[str, Any]:
    from docker.types import LogConfig  # noqa: PLC0415 - see dataplane.engine

    made: dict[str, Any] = client.create_host_config(
        network_mode=network,
        port_bindings={_SSH_PORT: ("127.0.0.1", None)},
        cpu_period=_PERIOD_US,
        cpu_quota=_quota(spec.vcpus),
        mem_limit=spec.memory_bytes,
        memswap_limit=-1,
        pids_limit=_PIDS_MAX,
        cap_add=_CAPABILITIES,
        privileged=spec.privileged,
        tmpfs={"/run": "mode=755"},
        log_config=LogConfig(type="json-file", config={"max-size": _CONSOLE_KEPT}),
    )
    return made


def _quota(vcpus: float) -> int:
    return max(1000, int(vcpus * _PERIOD_US))


def _seen(container: dict[str, Any]) -> InstanceSeen | None:
    """The machine that a container is; None for a mere root volume."""
    id = container["Labels"].get(INSTANCE)
    for name in container["Names"] or ():
        named = re.search(r"-(i-[0-9a-f]+)-(\d+)$", name)
        if named and named[1] == id:
            boot = -1 if container["State"] == "created" else int(named[2])
            return InstanceSeen(id=id, boot=boot, running=container["State"] == "running")
    return None


def _usage(stats: dict[str, Any]) -> Usage:
    networks = (stats.get("networks") or {}).values()
    moved = stats.get("blkio_stats", {}).get("io_service_bytes_recursive") or []

    def bytes_of(what: str) -> int:
        return sum(each["value"] for each in moved if each["op"].lower() == what)

    return Usage(
        cpu_ns=stats["cpu_stats"]["cpu_usage"]["total_usage"],
        memory_bytes=stats["memory_stats"].get("usage", 0),
        network_in_bytes=sum(each["rx_bytes"] for each in networks),
        network_out_bytes=sum(each["tx_bytes"] for each in networks),
        disk_read_bytes=bytes_of("read"),
        disk_write_bytes=bytes_of("write"),
    )
