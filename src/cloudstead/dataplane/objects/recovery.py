"""Opening a store, whatever became of it: stopped, killed, or cut from its power.

After a kill the page cache still has everything, so only the ends of the logs that the index does not tell yet are
replayed: written once more, synced, told. After a boot that did not follow a clean stop the index, which is never
synced, may be anything: it is made again from all logs. The first process to open does that, alone.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import lmdb

from cloudstead.dataplane.objects.applying import Batch
from cloudstead.dataplane.objects.committing import GROUP_BYTES_MAX, Log
from cloudstead.dataplane.objects.disk import Bytes, Disk, File
from cloudstead.dataplane.objects.drafts import Record
from cloudstead.dataplane.objects.files import Files, name_of, number_of
from cloudstead.dataplane.objects.format import (
    FILE_HEAD_BYTES,
    HEAD_BYTES,
    LAYOUT,
    LOG_BYTES,
    Chain,
    Found,
    Kind,
    NewerLayout,
    Scan,
    StoredEntry,
    StoredPart,
    crc32c,
    end_record,
    extent_bytes,
    salt_of,
)
from cloudstead.dataplane.objects.index import EXTENT, EXTENT_KEY, FREED_KEY, U64, FileRow, Index
from cloudstead.dataplane.objects.shared import Shared
from cloudstead.dataplane.objects.tables import Txn

log = logging.getLogger(__name__)

_RECORDS_AT_ONCE = 5000


# --- how the last stop went


class State:
    """A small file that says under which boot the index was in use, and whether it was synced at the end."""

    def __init__(self, folder: Path, boot_id: str) -> None:
        self._path = folder / "state"
        self._boot_id = boot_id

    def index_is_good(self) -> bool:
        """Raises NewerLayout."""
        try:
            layout, boot_id, how = self._path.read_text().split()
        except (FileNotFoundError, ValueError):
            return False
        if int(layout) > LAYOUT:
            raise NewerLayout(f"objects were written in layout {layout}, and this knows up to {LAYOUT}")
        return how == "clean" or boot_id == self._boot_id

    def write(self, how: str) -> None:
        new = self._path.with_suffix(".new")
        with new.open("w") as file:
            file.write(f"{LAYOUT} {self._boot_id} {how}\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        sync_folder(self._path.parent)


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[None]:
    """Nobody else opens or closes meanwhile."""
    fd = os.open(folder / "opening", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await asyncio.to_thread(fcntl.flock, fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextmanager
def alone_now(folder: Path) -> Iterator[bool]:
    """As `alone`, without waiting: whether it is so."""
    fd = os.open(folder / "opening", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(fd)


def others(shared: Shared) -> bool:
    """Whether other processes have the store open. Slots that nobody holds are held when it returns."""
    held = [shared.try_slot(slot) for slot in shared.known_slots()]
    return not all(held)


def open_index(folder: Path, disk: Disk, shared: Shared, *, good: bool) -> Index:
    """The index, made anew if it cannot be trusted. Only where no other process has it open."""
    if good:
        with contextlib.suppress(lmdb.Error, AssertionError):
            index = _trusted(folder, disk)
            if index is not None:
                return index
    forget_index(folder)
    return rebuild(folder, disk, shared)


def forget_index(folder: Path) -> None:
    """For good: whatever ends us next, nobody takes it for a good one."""
    for name in ("index", "index.new"):
        shutil.rmtree(folder / name, ignore_errors=True)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _trusted(folder: Path, disk: Disk) -> Index | None:
    """The index as it lies there; None if the files say that it is of another time."""
    if not (folder / "index").is_dir():
        return None
    index = Index(folder / "index")
    rows = index.files()
    sizes = {name: disk.open(name).size() for name in disk.names() if number_of(name) is not None}
    known = {name_of(number, extents=row.extents) for number, row in rows.items()}
    for number, row in rows.items():
        name = name_of(number, extents=row.extents)
        if name not in sizes and row.live == 0:
            with index.writing() as txn:
                index.forget_file(txn, number)  # the process ended between the two
        elif name not in sizes or (not row.extents and sizes[name] < row.end):
            log.warning("objects: the index tells more than there is of %s", name)
            index.close()
            return None
    for name in sizes.keys() - known:
        if name.endswith(".log") and _has_records(disk, name):
            log.warning("objects: the index does not know %s", name)
            index.close()
            return None
        disk.remove(name)
    return index


def _has_records(disk: Disk, name: str) -> bool:
    scan = _scan(disk.open(name), number_of(name) or 0, FILE_HEAD_BYTES)
    return scan is None or next(iter(scan), None) is not None


def _scan(file: File, number: int, start: int) -> Scan | None:
    """None if it does not begin as a log does."""
    salt = salt_of(file.read(0, FILE_HEAD_BYTES) or b"")
    return None if salt is None else Scan(file, number, start, file.size(), salt)


# --- from the logs alone


def rebuild(folder: Path, disk: Disk, shared: Shared) -> Index:
    new = folder / "index.new"
    index = Index(new)
    numbers = sorted(number for name in disk.names() if (number := number_of(name)) is not None)
    highest = 0
    with_parts: list[int] = []
    _tell_files(index, disk, numbers)  # all of them first: records count what they refer to
    for number, row in index.files().items():
        found = None if row.extents else _tell_log(index, disk, number, parts=False)
        if found is None:
            continue
        sequence, parts = found
        highest = max(highest, sequence)
        if parts:
            with_parts.append(number)
    for number in with_parts:  # whether a part is of an open upload is known only now
        _tell_log(index, disk, number, parts=True)
    shared.raise_to(highest, numbers[-1] if numbers else 0)
    reclaim_gaps(index, disk, numbers)
    index.close()
    new.rename(folder / "index")
    if numbers:
        log.warning("objects: the index was made again from %s files", len(numbers))
    return Index(folder / "index")


def _tell_files(index: Index, disk: Disk, numbers: list[int]) -> None:
    names = set(disk.names())
    with index.writing() as txn:
        for number in numbers:
            extents = name_of(number, extents=True) in names
            size = disk.open(name_of(number, extents=extents)).size()
            index.put_file(txn, number, FileRow(slot=0, extents=extents, sealed=True, end=size))


def _tell_log(index: Index, disk: Disk, number: int, *, parts: bool) -> tuple[int, bool] | None:
    """Tell the index a log's records: all but parts, or parts alone. Answers the highest sequence, and if parts."""
    file = disk.open(name_of(number, extents=False))
    scan = _scan(file, number, FILE_HEAD_BYTES)
    if scan is None:
        _tell_headless(index, disk, number, file)
        return None
    highest, with_parts = 0, False
    whole = commits(scan, file)
    while True:
        told = 0
        with index.writing() as txn:
            batch = Batch(index, txn, 0)
            for found in whole:
                highest = max(highest, found.sequence)
                is_part = found.kind == Kind.PART
                with_parts = with_parts or is_part
                if is_part == parts:
                    batch.apply(found.decoded(), found.fields, found.place)
                told += 1
                if told == _RECORDS_AT_ONCE:
                    break
            batch.flush()
        if told < _RECORDS_AT_ONCE:
            break
    for start, end in scan.damaged if not parts else ():
        log.error("objects: %s cannot be read from %s to %s", name_of(number, extents=False), start, end)
    return highest, with_parts


def _tell_headless(index: Index, disk: Disk, number: int, file: File) -> None:
    name = name_of(number, extents=False)
    with index.writing() as txn:
        if any(file.read(0, FILE_HEAD_BYTES) or b""):
            log.error("objects: %s does not begin as a log does: it is left alone", name)
            row = FileRow(slot=0, extents=False, sealed=True, end=file.size(), live=file.size())
            index.put_file(txn, number, row)
        else:  # its first sync never came
            index.forget_file(txn, number)
            disk.remove(name)


def commits(scan: Scan, file: File) -> Iterator[Found]:
    """The records of commits that are whole. What is torn never happened.

    Only what came after the last sync can be torn. What is bad before that is rot, and told as it is: whoever reads it
    finds out.
    """
    if scan.is_ended:
        yield from scan
        return
    last: list[Found] = []  # of a sync that may not have come
    for found in scan:
        if found.after_sync:
            yield from last
            last.clear()
        last.append(found)
    yield from _not_torn(last, file)


def _not_torn(records: list[Found], file: File) -> Iterator[Found]:
    waiting: list[Found] = []
    good, end = True, 0
    for found in records:
        if not found.continues:
            waiting, good = [], True
        elif found.place.offset != end:
            good = False  # what it goes on from cannot be read
        good = good and _body_is_good(found, file)
        end = found.place.offset + found.place.length
        waiting.append(found)
        if good and not found.more:
            yield from waiting


def _body_is_good(found: Found, file: File) -> bool:
    if not found.body_length:
        return True
    fields = found.decoded()
    assert isinstance(fields, StoredEntry | StoredPart)
    place = found.place
    data = file.read(place.offset + place.length - found.body_length, found.body_length) or b""
    return crc32c(data) == fields.body.crc


def reclaim_gaps(index: Index, disk: Disk, numbers: list[int]) -> None:
    """Give back what nothing refers to, nor ever did, in body files that nobody writes any more."""
    for number in numbers:
        with index.reading() as txn:
            row = index.file(txn, number)
            used = _extents(index, txn, number) if row is not None and row.extents else None
        if used is None or row is None:
            continue
        file = disk.open(name_of(number, extents=True))
        at, size = 0, file.size()
        for offset, length in [*used, (size, 0)]:
            if offset > at:
                file.punch(at, offset - at)
            at = max(at, offset + extent_bytes(length))
        row.sealed, row.end = True, size
        with index.writing() as txn:
            index.put_file(txn, number, row)


def _extents(index: Index, txn: Txn, number: int) -> list[tuple[int, int]]:
    cursor = txn.cursor(db=index.tables["extents"])
    there = cursor.set_range(EXTENT_KEY.pack(number, 0))
    found = []
    while there and EXTENT_KEY.unpack(cursor.key())[0] == number:
        found.append((EXTENT_KEY.unpack(cursor.key())[1], EXTENT.unpack(cursor.value())[1]))
        there = cursor.next()
    cursor = txn.cursor(db=index.tables["freed"])
    for key, length in cursor:  # somebody may still be reading those
        _, file, offset = FREED_KEY.unpack(key)
        if file == number:
            found.append((offset, U64.unpack(length)[0]))
    return sorted(found)


# --- what a process left behind


async def replay(index: Index, files: Files, shared: Shared, slot: int, mine: Log) -> Log:
    """Take over from a process that is gone: what its logs have and the index has not is written into `mine`.

    Answers the log to go on with, which is another one if that is full.
    """
    rows = {number: row for number, row in index.files().items() if row.slot == slot and not row.sealed}
    for number, row in rows.items():
        if not row.extents and number != mine.number:
            mine = room_for_a_group(mine, files, index)
            await _replay_log(index, files, shared, mine, number=number, row=row)
    bodies = [number for number, row in rows.items() if row.extents]
    await asyncio.to_thread(reclaim_gaps, index, files.disk, bodies)
    shared.clear_slot(slot)
    return mine


async def take_over(  # noqa: PLR0917 - the first four are bound
    folder: Path, index: Index, files: Files, shared: Shared, slot: int, mine: Log
) -> Log:
    """Replay what the process of a slot left, if it is gone and nobody else sees to it. Answers as `replay`."""
    with alone_now(folder) as is_alone:
        if not is_alone or not shared.try_slot(slot):
            return mine
        try:
            return await replay(index, files, shared, slot, mine)
        finally:
            shared.release_slot(slot)


def new_log(files: Files) -> Log:
    return Log(*files.make_now(extents=False))


def room_for_a_group(mine: Log, files: Files, index: Index) -> Log:
    """The log itself, or another where it has no room. Raises DiskFull, and then the log is as it was."""
    if mine.end + GROUP_BYTES_MAX <= LOG_BYTES:
        return mine
    new = new_log(files)
    mine.seal(index)
    return new


async def _replay_log(
    index: Index, files: Files, shared: Shared, mine: Log, *, number: int, row: FileRow
) -> None:
    file = files.get(number, extents=False)
    scan, tail, records = await asyncio.to_thread(_tail_of, file, number, row.end)
    if tail:
        buffers: list[Bytes] = []
        start = mine.end
        for found, one in zip(tail, records, strict=True):
            chain = Chain(found.chain) & ~Chain.AFTER_SYNC
            mine.add(one, buffers, chain if buffers else chain | Chain.AFTER_SYNC)
        mine.file.write(start, buffers)
        await mine.file.sync()
        with index.writing() as txn:
            batch = Batch(index, txn, shared.sequence)
            for one in records:
                batch.apply(one.fields, one.encoded, one.place)
            new = index.file(txn, mine.number)
            assert new is not None
            new.end = mine.end
            index.put_file(txn, mine.number, new)
            batch.flush()
        log.warning("objects: %s records of a process that ended were replayed", len(tail))
    if scan is not None:
        file.write(row.end, (end_record(scan.salt),))
    file.truncate(row.end + HEAD_BYTES)
    await file.sync()
    with index.writing() as txn:
        now = index.file(txn, number)
        assert now is not None
        now.sealed = True
        index.put_file(txn, number, now)


def _tail_of(file: File, number: int, start: int) -> tuple[Scan | None, list[Found], list[Record]]:
    scan = _scan(file, number, start)
    tail = [] if scan is None else list(commits(scan, file))
    return scan, tail, [_again(found, file) for found in tail]


def _again(found: Found, file: File) -> Record:
    fields = found.decoded()
    end = found.place.offset + found.place.length
    body = file.read(end - found.body_length, found.body_length) if found.body_length else b""
    one = Record(found.kind, 0, lambda _: fields, body or b"", found.sequence)
    one.encoded = found.fields
    return one
