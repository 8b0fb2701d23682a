"""Whose cloud this is. Under sudo it is the one who typed sudo, so that `env` and `status` work without it."""

import os
import pwd
from pathlib import Path


def _behind_sudo() -> pwd.struct_passwd | None:
    name = os.environ.get("SUDO_USER", "")
    if os.geteuid() != 0 or name in ("", "root"):
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def home() -> Path:
    person = _behind_sudo()
    return Path(person.pw_dir) if person else Path.home()


def data_folder() -> Path:
    """The default of `--data`: `cloudstead` in the user's data folder, as freedesktop.org has it."""
    told = os.environ.get("XDG_DATA_HOME", "")
    parent = Path(told) if told.startswith("/") and not _behind_sudo() else home() / ".local" / "share"
    return parent / "cloudstead"


def make_folder(path: Path, mode: int = 0o755) -> None:
    """Make the folder and its parents, each belonging to the person. Safe to repeat."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=mode, exist_ok=True)
    own(path)


def own(path: Path) -> None:
    """Give what root made in the person's home to the person."""
    person = _behind_sudo()
    if person and path.is_relative_to(person.pw_dir):
        os.chown(path, person.pw_uid, person.pw_gid, follow_symlinks=False)
