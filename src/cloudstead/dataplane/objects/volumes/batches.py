"""Batches of needles, which the engine keeps account of as if they were files of extents.

The master gives needles by the batch. Which ones, and which of them are to be given back, stands in a small file on
this disk, `<number>.needles`, synced before the first of them is written: so whatever becomes of a process, no
needle is forgotten. A needle is an extent at `n * STRIDE` of file `<number>`; to punch it is to mark it.
"""

import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from enum import IntEnum
from pathlib import PurePath

from cloudstead.dataplane.objects.disk import Bytes, Disk, File
from cloudstead.dataplane.objects.driver import Corrupt
from cloudstead.dataplane.objects.format import LAYOUT, NewerLayout, Piece, crc32c
from cloudstead.dataplane.objects.volumes.cluster import Assigned, Cluster, Needle

#: More than any needle has bytes.
STRIDE = 16 << 20

_EXTENTS, _NEEDLES = ".ext", ".needles"
_HEAD = struct.Struct("<4sHHIIQII")  # magic, layout, zero, volume, cookie, first key, count, crc
_HEAD_BYTES = 64
_MAGIC = b"CSNB"


class Mark(IntEnum):
    """What is known of a needle."""

    TAKEN = 0  # or not yet
    UNWANTED = 1
    GONE = 2


class Batch:
    """A file of extents, as the engine sees it."""

    def __init__(self, name: str, file: File, cluster: Cluster, told: Callable[[str], None]) -> None:
        self._name = name
        self._file = file
        self._cluster = cluster
        self._told = told  # that something is unwanted now
        self._assigned = self._read_head()

    async def begin(self, assigned: Assigned) -> None:
        """Note what was assigned. Raises OSError if that cannot be kept."""
        first = assigned.first
        head = _HEAD.pack(_MAGIC, LAYOUT, 0, first.volume, first.cookie, first.key, assigned.count, 0)[:-4]
        head = (head + struct.pack("<I", crc32c(head))).ljust(_HEAD_BYTES, b"\0")
        self._file.write(0, (head, bytes(assigned.count)))
        await self._file.sync()
        self._assigned = assigned

    @property
    def count(self) -> int:
        return 0 if self._assigned is None else self._assigned.count

    def needle(self, n: int) -> Needle:
        if self._assigned is None or not 0 <= n < self._assigned.count:
            raise Corrupt(f"{self._name} does not tell of needle {n}")
        first = self._assigned.first
        return first._replace(key=first.key + n)

    def read_extent(self, piece: Piece, start: int, end: int) -> AsyncIterator[bytes]:
        return self._cluster.read(self.needle(piece.offset // STRIDE), piece.length, start, end)

    def marked(self, mark: Mark) -> list[int]:
        return [n for n, each in enumerate(self._marks()) if each == mark]

    def mark(self, needles: Sequence[int], mark: Mark) -> None:
        for n in needles:
            self._file.write(_HEAD_BYTES + n, (bytes((mark,)),))
        if needles and mark is Mark.UNWANTED:
            self._told(self._name)

    def drop(self) -> bool:
        """Nothing refers to any of them. Whether there is nothing to give back either."""
        self.mark(self.marked(Mark.TAKEN), Mark.UNWANTED)
        return not self.marked(Mark.UNWANTED)

    # --- a File

    def punch(self, offset: int, length: int) -> None:
        """The needles that begin in there are unwanted."""
        within = range(-(-offset // STRIDE), min(self.count, -(-(offset + length) // STRIDE)))
        marks = self._marks()
        self.mark([n for n in within if marks[n] == Mark.TAKEN], Mark.UNWANTED)

    def size(self) -> int:
        return self.count * STRIDE

    async def sync(self) -> None:
        await self._file.sync()

    def read_now(self, offset: int, length: int) -> bytearray | None:
        """It would always have to wait."""
        del offset, length
        return None

    def close(self) -> None:
        self._file.close()

    def read(self, offset: int, length: int, *, wait: bool = True) -> bytes | None:
        raise AssertionError(f"needles are read one by one, not {length} bytes at {offset}, {wait=}")

    def write(self, offset: int, buffers: Sequence[Bytes]) -> None:
        raise AssertionError(f"needles are written whole, not {len(buffers)} buffers at {offset}")

    def allocate(self, offset: int, length: int) -> None:
        raise AssertionError(f"needles need no room: {length} bytes at {offset}")

    def truncate(self, length: int) -> None:
        raise AssertionError(f"a batch keeps its length: {length}")

    # --- inside

    def _marks(self) -> bytes:
        return (self._file.read(_HEAD_BYTES, self.count) or b"").ljust(self.count, b"\0")

    def _read_head(self) -> Assigned | None:
        """None if it was never synced: then no needle of it was written."""
        head = self._file.read(0, _HEAD.size) or b""
        if len(head) < _HEAD.size:
            return None
        magic, layout, _, volume, cookie, key, count, crc = _HEAD.unpack(head)
        if magic != _MAGIC or crc != crc32c(head[:-4]):
            return None
        if layout > LAYOUT:
            raise NewerLayout(f"{self._name} was written in layout {layout}, and this knows up to {LAYOUT}")
        return Assigned(Needle(volume, key, cookie), count)


class BatchDisk:
    """A Disk whose files of extents are batches: all new ones, or only those that were made so before."""

    def __init__(self, local: Disk, cluster: Cluster) -> None:
        self._local = local
        self._cluster = cluster
        self._unwanted: set[str] = set()
        self._unsynced: set[str] = set()

    def create(self, name: str) -> File:
        if not name.endswith(_EXTENTS) or not self._cluster.settings.takes_new:
            return self._local.create(name)
        return self._batch(name, self._local.create(_needles(name)))

    def open(self, name: str) -> File:
        if name.endswith(_EXTENTS):
            try:
                return self.batch(name)
            except FileNotFoundError:
                pass
        return self._local.open(name)

    def remove(self, name: str) -> None:
        """A batch first waits until all of its needles have been given back."""
        if name.endswith(_EXTENTS):
            try:
                batch = self.batch(name)
            except FileNotFoundError:
                pass
            else:
                if batch.count and not batch.drop():
                    return
                self._local.remove(_needles(name))
        self._local.remove(name)

    def names(self) -> list[str]:
        return sorted(_as_extents(name) for name in self._local.names())

    def sync_names(self) -> None:
        self._local.sync_names()

    def free_bytes(self) -> int:
        return self._local.free_bytes()

    # --- batches

    def batch(self, name: str) -> Batch:
        """Raises FileNotFoundError."""
        return self._batch(name, self._local.open(_needles(name)))

    def batches(self) -> Iterator[str]:
        return (_as_extents(name) for name in self._local.names() if name.endswith(_NEEDLES))

    def take_unwanted(self) -> set[str]:
        """The batches that this process marked something in since it was asked last."""
        found, self._unwanted = self._unwanted, set()
        return found

    async def sync_marks(self) -> None:
        """After this the marks survive the loss of power. Without it, they are made again with the index."""
        names, self._unsynced = self._unsynced, set()
        for name in names:
            try:
                await self.batch(name).sync()
            except FileNotFoundError:
                continue

    def _batch(self, name: str, file: File) -> Batch:
        return Batch(name, file, self._cluster, self._tell_unwanted)

    def _tell_unwanted(self, name: str) -> None:
        self._unwanted.add(name)
        self._unsynced.add(name)


def has_batches(local: Disk) -> bool:
    return any(name.endswith(_NEEDLES) for name in local.names())


def _needles(name: str) -> str:
    return PurePath(name).with_suffix(_NEEDLES).name


def _as_extents(name: str) -> str:
    return name.removesuffix(_NEEDLES) + _EXTENTS if name.endswith(_NEEDLES) else name
