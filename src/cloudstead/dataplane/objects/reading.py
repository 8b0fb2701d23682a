"""Bodies on their way out: verified block by block, never more than a chunk in memory.

What is in the page cache is read at once; what is not is read by a thread, so that the loop never waits for the
disk. A pin, taken before the last look at the index, keeps extents from being given away under a reader.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from cloudstead.dataplane.objects.disk import File
from cloudstead.dataplane.objects.driver import WHOLE_BYTES_MAX, Corrupt, NoSuchVersion
from cloudstead.dataplane.objects.files import Files
from cloudstead.dataplane.objects.format import (
    BLOCK_BYTES,
    Piece,
    Place,
    StoredEntry,
    StoredPart,
    crc32c,
    crc_table,
    pieces_of,
    table_bytes,
)
from cloudstead.dataplane.objects.index import Index
from cloudstead.dataplane.objects.shared import Shared
from cloudstead.dataplane.objects.volumes.batches import Batch

_CHUNK_BLOCKS = 4
_MOVED_TIMES = 5


class Reader:
    def __init__(self, files: Files, index: Index, shared: Shared) -> None:
        self._files = files
        self._index = index
        self._shared = shared

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """Nothing that is true in here is given away before the end."""
        pin = self._shared.pin()
        try:
            yield
        finally:
            self._shared.unpin(pin)

    def now(self, entry: StoredEntry) -> StoredEntry:
        """The same version as the index tells it now. Raises NoSuchVersion."""
        found = self._index.get(entry.bucket, entry.key, entry.version_id)
        if found is None or found.sequence != entry.sequence:
            raise NoSuchVersion(entry.version_id)
        return found

    async def read(self, entry: StoredEntry, start: int, end: int) -> AsyncIterator[bytes]:
        with self.pinned():
            entry = self.now(entry)
            async for chunk in self.pieces(entry, start, end):
                yield chunk

    async def pieces(self, stored: StoredEntry | StoredPart, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes of what is pinned."""
        at = 0
        for piece in pieces_of(stored.body, stored.size):
            first, last = max(start - at, 0), min(end - at, piece.size)
            at += piece.size
            if first >= last:
                continue
            if piece.file:
                async for chunk in self.extent(piece, piece.start + first, piece.start + last):
                    yield chunk
            else:
                data = await self.inline(stored)
                yield data[piece.start + first : piece.start + last]

    def peek(self, entry: StoredEntry) -> bytearray | None:
        """A small body that is in the page cache, and right; else None, and `whole` knows what is the matter."""
        if entry.body.pieces:
            with self.pinned():
                return self._peek_extent(entry)
        if entry.place is None:
            return None
        place, length = entry.place, entry.body.inline
        try:
            file = self._files.get(place.log, extents=False)
        except FileNotFoundError:
            return None
        data = file.read_now(place.offset + place.length - length, length)
        return data if data is not None and crc32c(data) == entry.body.crc else None

    def _peek_extent(self, entry: StoredEntry) -> bytearray | None:
        """Of one extent: small bodies have no more."""
        try:
            (piece, *others) = pieces_of(self.now(entry).body, entry.size)
        except NoSuchVersion:
            return None
        whole = piece.start == 0 and piece.size == piece.length == entry.size <= WHOLE_BYTES_MAX
        if others or not piece.file or not whole:
            return None
        try:
            file = self._files.get(piece.file, extents=True)
        except FileNotFoundError:
            return None
        data = file.read_now(piece.offset, piece.length + table_bytes(piece.length))
        if data is None:
            return None
        table = data[piece.length :]
        del data[piece.length :]
        return data if crc_table(data) == table else None

    async def whole(self, entry: StoredEntry) -> bytes:
        assert entry.size <= WHOLE_BYTES_MAX
        if not entry.body.pieces:
            if entry.place is None:
                entry = self.now(entry)
            return await self.inline(entry) if entry.size else b""
        return b"".join([chunk async for chunk in self.read(entry, 0, entry.size)])

    async def inline(self, stored: StoredEntry | StoredPart) -> bytes:
        """The bytes in the record itself. Its log may go while this reads: then the record lies elsewhere."""
        for _ in range(_MOVED_TIMES):
            assert stored.place is not None
            try:
                data = await self._end_of_record(stored.place, stored.body.inline)
            except FileNotFoundError:
                stored = self._look_again(stored)
                continue
            if crc32c(data) == stored.body.crc:
                return data
            again = self._look_again(stored)
            if again.place == stored.place:
                raise Corrupt(f"{stored.bucket}/{stored.key}: {stored.place} does not match its checksum")
            stored = again
        raise Corrupt(f"{stored.bucket}/{stored.key}: {stored.place} is not there")

    def _look_again(self, stored: StoredEntry | StoredPart) -> StoredEntry | StoredPart:
        if isinstance(stored, StoredEntry):
            return self.now(stored)
        with self._index.reading() as txn:
            upload = self._index.upload_number(txn, stored.bucket, stored.key, stored.upload_id)
            part = None if upload is None else self._index.part(txn, upload, stored.number)
        if part is None or part.revision != stored.revision:
            raise NoSuchVersion(stored.upload_id)
        return part

    async def _end_of_record(self, place: Place, length: int) -> bytes:
        file = self._files.get(place.log, extents=False)
        return await _read(file, place.offset + place.length - length, length)

    async def extent(self, piece: Piece, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes [start, end) of an extent."""
        try:
            file = self._files.get(piece.file, extents=True)
        except FileNotFoundError as e:
            raise Corrupt(f"file {piece.file} is not there") from e
        if isinstance(file, Batch):
            async for data in file.read_extent(piece, start, end):
                yield data
            return
        table = await _read(file, piece.offset + piece.length, table_bytes(piece.length))
        step = _CHUNK_BLOCKS * BLOCK_BYTES
        for at in range(start // step * step, end, step):
            first = at if at >= start else start // BLOCK_BYTES * BLOCK_BYTES
            last = min(piece.length, at + step, -(-end // BLOCK_BYTES) * BLOCK_BYTES)
            data = await _read(file, piece.offset + first, last - first)
            block = first // BLOCK_BYTES
            crcs = crc_table(data)
            if len(data) < last - first or crcs != table[4 * block : 4 * block + len(crcs)]:
                raise Corrupt(f"file {piece.file}, bytes {first} to {last} of the extent at {piece.offset}")
            if first < start or last > end:
                data = data[max(0, start - first) : end - first]
            yield data


async def _read(file: File, offset: int, length: int) -> bytes:
    data = file.read(offset, length, wait=False)
    if data is None:
        data = await asyncio.to_thread(file.read, offset, length)
    return data or b""
