"""Mounting without a process: the two system calls, and what is mounted now."""

import ctypes
import errno
import os
from pathlib import Path

from cloudstead.core.errors import DriverError

_MNT_DETACH = 2


def mount_overlay(target: Path, *, lower: Path, upper: Path, work: Path) -> None:
    """Mount a writable layer over a read-only tree. Nothing happens if it is mounted already."""
    if is_mounted(target):
        return
    options = f"lowerdir={lower},upperdir={upper},workdir={work}".encode()
    if _libc().mount(b"overlay", bytes(target), b"overlay", 0, options):
        code = ctypes.get_errno()
        raise DriverError(f"{target.parent.name}: overlay cannot be mounted: {os.strerror(code)}")


def unmount(target: Path) -> None:
    """Unmount, at once or, while something is still inside, as soon as it has left. Safe to repeat."""
    if _libc().umount2(bytes(target), _MNT_DETACH):
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOENT):
            raise DriverError(f"{target}: cannot be unmounted: {os.strerror(code)}")


def is_mounted(target: Path) -> bool:
    return os.path.ismount(target)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
