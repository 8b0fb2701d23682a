"""The logs and body files of a store, by number: open ones are kept open, new ones are made and told to the index."""

import asyncio
import contextlib
from collections import OrderedDict

from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.disk import Disk, File
from cloudstead.dataplane.objects.driver import Broken, DiskFull
from cloudstead.dataplane.objects.format import FILE_HEAD_BYTES, LOG_BYTES, file_head, salt_of
from cloudstead.dataplane.objects.index import FileRow, Index
from cloudstead.dataplane.objects.shared import Shared

#: What puts leave free on the disk, so that what deletes has room.
RESERVE_BYTES = 192 << 20
#: What new files leave free, for the index.
INDEX_RESERVE_BYTES = 32 << 20
_OPEN_MAX = 256


def name_of(number: int, *, extents: bool) -> str:
    return f"{number:08}.{'ext' if extents else 'log'}"


def number_of(name: str) -> int | None:
    stem, _, kind = name.partition(".")
    return int(stem) if kind in ("log", "ext") and stem.isdigit() else None


class Files:
    def __init__(self, disk: Disk, index: Index, shared: Shared, tools: Tools) -> None:
        self.disk = disk
        self._index = index
        self._shared = shared
        self._tools = tools
        self._open: OrderedDict[tuple[int, bool], File] = OrderedDict()

    def get(self, number: int, *, extents: bool) -> File:
        """Raises FileNotFoundError."""
        file = self._open.get((number, extents))
        if file is None:
            file = self.disk.open(name_of(number, extents=extents))
            self._keep(number, file, extents=extents)
        return file

    async def forget_all_but(self, numbers: set[int]) -> None:
        """Let go of files that are no more, so that the disk gets their space. Readers keep theirs to the end."""
        gone = [self._open.pop(key) for key in list(self._open) if key[0] not in numbers]
        if gone:
            await asyncio.to_thread(gone.clear)

    def check_room(self) -> None:
        if self.disk.free_bytes() < RESERVE_BYTES:
            raise DiskFull(f"less than {RESERVE_BYTES >> 20} MiB are free on the disk")

    async def make(self, *, extents: bool) -> tuple[int, File, int]:
        """A new file: its number, and for a log its salt. Raises DiskFull."""
        number, salt = self._numbers()
        file = await asyncio.to_thread(self._create, number, salt, extents=extents)
        self._tell(number, file, extents=extents)
        return number, file, salt

    def make_now(self, *, extents: bool) -> tuple[int, File, int]:
        number, salt = self._numbers()
        file = self._create(number, salt, extents=extents)
        self._tell(number, file, extents=extents)
        return number, file, salt

    async def remove(self, number: int, *, extents: bool) -> None:
        """Whoever lets go of a large file last waits until the kernel has freed it: a thread does."""
        gone = [self._open.pop((number, extents), None)]

        def remove() -> None:
            self.disk.remove(name_of(number, extents=extents))
            gone.clear()

        await asyncio.to_thread(remove)

    def salt(self, number: int) -> int | None:
        return salt_of(self.get(number, extents=False).read(0, FILE_HEAD_BYTES) or b"")

    # --- inside

    def _numbers(self) -> tuple[int, int]:
        with self._shared.locked():
            return self._shared.next_number(), self._tools.random.getrandbits(63) | 1

    def _create(self, number: int, salt: int, *, extents: bool) -> File:
        """The part that takes its time, and may run in a thread."""
        name = name_of(number, extents=extents)
        if self.disk.free_bytes() < INDEX_RESERVE_BYTES:
            raise DiskFull("the disk is full")
        file = self.disk.create(name)
        try:
            if not extents:
                file.allocate(0, LOG_BYTES)
                file.write(0, (file_head(salt),))
            self.disk.sync_names()
        except DiskFull:
            self.disk.remove(name)
            raise
        except OSError as e:
            raise Broken(f"{name}: {e.strerror}") from e
        return file

    def _tell(self, number: int, file: File, *, extents: bool) -> None:
        row = FileRow(slot=self._shared.slot, extents=extents, end=0 if extents else FILE_HEAD_BYTES)
        with self._index.writing() as txn:
            self._index.put_file(txn, number, row)
        self._keep(number, file, extents=extents)

    def _keep(self, number: int, file: File, *, extents: bool) -> None:
        self._open[number, extents] = file
        if len(self._open) > _OPEN_MAX:
            with contextlib.suppress(KeyError):
                self._open.popitem(last=False)
