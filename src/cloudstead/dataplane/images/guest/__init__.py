"""What every image gets, wherever its root file system came from: our init, busybox, an ssh server, the login user.

All of it lies under /usr/lib/cloudstead inside the image, but for the init's link and the user's entries.
"""

import os
import re
import shutil
import subprocess
from itertools import count
from pathlib import Path

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.images.driver import Recipe

_HOME = "usr/lib/cloudstead"
_FIRST_UID = 1000
_LINKS_MAX = 40
_NEEDED = re.compile(
    r"(?m)^\s*(?:(\S+) => )?(/\S+) \(0x"
)  # a line of ldd: a library; the loader has no arrow
_LOADER = re.compile(rb"/lib[^\0]{0,40}/ld-[^\0]+\0")
MOTD = """\
This is a Cloudstead instance, made from the image {name}: a container on a kernel that it shares with
its host, not a machine of Amazon's. /etc/os-release says whose packages are inside.
"""
POWER = "#!/usr/lib/cloudstead/busybox sh\n# Ends the machine: its init hears SIGTERM.\nkill -TERM 1\n"


def furnish(root: Path, recipe: Recipe) -> None:
    """Make a root file system one that boots as a guest. Safe to repeat."""
    home = within(root, _HOME)
    home.mkdir(parents=True, exist_ok=True)
    _copy("busybox", home / "busybox", "busybox-static")
    renew(root)
    _replace(home / "login", recipe.login + "\n", 0o644)
    _link_applets(home)
    sbin, etc = within(root, "sbin"), within(root, "etc")
    for folder in (sbin, etc):
        folder.mkdir(parents=True, exist_ok=True)
    _link(sbin / "cloudstead-init", f"/{_HOME}/init")
    if not within(root, "usr/sbin/sshd").exists():
        _dropbear(home)
    for name in ("poweroff", "halt", "reboot", "shutdown"):
        if not within(root, f"sbin/{name}").exists():
            _replace(sbin / name, POWER, 0o755)
    _user(root, recipe.login)
    _replace(etc / "motd", MOTD.format(name=recipe.name), 0o644)
    if recipe.os_release:
        _os_release(root, recipe.os_release)


def renew(root: Path) -> None:
    """Give a root file system today's init, whatever version of us made it."""
    init, today = within(root, f"{_HOME}/init"), text("init").encode()
    # By size first: a guest may have put anything there.
    if not init.is_file() or init.stat().st_size != len(today) or init.read_bytes() != today:
        init.parent.mkdir(parents=True, exist_ok=True)
        _replace(init, today.decode(), 0o755)


def text(name: str) -> str:
    """A file of this folder, which guests run."""
    return (Path(__file__).parent / name).read_text()


def within(root: Path, name: str) -> Path:
    """Where a path of the guest lies here. Its links are followed as the guest would, so none leads out of `root`."""
    found, rest, links = root, [part for part in reversed(name.split("/")) if part], 0
    while rest:
        part = rest.pop()
        if part in (".", ".."):
            found = found if part == "." or found == root else found.parent
            continue
        if not (found / part).is_symlink():
            found /= part
            continue
        links += 1
        if links > _LINKS_MAX:
            raise DriverError(f"/{name}: too many links in the image")
        target = str((found / part).readlink())
        found = root if target.startswith("/") else found
        rest += [each for each in reversed(target.split("/")) if each]
    return found


def applets() -> list[str]:
    """The commands that this machine's busybox can be."""
    return _output(_program("busybox", "busybox-static"), "--list").split()


def _link_applets(home: Path) -> None:
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    for name in applets():
        _link(folder / name, "../busybox")


def _dropbear(home: Path) -> None:
    """A small ssh server with a loader and libraries of its own: those of the image may be another system's."""
    libraries = home / "lib"
    libraries.mkdir(exist_ok=True)
    for name in ("dropbear", "dropbearkey"):
        _copy(name, libraries / name, "dropbear-bin")
        for found in _NEEDED.finditer(_output("ldd", _program(name, "dropbear-bin"))):
            _put(found[2], libraries / found[1] if found[1] else home / "ld")
        _use_own_loader(libraries / name)
        _replace(home / name, text("own"), 0o755)


def _use_own_loader(program: Path) -> None:
    """Have the kernel start it by our loader: the path stands near the file's begin, with room for one as long."""
    code = program.read_bytes()
    found = _LOADER.search(code)
    if found is not None:  # else it is linked statically
        own = f"/{_HOME}/ld".encode().ljust(len(found[0]), b"\0")
        assert len(own) == len(found[0]), found[0]
        program.write_bytes(code[: found.start()] + own + code[found.end() :])


def _user(root: Path, login: str) -> None:
    """The login user: the image's own if it has one of that name, as root is in every image."""
    shell = "/bin/bash" if within(root, "bin/bash").exists() else "/bin/sh"
    number = _free_number(within(root, "etc/passwd"), within(root, "etc/group"))
    entry = _entry(
        within(root, "etc/passwd"),
        f"{login}:x:{number}:{number}:Cloudstead default user:/home/{login}:{shell}",
        0o644,
    )
    uid, gid, place = int(entry[2]), int(entry[3]), entry[5]
    _entry(within(root, "etc/group"), f"{login}:x:{gid}:", 0o644)
    # `*` and not `!`: sshd without PAM takes the latter for a locked account.
    _entry(within(root, "etc/shadow"), f"{login}:*:19000:0:99999:7:::", 0o640, anew=True)
    _permit(within(root, "etc/shells"), entry[6])
    home = within(root, place)
    home.mkdir(parents=True, exist_ok=True)
    os.chown(home, uid, gid)
    for name in (".bashrc", ".profile"):
        model = within(root, f"etc/skel/{name}")
        if model.is_file() and not os.path.lexists(home / name):
            shutil.copyfile(model, home / name)
            os.chown(home / name, uid, gid)
    sudoers = within(root, "etc/sudoers.d")
    if sudoers.is_dir():
        _replace(sudoers / "90-cloudstead", f"{login} ALL=(ALL) NOPASSWD:ALL\n", 0o440)


def _free_number(*files: Path) -> int:
    """The first number for a person that no user and no group has: one that is shared makes both the same person."""
    lines = [line.split(":") for file in files if file.exists() for line in file.read_text().splitlines()]
    taken = {int(fields[2]) for fields in lines if len(fields) > 2 and fields[2].isdecimal()}
    return next(number for number in count(_FIRST_UID) if number not in taken)


def _entry(file: Path, line: str, mode: int, *, anew: bool = False) -> list[str]:
    """The fields of the entry of this name in a file of colon-separated ones: the one there is, or else `line`.

    With `anew`, it is `line` in any case.
    """
    name = line.partition(":")[0]
    entries = file.read_text().splitlines() if file.exists() else []
    present = next((entry for entry in entries if entry.partition(":")[0] == name), None)
    if present is not None and not anew:
        return present.split(":")
    mode = file.stat().st_mode & 0o777 if file.exists() else mode
    _replace(file, "\n".join([*(entry for entry in entries if entry != present), line]) + "\n", mode)
    return line.split(":")


def _permit(shells: Path, shell: str) -> None:
    """Dropbear lets in by no other shells than these; without that file, by /bin/sh."""
    listed = shells.read_text().splitlines() if shells.exists() else ["/bin/sh"]
    if shell not in listed:
        _replace(shells, "\n".join([*listed, shell]) + "\n", 0o644)


def _os_release(root: Path, fields: dict[str, str]) -> None:
    file = within(root, "etc/os-release")
    file.parent.mkdir(parents=True, exist_ok=True)
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
    _put(_program(program, package), target)


def _put(file: str, target: Path) -> None:
    target.unlink(missing_ok=True)
    shutil.copyfile(file, target)
    target.chmod(0o755)


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise DriverError(f"{name} is needed to make images ({package}); run: sudo cloudstead setup")
    return found


def _output(*words: str | Path) -> str:
    done = subprocess.run(list(words), capture_output=True, text=True, timeout=20, check=False)  # noqa: TID251
    return done.stdout
