"""Looking for what should not be: the index against the logs (`fsck`), and every body against its checksums (`scrub`).

Nothing is repaired here. What is found twice is damage; what only moved while it was looked at is not.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

from cloudstead.dataplane.objects.applying import Batch
from cloudstead.dataplane.objects.disk import File
from cloudstead.dataplane.objects.driver import Checked, Corrupt, Damage, NoSuchVersion
from cloudstead.dataplane.objects.files import Files, name_of
from cloudstead.dataplane.objects.format import (
    FILE_HEAD_BYTES,
    PAGE_BYTES,
    Fields,
    Found,
    Grave,
    Scan,
    StoredEntry,
    StoredPart,
    StoredUpload,
    extents_of,
)
from cloudstead.dataplane.objects.index import (
    EXTENT,
    EXTENT_KEY,
    GRAVE,
    Index,
    entry_of,
    identity,
    part_of,
)
from cloudstead.dataplane.objects.reading import Reader
from cloudstead.dataplane.objects.recovery import commits
from cloudstead.dataplane.objects.tables import Txn

DAMAGE_MAX = 1000
_AT_ONCE = 200


class _Count:
    def __init__(self) -> None:
        self.versions = self.parts = self.bytes = 0
        self.damage: list[Damage] = []

    def found(self, what: str, thing: StoredEntry | StoredPart | StoredUpload | None = None) -> None:
        if len(self.damage) >= DAMAGE_MAX:
            return
        if thing is None:
            self.damage.append(Damage(what=what))
            return
        version_id = thing.version_id if isinstance(thing, StoredEntry) else thing.upload_id
        self.damage.append(Damage(what=what, bucket=thing.bucket, key=thing.key, version_id=version_id))

    def saw(self, thing: StoredEntry | StoredPart) -> None:
        self.versions += isinstance(thing, StoredEntry)
        self.parts += isinstance(thing, StoredPart)
        self.bytes += thing.size

    def checked(self) -> Checked:
        return Checked(versions=self.versions, parts=self.parts, bytes=self.bytes, damage=self.damage)


def things(index: Index, txn: Txn) -> Iterator[StoredEntry | StoredPart]:
    """Every version and part."""
    for name, read in _THINGS:
        with txn.cursor(db=index.tables[name]) as cursor:
            for _, value in cursor:
                if len(value) > _LINK_BYTES:
                    yield read(value)


_Reads = tuple[str, Callable[[bytes], StoredEntry | StoredPart]]
_THINGS: tuple[_Reads, ...] = (("current", entry_of), ("older", entry_of), ("parts", part_of))
_LINK_BYTES = 8  # a row that only leads to the rest of long keys


async def fsck(index: Index, files: Files) -> Checked:
    count = _Count()
    await _check_index(index, files, count)
    rows = index.files()
    for number in sorted(rows):
        if not rows[number].extents:
            await _check_log(index, files, number, rows[number].end, count)
    return count.checked()


async def _check_index(index: Index, files: Files, count: _Count) -> None:
    """All that the index tells is there, and it counts right."""
    live: Counter[int] = Counter()
    references: Counter[tuple[int, int]] = Counter()
    with index.reading() as txn:  # one moment
        rows = index.files_in(txn)
        every = things(index, txn)
        while some := list(islice(every, _AT_ONCE)):
            for thing in some:
                count.saw(thing)
                assert thing.place is not None
                live[thing.place.log] += thing.place.length
                for file, offset, _ in extents_of(thing.body):
                    references[file, offset] += 1
            for thing in await _not_there(files, some):
                if _still(index, thing):
                    count.found(f"the index tells of {thing.place}, and it is not there", thing)
        with txn.cursor(db=index.tables["extents"]) as cursor:
            for key, value in cursor:
                file, offset = EXTENT_KEY.unpack(key)
                told, length = EXTENT.unpack(value)
                live[file] += length
                if references.pop((file, offset), 0) != told:
                    count.found(f"{name_of(file, extents=True)}: the extent at {offset} is counted wrong")
        for file, offset in references:
            count.found(f"{name_of(file, extents=True)}: the extent at {offset} is not counted")
    for number, row in rows.items():
        if row.extents and row.live != live[number]:
            count.found(
                f"{name_of(number, extents=True)}: {row.live} bytes are counted, {live[number]} are true"
            )
        if not row.extents and row.live < live[number]:  # graves and uploads count besides
            count.found(f"{name_of(number, extents=False)}: {row.live} bytes are counted, and more are true")


async def _not_there(files: Files, some: list[StoredEntry | StoredPart]) -> list[StoredEntry | StoredPart]:
    """Those whose records are not where the index tells. A thread reads: the disk may take its time."""
    logs = {thing.place.log for thing in some if thing.place is not None}
    opened: dict[int, tuple[File, int]] = {}
    for number in logs:
        with contextlib.suppress(FileNotFoundError):
            opened[number] = files.get(number, extents=False), files.salt(number) or 0

    def look() -> list[StoredEntry | StoredPart]:
        return [thing for thing in some if not _is_there(opened, thing)]

    return await asyncio.to_thread(look)


def _is_there(opened: dict[int, tuple[File, int]], thing: StoredEntry | StoredPart) -> bool:
    place = thing.place
    assert place is not None
    if place.log not in opened:
        return False
    file, salt = opened[place.log]
    end = place.offset + place.length
    scan = Scan(file, place.log, place.offset, end, salt, window_bytes=PAGE_BYTES)
    found = next(iter(scan), None)
    if found is None or found.place.offset != place.offset:
        return False
    fields = found.decoded()
    return isinstance(fields, StoredEntry | StoredPart) and (fields.bucket, fields.key, fields.revision) == (
        thing.bucket,
        thing.key,
        thing.revision,
    )


def _still(index: Index, thing: StoredEntry | StoredPart) -> bool:
    """Whether the index, as it is now, tells the same place."""
    with index.reading() as txn:
        return thing.place is not None and Batch(index, txn, 0).counts(thing, thing.place)


async def _check_log(index: Index, files: Files, number: int, end: int, count: _Count) -> None:
    """No record is missing from the index."""
    name = name_of(number, extents=False)
    try:
        file, salt = files.get(number, extents=False), files.salt(number)
    except FileNotFoundError:
        if number in index.files():
            count.found(f"{name} is not there")
        return
    if salt is None:
        count.found(f"{name} does not begin as a log does")
        return
    scan = Scan(file, number, FILE_HEAD_BYTES, end, salt)
    every = commits(scan, file)
    while some := await asyncio.to_thread(_take, every):
        for found in some:
            fields = found.decoded()
            if not _is_told(index, fields):
                count.found(
                    f"{name}: the index does not tell the record at {found.place.offset}",
                    fields if isinstance(fields, StoredEntry | StoredPart | StoredUpload) else None,
                )
    for start, stop in scan.damaged:
        count.found(f"{name}: bytes {start} to {stop} are no records")


def _take(every: Iterator[Found]) -> list[Found]:
    return list(islice(every, _AT_ONCE))


def _is_told(index: Index, fields: Fields) -> bool:
    """Whether the index has this, or something newer about the same."""
    with index.reading() as txn:
        if index.is_dropped(txn, fields.bucket):
            return True
        match fields:
            case StoredEntry():
                now = index.find(txn, fields.bucket, fields.key, fields.version_id)
                if now is not None:
                    return (now.sequence, now.revision) >= (fields.sequence, fields.revision)
                return _buried(index, txn, fields, fields.version_id, upload=False)
            case StoredUpload():
                if index.upload_number(txn, fields.bucket, fields.key, fields.upload_id) is not None:
                    return True
                return _buried(index, txn, fields, fields.upload_id, upload=True)
            case StoredPart():
                upload = index.upload_number(txn, fields.bucket, fields.key, fields.upload_id)
                part = None if upload is None else index.part(txn, upload, fields.number)
                return upload is None or (part is not None and part.revision >= fields.revision)
            case Grave():
                alive = index.find(txn, fields.bucket, fields.key, fields.id) if not fields.upload else None
                return alive is None or alive.sequence > fields.sequence
            case _:
                return False


def _buried(index: Index, txn: Txn, fields: StoredEntry | StoredUpload, id: str, *, upload: bool) -> bool:
    grave = txn.get(identity(fields.bucket, fields.key, id, upload=upload), db=index.tables["graves"])
    return grave is not None and GRAVE.unpack(grave)[0] >= fields.sequence


async def scrub(index: Index, reader: Reader) -> Checked:
    """Reads everything. What is deleted meanwhile is passed over."""
    count = _Count()
    for some in a_few_at_once(index):
        for thing in some:
            with reader.pinned():
                await _scrub_one(index, reader, thing, count)
    return count.checked()


def a_few_at_once(index: Index) -> Iterator[list[StoredEntry | StoredPart]]:
    """Every version and part, without a view of the index that stays open for hours."""
    for name, read in _THINGS:
        at: bytes | None = b""
        while at is not None:
            with index.reading() as txn, txn.cursor(db=index.tables[name]) as cursor:
                rows = list(islice(cursor, _AT_ONCE)) if cursor.set_range(at) else []
            yield [read(value) for _, value in rows if len(value) > _LINK_BYTES]
            at = rows[-1][0] + b"\0" if rows else None


async def _scrub_one(index: Index, reader: Reader, thing: StoredEntry | StoredPart, count: _Count) -> None:
    try:
        async for _ in reader.pieces(thing, 0, thing.size):
            pass
        count.saw(thing)
    except NoSuchVersion:
        pass
    except Corrupt as e:
        if _still(index, thing):
            count.saw(thing)
            count.found(str(e), thing)
    await asyncio.sleep(0)
