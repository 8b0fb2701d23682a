"""Makes machines match instances.

    want       seen                       step
    running    nothing, or an older run   Ensure, once its volume and network are there
    running    this run, running          Record running
    running    this run, ended by itself  Ended: from now on it aims at stopped or terminated
    stopped    running                    Stop
    stopped    not running                Record stopped
    terminated anything                   Remove
    terminated nothing                    Retire: interfaces and volume go, all in one transaction
    terminated nothing, an hour later     Forget

A run that ended while this very host was up ended by itself; one that was lost with the host is started again.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from cloudstead.control.steps import Ensure, Forget, Record, Remove, Step
from cloudstead.core.clock import Clock
from cloudstead.dataplane.images.driver import ImagesDriver
from cloudstead.dataplane.instances.driver import InstancesDriver, InstanceSeen, InstanceSpec
from cloudstead.services.ec2 import instance_types
from cloudstead.services.ec2.instance_network import Networking
from cloudstead.services.ec2.instance_rows import Instance, Volume
from cloudstead.services.ec2.instance_shown import private_name, whole
from cloudstead.services.ec2.network_rows import NetworkInterface
from cloudstead.store import Row, Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stop(Step):
    """Make the machine not run, disk kept."""


@dataclass(frozen=True)
class Ended(Step):
    """Write that the machine shut itself down."""


@dataclass(frozen=True)
class Retire(Step):
    """Let go of what belonged to a machine that is gone."""


class Instances:
    """One row, one machine."""

    kind = Instance
    wakes_on: tuple[type[Row], ...] = (Volume, NetworkInterface)

    def __init__(
        self,
        store: Store,
        clock: Clock,
        machines: InstancesDriver,
        images: ImagesDriver,
        network: Networking,
        *,
        host_boot: str,
        terminated_visible_s: float,
    ) -> None:
        """`host_boot` names this run of the host: another one means that no machine of before still runs."""
        self._store = store
        self._clock = clock
        self._machines = machines
        self._images = images
        self._network = network
        self._host_boot = host_boot
        self._terminated_visible = timedelta(seconds=terminated_visible_s)

    async def observe(self) -> Iterable[InstanceSeen]:
        return await self._machines.observe()

    def plan(self, row: Instance, seen: InstanceSeen | None) -> Step | None:
        match row.aim:
            case "running":
                return self._towards_running(row, seen)
            case "stopped":
                if seen is not None and seen.running:
                    return Stop()
                return None if row.state == "stopped" else Record({"state": "stopped"})
            case "terminated":
                return self._towards_terminated(row, seen)

    async def perform(self, row: Instance, step: Step) -> None:
        match step:
            case Ensure():
                await self._start(row)
            case Stop():
                await self._machines.stop(row.id, force=row.force_stop)
            case Remove():
                await self._machines.remove(row.id)
            case Ended():
                self._ended(row)
            case Retire():
                self._retire(row)
            case _:
                raise AssertionError(step)

    async def sweep(self, id: str) -> None:
        await self._machines.remove(id)

    # --- plans

    def _towards_running(self, row: Instance, seen: InstanceSeen | None) -> Step | None:
        if seen is not None and seen.running and seen.boot >= row.boot:
            return None if self._known_running(row) else Record(self._running(row))
        if (
            seen is not None
            and not seen.running
            and seen.boot == row.boot == row.started_boot
            and row.host_boot == self._host_boot
        ):
            return Ended()
        return Ensure() if self._ready(row) else None

    def _towards_terminated(self, row: Instance, seen: InstanceSeen | None) -> Step | None:
        if seen is not None:
            return Remove()
        if row.terminated_at is None:
            return Retire()
        return Forget() if self._clock.now() - row.terminated_at >= self._terminated_visible else None

    def _known_running(self, row: Instance) -> bool:
        return (row.state, row.started_boot, row.host_boot) == ("running", row.boot, self._host_boot)

    def _running(self, row: Instance) -> dict[str, object]:
        return {"state": "running", "started_boot": row.boot, "host_boot": self._host_boot}

    def _ready(self, row: Instance) -> bool:
        """Whether the machine would find its disk and its interfaces."""
        volume = self._store.get(Volume, row.root_volume)
        interfaces = self._store.rows(NetworkInterface, instance_id=row.id)
        return (
            volume is not None
            and volume.made
            and bool(interfaces)
            and all(interface.placed for interface in interfaces)
        )

    # --- steps

    async def _start(self, row: Instance) -> None:
        await self._images.ensure(row.recipe, lambda said: log.info("%s: %s", row.id, said))
        current = self._store.get(Instance, row.id)
        if current is None or current.aim != "running":
            return  # an image takes minutes to build; meanwhile somebody changed their mind
        await self._machines.ensure(self._spec(current))
        self._note_running(current)

    def _note_running(self, started: Instance) -> None:
        """Write it at once: a machine that ends before the next look must be known to have run."""
        with self._store.transaction():
            current = self._store.get(Instance, started.id)
            if current is None or current.aim != "running" or current.boot != started.boot:
                return
            self._store.update(current, **self._running(current))
        log.info("%s: running, boot %d", started.id, started.boot)

    def _spec(self, row: Instance) -> InstanceSpec:
        type = instance_types.every()[row.type]
        address = whole(self._store, row).private_ip or ""
        return InstanceSpec(
            id=row.id,
            image=row.recipe.name,
            root_volume=row.root_volume,
            boot=row.boot,
            vcpus=type.vcpus,
            memory_bytes=type.memory_bytes,
            hostname=private_name(row, address).partition(".")[0],
            network=row.vpc_id,
            login=row.recipe.login,
        )

    def _ended(self, row: Instance) -> None:
        with self._store.transaction():
            current = self._store.get(Instance, row.id)
            if current is None or current.want != "running" or current.boot != row.boot:
                return
            self._network.stop(row.id)
            ended_as = "stopped" if current.shutdown_behavior == "stop" else "terminated"
            self._store.update(current, ended_boot=row.boot, ended_as=ended_as)
        log.info("%s: shut itself down", row.id)

    def _retire(self, row: Instance) -> None:
        with self._store.transaction():
            current = self._store.get(Instance, row.id)
            if current is None:
                return
            assert current.aim == "terminated", "nobody takes back a termination"
            self._network.stop(row.id)
            self._network.release_for_instance(row.id)
            for volume in self._store.rows(Volume, instance_id=row.id):
                want: Literal["absent", "present"] = "absent" if volume.delete_on_termination else "present"
                self._store.update(volume, want=want, instance_id="", device="", attached_at=None)
            self._store.update(current, state="terminated", terminated_at=self._clock.now())
        log.info("%s: terminated", row.id)
