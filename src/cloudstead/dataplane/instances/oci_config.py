"""The OCI runtime configuration of a machine: a pure function of what is wanted and of what this host may give.

Rights and limits are cut to our own: a runtime that tries to give a machine more than we have refuses to start it.
"""

from pathlib import Path
from typing import Any

import msgspec

from cloudstead.dataplane.instances.driver import InstanceSpec

#: Annotation that records which boot a run is of.
BOOT = "dev.cloudstead.boot"

_PERIOD_US = 100_000
_PIDS_MAX = 4096

# What an instance's root is expected to do: install packages, mount, change its network, bind low ports.
_CAPABILITIES = (
    "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
    "CAP_IPC_LOCK", "CAP_KILL", "CAP_LEASE", "CAP_LINUX_IMMUTABLE", "CAP_MKNOD", "CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_ADMIN",
    "CAP_SYS_CHROOT", "CAP_SYS_NICE", "CAP_SYS_PTRACE", "CAP_SYS_RESOURCE", "CAP_SYS_TTY_CONFIG",
)  # fmt: skip


class HostRights(msgspec.Struct, frozen=True, kw_only=True):
    """What we may give away."""

    capabilities: frozenset[str]
    open_files_max: int


def runtime_config(
    spec: InstanceSpec, *, rootfs: Path, network: Path, cgroup: str, rights: HostRights
) -> dict[str, Any]:
    capabilities = [name for name in _CAPABILITIES if name in rights.capabilities]
    return {
        "ociVersion": "1.0.2",
        "hostname": spec.hostname,
        "annotations": {BOOT: str(spec.boot)},
        "root": {"path": str(rootfs), "readonly": False},
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/sbin/cloudstead-init"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container=oci"],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), capabilities),
            "rlimits": [
                {
                    "type": "RLIMIT_NOFILE",
                    "hard": rights.open_files_max,
                    "soft": min(1024, rights.open_files_max),
                }
            ],
            "noNewPrivileges": False,
        },
        "mounts": _MOUNTS,
        "linux": {
            "cgroupsPath": cgroup,
            "namespaces": [
                {"type": "pid"},
                {"type": "ipc"},
                {"type": "uts"},
                {"type": "mount"},
                {"type": "network", "path": str(network)},
            ],
            "resources": {
                "devices": [{"allow": False, "access": "rwm"}, *_DEVICES],
                "cpu": {"period": _PERIOD_US, "quota": max(1000, int(spec.vcpus * _PERIOD_US))},
                "memory": {"limit": spec.memory_bytes},
                "pids": {"limit": _PIDS_MAX},
            },
            "maskedPaths": [
                "/proc/kcore",
                "/proc/keys",
                "/proc/timer_list",
                "/proc/sched_debug",
                "/sys/firmware",
            ],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sysrq-trigger"],
        },
    }


_MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {
        "destination": "/dev",
        "type": "tmpfs",
        "source": "tmpfs",
        "options": ["nosuid", "mode=755", "size=65536k"],
    },
    {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    {
        "destination": "/dev/shm",  # noqa: S108 - of the machine's own
        "type": "tmpfs",
        "source": "shm",
        "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    },
    {
        "destination": "/dev/mqueue",
        "type": "mqueue",
        "source": "mqueue",
        "options": ["nosuid", "noexec", "nodev"],
    },
    {
        "destination": "/sys",
        "type": "sysfs",
        "source": "sysfs",
        "options": ["nosuid", "noexec", "nodev", "ro"],
    },
    {"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=755"]},
]

_DEVICES = [
    {"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"}
    for major, minor in ((1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2), (136, None))
]
for device in _DEVICES:
    if device["minor"] is None:
        del device["minor"]
