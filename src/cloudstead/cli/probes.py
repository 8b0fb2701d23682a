"""What this machine can do, found out by trying: a mount is mounted, a port is bound, an engine is asked.

`needed` says that the settings ask for it; what nobody asked for may be missing without harm.
"""

import ctypes
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cloudstead.cli import masters, resolver
from cloudstead.cli.running import running
from cloudstead.cli.setup import PARTS, where
from cloudstead.cli.terminal import program
from cloudstead.core.settings import Settings

State = Literal["ok", "degraded", "missing"]

_ENGINE_TIMEOUT_S = 2.0
_TRY_TIMEOUT_S = 5.0
_DISK_BYTES_LOW, _DISK_BYTES_MIN = 4 << 30, 512 << 20
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWPID, _CLONE_NEWNET = (
    0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000,
)  # fmt: skip
_MS_REC_PRIVATE = 0x4000 | 0x40000
_CAP_NET_ADMIN, _CAP_SYS_ADMIN = 12, 21


@dataclass(frozen=True)
class Finding:
    name: str
    state: State
    why: str
    mend: str = ""
    needed: bool = False


def examine(settings: Settings) -> list[Finding]:
    """Everything, in the order it is shown."""
    real = _real_machines_asked_for(settings)
    return [
        _python(),
        _rights(real),
        _namespaces(real),
        _cgroups(real),
        _overlay(settings, real),
        *_programs(real),
        _firewall(real),
        _engine(settings),
        *_ports(settings),
        _resolver(settings),
        _disk(settings),
        *_masters(settings),
    ]


def _real_machines_asked_for(settings: Settings) -> bool:
    return settings.machines == "oci"


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", "ok", f"{version} ({sys.executable})", needed=True)


def _rights(needed: bool) -> Finding:
    if os.geteuid() != 0:
        return Finding(
            "root", "missing", "real networks and machines need root", f"sudo {program()} up", needed
        )
    lacking = [name for bit, name in ((_CAP_NET_ADMIN, "CAP_NET_ADMIN"), (_CAP_SYS_ADMIN, "CAP_SYS_ADMIN"))
               if not _capability(bit)]  # fmt: skip
    if lacking:
        mend = "run the container with --privileged"
        return Finding("root", "missing", f"root without {' and '.join(lacking)}", mend, needed)
    return Finding("root", "ok", "with CAP_NET_ADMIN and CAP_SYS_ADMIN", needed=needed)


def _namespaces(needed: bool) -> Finding:
    kinds = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWPID | _CLONE_NEWNET
    if _in_child(lambda: _unshare(kinds)):
        return Finding("namespaces", "ok", "mount, uts, ipc, pid and network", needed=needed)
    return Finding("namespaces", "missing", "the kernel does not let us make them", _as_root(), needed)


def _cgroups(needed: bool) -> Finding:
    root = Path("/sys/fs/cgroup")
    unified = root / "cgroup.controllers"
    wanted = {"cpu", "memory", "pids"}
    if unified.exists():
        lacking = wanted - set(unified.read_text().split())
        if lacking:
            return Finding(
                "cgroups",
                "degraded",
                f"v2 without {', '.join(sorted(lacking))}: no such limits",
                needed=needed,
            )
        return Finding("cgroups", "ok", "v2", needed=needed)
    if all((root / name).is_dir() for name in wanted):
        kind = "hybrid" if (root / "unified").is_dir() else "v1"
        return Finding("cgroups", "ok", kind, needed=needed)
    return Finding(
        "cgroups", "missing", "no cpu and memory limits for instances", "mount /sys/fs/cgroup", needed
    )


def _overlay(settings: Settings, needed: bool) -> Finding:
    near = next(path for path in (settings.data, *settings.data.parents) if path.is_dir())
    place = near if os.access(near, os.W_OK) else Path(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(dir=place, prefix=".doctor-") as folder:
        if _in_child(lambda: _mount_overlay(Path(folder))):
            return Finding("overlayfs", "ok", f"works on {place}", needed=needed)
    if os.geteuid() != 0:
        return Finding("overlayfs", "missing", "only root can mount it", _as_root(), needed)
    mend = f"{program()} up --data FOLDER on a disk with ext4 or xfs"
    return Finding("overlayfs", "missing", f"cannot be mounted on {place}", mend, needed)


def _programs(needed: bool) -> list[Finding]:
    found = []
    for part in PARTS:
        if part.extra in ("docker", "tests"):
            continue
        path = where(part.program)
        if path:
            found.append(Finding(part.program, "ok", path, needed=needed and not part.extra))
        else:
            extra = f" --with {part.extra}" if part.extra else ""
            mend = f"sudo {program()} setup{extra}"
            found.append(Finding(part.program, "missing", part.why, mend, needed and not part.extra))
    return found


def _firewall(needed: bool) -> Finding:
    """Whether the kernel takes rules: tried in a network of its own, which ends with the attempt."""
    nft = where("nft")
    if nft and _in_child(
        lambda: _unshare(_CLONE_NEWNET) and _quiet([nft, "add", "table", "inet", "attempt"])
    ):
        return Finding("firewall", "ok", "the kernel takes nftables rules", needed=needed)
    if nft is None or os.geteuid() != 0:
        mend = _as_root() if nft else f"sudo {program()} setup"
        return Finding("firewall", "missing", "could not be tried", mend, needed)
    return Finding("firewall", "missing", "the kernel takes no nftables rules", "modprobe nf_tables", needed)


def _engine(settings: Settings) -> Finding:
    needed = settings.machines == "docker"
    path = engine_socket()
    if path is not None:
        return Finding("docker engine", "ok", path, needed=needed)
    return Finding(
        "docker engine", "missing", "for `--machines docker`", f"sudo {program()} setup --with docker", needed
    )


def engine_socket() -> str | None:
    """The socket of a Docker engine that answers; None if none does."""
    return next((path for path in engine_sockets() if _answers_ping(path)), None)


def engine_sockets() -> list[str]:
    """Where a Docker Engine API may be, the best first."""
    told = os.environ.get("DOCKER_HOST", "")
    home = Path.home()
    runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    known = [
        "/var/run/docker.sock",
        f"{home}/.docker/run/docker.sock",
        f"{runtime}/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    ]
    return [told.removeprefix("unix://"), *known] if told.startswith("unix://") else known


def _ports(settings: Settings) -> list[Finding]:
    up = running(settings.data)
    wanted = [("endpoint port", settings.host, settings.port, "--port")]
    if settings.dns_port:
        wanted.append(("dns port", settings.dns_host, settings.dns_port, "--dns-port"))
    found = []
    for name, host, port, flag in wanted:
        where = f"{host} port {port}"
        if up is not None and port in (up.settings.port, up.settings.dns_port):
            found.append(Finding(name, "ok", f"{where}: this cloud's", needed=True))
            continue
        problem = _cannot_bind(host, port)
        if problem is None:
            found.append(Finding(name, "ok", f"{where} is free", needed=True))
        else:
            found.append(
                Finding(name, "missing", f"{where}: {problem}", f"{program()} up {flag} NUMBER", needed=True)
            )
    return found


def _resolver(settings: Settings) -> Finding:
    if resolver.installed():
        return Finding("resolver", "ok", "this machine asks us for the cloud's names")
    why = f"names resolve only by asking {settings.dns_host} port {settings.dns_port}"
    return Finding("resolver", "degraded", why, f"sudo {program()} dns install")


def _disk(settings: Settings) -> Finding:
    place = next(path for path in (settings.data, *settings.data.parents) if path.exists())
    free = shutil.disk_usage(place).free
    said = f"{free / 1e9:.1f} GB free on {place}"
    if free < _DISK_BYTES_MIN:
        return Finding("disk", "missing", said, f"free some, or: {program()} up --data FOLDER", needed=True)
    state: State = "degraded" if free < _DISK_BYTES_LOW else "ok"
    return Finding(
        "disk", state, said, f"free some, or: {program()} up --data FOLDER" if state != "ok" else ""
    )


def _masters(settings: Settings) -> list[Finding]:
    needed = settings.object_bytes == "seaweedfs"
    missing = masters.away(settings)
    found = []
    for master in settings.masters:
        if master not in missing:
            found.append(Finding("seaweedfs", "ok", f"the master at {master} answers", needed=needed))
            continue
        state: State = "missing" if len(missing) == len(settings.masters) else "degraded"
        why = f"the master at {master} does not answer: {missing[master]}"
        mend = f"start it, or: {program()} up --seaweedfs-masters HOST:PORT"
        found.append(Finding("seaweedfs", state, why, mend, needed))
    return found


def _capability(bit: int) -> bool:
    """Whether this process has a capability; where the system has none of that, root has all."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return True
    mask = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(mask, 16) >> bit & 1)


def _in_child(attempt: Callable[[], bool]) -> bool:
    """Try something that changes the process for good; the process is a child's."""
    if sys.platform != "linux":
        return False
    pid = os.fork()
    if pid == 0:
        done = False
        try:
            done = attempt()
        finally:
            os._exit(0 if done else 1)
    return os.waitpid(pid, 0)[1] == 0


def _unshare(kinds: int) -> bool:
    return bool(ctypes.CDLL(None).unshare(kinds) == 0)


def _quiet(words: list[str]) -> bool:
    return subprocess.call(words, stderr=subprocess.DEVNULL, timeout=_TRY_TIMEOUT_S) == 0


def _mount_overlay(folder: Path) -> bool:
    """In a mount namespace that ends with this process, so there is nothing to unmount."""
    libc = ctypes.CDLL(None)
    if not _unshare(_CLONE_NEWNS) or libc.mount(b"none", b"/", None, _MS_REC_PRIVATE, None):
        return False
    for name in ("lower", "upper", "work", "merged"):
        (folder / name).mkdir()
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work".encode()
    if libc.mount(b"overlay", os.fsencode(folder / "merged"), b"overlay", 0, options):
        return False
    (folder / "merged" / "written").touch()
    return (folder / "upper" / "written").exists()


def _answers_ping(path: str) -> bool:
    connection = http.client.HTTPConnection("localhost", timeout=_ENGINE_TIMEOUT_S)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(_ENGINE_TIMEOUT_S)
    try:
        connection.sock.connect(path)
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _cannot_bind(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError as e:
            return os.strerror(e.errno) if e.errno else str(e)
    return None


def _as_root() -> str:
    return (
        f"sudo {program()} up" if os.geteuid() != 0 else "run on a kernel, or in a container, that allows it"
    )
