"""What EC2 needs of whatever really runs a machine (runc, a Docker engine, a fake).

A driver is a mechanism, not a policy: it decides nothing and remembers nothing. Everything it makes is named
after the instance's id, so that after a crash `observe` finds it without a record. No machine is a child of
ours: it goes on while Cloudstead restarts, and is found again.
"""

from typing import Literal, Protocol

import msgspec


class InstanceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as it is wanted."""

    id: str  # i-…
    image: str  # name of a root file system in the image store
    root_volume: str  # vol-…: the writable layer; outlives stop and start
    #: Raised by one for every start or reboot that is wanted; a machine seen at a lower boot is started anew.
    boot: int
    vcpus: float  # CPU quota, in cores
    memory_bytes: int
    hostname: str  # ip-172-31-0-5
    network: str  # vpc-…: whose network namespace files the interfaces were made in
    login: str  # the image's user: ec2-user, ubuntu, admin
    privileged: bool = False


class InstanceSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as it is, whole or half made."""

    id: str
    boot: int  # of the latest start; -1 if it never got that far
    running: bool


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Counters since the machine was made."""

    cpu_ns: int
    memory_bytes: int
    network_in_bytes: int = 0
    network_out_bytes: int = 0
    disk_read_bytes: int = 0
    disk_write_bytes: int = 0


Capability = Literal["own_ip", "live_limits", "security_groups", "console", "real"]


class InstancesDriver(Protocol):
    """Raises DriverError from any method if the world says no for now."""

    name: str
    capabilities: frozenset[Capability]

    async def observe(self) -> list[InstanceSeen]:
        """Every machine that exists here, running or not, whole or in part."""
        ...

    async def ensure(self, spec: InstanceSpec) -> None:
        """Make it exist and run at `spec.boot`.

        Safe to repeat; finishes what an earlier call left half done; replaces a run of an older boot, keeping
        the root volume. Needs the instance's network namespace (NetworkDriver) and its root volume (BlockDriver).
        """
        ...

    async def stop(self, id: str, *, force: bool = False) -> None:
        """Make it not run, disk and identity kept. Asks with a signal first, ends it after a grace time or at once
        if forced. Safe to repeat, and on one never made.
        """
        ...

    async def remove(self, id: str) -> None:
        """Make it not exist, root volume kept. Safe to repeat, and on one never made."""
        ...

    async def set_limits(self, id: str, *, vcpus: float, memory_bytes: int) -> None:
        """Change the limits of a running machine."""
        ...

    async def console(self, id: str) -> bytes:
        """What the machine wrote to its console, the newest 64 KiB; empty if it never ran."""
        ...

    async def ssh_at(self, id: str) -> tuple[str, int] | None:
        """Where on this host a machine lets people in; None if it does so at its own addresses, or does not run."""
        ...

    async def usage(self, id: str) -> Usage | None:
        """Counters of a running machine; None if it does not run."""
        ...
