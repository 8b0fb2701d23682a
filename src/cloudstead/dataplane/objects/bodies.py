"""Bodies on their way in: small ones wait in memory for their record, large ones go into extents as they come.

An extent is written from front to back by one writer, and its file is synced before the record that names it is
written. What was reserved and not used is given back. A file that is full is sealed only when every extent in it
was committed or given up: one that is sealed and that nothing refers to goes, and with it a body that still comes.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from cloudstead.dataplane.objects.committing import End
from cloudstead.dataplane.objects.disk import Bytes, File
from cloudstead.dataplane.objects.driver import Broken
from cloudstead.dataplane.objects.files import Files
from cloudstead.dataplane.objects.format import (
    BLOCK_BYTES,
    INLINE_BYTES_MAX,
    Body,
    Piece,
    crc32c,
    crc_table,
    extent_bytes,
    pack_pieces,
)
from cloudstead.dataplane.objects.index import Index

EXTENT_BYTES_MAX = 64 << 20
_EXTENT_BYTES_FIRST = 1 << 20
_FILE_BYTES = 1 << 30
_ALLOCATE_BYTES = 16 << 20
_CHUNK_BYTES = 4 * BLOCK_BYTES
_SYNC_EVERY_BYTES = 16 << 20


class Blob:
    """A body that no commit has named yet. `end` is told whether one ever did."""

    __slots__ = ("_end", "data", "pieces", "size", "spent")

    def __init__(self, size: int, data: bytes, pieces: list[Piece], end: End | None = None) -> None:
        self.size = size
        self.data = data  # what travels in the record
        self.pieces = pieces  # empty if that is all
        self.spent = False
        self._end = end

    def body(self, parts: bytes = b"") -> Body:
        crc = crc32c(self.data) if self.data else 0
        return Body(inline=len(self.data), crc=crc, pieces=pack_pieces(self.pieces), parts=parts)

    def discard(self) -> None:
        if not self.spent and self._end is not None:
            self._end(False)
        self.spent = True

    def spend(self) -> End | None:
        """It belongs to a commit now."""
        assert not self.spent, "a body is committed once"
        self.spent = True
        return self._end


class BodyFiles:
    """Where this process puts extents."""

    def __init__(self, files: Files, index: Index, on_broken: Callable[[Broken], None]) -> None:
        self._files = files
        self._index = index
        self._on_broken = on_broken
        self._number = 0
        self._file: _Synced | None = None
        self._next = 0  # where the next extent begins
        self._allocated = 0
        self._open: Counter[int] = Counter()  # extents by file that no commit has named yet
        self._full: dict[int, int] = {}  # the ends of files that wait for theirs
        self._making = asyncio.Lock()
        self._punching: set[asyncio.Future[None]] = set()

    async def reserve(self, length: int) -> "_Extent":
        """Room for an extent of at most so many bytes. Raises DiskFull."""
        need = extent_bytes(length)
        async with self._making:
            if self._file is None or self._next + need > _FILE_BYTES:
                await self._turn_over()
            assert self._file is not None
            if self._next + need > self._allocated:
                self._files.check_room()
                more = max(_ALLOCATE_BYTES, self._next + need - self._allocated)
                self._file.file.allocate(self._allocated, more)
                self._allocated += more
            extent = _Extent(self, self._number, self._file, offset=self._next, reserved=need, room=length)
            self._next += need
            self._open[self._number] += 1
            return extent

    def give_back(self, extent: "_Extent", used: int) -> None:
        """What lies behind the first `used` bytes of what was reserved."""
        if not used < extent.reserved:
            return
        if extent.number == self._number and extent.offset + extent.reserved == self._next:
            self._next = extent.offset + used  # the next one goes there
            return
        loop = asyncio.get_running_loop()
        punching = loop.run_in_executor(
            None, extent.synced.file.punch, extent.offset + used, extent.reserved - used
        )
        self._punching.add(punching)
        punching.add_done_callback(self._punching.discard)

    def ended(self, number: int) -> None:
        """An extent of this file was committed or given up."""
        self._open[number] -= 1
        if not self._open[number]:
            del self._open[number]
            if number in self._full:
                self._seal(number, self._full.pop(number))

    def seal(self) -> None:
        """No more extents at all: what was not committed never will be."""
        self._leave()
        while self._full:
            self._seal(*self._full.popitem())

    def _leave(self) -> None:
        """No more extents into this file."""
        if self._file is not None:
            if self._open[self._number]:
                self._full[self._number] = self._next
            else:
                self._seal(self._number, self._next)
            self._file.file.truncate(self._next)
            self._file = None

    def _seal(self, number: int, end: int) -> None:
        with self._index.writing() as txn:
            row = self._index.file(txn, number)
            if row is not None:
                row.sealed, row.end = True, end
                self._index.put_file(txn, number, row)

    async def _turn_over(self) -> None:
        number, file, _ = await self._files.make(extents=True)
        self._leave()
        self._number, self._file = number, _Synced(file, self._on_broken)
        self._next = self._allocated = 0


class _Synced:
    """A file whose syncs are shared: who asks while one is under way waits for the next, with all others."""

    def __init__(self, file: File, on_broken: Callable[[Broken], None]) -> None:
        self.file = file
        self._on_broken = on_broken
        self._next: asyncio.Future[None] | None = None
        self._running = False

    async def sync(self) -> None:
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        mine = self._next
        if not self._running:
            self._running = True
            self._task = asyncio.ensure_future(self._run())
        await asyncio.shield(mine)

    async def _run(self) -> None:
        while self._next is not None:
            told, self._next = self._next, None
            try:
                await self.file.sync()
            except OSError as e:
                broken = Broken(f"bodies could not be synced: {e.strerror}")
                self._on_broken(broken)
                told.set_exception(broken)
                told.exception()  # whoever waits raises it; perhaps nobody does any more
                continue
            told.set_result(None)
        self._running = False


class _Extent:
    def __init__(
        self, files: BodyFiles, number: int, synced: _Synced, *, offset: int, reserved: int, room: int
    ) -> None:
        self._files = files
        self.number = number
        self.synced = synced
        self.offset = offset
        self.reserved = reserved
        self.room = room  # for how many more bytes
        self.length = 0
        self._table: list[bytes] = []

    def append(self, data: Bytes) -> None:
        """Whole blocks, but for the last time."""
        self.synced.file.write(self.offset + self.length, (data,))
        self._table.append(crc_table(data))
        self.length += len(data)
        self.room -= len(data)

    def finish(self) -> Piece:
        self.synced.file.write(self.offset + self.length, self._table)
        used = extent_bytes(self.length)
        self._files.give_back(self, used)
        self.reserved = used  # what lies behind it is others'
        return Piece(self.number, self.offset, self.length, 0, self.length)

    def discard(self) -> None:
        self._files.give_back(self, 0)
        self.end()

    def end(self) -> None:
        """A commit has named it, or never will."""
        self._files.ended(self.number)


class Writer:
    def __init__(
        self, files: BodyFiles, size_hint: int | None, *, inline_max: int = INLINE_BYTES_MAX
    ) -> None:
        self._files = files
        self._inline_max = inline_max
        self._hint = size_hint
        self._waiting = bytearray()
        self._size = 0
        self._unsynced = 0
        self._extents: list[_Extent] = []
        self._pieces: list[Piece] = []
        self._closed = False

    async def write(self, data: Bytes) -> None:
        assert not self._closed
        self._size += len(data)
        if self._size <= self._inline_max:
            self._waiting += data
            return
        if len(self._waiting) >= _CHUNK_BYTES:
            whole = len(self._waiting) // _CHUNK_BYTES * _CHUNK_BYTES
            full, self._waiting = self._waiting, self._waiting[whole:]
            await self._put(memoryview(full)[:whole])
        view = memoryview(data)
        while view:
            if not self._waiting and len(view) >= _CHUNK_BYTES:
                await self._put(view[:_CHUNK_BYTES])
                view = view[_CHUNK_BYTES:]
                continue
            taken = min(len(view), _CHUNK_BYTES - len(self._waiting))
            self._waiting += view[:taken]
            view = view[taken:]
            if len(self._waiting) >= _CHUNK_BYTES:
                full, self._waiting = self._waiting, bytearray()
                await self._put(memoryview(full))

    async def close(self) -> Blob:
        assert not self._closed
        if not self._extents:
            self._closed = True
            return Blob(self._size, bytes(self._waiting), [])
        if self._waiting:
            await self._put(memoryview(self._waiting))
        self._pieces.append(self._extents[-1].finish())
        await self._sync()
        self._closed = True
        return Blob(self._size, b"", self._pieces, self._end)

    def discard(self) -> None:
        if not self._closed:
            self._closed = True
            self._give_back()

    def _end(self, kept: bool) -> None:
        if not kept:
            self._give_back()
            return
        for extent in self._extents:
            extent.end()

    def _give_back(self) -> None:
        for extent in self._extents:
            extent.discard()

    async def _put(self, data: memoryview) -> None:
        while data:
            extent = self._extents[-1] if self._extents else None
            if extent is None or not extent.room:
                if extent is not None:
                    self._pieces.append(extent.finish())
                extent = await self._files.reserve(self._extent_length())
                self._extents.append(extent)
            some = data[: extent.room]
            extent.append(some)
            data = data[len(some) :]
            self._unsynced += len(some)
            if self._unsynced >= _SYNC_EVERY_BYTES:
                await self._sync()

    async def _sync(self) -> None:
        self._unsynced = 0
        waits: list[Awaitable[None]] = [
            synced.sync() for synced in dict.fromkeys(each.synced for each in self._extents)
        ]
        for wait in waits:
            await wait

    def _extent_length(self) -> int:
        """Whole blocks, so that each extent but the last ends with one."""
        written = sum(each.length for each in self._extents)
        if self._hint is not None and self._hint > written:
            blocks = -(-(self._hint - written) // BLOCK_BYTES)
            return min(EXTENT_BYTES_MAX, blocks * BLOCK_BYTES)
        return min(EXTENT_BYTES_MAX, max(_EXTENT_BYTES_FIRST, written))
