"""A Docker Engine API to test against: Podman's, with containers, images and networks of its own, gone when it closes."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.support import world
from tests.support.cloud import until

_SETTINGS = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
default_sysctls = []
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "cni"
"""


def missing() -> str | None:
    """Why there can be no engine here, if so."""
    if os.geteuid() != 0:
        return "needs root"
    parts = [name for name in ("podman", "runc", "iptables") if shutil.which(name) is None]
    return f"needs {' and '.join(parts)}" if parts else None


class Podman:
    """`podman system service` in a folder of its own; whatever it ran ends with `close`."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="engine-"))  # short: Podman takes no path above 50 characters
        self._folder = folder
        self.socket = str(folder / "engine.sock")
        settings = folder / "containers.conf"
        # What it would give its containers by default is more than we may have ourselves.
        settings.write_text(
            _SETTINGS.format(
                files=_allowed(resource.RLIMIT_NOFILE), processes=_allowed(resource.RLIMIT_NPROC)
            )
        )
        # What it keeps in fixed places is laid over, in the tests' own mount namespace.
        leases, drafts = folder / "leases", folder / "drafts"
        for place in (leases, drafts, Path("/var/lib/cni")):
            place.mkdir(exist_ok=True)
        subprocess.run(["mount", "--bind", leases, "/var/lib/cni"], check=True)
        self._environment = {**os.environ, "CONTAINERS_CONF": str(settings), "TMPDIR": str(drafts)}
        self._words = [
            "podman",
            *("--root", str(folder / "root"), "--runroot", str(folder / "runroot")),
            *("--tmpdir", str(folder / "tmp"), "--network-config-dir", str(folder / "networks")),
            *("--storage-driver", "overlay"),
        ]
        log = (folder / "engine.log").open("wb")
        self._service = subprocess.Popen(
            [*self._words, "system", "service", "--time", "0", f"unix://{self.socket}"],
            env=self._environment,
            stdout=log,
            stderr=log,
        )
        log.close()
        try:
            until(lambda: Path(self.socket).exists())
        except AssertionError:
            self._service.kill()
            self._service.wait()
            raise AssertionError((folder / "engine.log").read_text()) from None

    def close(self) -> None:
        self("rm", "--all", "--force", "--time", "0", "--volumes")
        self("network", "prune", "--force")
        self._service.send_signal(signal.SIGTERM)
        self._service.wait(20)
        for place in ("/var/lib/cni", *reversed(world.mounts(self._folder))):
            subprocess.run(["umount", place], check=True)
        shutil.rmtree(self._folder)
        for root in Path("/sys/fs/cgroup").glob("*/libpod_parent"):
            for group, _, _ in os.walk(root, topdown=False):
                with contextlib.suppress(OSError):
                    Path(group).rmdir()

    def __call__(self, *words: str) -> str:
        """What `podman` says."""
        command = [*self._words, *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _allowed(kind: int) -> int:
    most = resource.getrlimit(kind)[1]
    return 16384 if most == resource.RLIM_INFINITY else min(most, 16384)
