"""Network namespaces held by files, so that they outlive whoever made them.

The file of a namespace is a bind mount of it. A namespace belongs to a thread, and a thread that could not find
back would run somebody else's code in the wrong network: so each visit is made by a thread of its own, which ends
with it.
"""

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from cloudstead.core.errors import DriverError

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_MS_BIND = 0x1000
_MNT_DETACH = 2
_VISIT_S_MAX = 20.0

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_void_p)


def make(file: Path, sysctls: Mapping[str, str]) -> None:
    """Make the file hold a network namespace with these settings. Safe to repeat."""
    if alive(file):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    _apart(lambda: _make_here(file, sysctls))


def remove(file: Path) -> None:
    """Let the namespace go. It ends with the last process and socket in it. Safe to repeat."""
    while alive(file):
        _call("umount2", os.fsencode(file), _MNT_DETACH)
    file.unlink(missing_ok=True)


def alive(file: Path) -> bool:
    """Whether the file holds a namespace; after a reboot of the machine it does not."""
    try:
        return file.stat().st_dev == Path("/proc/thread-self/ns/net").stat().st_dev
    except FileNotFoundError:
        return False


def inside(file: Path, work: Callable[[], T]) -> T:
    """Do some quick work inside the namespace; a socket made there stays there."""

    def visit() -> T:
        with contextlib.closing(_Descriptor(file)) as namespace:
            _call("setns", namespace.number, _CLONE_NEWNET)
        return work()

    return _apart(visit)


def _make_here(file: Path, sysctls: Mapping[str, str]) -> None:
    _call("unshare", _CLONE_NEWNET)
    for name, value in sysctls.items():
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6 has none of its settings
            Path("/proc/sys/net", name).write_text(value, encoding="ascii")
    # Mounted last: a namespace that can be seen has its settings.
    _call("mount", b"/proc/thread-self/ns/net", os.fsencode(file), None, _MS_BIND, None)


def _apart(work: Callable[[], T]) -> T:
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as e:  # noqa: BLE001 - raised again by whoever waits
            failed.append(e)

    thread = threading.Thread(target=run, name="netns", daemon=True)
    thread.start()
    thread.join(_VISIT_S_MAX)
    if failed:
        if isinstance(failed[0], OSError):
            raise DriverError(f"network namespace: {failed[0]}") from failed[0]
        raise failed[0]
    if not done:
        raise DriverError(f"network namespace: no end after {_VISIT_S_MAX} s")
    return done[0]


class _Descriptor:
    def __init__(self, file: Path) -> None:
        self.number = os.open(file, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self.number)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
