"""Machines that only say they run: for tests, and for looking at the API without root.

Kept in a file if a path is given, so that they outlive a restart as real ones do and other processes see them.
"""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.instances.driver import Capability, InstanceSeen, InstanceSpec, Usage

_Machines = dict[str, InstanceSeen]


class FakeMachines:
    """The InstancesDriver of no machine at all. `fail` is what every change says no with; `hang` stalls them."""

    name = "fake"
    capabilities: frozenset[Capability] = frozenset({"console", "live_limits"})

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept: _Machines = {}
        self.fail: str | None = None
        self.hang = False

    async def observe(self) -> list[InstanceSeen]:
        return list(self._read().values())

    async def ensure(self, spec: InstanceSpec) -> None:
        await self._may_change()
        with self._changing() as machines:
            seen = machines.get(spec.id)
            if seen is None or not seen.running or seen.boot < spec.boot:
                machines[spec.id] = InstanceSeen(id=spec.id, boot=spec.boot, running=True)

    async def stop(self, id: str, *, force: bool = False) -> None:  # noqa: ARG002 - they stop at once anyway
        await self._may_change()
        with self._changing() as machines:
            if id in machines:
                machines[id] = msgspec.structs.replace(machines[id], running=False)

    async def remove(self, id: str) -> None:
        await self._may_change()
        with self._changing() as machines:
            machines.pop(id, None)

    async def set_limits(self, id: str, *, vcpus: float, memory_bytes: int) -> None:  # noqa: ARG002
        await self._may_change()
        if not self._runs(id):
            raise DriverError(f"{id}: does not run")

    async def console(self, id: str) -> bytes:
        return f"simulated: {id} is no real machine\n".encode() if id in self._read() else b""

    async def ssh_at(self, id: str) -> tuple[str, int] | None:  # noqa: ARG002 - nobody can log in
        return None

    async def usage(self, id: str) -> Usage | None:
        return Usage(cpu_ns=0, memory_bytes=0) if self._runs(id) else None

    def _runs(self, id: str) -> bool:
        seen = self._read().get(id)
        return seen is not None and seen.running

    async def _may_change(self) -> None:
        if self.fail is not None:
            raise DriverError(self.fail)
        while self.hang:  # noqa: ASYNC110 - tests set it from anywhere, other threads included
            await asyncio.sleep(0.01)

    def _read(self) -> _Machines:
        if self._path is None:
            return self._kept
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Machines)
        except FileNotFoundError:
            return {}

    @contextmanager
    def _changing(self) -> Iterator[_Machines]:
        """What is there, to change; written whole when the block ends well. One at a time in all processes."""
        if self._path is None:
            yield self._kept
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            machines = self._read()
            yield machines
            draft = self._path.with_suffix(f".{os.getpid()}")
            draft.write_bytes(msgspec.json.encode(machines))
            draft.replace(self._path)
