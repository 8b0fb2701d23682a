"""Control groups, version 1 or 2: what a machine has used, and their removal."""

import contextlib
import re
from pathlib import Path

from cloudstead.dataplane.instances.driver import Usage

_ROOT = Path("/sys/fs/cgroup")


def usage(group: str, pid: int) -> Usage:
    """Counters of a group; `pid` is a process inside, for its network's."""
    received, sent = _network(pid)
    read, written = _disk(group)
    return Usage(
        cpu_ns=_cpu_ns(group),
        memory_bytes=_memory_bytes(group),
        network_in_bytes=received,
        network_out_bytes=sent,
        disk_read_bytes=read,
        disk_write_bytes=written,
    )


def remove(group: str) -> None:
    """Remove a group from every hierarchy. One with processes left in it stays. Safe to repeat."""
    for hierarchy in (_ROOT, *_ROOT.iterdir()):
        with contextlib.suppress(OSError):
            (hierarchy / group.lstrip("/")).rmdir()


def _cpu_ns(group: str) -> int:
    first = _ROOT / "cpuacct" / group.lstrip("/") / "cpuacct.usage"
    if first.exists():
        return int(first.read_text())
    second = _ROOT / group.lstrip("/") / "cpu.stat"
    fields = dict(line.split() for line in second.read_text().splitlines()) if second.exists() else {}
    return int(fields.get("usage_usec", 0)) * 1000


def _memory_bytes(group: str) -> int:
    for path in (
        _ROOT / "memory" / group.lstrip("/") / "memory.usage_in_bytes",
        _ROOT / group.lstrip("/") / "memory.current",
    ):
        if path.exists():
            return int(path.read_text())
    return 0


def _disk(group: str) -> tuple[int, int]:
    """Bytes read and written, as far as the kernel charges them to the group: version 1 knows no cached writes."""
    first = _ROOT / "blkio" / group.lstrip("/") / "blkio.throttle.io_service_bytes"
    second = _ROOT / group.lstrip("/") / "io.stat"
    text = first.read_text() if first.exists() else second.read_text() if second.exists() else ""
    return (
        sum(map(int, re.findall(r"(?:Read |rbytes=)(\d+)", text))),
        sum(map(int, re.findall(r"(?:Write |wbytes=)(\d+)", text))),
    )


def _network(pid: int) -> tuple[int, int]:
    """Bytes received and sent by all but the loopback interface."""
    received = sent = 0
    for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]:
        name, _, counters = line.partition(":")
        if name.strip() != "lo":
            fields = counters.split()
            received, sent = received + int(fields[0]), sent + int(fields[8])
    return received, sent
