"""Bodies on their way to the volume servers: cut into needles, each safe on all its servers before the next is begun.

A needle is kept in memory until it is safe, for one that fails is written anew, elsewhere. Bodies that are no longer
than what their record says of them travel in it: without the record, which is on this disk alone, nobody finds the
bytes, so a copy of them elsewhere would save nothing, and cost two requests.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from cloudstead.core.errors import NotBuilt
from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.bodies import Blob
from cloudstead.dataplane.objects.disk import Bytes
from cloudstead.dataplane.objects.files import Files
from cloudstead.dataplane.objects.format import Piece, extent_bytes
from cloudstead.dataplane.objects.index import Index
from cloudstead.dataplane.objects.volumes.batches import STRIDE, Batch, Mark
from cloudstead.dataplane.objects.volumes.cluster import Cluster

log = logging.getLogger(__name__)

IN_RECORD_BYTES_MAX = 4096
#: So many needles are asked of the master at once.
BATCH_NEEDLES = 1024
#: A batch ends after so many bytes too, for its volume is full some day and the master does not see our needles coming.
_BATCH_BYTES = 1 << 30
_NEEDLE_BYTES = 4 << 20
_LARGE_NEEDLE_BYTES = 8 << 20
_LARGE_BODY_BYTES = 64 << 20
_PIECES_MAX = 200_000  # of one object: 5 MB of its record
_TRIES_TIMEOUTS = 3  # how many timeouts long a needle is tried elsewhere
_PAUSE_S, _PAUSE_S_MAX = 0.1, 1.0


class _Open(NamedTuple):
    number: int
    batch: Batch


class Needles:
    """Where this process puts needles: a batch after another, each in one volume."""

    def __init__(
        self, files: Files, index: Index, cluster: Cluster, on_broken: Callable[[d.Broken], None]
    ) -> None:
        self._files = files
        self._index = index
        self._cluster = cluster
        self._on_broken = on_broken
        self._open: _Open | None = None
        self._next = 0
        self._bytes = 0  # of this batch
        self._opening = asyncio.Lock()

    async def put(self, data: Bytes) -> Piece:
        """A needle, safe with all its copies. Raises Unreachable, and DiskFull if there is no room to note it."""
        now = asyncio.get_running_loop().time
        until = now() + _TRIES_TIMEOUTS * self._cluster.settings.timeout_s
        pause_s = _PAUSE_S
        while True:
            try:
                return await self._put_once(data)
            except d.Unreachable as e:
                if now() + pause_s > until:
                    raise
                log.warning("objects: %s; another place is asked for", e)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _PAUSE_S_MAX)

    def give_back(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            self._files.get(piece.file, extents=True).punch(piece.offset, extent_bytes(piece.length))

    def seal(self) -> None:
        """No more needles of this batch."""
        if self._open is None:
            return
        number, batch = self._open
        self._open = None
        batch.mark(range(self._next, batch.count), Mark.GONE)  # they never were
        with self._index.writing() as txn:
            row = self._index.file(txn, number)
            if row is not None:
                row.sealed, row.end = True, batch.size()
                self._index.put_file(txn, number, row)

    async def settled(self, changes: Sequence[d.Change]) -> list[d.Change]:
        """The changes, with bodies that are too large for a record in needles. Discards all bodies if it raises."""
        found: list[d.Change] = []
        try:
            for change in changes:
                settled = change
                if isinstance(change, d.Put | d.PutPart):
                    assert isinstance(change.body, Blob)
                    settled = msgspec.structs.replace(change, body=await self._settle(change.body))
                found.append(settled)
        except BaseException:
            for each in [*found, *changes[len(found) :]]:
                if isinstance(each, d.Put | d.PutPart) and isinstance(each.body, Blob):
                    each.body.discard()
            raise
        return found

    # --- inside

    async def _settle(self, blob: Blob) -> Blob:
        """What came in one piece, or was shared from a record of the time when bodies lay on this disk."""
        if len(blob.data) <= IN_RECORD_BYTES_MAX or blob.pieces:
            return blob
        piece = await self.put(blob.data)
        blob.discard()
        return Blob(blob.size, b"", [piece], lambda kept: None if kept else self.give_back([piece]))

    async def _put_once(self, data: Bytes) -> Piece:
        opened, n = await self._take(len(data))
        try:
            await self._cluster.write(opened.batch.needle(n), data)
        except BaseException as e:
            opened.batch.mark([n], Mark.UNWANTED)
            if isinstance(e, d.Unreachable) and self._open is opened:
                self.seal()
            raise
        return Piece(opened.number, n * STRIDE, len(data), 0, len(data))

    async def _take(self, size: int) -> tuple[_Open, int]:
        async with self._opening:
            if (
                self._open is None
                or self._next >= self._open.batch.count
                or self._bytes + size > _BATCH_BYTES
            ):
                await self._turn_over()
            assert self._open is not None
            self._next += 1
            self._bytes += size
            return self._open, self._next - 1

    async def _turn_over(self) -> None:
        self.seal()
        assigned = await self._cluster.assign(BATCH_NEEDLES)
        number, file, _ = await self._files.make(extents=True)
        assert isinstance(file, Batch)
        try:
            await file.begin(assigned)
        except OSError as e:
            broken = d.Broken(f"needles could not be noted: {e.strerror}")
            self._on_broken(broken)
            raise broken from e
        self._open, self._next, self._bytes = _Open(number, file), 0, 0


class NeedleWriter:
    def __init__(self, needles: Needles, size_hint: int | None) -> None:
        self._needles = needles
        self._hint = size_hint or 0
        self._waiting = bytearray()
        self._size = 0
        self._pieces: list[Piece] = []
        self._closed = False

    async def write(self, data: Bytes) -> None:
        assert not self._closed
        self._size += len(data)
        view = memoryview(data)
        while view:
            room = self._needle_bytes() - len(self._waiting)
            self._waiting += view[:room]
            view = view[room:]
            if len(self._waiting) >= self._needle_bytes():
                await self._put()

    async def close(self) -> Blob:
        assert not self._closed
        if not self._pieces and self._size <= IN_RECORD_BYTES_MAX:
            self._closed = True
            return Blob(self._size, bytes(self._waiting), [])
        if self._waiting:
            await self._put()
        self._closed = True
        pieces = self._pieces
        return Blob(self._size, b"", pieces, lambda kept: None if kept else self._needles.give_back(pieces))

    def discard(self) -> None:
        if not self._closed:
            self._closed = True
            self._needles.give_back(self._pieces)

    def _needle_bytes(self) -> int:
        return _NEEDLE_BYTES if max(self._hint, self._size) <= _LARGE_BODY_BYTES else _LARGE_NEEDLE_BYTES

    async def _put(self) -> None:
        full, self._waiting = self._waiting, bytearray()
        self._pieces.append(await self._needles.put(full))


def check_pieces(pieces: Sequence[Piece]) -> None:
    """Raise for an object of more needles than one record can name."""
    if len(pieces) > _PIECES_MAX:
        raise NotBuilt(
            f"An object of more than {_PIECES_MAX:,} pieces on volume servers is not built in Cloudstead."
        )
