"""What exists on this machine, counted, so that a test can say that nothing of it was left behind."""

import os
import subprocess
from pathlib import Path


def mounts(below: Path) -> list[str]:
    """Mount points under a folder."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split()[1].encode().decode("unicode_escape") for line in lines]
    return sorted(point for point in points if point.startswith(f"{below}/"))


def links() -> set[str]:
    """Network interfaces of our own namespace."""
    return {line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]}


def cgroups(marker: str) -> list[str]:
    """Control groups whose path has this word in it, of any controller."""
    found = []
    for root, folders, _ in os.walk("/sys/fs/cgroup"):
        found += [f"{root}/{folder}" for folder in folders if marker in folder]
    return sorted(found)


def processes(marker: str) -> list[str]:
    """Processes whose command line or root has this word in it, without ourselves and our ancestors."""
    ours = {os.getpid(), os.getppid()}
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) in ours:
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            root = str((entry / "root").readlink())
        except OSError:
            continue
        if marker in line or marker in root:
            found.append(f"{entry.name} {line}")
    return found


def rules() -> str:
    """Every rule that nftables has in our own namespace."""
    return subprocess.run(
        ["nft", "list", "ruleset"], capture_output=True, text=True, timeout=20, check=True
    ).stdout
