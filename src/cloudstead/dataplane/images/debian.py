"""The Debian base: mmdebstrap's minbase and what a person expects to find after logging in."""

import shutil
from pathlib import Path

from cloudstead.core.errors import DriverError
from cloudstead.dataplane import host

PACKAGES = (
    "ca-certificates", "curl", "iproute2", "iputils-ping", "less", "netcat-openbsd", "openssh-server",
    "procps", "sudo", "vim-tiny", "wget",
)  # fmt: skip
_BUILD_TIMEOUT_S = 1200.0
_SOURCES = """\
deb http://deb.debian.org/debian {suite} main
deb http://deb.debian.org/debian {suite}-updates main
deb http://deb.debian.org/debian-security {suite}-security main
"""


async def fill(root: Path, suite: str) -> None:
    """Build into `root`, with this machine's own package sources and settings for apt."""
    packages = ",".join(PACKAGES)
    command: list[str | Path] = [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={packages}",
        "--mode=root",
        suite,
        root,
    ]
    if shutil.which("mmdebstrap") is None:
        raise DriverError("mmdebstrap is needed to build Debian images; run: sudo cloudstead setup")
    try:
        await host.run(command, timeout_s=_BUILD_TIMEOUT_S)
    except DriverError as e:
        raise DriverError(f"Debian {suite} could not be built from its packages: {e}") from e
    _clean(root, suite)


def _clean(root: Path, suite: str) -> None:
    """Nothing of this machine stays inside: not its mirror, its proxy, its keys or its name."""
    for path in (root / "etc/apt/sources.list.d").glob("*"):
        path.unlink()
    for path in (root / "etc/apt/apt.conf.d").glob("99mmdebstrap*"):
        path.unlink()
    (root / "etc/apt/sources.list").write_text(_SOURCES.format(suite=suite))
    for pattern in ("etc/ssh/ssh_host_*", "var/lib/apt/lists/*debian*", "var/cache/apt/archives/*.deb"):
        for path in root.glob(pattern):
            path.unlink()
    for name in ("etc/hostname", "etc/resolv.conf", "etc/machine-id"):
        (root / name).unlink(missing_ok=True)
    (root / "etc/machine-id").touch()
