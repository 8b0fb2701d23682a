"""A disk whose power can be cut: what was not synced is lost, torn or kept, as chance will have it.

It is a real folder, as the page cache would show it, and a journal of what was done to it. `after_cut` makes the
folder that a machine would find when the power is back: all that was synced, and of the rest some writes, in any
order, in sectors.
"""

import errno
import random
import threading
from pathlib import Path

from cloudstead.dataplane.objects.disk import RealDisk
from cloudstead.dataplane.objects.syncing import Syncs

_SECTOR_BYTES = 512


class PowerCut(OSError):
    pass


class CutDisk:
    def __init__(self, folder: Path, cut_at: int | None = None) -> None:
        """`cut_at` is the number of the touch, from 1, that is no more done; None counts alone."""
        self._folder = folder
        self._real = RealDisk(folder, Syncs(threads=True))
        self._cut_at = cut_at
        self.touches = 0
        self.files: dict[str, CutFile] = {}
        self.names_synced: set[str] = set()
        self.removed: set[str] = set()  # by names that are not synced
        self.free = 1 << 40
        self._lock = threading.Lock()  # threads make files
        for name in self._real.names():
            self.files[name] = CutFile(self, self._real.open(name), (self._folder / name).read_bytes())
            self.names_synced.add(name)

    def touch(self) -> None:
        self.touches += 1
        if self._cut_at is not None and self.touches >= self._cut_at:
            raise PowerCut(errno.EIO, "the power is cut")

    def create(self, name):
        self.touch()
        self.files[name] = CutFile(self, self._real.create(name), b"")
        return self.files[name]

    def open(self, name):
        if name not in self.names():
            raise FileNotFoundError(name)
        return self.files[name]

    def remove(self, name):
        self.touch()
        with self._lock:
            self._real.remove(name)
            self.removed.add(name)

    def names(self):
        return self._real.names()

    def sync_names(self):
        self.touch()
        with self._lock:
            self.names_synced |= set(self.names())
            for name in self.removed:
                self.files.pop(name, None)
            self.removed.clear()

    def free_bytes(self):
        return self.free

    def after_cut(self, folder: Path, chance: random.Random) -> None:
        folder.mkdir(parents=True)
        for name, file in self.files.items():
            unsynced_name = (name in self.removed) or (name not in self.names_synced)
            if unsynced_name and chance.random() < 0.5:
                continue
            file.after_cut(folder / name, chance)


class CutFile:
    def __init__(self, disk: CutDisk, real, synced: bytes) -> None:
        self._disk = disk
        self._real = real
        self._synced: list[tuple] = [("write", 0, synced)]
        self._unsynced: list[tuple] = []

    def write(self, offset, buffers):
        self._disk.touch()
        if self._disk.free <= 0:
            raise AssertionError("nobody asked whether there is room")
        data = b"".join(buffers)
        self._real.write(offset, (data,))
        self._unsynced.append(("write", offset, data))

    def read(self, offset, length, *, wait=True):
        return self._real.read(offset, length, wait=True)

    def read_now(self, offset, length):
        found = self._real.read(offset, length)
        return bytearray(found) if len(found) == length else None

    def allocate(self, offset, length):
        self._disk.touch()
        self._real.truncate(max(self._real.size(), offset + length))
        self._unsynced.append(("size", self._real.size()))

    def punch(self, offset, length):
        self._disk.touch()
        self._real.punch(offset, length)
        self._unsynced.append(("punch", offset, length))

    def truncate(self, length):
        self._disk.touch()
        self._real.truncate(length)
        self._unsynced.append(("size", length))

    async def sync(self):
        self._disk.touch()
        self._synced += self._unsynced
        self._unsynced = []

    def size(self):
        return self._real.size()

    def close(self):
        pass

    def after_cut(self, path: Path, chance: random.Random) -> None:
        with path.open("wb+") as file:
            for touch in self._synced:
                _do(file, touch)
            left = list(self._unsynced)
            if chance.random() < 0.3:
                left = left[: chance.randint(0, len(left))]  # in order, up to somewhere
            for touch in left:
                _do(file, touch, chance if chance.random() < 0.7 else None)


def _do(file, touch, chance=None) -> None:
    """With `chance`, only so much of it as was on its way."""
    kind, at, *rest = touch
    if kind == "size":
        if chance is None or chance.random() < 0.5:
            file.truncate(at)
    elif kind == "punch":
        if chance is None or chance.random() < 0.5:
            _write(file, at, bytes(rest[0]))
    else:
        data = rest[0]
        for start in range(0, len(data), _SECTOR_BYTES) if chance else ():
            if chance.random() < 0.6:
                _write(file, at + start, data[start : start + _SECTOR_BYTES])
        if chance is None:
            _write(file, at, data)


def _write(file, at, data) -> None:
    file.seek(at)
    file.write(data)
