"""What a change will write: its records, but for the sequence that each gets when its commit is let in.

A draft also tells which things the commit must see as they are at that moment, and checks them then.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import islice

import msgspec
from msgspec.structs import replace

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.format import (
    Body,
    Drop,
    Fields,
    Grave,
    Kind,
    Place,
    StoredEntry,
    StoredPart,
    StoredUpload,
    crc32c,
    pack_parts,
    pieces_count,
)
from cloudstead.dataplane.objects.index import Index, part_key
from cloudstead.dataplane.objects.tables import Txn

_NO_BODY = Body()
#: Of so many parts that are not wanted the check of the others is as quick.
_PARTS_BESIDES = 1000


class Record:
    """One record on its way into a log."""

    __slots__ = (
        "body",
        "encoded",
        "extents",
        "fields",
        "kind",
        "make",
        "moved_from",
        "place",
        "sequence",
        "touches",
    )

    def __init__(
        self, kind: Kind, touches: int, make: Callable[[int], Fields], body: bytes = b"", sequence: int = 0
    ) -> None:
        self.kind = kind
        self.touches = touches  # the thing it is about
        self.make = make  # its fields, of its sequence
        self.body = body
        self.sequence = sequence  # 0 until it is given one
        self.moved_from: Place | None = None
        self.extents = 0  # about how many it begins or ends to refer to
        self.fields: Fields
        self.encoded = b""
        self.place: Place


class Draft(msgspec.Struct, frozen=True):
    """A change, or a condition: then it has no records."""

    records: list[Record]
    reads: tuple[int, ...] = ()  # things that nobody else may be changing meanwhile
    check: Callable[[Txn], None] | None = None
    reads_all_of: int | None = None  # the mark of a bucket whose keys nobody else may be changing meanwhile
    is_needless: Callable[[Txn], bool] | None = None  # whether the index tells already what the records say


@lru_cache(1024)
def bucket_mark(bucket: str) -> int:
    """What the things of all keys of a bucket have in their upper bits."""
    return crc32c(bucket.encode()) & 0x3FFF_FFFF


def mark_of(thing: int) -> int:
    return thing >> 34


def key_thing(bucket: str, key: str) -> int:
    return bucket_mark(bucket) << 34 | 1 << 32 | crc32c(f"{bucket}/{key}".encode())


@lru_cache(1024)
def drop_thing(bucket: str) -> int:
    """Its end. No key is empty, so it is nobody else's."""
    return key_thing(bucket, "")


def upload_thing(upload_id: str) -> int:
    return 2 << 32 | crc32c(upload_id.encode())


def part_thing(upload_id: str, number: int) -> int:
    return 3 << 32 | crc32c(f"{number}/{upload_id}".encode())


# --- changes


def put(bucket: str, change: d.Put | d.Complete, body: Body, data: bytes, size: int) -> Record:
    parts_count = len(change.parts)
    if isinstance(change, d.Put) and change.parts:
        body = replace(body, parts=pack_parts([(part.number, part.size) for part in change.parts]))

    def make(sequence: int) -> StoredEntry:
        return StoredEntry(
            bucket=bucket,
            key=change.key,
            version_id=change.version_id,
            sequence=sequence,
            revision=sequence,
            modified_ms=change.modified_ms,
            size=size,
            etag=change.etag,
            delete_marker=False,
            meta=change.meta,
            parts_count=parts_count,
            body=body,
        )

    record = Record(Kind.VERSION, key_thing(bucket, change.key), make, data)
    record.extents = pieces_count(body)
    return record


def put_marker(bucket: str, change: d.PutMarker) -> Draft:
    def make(sequence: int) -> StoredEntry:
        return StoredEntry(
            bucket=bucket,
            key=change.key,
            version_id=change.version_id,
            sequence=sequence,
            revision=sequence,
            modified_ms=change.modified_ms,
            size=0,
            etag="",
            delete_marker=True,
            meta=change.meta,
            parts_count=0,
            body=_NO_BODY,
        )

    return Draft([Record(Kind.VERSION, key_thing(bucket, change.key), make)])


def delete(index: Index, bucket: str, change: d.Delete) -> Draft:
    grave = _grave(key_thing(bucket, change.key), bucket, change.key, change.version_id, upload=False)

    def is_needless(txn: Txn) -> bool:
        found = index.find(txn, bucket, change.key, change.version_id)
        grave.extents = 0 if found is None else pieces_count(found.body)
        return found is None

    return Draft([grave], is_needless=is_needless)


def set_meta(index: Index, entry: StoredEntry, change: d.SetMeta, data: bytes) -> Draft:
    """`entry` is what the change was made from; `data` the part of its body that travels with the record."""

    def make(sequence: int) -> StoredEntry:
        return replace(entry, meta=change.meta, revision=sequence, place=None)

    def check(txn: Txn) -> None:
        now = index.find(txn, entry.bucket, entry.key, entry.version_id)
        if now is None:
            raise d.NoSuchVersion(change.version_id)
        if now.revision != entry.revision:
            raise d.Changed(change.version_id)

    thing = key_thing(entry.bucket, entry.key)
    return Draft([Record(Kind.VERSION, thing, make, data)], (thing,), check)


def begin_upload(bucket: str, change: d.BeginUpload) -> Draft:
    def make(sequence: int) -> StoredUpload:
        return StoredUpload(
            bucket=bucket,
            key=change.key,
            upload_id=change.upload_id,
            sequence=sequence,
            modified_ms=change.modified_ms,
            meta=change.meta,
        )

    return Draft([Record(Kind.UPLOAD, upload_thing(change.upload_id), make)])


def put_part(index: Index, bucket: str, change: d.PutPart, body: Body, data: bytes) -> Draft:
    def make(sequence: int) -> StoredPart:
        return StoredPart(
            bucket=bucket,
            key=change.key,
            upload_id=change.upload_id,
            number=change.number,
            size=change.body.size,
            etag=change.etag,
            modified_ms=change.modified_ms,
            revision=sequence,
            meta=change.meta,
            body=body,
        )

    record = Record(Kind.PART, part_thing(change.upload_id, change.number), make, data)
    check = _upload_open(index, bucket, change.key, change.upload_id)
    return Draft([record], (upload_thing(change.upload_id),), check)


def complete(
    index: Index,
    bucket: str,
    change: d.Complete,
    body: Body,
    rows: dict[bytes, bytes],
    *,
    data: bytes,
    size: int,
) -> Draft:
    """`rows` are the parts' as the change was made from them."""
    is_open = _upload_open(index, bucket, change.key, change.upload_id)

    def check(txn: Txn) -> None:
        """Of 10,000 parts in a millisecond or two, for all processes wait: rows that are the same need no look."""
        is_open(txn)
        upload = index.upload_number(txn, bucket, change.key, change.upload_id)
        assert upload is not None
        with txn.cursor(db=index.tables["parts"]) as cursor:
            there = cursor.set_range(part_key(upload, 0))
            now = dict(islice(cursor.iternext(), len(rows) + _PARTS_BESIDES)) if there else {}
        if rows.items() <= now.items():
            return
        changed = [one for one in change.parts if now.get(key := part_key(upload, one[0])) != rows[key]]
        index.part_rows(txn, upload, changed)

    thing = upload_thing(change.upload_id)
    over = _grave(thing, bucket, change.key, change.upload_id, upload=True)
    return Draft([put(bucket, change, body, data, size), over], (thing,), check)


def abort(index: Index, bucket: str, change: d.Abort) -> Draft:
    thing = upload_thing(change.upload_id)
    over = _grave(thing, bucket, change.key, change.upload_id, upload=True)
    return Draft([over], (thing,), _upload_open(index, bucket, change.key, change.upload_id))


def _upload_open(index: Index, bucket: str, key: str, upload_id: str) -> Callable[[Txn], None]:
    def check(txn: Txn) -> None:
        if index.upload_number(txn, bucket, key, upload_id) is None:
            raise d.NoSuchUpload(upload_id)

    return check


def _grave(thing: int, bucket: str, key: str, id: str, *, upload: bool) -> Record:
    return Record(
        Kind.GRAVE,
        thing,
        lambda sequence: Grave(bucket=bucket, key=key, id=id, upload=upload, sequence=sequence),
    )


def drop(index: Index, bucket: str, *, if_empty: bool) -> Draft:
    def make(sequence: int) -> Drop:
        return Drop(bucket=bucket, sequence=sequence)

    def check(txn: Txn) -> None:
        if if_empty and index.usage_in(txn, bucket).versions:
            raise d.NotEmpty(bucket)

    return Draft([Record(Kind.DROP, drop_thing(bucket), make)], (), check, bucket_mark(bucket))


# --- conditions


def condition(index: Index, bucket: str, condition: d.Condition) -> Draft:
    def check(txn: Txn) -> None:
        id = condition.version_id if isinstance(condition, d.RevisionIs) else None
        found = index.find(txn, bucket, condition.key, id)
        if not holds(condition, found):
            marker = found is not None and found.delete_marker and not isinstance(condition, d.NewestIs)
            raise d.ConditionFailed(condition, None if marker else found)

    return Draft([], (key_thing(bucket, condition.key),), check)


def holds(condition: d.Condition, found: d.Entry | None) -> bool:
    """`found` is the newest version, or for RevisionIs the one it names."""
    match condition:
        case d.Absent():
            return found is None or found.delete_marker
        case d.CurrentIs():
            return (
                found is not None
                and not found.delete_marker
                and condition.etag in ("*", found.etag)
                and condition.modified_ms in (None, found.modified_ms)
                and condition.size in (None, found.size)
            )
        case d.NewestIs():
            return condition.version_id == (found and found.version_id)
        case d.RevisionIs():
            return found is not None and found.revision == condition.revision
