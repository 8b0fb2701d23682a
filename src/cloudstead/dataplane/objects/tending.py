"""The store looks after itself, a little at a time, so that requests never wait for it.

Space of extents that nothing refers to is punched out of their files once nobody can be reading them. A log that
is mostly dead has its living records written once more, and goes. One process does this for all; each lets go of
files that are no more.
"""

import asyncio
import contextlib
import fcntl
import itertools
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from cloudstead.dataplane.objects.applying import Batch
from cloudstead.dataplane.objects.disk import File
from cloudstead.dataplane.objects.drafts import Draft, Record
from cloudstead.dataplane.objects.driver import Broken, Concurrent, DiskFull
from cloudstead.dataplane.objects.files import Files
from cloudstead.dataplane.objects.format import (
    FILE_HEAD_BYTES,
    Found,
    Grave,
    Scan,
    StoredEntry,
    StoredUpload,
    extent_bytes,
)
from cloudstead.dataplane.objects.index import EXTENT_KEY, FREED_KEY, U64, FileRow, Index, identity
from cloudstead.dataplane.objects.recovery import commits
from cloudstead.dataplane.objects.shared import Shared

log = logging.getLogger(__name__)

PAUSE_S = 1.0
_FREED_AT_ONCE = 64
_PARTS_AT_ONCE = 100
_OBJECTS_AT_ONCE = 50
_RECORDS_AT_ONCE = 100
_BYTES_AT_ONCE = 1 << 20
_DEAD_AT_ONCE = 200
_NO_KEY = 0
_LIVE_MAX = 0.5
_LIVE_MAX_ON_A_FULL_DISK = 0.9


class Moves(Protocol):
    async def commit(self, bucket: str, drafts: list[Draft]) -> object: ...
    def look_around(self) -> None: ...


class Tender:
    def __init__(self, folder: Path, files: Files, index: Index, shared: Shared, moves: Moves) -> None:
        self._folder = folder
        self._files = files
        self._index = index
        self._shared = shared
        self._moves = moves

    async def run(self) -> None:
        """Until cancelled."""
        fd = os.open(self._folder / "tending", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            mine = False
            while True:
                await self._files.forget_all_but(set(self._index.files()))
                with contextlib.suppress(BlockingIOError):
                    if not mine:
                        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        mine = True
                if mine:
                    with contextlib.suppress(DiskFull, Concurrent):
                        await self.once()
                await asyncio.sleep(PAUSE_S)
        except Broken:
            return  # whoever broke it has been told
        finally:
            os.close(fd)

    async def once(self) -> None:
        """Everything that can be done now."""
        self._moves.look_around()
        while await self._give_back() or self._drop_parts() or self._empty_buckets():  # noqa: ASYNC110 - not a wait
            await asyncio.sleep(0)
        await self._remove_body_files()
        live_max = self._live_max()
        for number, row in sorted(self._index.files().items()):
            if row.sealed and not row.extents and row.live <= live_max * (row.end - FILE_HEAD_BYTES):
                await self._compact(number, row)

    def _live_max(self) -> float:
        """A log is written once more if no larger share of it is true. So logs take at most twice what is true."""
        try:
            self._files.check_room()
        except DiskFull:
            return _LIVE_MAX_ON_A_FULL_DISK
        return _LIVE_MAX

    # --- extents

    async def _give_back(self) -> bool:
        horizon = self._shared.horizon()
        freed: list[tuple[bytes, int, int, int]] = []
        with self._index.reading() as txn, txn.cursor(db=self._index.tables["freed"]) as cursor:
            for key, value in itertools.islice(cursor, _FREED_AT_ONCE):
                sequence, file, offset = FREED_KEY.unpack(key)
                if sequence >= horizon:
                    break
                used = txn.get(EXTENT_KEY.pack(file, offset), db=self._index.tables["extents"])
                freed.append((key, file, offset, 0 if used else U64.unpack(value)[0]))
        for _, number, offset, length in freed:
            if length:
                with contextlib.suppress(FileNotFoundError):
                    file = self._files.get(number, extents=True)
                    await asyncio.to_thread(file.punch, offset, extent_bytes(length))
        # Only now: a process that ends in between does it again. Nobody can have begun to refer to them.
        with self._index.writing() as txn:
            for key, *_ in freed:
                txn.delete(key, db=self._index.tables["freed"])
        return bool(freed)

    async def _remove_body_files(self) -> None:
        with self._index.reading() as txn, txn.cursor(db=self._index.tables["freed"]) as cursor:
            waiting = {FREED_KEY.unpack(key)[1] for key, _ in cursor}
            rows = self._index.files_in(txn)  # of the same moment: what is freed meanwhile may still be read
        for number, row in rows.items():
            if row.extents and row.sealed and row.live == 0 and number not in waiting:
                await self._files.remove(number, extents=True)
                with self._index.writing() as txn:
                    self._index.forget_file(txn, number)

    # --- what ended

    @contextlib.contextmanager
    def _under_way(self) -> Iterator[int]:
        """As a commit: whoever begins to read meanwhile keeps what goes."""
        with self._shared.locked():
            sequence = self._shared.begin(_NO_KEY)
        try:
            yield sequence
        finally:
            self._shared.end(sequence)

    def _drop_parts(self) -> bool:
        with self._under_way() as sequence, self._index.writing() as txn:
            with txn.cursor(db=self._index.tables["ended"]) as cursor:
                upload = U64.unpack(cursor.key())[0] if cursor.first() else None
            if upload is None:
                return False
            batch = Batch(self._index, txn, sequence)
            batch.drop_parts(upload, _PARTS_AT_ONCE)
            batch.flush()
            return True

    def _empty_buckets(self) -> bool:
        with self._index.reading() as txn, txn.cursor(db=self._index.tables["dropped"]) as cursor:
            dropped = [key.decode() for key, _ in cursor]
            buckets = [bucket for bucket in dropped if self._index.has_any(txn, bucket)]
        return any(self.empty_some(bucket) for bucket in buckets)

    def empty_some(self, bucket: str) -> bool:
        """Remove something of a bucket that was dropped; whether there was anything."""
        with self._under_way() as sequence, self._index.writing() as txn:
            batch = Batch(self._index, txn, sequence)
            found = batch.empty(bucket, _OBJECTS_AT_ONCE)
            batch.flush()
            return bool(found)

    # --- logs

    async def _compact(self, number: int, row: FileRow) -> None:
        dead = await self._empty_log(number, row)
        with self._index.reading() as txn:
            now = self._index.file(txn, number)
        if dead is None or now is None or now.live != 0:
            return
        await self._files.remove(number, extents=False)
        await asyncio.to_thread(self._files.disk.sync_names)
        with self._index.writing() as txn:
            self._index.forget_file(txn, number)
        # The records are gone for good, and no boot can bring them back: what kept them dead may go.
        horizon = self._shared.horizon()
        for at in range(0, len(dead), _DEAD_AT_ONCE):
            with self._index.writing() as txn:
                batch = Batch(self._index, txn, self._shared.sequence)
                for id in dead[at : at + _DEAD_AT_ONCE]:
                    batch.forget_dead(id, horizon)
                batch.flush()
            await asyncio.sleep(0)
        log.info("objects: log %s was compacted: %s of %s bytes were true", number, row.live, row.end)

    async def _empty_log(self, number: int, row: FileRow) -> list[bytes] | None:
        """Write once more what is true in a log. Answers the ids of all in it; None if it is no log."""
        file = self._files.get(number, extents=False)
        salt = self._files.salt(number)
        if salt is None:
            return None
        scan = commits(Scan(file, number, FILE_HEAD_BYTES, row.end, salt), file)
        dead: list[bytes] = []  # 16 bytes a record, at most some MiB
        while some := await asyncio.to_thread(_take, scan):
            await self._move(number, some, dead)
        return dead

    async def _move(self, number: int, some: list[Found], dead: list[bytes]) -> None:
        horizon = self._shared.horizon()
        moving: list[tuple[Record, int]] = []
        with self._index.writing() as txn:
            batch = Batch(self._index, txn, self._shared.sequence)
            for found in some:
                fields = found.decoded()
                if isinstance(fields, StoredEntry):
                    dead.append(identity(fields.bucket, fields.key, fields.version_id))
                elif isinstance(fields, StoredUpload):
                    dead.append(identity(fields.bucket, fields.key, fields.upload_id, upload=True))
                elif isinstance(fields, Grave) and batch.level(fields, found.place, horizon):
                    continue
                if batch.counts(fields, found.place):
                    moving.append((_moved(found), found.body_length))
            batch.flush()
        file = self._files.get(number, extents=False)
        if moving:
            await asyncio.to_thread(_read_bodies, file, moving)
            await self._moves.commit("", [Draft([one for one, _ in moving])])


def _take(scan: Iterator[Found]) -> list[Found]:
    some: list[Found] = []
    size = 0
    for found in scan:
        some.append(found)
        size += found.place.length
        if len(some) >= _RECORDS_AT_ONCE or size >= _BYTES_AT_ONCE:
            break
    return some


def _read_bodies(file: File, moving: list[tuple[Record, int]]) -> None:
    for one, length in moving:
        assert one.moved_from is not None
        end = one.moved_from.offset + one.moved_from.length
        if length:
            one.body = file.read(end - length, length) or b""


def _moved(found: Found) -> Record:
    fields = found.decoded()
    one = Record(found.kind, 0, lambda _: fields, sequence=found.sequence)
    one.encoded = found.fields
    one.moved_from = found.place
    return one
