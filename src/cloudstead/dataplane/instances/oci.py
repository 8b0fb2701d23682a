"""Machines on runc: no daemon, no monitor, no child of ours.

    <data>/instances/<id>/config.json, rootfs (an overlay), console.log
    <data>/run/runc/<id>/state.json      runc's own

A run is told from an earlier one by the boot number in its annotations. What runs is told from files and /proc
alone, so looking at fifty machines starts no process.
"""

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
from pathlib import Path
from typing import Any

from cloudstead.core.errors import DriverError
from cloudstead.dataplane import host
from cloudstead.dataplane.images import guest
from cloudstead.dataplane.instances import cgroups, mounts
from cloudstead.dataplane.instances.driver import Capability, InstanceSeen, InstanceSpec, Usage
from cloudstead.dataplane.instances.oci_config import BOOT, HostRights, runtime_config

_CONSOLE_BYTES = 64 * 1024
_CONSOLE_BYTES_MAX = 4 * 1024 * 1024  # then it is cut to its newest 64 KiB
_RUNC_TIMEOUT_S = 30.0
_KILL_TIMEOUT_S = 10.0
_ASKED_AGAIN_S = 0.2


class OciMachines:
    """The InstancesDriver of a Linux host, as root. `cloud` is six hexadecimal digits that mark our cgroups."""

    name = "oci"
    capabilities: frozenset[Capability] = frozenset(
        {"own_ip", "live_limits", "security_groups", "console", "real"}
    )

    def __init__(
        self,
        data: Path,
        cloud: str,
        *,
        images: Path | None = None,
        grace_s: float = 5.0,
        starting_max: int = 4,
    ) -> None:
        """`images` is where root file systems lie, `<data>/images` by default."""
        data = data.absolute()
        self._instances = data / "instances"
        self._volumes = data / "volumes"
        self._namespaces = data / "run" / "netns"
        self._runc_root = data / "run" / "runc"
        self._images = images or data / "images"
        self._cgroup = f"/cloudstead-{cloud}"
        self._grace_s = grace_s
        self._starting = asyncio.Semaphore(starting_max)
        self._rights = HostRights(
            capabilities=_own_capabilities(), open_files_max=resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        )

    async def observe(self) -> list[InstanceSeen]:
        ids = {id for id in (*_names(self._instances), *_names(self._runc_root)) if not id.startswith(".")}
        for id in ids:
            _bound(self._instances / id / "console.log")
        return [self._seen(id) for id in sorted(ids)]

    async def ensure(self, spec: InstanceSpec) -> None:
        async with self._starting:
            seen = self._seen(spec.id)
            if seen.running and seen.boot >= spec.boot:
                return
            await self.stop(spec.id)
            await self._clear_run(spec.id)
            try:
                bundle = self._prepare(spec)
                console = os.open(bundle / "console.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            except OSError as e:
                raise DriverError(f"{spec.id}: {e}") from e
            try:
                await self._runc("run", "-d", "--bundle", str(bundle), spec.id, output=console)
            finally:
                os.close(console)

    async def stop(self, id: str, *, force: bool = False) -> None:
        pid = self._running_pid(id)
        if pid is None:
            return
        if not force and await self._ends_when_asked(pid):
            return
        _signal(pid, signal.SIGKILL)
        if not await _gone(pid, _KILL_TIMEOUT_S):
            raise DriverError(f"{id}: does not end")

    async def remove(self, id: str) -> None:
        await self.stop(id, force=True)
        await self._clear_run(id)
        mounts.unmount(self._instances / id / "rootfs")
        await asyncio.to_thread(shutil.rmtree, self._instances / id, True)
        if not _names(self._instances):
            cgroups.remove(self._cgroup)

    async def set_limits(self, id: str, *, vcpus: float, memory_bytes: int) -> None:
        period_us = 100_000
        limits = ["--cpu-period", str(period_us), "--cpu-quota", str(int(vcpus * period_us))]
        await self._runc("update", *limits, "--memory", str(memory_bytes), id)

    async def console(self, id: str) -> bytes:
        try:
            with (self._instances / id / "console.log").open("rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - _CONSOLE_BYTES))
                return log.read()
        except FileNotFoundError:
            return b""

    async def ssh_at(self, id: str) -> tuple[str, int] | None:  # noqa: ARG002 - at its own addresses
        return None

    async def usage(self, id: str) -> Usage | None:
        pid = self._running_pid(id)
        return None if pid is None else cgroups.usage(f"{self._cgroup}/{id}", pid)

    # --- inside

    async def _ends_when_asked(self, pid: int) -> bool:
        """Ask again and again: a machine that has only just begun is deaf to the first."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._grace_s
        while (left_s := deadline - loop.time()) > 0:
            _signal(pid, signal.SIGTERM)
            if await _gone(pid, min(left_s, _ASKED_AGAIN_S)):
                return True
        return False

    def _prepare(self, spec: InstanceSpec) -> Path:
        """Mount the root file system and write the bundle. Safe to repeat."""
        bundle, volume = self._instances / spec.id, self._volumes / spec.root_volume
        rootfs = bundle / "rootfs"
        rootfs.mkdir(parents=True, exist_ok=True)
        lower = self._images / spec.image / "rootfs"
        if not lower.is_dir():
            raise DriverError(f"{spec.id}: there is no image {spec.image}")
        if not (volume / "upper").is_dir():
            raise DriverError(f"{spec.id}: {spec.root_volume} is not there yet")
        mounts.mount_overlay(rootfs, lower=lower, upper=volume / "upper", work=volume / "work")
        guest.renew(rootfs)
        network = self._namespaces / spec.id
        if not network.exists():
            raise DriverError(f"{spec.id}: its network is not there yet")
        config = runtime_config(
            spec, rootfs=rootfs, network=network, cgroup=f"{self._cgroup}/{spec.id}", rights=self._rights
        )
        (bundle / "config.json").write_text(json.dumps(config))
        return bundle

    async def _clear_run(self, id: str) -> None:
        """Forget a run that has ended, whatever was left of it."""
        if (self._runc_root / id).exists():
            with contextlib.suppress(DriverError):
                await self._runc("delete", "--force", id)
            shutil.rmtree(self._runc_root / id, ignore_errors=True)
        cgroups.remove(f"{self._cgroup}/{id}")

    def _seen(self, id: str) -> InstanceSeen:
        state = self._state(id)
        boot = int(_annotation(state, BOOT, "-1")) if state else -1
        # runc's fifo is there from `create` until `start`: such a run waits, and would for ever after a crash.
        waits = (self._runc_root / id / "exec.fifo").exists()
        return InstanceSeen(id=id, boot=boot, running=state is not None and _alive(state) and not waits)

    def _running_pid(self, id: str) -> int | None:
        state = self._state(id)
        return int(state["init_process_pid"]) if state is not None and _alive(state) else None

    def _state(self, id: str) -> dict[str, Any] | None:
        try:
            state: dict[str, Any] = json.loads((self._runc_root / id / "state.json").read_bytes())
        except (OSError, json.JSONDecodeError):
            return None
        return state

    async def _runc(self, *words: str, output: int | None = None) -> None:
        """Run runc; `output` is what the machine's own output goes to, for `run`."""
        command = ["runc", "--root", str(self._runc_root), *words]
        if output is None:
            await host.run(command, timeout_s=_RUNC_TIMEOUT_S)
        else:
            await host.run_into(command, output, timeout_s=_RUNC_TIMEOUT_S)


def _alive(state: dict[str, Any]) -> bool:
    """Whether the process runc started is still that one, by pid and start time, and past `create`."""
    try:
        stat = Path(f"/proc/{state['init_process_pid']}/stat").read_text()
    except (OSError, KeyError):
        return False
    fields = stat.rpartition(")")[2].split()
    return fields[0] not in "ZX" and int(fields[19]) == state["init_process_start"]


def _annotation(state: dict[str, Any], name: str, default: str) -> str:
    labels: list[str] = state.get("config", {}).get("labels") or []
    found = [label.partition("=")[2] for label in labels if label.startswith(name + "=")]
    return found[0] if found else default


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


async def _gone(pid: int, timeout_s: float) -> bool:
    """Wait for a process that is no child of ours to end."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(timeout_s):
            await ended.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return True


def _bound(console: Path) -> None:
    """Cut a console that has grown too long. The machine appends, so what it writes next follows what is kept."""
    with contextlib.suppress(FileNotFoundError):
        if console.stat().st_size > _CONSOLE_BYTES_MAX:
            with console.open("r+b") as log:
                log.seek(-_CONSOLE_BYTES, os.SEEK_END)
                newest = log.read(_CONSOLE_BYTES)
                log.truncate(0)
                log.seek(0)
                log.write(newest)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []


def _own_capabilities() -> frozenset[str]:
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("CapBnd"))
    bits = int(line.split()[1], 16)
    return frozenset(name for number, name in enumerate(_CAPABILITY_NAMES) if bits >> number & 1)


# In the kernel's order: include/uapi/linux/capability.h.
_CAPABILITY_NAMES = tuple(
    "CAP_" + name.upper()
    for name in [
        "chown",
        "dac_override",
        "dac_read_search",
        "fowner",
        "fsetid",
        "kill",
        "setgid",
        "setuid",
        "setpcap",
        "linux_immutable",
        "net_bind_service",
        "net_broadcast",
        "net_admin",
        "net_raw",
        "ipc_lock",
        "ipc_owner",
        "sys_module",
        "sys_rawio",
        "sys_chroot",
        "sys_ptrace",
        "sys_pacct",
        "sys_admin",
        "sys_boot",
        "sys_nice",
        "sys_resource",
        "sys_time",
        "sys_tty_config",
        "mknod",
        "lease",
        "audit_write",
        "audit_control",
        "setfcap",
        "mac_override",
        "mac_admin",
        "syslog",
        "wake_alarm",
        "block_suspend",
        "audit_read",
        "perfmon",
        "bpf",
        "checkpoint_restore",
    ]
)
