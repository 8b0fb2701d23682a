"""Whether the cloud of a data folder runs, and how it was started.

The running cloud holds a lock on `run/supervisor.lock` and has written into it what others need to know. The kernel
lets go of the lock with the last of its processes, so a stale file misleads nobody and a pid is never mistaken.
"""

import contextlib
import fcntl
import http.client
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cloudstead import __version__
from cloudstead.core.settings import Settings, known, load

_HEALTH_TIMEOUT_S = 2.0
_POLL_S = 0.02


@dataclass(frozen=True)
class Running:
    """A cloud that runs: the supervisor's pid, and the settings it was started with."""

    pid: int
    version: str
    settings: Settings
    #: When the supervisor was born, as the kernel counts; tells it from a later process with the same pid.
    born: str | None

    def tell(self, number: signal.Signals) -> None:
        """Signal the supervisor, and nobody else. One that is gone needs to be told nothing."""
        with contextlib.suppress(ProcessLookupError):
            if self.led:
                os.kill(self.pid, number)

    @property
    def led(self) -> bool:
        """Whether the supervisor lives. Without it the rest is about to end by itself."""
        return _born(self.pid) == self.born

    def wait_until_ended(self, timeout_s: float) -> bool:
        """Wait until the last of its processes is gone; another cloud may be there by then."""
        deadline = time.monotonic() + timeout_s
        while (now := running(self.settings.data)) is not None and (now.pid, now.born) == (
            self.pid,
            self.born,
        ):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True


class Lock:
    """The right to be the one that works on a data folder; held until the process and its forks end."""

    def __init__(self, data: Path) -> None:
        self._path = _path(data)
        self._descriptor = -1

    def take(self) -> bool:
        """Take it if it is free. A taken one is kept; there is no way to give it back but `release`."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        self.write({})
        return True

    def announce(self, settings: Settings) -> None:
        """Tell whoever looks that this process is the cloud."""
        told = {name: str(value) for name, value in asdict(settings).items() if value is not None}
        pid = os.getpid()
        self.write({"pid": pid, "born": _born(pid), "version": __version__, "settings": told})

    def write(self, record: Mapping[str, Any]) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(record).encode(), 0)

    def release(self) -> None:
        os.close(self._descriptor)


def running(data: Path) -> Running | None:
    """The cloud that runs on this data folder; None if none does."""
    try:
        descriptor = os.open(_path(data), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _free(descriptor):
            return None
        record = json.loads(os.pread(descriptor, 1 << 20, 0) or b"{}")
    except json.JSONDecodeError:
        return None  # just being written
    finally:
        os.close(descriptor)
    if "pid" not in record:
        return None
    names = {setting.name for setting in known()}  # another version may have had others
    told = {name: value for name, value in record["settings"].items() if name in names}
    return Running(record["pid"], record["version"], load({}, {}, told, data=data), record["born"])


def locked(data: Path) -> bool:
    """Whether any process of the cloud, or a command that excludes it, still works on the folder."""
    try:
        descriptor = os.open(_path(data), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _free(descriptor)
    finally:
        os.close(descriptor)


def health(settings: Settings) -> dict[str, Any] | None:
    """What the endpoint says of itself; None while it does not answer, or if what answers is another cloud."""
    host = settings.endpoint.removeprefix("http://").rpartition(":")[0].strip("[]")
    connection = http.client.HTTPConnection(host, settings.port, timeout=_HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", "/_cloudstead/health")
        answer = connection.getresponse()
        said = json.loads(answer.read(1 << 20)) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return said if isinstance(said, dict) and said.get("cloud") == _cloud(settings.data) else None


def _cloud(data: Path) -> str | None:
    try:
        cloud = json.loads((data / "cloud.json").read_bytes()).get("cloud")
    except (OSError, ValueError):
        return None
    return cloud if isinstance(cloud, str) else None


def _born(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def _path(data: Path) -> Path:
    return data / "run" / "supervisor.lock"
