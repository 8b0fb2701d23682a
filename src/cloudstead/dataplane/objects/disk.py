"""Files as the engine sees them: the only way by which it touches the disk, so that tests can cut the power.

What is written may be lost until `sync` of the file has returned; a file made or removed may come back until
`sync_names` has. Sync fails at most once: whoever sees it fail must not trust anything since the last good one.
"""

import contextlib
import ctypes
import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cloudstead.dataplane.objects.driver import DiskFull
from cloudstead.dataplane.objects.syncing import Syncs

Bytes = bytes | bytearray | memoryview

_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_FULL = (errno.ENOSPC, errno.EDQUOT)


class File(Protocol):
    def write(self, offset: int, buffers: Sequence[Bytes]) -> None:
        """Write them one after another. Raises DiskFull."""
        ...

    def read(self, offset: int, length: int, *, wait: bool = True) -> bytes | None:
        """So many bytes, fewer at the end of the file. None if it would have to wait for the disk and may not."""
        ...

    def read_now(self, offset: int, length: int) -> bytearray | None:
        """As `read` without waiting; None also where there are fewer bytes."""
        ...

    def allocate(self, offset: int, length: int) -> None:
        """Make sure that this range can be written later; what was never written reads as zeros. Raises DiskFull."""
        ...

    def punch(self, offset: int, length: int) -> None:
        """Give the space back; it reads as zeros."""
        ...

    def truncate(self, length: int) -> None: ...

    async def sync(self) -> None: ...

    def size(self) -> int: ...

    def close(self) -> None: ...


class Disk(Protocol):
    """One folder of files, not of folders."""

    def create(self, name: str) -> File: ...
    def open(self, name: str) -> File:
        """Raises FileNotFoundError."""
        ...

    def remove(self, name: str) -> None:
        """Safe to repeat."""
        ...

    def names(self) -> list[str]: ...
    def sync_names(self) -> None: ...
    def free_bytes(self) -> int: ...


class RealDisk:
    def __init__(self, folder: Path, syncs: Syncs) -> None:
        self._folder = folder
        self._syncs = syncs
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self, name: str) -> File:
        try:
            return _RealFile(self._folder / name, os.O_CREAT | os.O_EXCL, self._syncs)
        except OSError as e:
            raise _full(e) from e

    def open(self, name: str) -> File:
        return _RealFile(self._folder / name, 0, self._syncs)

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        return sorted(path.name for path in self._folder.iterdir() if path.is_file())

    def sync_names(self) -> None:
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def free_bytes(self) -> int:
        seen = os.statvfs(self._folder)
        return seen.f_bavail * seen.f_frsize


class _RealFile:
    _fd = -1

    def __init__(self, path: Path, flags: int, syncs: Syncs) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
        self._syncs = syncs

    def write(self, offset: int, buffers: Sequence[Bytes]) -> None:
        try:
            for at in range(0, len(buffers), _IOV_MAX):
                some = buffers[at : at + _IOV_MAX]
                length = sum(map(len, some))
                wrote = os.pwritev(self._fd, some, offset)
                if wrote < length:  # a signal, or the last bytes of the disk
                    rest = memoryview(b"".join(some))[wrote:]
                    while rest:
                        rest = rest[os.pwrite(self._fd, rest, offset + length - len(rest)) :]
                offset += length
        except OSError as e:
            raise _full(e) from e

    def read(self, offset: int, length: int, *, wait: bool = True) -> bytes | None:
        if wait:
            return os.pread(self._fd, length, offset)
        found = self.read_now(offset, length)
        return None if found is None else bytes(found)

    def read_now(self, offset: int, length: int) -> bytearray | None:
        found = bytearray(length)
        try:
            got = os.preadv(self._fd, (found,), offset, os.RWF_NOWAIT)
        except OSError as e:
            if e.errno not in (errno.EAGAIN, errno.EOPNOTSUPP):
                raise
            return None
        return found if got == length else None

    def allocate(self, offset: int, length: int) -> None:
        try:
            os.posix_fallocate(self._fd, offset, length)
        except OSError as e:
            raise _full(e) from e

    def punch(self, offset: int, length: int) -> None:
        # A file system that cannot do it keeps the space until the whole file goes.
        with contextlib.suppress(OSError):
            _fallocate(self._fd, _KEEP_SIZE | _PUNCH_HOLE, offset, length)

    def truncate(self, length: int) -> None:
        os.ftruncate(self._fd, length)

    async def sync(self) -> None:
        await self._syncs.sync(self._fd)

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


_IOV_MAX = 1024
_libc = ctypes.CDLL(None, use_errno=True)


def _fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    failed = _libc.fallocate64(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length))
    if failed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _full(e: OSError) -> Exception:
    return DiskFull("the disk is full") if e.errno in _FULL else e
