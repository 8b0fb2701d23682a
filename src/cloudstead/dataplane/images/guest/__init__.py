"""What every image gets, wherever its root file system came from: our init, busybox, an ssh server, the login user.

All of it lies under /usr/lib/cloudstead inside the image, but for the init's link and the user's entries.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.images.driver import Recipe

_HOME = "usr/lib/cloudstead"
_UID = 1000
_MOTD = """\
This is a Cloudstead instance, made from the image {name}: a container on a kernel that it shares with
its host, not a machine of Amazon's. /etc/os-release says whose packages are inside.
"""
_POWER = "#!/usr/lib/cloudstead/busybox sh\n# Ends the machine: its init hears SIGTERM.\nkill -TERM 1\n"


def furnish(root: Path, recipe: Recipe) -> None:
    """Make a root file system one that boots as a guest. Safe to repeat."""
    home = root / _HOME
    home.mkdir(parents=True, exist_ok=True)
    _copy("busybox", home / "busybox", "busybox-static")
    _replace(home / "init", (Path(__file__).parent / "init").read_text(), 0o755)
    _replace(home / "login", recipe.login + "\n", 0o644)
    (root / "sbin").mkdir(exist_ok=True)
    _link(root / "sbin" / "cloudstead-init", f"/{_HOME}/init")
    _link_applets(home)
    if not (root / "usr/sbin/sshd").exists():
        _dropbear(root, home)
    for name in ("poweroff", "halt", "reboot", "shutdown"):
        if not (root / "sbin" / name).exists():
            _replace(root / "sbin" / name, _POWER, 0o755)
    _user(root, recipe.login)
    _replace(root / "etc/motd", _MOTD.format(name=recipe.name), 0o644)
    if recipe.os_release:
        _os_release(root, recipe.os_release)


def applets() -> list[str]:
    """The commands that this machine's busybox can be."""
    return _output("busybox", "--list").split()


def _link_applets(home: Path) -> None:
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    for name in applets():
        _link(folder / name, "../busybox")


def _dropbear(root: Path, home: Path) -> None:
    """A small ssh server and the libraries it was linked with."""
    _copy("dropbear", home / "dropbear", "dropbear-bin")
    _copy("dropbearkey", home / "dropbearkey", "dropbear-bin")
    for line in _output("ldd", home / "dropbear").splitlines():
        found = re.search(r"(/\S+)\s+\(0x", line)
        if found:
            target = root / found[1].lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                shutil.copyfile(found[1], target)
                target.chmod(0o755)


def _user(root: Path, login: str) -> None:
    shell = "/bin/bash" if (root / "bin/bash").exists() else "/bin/sh"
    _line(
        root / "etc/passwd", login, f"{login}:x:{_UID}:{_UID}:Cloudstead default user:/home/{login}:{shell}"
    )
    _line(root / "etc/group", login, f"{login}:x:{_UID}:")
    # `*` and not `!`: sshd without PAM takes the latter for a locked account.
    _line(root / "etc/shadow", login, f"{login}:*:19000:0:99999:7:::")
    home = root / "home" / login
    home.mkdir(parents=True, exist_ok=True)
    for name in (".bashrc", ".profile"):
        if (root / "etc/skel" / name).exists():
            shutil.copyfile(root / "etc/skel" / name, home / name)
    for path in (home, *home.iterdir()):
        os.chown(path, _UID, _UID)
    if (root / "etc/sudoers.d").is_dir():
        _replace(root / "etc/sudoers.d/90-cloudstead", f"{login} ALL=(ALL) NOPASSWD:ALL\n", 0o440)


def _line(file: Path, name: str, line: str) -> None:
    """Put a line into a file of colon-separated entries, in place of one of the same name."""
    mode = file.stat().st_mode & 0o777
    kept = [entry for entry in file.read_text().splitlines() if entry.partition(":")[0] != name]
    _replace(file, "\n".join([*kept, line]) + "\n", mode)


def _os_release(root: Path, fields: dict[str, str]) -> None:
    file = root / "etc/os-release"
    lines = file.read_text().splitlines() if file.exists() else []
    kept = [line for line in lines if line.partition("=")[0] not in fields]
    _replace(file, "\n".join([*kept, *(f'{name}="{value}"' for name, value in fields.items())]) + "\n", 0o644)


def _replace(file: Path, text: str, mode: int) -> None:
    """Write a file anew: a root made of hard links must not change the one it was copied from."""
    file.unlink(missing_ok=True)
    file.write_text(text)
    file.chmod(mode)


def _link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _copy(program: str, target: Path, package: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise DriverError(f"{program} is needed to make images ({package}); run: sudo cloudstead setup")
    target.unlink(missing_ok=True)
    shutil.copyfile(found, target)
    target.chmod(0o755)


def _output(*words: str | Path) -> str:
    done = subprocess.run(list(words), capture_output=True, text=True, timeout=20, check=False)  # noqa: TID251
    return done.stdout
