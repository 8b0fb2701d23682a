"""Which machines, networks and disks stand behind the APIs: chosen once, when the cloud starts."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cloudstead.app.state import DataDirectory
from cloudstead.cli.setup import missing
from cloudstead.cli.terminal import program
from cloudstead.core.settings import Settings
from cloudstead.dataplane.block.driver import BlockDriver
from cloudstead.dataplane.images.driver import ImagesDriver
from cloudstead.dataplane.instances.driver import InstancesDriver
from cloudstead.dataplane.network.driver import NetworkDriver

#: What an instance (by id) finds at a path of its metadata.
Metadata = Callable[[str, str], bytes | None]

Name = Literal["oci", "docker", "fake", "none"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CONSOLE_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The kind of machines in use; `missing` says why none can be run, and what to do, in words for the caller."""

    name: Name
    missing: str | None = None


@dataclass(frozen=True, kw_only=True)
class Drivers:
    """One kind's mechanisms. `host_boot` names this run of whatever the machines live and die with."""

    machines: InstancesDriver
    networks: NetworkDriver
    images: ImagesDriver
    volumes: BlockDriver
    host_boot: str


def choose(settings: Settings) -> Kind:
    """The kind that is asked for or, for `auto`, the most real one there is."""
    match settings.machines:
        case "auto":
            return _best()
        case "oci":
            return Kind(name="oci", missing=_oci_missing())
        case "docker":
            return Kind(name="docker", missing=_docker_missing())
        case "fake":
            return Kind(name="fake")
        case _:
            return Kind(
                name="none", missing="This cloud runs no instances: it was started with --machines none."
            )


def drivers(
    kind: Kind, settings: Settings, data: DataDirectory, metadata: Metadata = lambda _id, _path: None
) -> Drivers:
    """To be called in the process that uses them, after the fork. `metadata` is for whoever starts machines."""
    match kind.name:
        case "oci":
            return _oci(settings, data)
        case "docker":
            return _docker(settings, data, metadata)
        case "fake":
            return _fake(data)
        case "none":
            return _none(kind, data)


def made_before(data: DataDirectory) -> list[Kind]:
    """The kinds whose machines this cloud may have made, now or when it was started another way."""
    found = []
    if (data.root / "instances").is_dir() or (data.run / "network").is_dir():
        found.append(Kind(name="oci"))
    if (data.root / "simulated").is_dir():
        found.append(Kind(name="fake"))
    if (data.root / "docker").is_dir():
        found.append(Kind(name="docker"))
    return found


def console_reader(kind: Kind, settings: Settings, data: DataDirectory) -> Callable[[str], bytes]:
    """Reads a machine's console by its id, from a process that has no other business with machines."""
    made: list[InstancesDriver] = []

    def read(id: str) -> bytes:
        if not made:
            made.append(drivers(kind, settings, data).machines)
        with ThreadPoolExecutor(1) as thread:  # the caller's own loop is busy with the caller
            return thread.submit(lambda: asyncio.run(made[0].console(id))).result(_CONSOLE_TIMEOUT_S)

    return read


def _best() -> Kind:
    why_not = _oci_missing()
    if why_not is None:
        return Kind(name="oci")
    if _docker_missing() is None:
        return Kind(name="docker")
    return Kind(name="none", missing=why_not)


def _oci_missing() -> str | None:
    if sys.platform != "linux":
        return f"Instances need Linux, or a Docker engine. See: {program()} doctor"
    if os.geteuid() != 0:
        return f"Instances need root on this machine. Run: {program()} down && sudo {program()} up"
    parts = missing(())
    if parts:
        names = ", ".join(part.program for part in parts)
        return f"Instances need programs that are not here ({names}). Run: {program()} setup, then start anew"
    return None


def _docker_missing() -> str | None:
    from cloudstead.cli.probes import engine_socket  # noqa: PLC0415 - only where it is asked for

    if engine_socket() is None:
        return f"There is no Docker engine that answers. See: {program()} doctor"
    return None


def _oci(settings: Settings, data: DataDirectory) -> Drivers:
    from cloudstead.dataplane.block.directories import Directories  # noqa: PLC0415
    from cloudstead.dataplane.images.store import Images  # noqa: PLC0415
    from cloudstead.dataplane.instances.oci import OciMachines  # noqa: PLC0415
    from cloudstead.dataplane.network.linux import LinuxNetworks  # noqa: PLC0415
    from cloudstead.dataplane.network.naming import Pool  # noqa: PLC0415

    images = settings.images or data.root / "images"
    return Drivers(
        machines=OciMachines(data.root, data.cloud, images=images),
        networks=LinuxNetworks(
            data.root,
            data.cloud,
            pool=Pool(settings.public_pool),
            gateway_port=settings.port,
            egress=settings.egress,
        ),
        images=Images(images),
        volumes=Directories(data.root),
        host_boot=_BOOT_ID.read_text(encoding="ascii").strip(),
    )


def _docker(settings: Settings, data: DataDirectory, metadata: Metadata) -> Drivers:
    from cloudstead.cli.probes import engine_socket  # noqa: PLC0415
    from cloudstead.dataplane.block.docker import DockerVolumes  # noqa: PLC0415
    from cloudstead.dataplane.engine import Engine  # noqa: PLC0415
    from cloudstead.dataplane.images.docker import DockerImages  # noqa: PLC0415
    from cloudstead.dataplane.images.store import Images  # noqa: PLC0415
    from cloudstead.dataplane.instances.docker import DockerMachines  # noqa: PLC0415
    from cloudstead.dataplane.network.docker import DockerNetworks  # noqa: PLC0415

    engine = Engine(engine_socket() or "the usual places", data.cloud)
    networks = DockerNetworks(engine, data.root / "docker" / "networks")
    images = Images(settings.images or data.root / "images") if _oci_missing() is None else None
    return Drivers(
        machines=DockerMachines(engine, metadata, networks.address),
        networks=networks,
        images=DockerImages(engine, images),
        volumes=DockerVolumes(engine),
        host_boot=_BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else "engine",
    )


def _fake(data: DataDirectory) -> Drivers:
    from cloudstead.dataplane.block.fake import FakeVolumes  # noqa: PLC0415
    from cloudstead.dataplane.images.fake import FakeImages  # noqa: PLC0415
    from cloudstead.dataplane.instances.fake import FakeMachines  # noqa: PLC0415
    from cloudstead.dataplane.network.fake import FakeNetworks  # noqa: PLC0415

    simulated = data.root / "simulated"
    return Drivers(
        machines=FakeMachines(simulated / "machines.json"),
        networks=FakeNetworks(simulated / "networks"),
        images=FakeImages(),
        volumes=FakeVolumes(),
        host_boot="simulated",
    )


def _none(kind: Kind, data: DataDirectory) -> Drivers:
    """No machine was ever made here; volumes and interfaces wait for the day when there is a way to make them."""
    from cloudstead.dataplane.block.directories import Directories  # noqa: PLC0415
    from cloudstead.dataplane.images.fake import FakeImages  # noqa: PLC0415
    from cloudstead.dataplane.instances.fake import FakeMachines  # noqa: PLC0415
    from cloudstead.dataplane.network.missing import MissingNetworks  # noqa: PLC0415

    machines = FakeMachines()
    machines.fail = kind.missing
    return Drivers(
        machines=machines,
        networks=MissingNetworks(kind.missing or ""),
        images=FakeImages(),
        volumes=Directories(data.root),
        host_boot="none",
    )
