"""Telling the index what a record says, in any order: the larger (sequence, revision) wins.

One Batch is one write transaction. It keeps account of what is still true in each file, of what refers to each
extent, and of how many dead records of a thing still lie in logs: as long as there are any, the grave that keeps
them dead must stay.
"""

import struct
from typing import NamedTuple

from cloudstead.dataplane.objects.format import (
    Body,
    Drop,
    Fields,
    Grave,
    Place,
    StoredEntry,
    StoredPart,
    StoredUpload,
    extents_of,
)
from cloudstead.dataplane.objects.index import (
    EXTENT,
    EXTENT_KEY,
    FREED_KEY,
    GRAVE,
    U64,
    USAGE,
    Index,
    entry_of,
    identity,
    key_number,
    older_key,
    part_key,
    place_of,
    row,
    upload_of,
    with_key_number,
)
from cloudstead.dataplane.objects.tables import Table, Txn

Done = StoredEntry | StoredUpload | StoredPart | None

#: So many parts at most are dropped in one transaction; the others are dropped in the background.
PARTS_AT_ONCE = 100
_NO_PLACE = Place(0, 0, 0)


class _Version(NamedTuple):
    at: bytes  # where the row of its key lies
    number: int  # of the key
    entry: StoredEntry
    is_newest: bool


class Batch:
    def __init__(self, index: Index, txn: Txn, now: int) -> None:
        """`now` is the last sequence that was given to anybody."""
        self._index = index
        self._txn = txn
        self._now = now
        self._t = index.tables
        self._live: dict[int, int] = {}
        self._usage: dict[str, list[int]] = {}

    # --- a record, as it was just written

    def apply(self, fields: Fields, encoded: bytes, place: Place) -> Done:
        """What the record made, or for a grave what it removed. None if something newer was there already."""
        match fields:
            case StoredEntry():
                done: Done = self._version(fields, encoded, place)
            case StoredPart():
                done = self._part(fields, encoded, place)
            case StoredUpload():
                return self._upload(fields, encoded, place)
            case Grave():
                return self._grave(fields, place)
            case Drop():
                self._drop(fields, place)
                return None
        if done is None:
            self._free_unused(fields.body)
        return done

    def move(self, fields: Fields, encoded: bytes, old: Place, new: Place) -> None:
        """The record has been written once more, at `new`. It counts there if it still counted at `old`."""
        at = self._where(fields)
        if at is None or at[2] != old:
            if isinstance(fields, StoredEntry | StoredUpload):
                self._count_dead(_identity(fields), 1)
            return
        table, key, _ = at
        value = self._txn.get(key, db=table)
        assert value is not None
        if isinstance(fields, Grave):
            sequence, dead, *_ = GRAVE.unpack(value)
            self._txn.put(key, GRAVE.pack(sequence, dead, *new), db=table)
        elif isinstance(fields, Drop):
            self._txn.put(key, struct.pack("<IQI", *new), db=table)
        else:
            moved = row(encoded, new, key_number=key_number(value), marker=bool(value[0]))
            self._txn.put(key, moved, db=table)
            if not isinstance(fields, StoredPart):
                self._count_dead(_identity(fields), 1)  # the old one, until its log goes
        self._add_live(old, -1)
        self._add_live(new, 1)

    def counts(self, fields: Fields, place: Place) -> bool:
        """Whether this very record is what the index tells."""
        at = self._where(fields)
        return at is not None and at[2] == place

    def flush(self) -> None:
        """Write what was counted. Ends the batch."""
        for number, change in self._live.items():
            file = self._index.file(self._txn, number)
            if file is not None:
                file.live += change
                self._index.put_file(self._txn, number, file)
        for bucket, changes in self._usage.items():
            value = self._txn.get(bucket.encode(), db=self._t["usage"])
            old = USAGE.unpack(value) if value else (0, 0, 0)
            new = [a + b for a, b in zip(old, changes, strict=True)]
            if any(new):
                self._txn.put(bucket.encode(), USAGE.pack(*new), db=self._t["usage"])
            else:
                self._txn.delete(bucket.encode(), db=self._t["usage"])

    # --- versions

    def _version(self, new: StoredEntry, encoded: bytes, place: Place) -> StoredEntry | None:
        id = self._identity_if_graves(new)
        if self._index.is_dropped(self._txn, new.bucket):
            return None
        if id is not None and self._buried(id, new.sequence):
            self._count_dead(id, 1)
            return None
        at = self._index.current.make(self._txn, new.bucket, new.key)
        value = self._txn.get(at, db=self._t["current"])
        if value is None:
            self._txn.put(at, row(encoded, place, marker=new.delete_marker), db=self._t["current"])
            self._born(new, place)
            return new
        newest, number = entry_of(value), key_number(value)
        same = newest if newest.version_id == new.version_id else self._older(number, new.version_id)
        if same is not None:
            if (same.sequence, same.revision) >= (new.sequence, new.revision):
                self._count_dead(_identity(new), 1)
                return None
            self._add_extents(new.body, 1)  # before the old ones go, for they may be the same
            if same is newest and new.sequence >= newest.sequence:
                changed = row(encoded, place, key_number=number, marker=new.delete_marker)
                self._txn.put(at, changed, db=self._t["current"])
                self._died(same)
                self._born(new, place)
                self._add_extents(new.body, -1)
                return new
            self._take_older(number, same)
            self._died(same)
            self._add_extents(new.body, -1)
        if new.sequence > newest.sequence:
            number = number or newest.sequence
            self._put_older(number, newest, value)
            value = row(encoded, place, key_number=number, marker=new.delete_marker)
            self._txn.put(at, value, db=self._t["current"])
        else:
            if not number:
                number = newest.sequence
                self._txn.put(at, with_key_number(value, number), db=self._t["current"])
            self._put_older(number, new, row(encoded, place, marker=new.delete_marker))
        self._born(new, place)
        return new

    def _find_version(self, bucket: str, key: str, version_id: str) -> "_Version | None":
        at = self._index.current.find(self._txn, bucket, key)
        value = None if at is None else self._txn.get(at, db=self._t["current"])
        if value is None or at is None:
            return None
        newest, number = entry_of(value), key_number(value)
        if newest.version_id == version_id:
            return _Version(at, number, newest, is_newest=True)
        older = self._older(number, version_id)
        return None if older is None else _Version(at, number, older, is_newest=False)

    def _remove_version(self, version: "_Version") -> None:
        if version.is_newest:
            self._promote(version.at, version.number)
        else:
            self._take_older(version.number, version.entry)
        self._died(version.entry, counted=False)

    def _promote(self, at: bytes, number: int) -> None:
        """The newest version goes; what was behind it takes its place."""
        with self._txn.cursor(db=self._t["older"]) as cursor:
            there = (
                number and cursor.set_range(U64.pack(number)) and cursor.key().startswith(U64.pack(number))
            )
            value = cursor.value() if there else None
        if value is None:
            self._txn.delete(at, db=self._t["current"])
            return
        self._take_older(number, entry_of(value))
        self._txn.put(at, with_key_number(value, number), db=self._t["current"])

    def _older(self, number: int, version_id: str) -> StoredEntry | None:
        if not number:
            return None
        sequence = self._txn.get(U64.pack(number) + version_id.encode(), db=self._t["ids"])
        if sequence is None:
            return None
        value = self._txn.get(older_key(number, U64.unpack(sequence)[0]), db=self._t["older"])
        assert value is not None
        return entry_of(value)

    def _put_older(self, number: int, entry: StoredEntry, value: bytes) -> None:
        self._txn.put(older_key(number, entry.sequence), with_key_number(value, number), db=self._t["older"])
        id = U64.pack(number) + entry.version_id.encode()
        self._txn.put(id, U64.pack(entry.sequence), db=self._t["ids"])

    def _take_older(self, number: int, entry: StoredEntry) -> None:
        self._txn.delete(older_key(number, entry.sequence), db=self._t["older"])
        self._txn.delete(U64.pack(number) + entry.version_id.encode(), db=self._t["ids"])

    def _born(self, entry: StoredEntry, place: Place) -> None:
        self._add_live(place, 1)
        self._add_usage(entry.bucket, 1, entry.size, 0)
        self._add_extents(entry.body, 1)
        self._dig_up(entry)

    def _died(self, entry: StoredEntry, *, counted: bool = True) -> None:
        assert entry.place is not None
        self._add_live(entry.place, -1)
        self._add_usage(entry.bucket, -1, -entry.size, 0)
        self._add_extents(entry.body, -1)
        if counted:
            self._count_dead(_identity(entry), 1)

    # --- uploads and parts

    def _upload(self, new: StoredUpload, encoded: bytes, place: Place) -> StoredUpload | None:
        id = _identity(new)
        if self._index.is_dropped(self._txn, new.bucket):
            return None
        if self._buried(id, new.sequence) or self._txn.get(id, db=self._t["upload-ids"]) is not None:
            self._count_dead(id, 1)
            return None
        number = U64.pack(new.sequence)
        self._txn.put(id, number, db=self._t["upload-ids"])
        self._txn.put(number, row(encoded, place), db=self._t["uploads"])
        at = self._index.upload_keys.make(self._txn, new.bucket, new.key)
        numbers = self._txn.get(at, b"", db=self._t["upload-keys"])
        all = sorted([*(numbers[n : n + 8] for n in range(0, len(numbers), 8)), number])
        self._txn.put(at, b"".join(all), db=self._t["upload-keys"])
        self._add_live(place, 1)
        self._add_usage(new.bucket, 0, 0, 1)
        return new

    def _end_upload(self, bucket: str, key: str, upload_id: str, *, counted: bool = True) -> None:
        id = identity(bucket, key, upload_id, upload=True)
        number = self._txn.get(id, db=self._t["upload-ids"])
        if number is None:
            return
        value = self._txn.get(number, db=self._t["uploads"])
        assert value is not None
        self._txn.delete(id, db=self._t["upload-ids"])
        self._txn.delete(number, db=self._t["uploads"])
        at = self._index.upload_keys.make(self._txn, bucket, key)
        numbers = self._txn.get(at, b"", db=self._t["upload-keys"])
        rest = b"".join(numbers[n : n + 8] for n in range(0, len(numbers), 8) if numbers[n : n + 8] != number)
        if rest:
            self._txn.put(at, rest, db=self._t["upload-keys"])
        else:
            self._txn.delete(at, db=self._t["upload-keys"])
        self._add_live(place_of(value), -1)
        self._add_usage(bucket, 0, 0, -1)
        if counted:
            self._count_dead(id, 1)
        self._txn.put(number, b"", db=self._t["ended"])
        self.drop_parts(U64.unpack(number)[0], PARTS_AT_ONCE)

    def drop_parts(self, upload: int, limit: int) -> int:
        """Parts of an upload that has ended, and then the memory of it. Answers how many went."""
        parts = self._index.parts(self._txn, upload, 0, limit)
        for part in parts:
            self._part_died(part)
            self._txn.delete(part_key(upload, part.number), db=self._t["parts"])
        if len(parts) < limit:
            self._txn.delete(U64.pack(upload), db=self._t["ended"])
        return len(parts)

    def _part(self, new: StoredPart, encoded: bytes, place: Place) -> StoredPart | None:
        upload = self._index.upload_number(self._txn, new.bucket, new.key, new.upload_id)
        if upload is None:
            return None
        old = self._index.part(self._txn, upload, new.number)
        if old is not None and old.revision >= new.revision:
            return None
        self._txn.put(part_key(upload, new.number), row(encoded, place), db=self._t["parts"])
        self._add_live(place, 1)
        self._add_extents(new.body, 1)
        if old is not None:
            self._part_died(old)
        return new

    def _part_died(self, part: StoredPart) -> None:
        assert part.place is not None
        self._add_live(part.place, -1)
        self._add_extents(part.body, -1)

    # --- graves

    def _grave(self, grave: Grave, place: Place) -> StoredEntry | None:
        id = identity(grave.bucket, grave.key, grave.id, upload=grave.upload)
        old, dead, *old_place = self._grave_row(id)
        there = None if grave.upload else self._find_version(grave.bucket, grave.key, grave.id)
        if old >= grave.sequence or (there is not None and there.entry.sequence > grave.sequence):
            return None
        if old:
            self._add_live(Place(*old_place), -1)
        dead += there is not None
        self._txn.put(id, GRAVE.pack(grave.sequence, dead, *place), db=self._t["graves"])
        self._add_live(place, 1)
        if grave.upload:
            self._end_upload(grave.bucket, grave.key, grave.id)
        if there is None:
            return None
        self._remove_version(there)
        return there.entry

    def _buried(self, id: bytes, sequence: int) -> bool:
        value = self._txn.get(id, db=self._t["graves"])
        return value is not None and GRAVE.unpack(value)[0] >= sequence

    def _dig_up(self, entry: StoredEntry) -> None:
        """A newer version under the same id lives: its sequence keeps the dead ones dead."""
        id = self._identity_if_graves(entry)
        if id is None:
            return
        sequence, dead, *place = self._grave_row(id)
        if sequence:
            self._add_live(Place(*place), -1)
            self._put_grave(id, 0, dead, _NO_PLACE)

    def _count_dead(self, id: bytes, change: int) -> None:
        sequence, dead, *place = self._grave_row(id)
        self._put_grave(id, sequence, max(0, dead + change), Place(*place))

    def forget_dead(self, id: bytes, horizon: int) -> None:
        """A dead record is gone from the disk for good; with the last of them goes the grave."""
        value = self._txn.get(id, db=self._t["graves"])
        if value is None:
            return
        sequence, dead, *place = GRAVE.unpack(value)
        dead = max(0, dead - 1)
        if not dead and 0 < sequence < horizon:
            self._add_live(Place(*place), -1)
            sequence = 0
        self._put_grave(id, sequence, dead, Place(*place))

    def level(self, grave: Grave, place: Place, horizon: int) -> bool:
        """Remove a grave that keeps nothing dead any more. Answers whether it went."""
        id = identity(grave.bucket, grave.key, grave.id, upload=grave.upload)
        sequence, dead, *at = self._grave_row(id)
        if Place(*at) != place or dead or sequence >= horizon:
            return False
        self._add_live(place, -1)
        self._txn.delete(id, db=self._t["graves"])
        return True

    def _grave_row(self, id: bytes) -> tuple[int, ...]:
        value = self._txn.get(id, db=self._t["graves"])
        return GRAVE.unpack(value) if value else (0, 0, *_NO_PLACE)

    def _put_grave(self, id: bytes, sequence: int, dead: int, place: Place) -> None:
        if sequence or dead:
            self._txn.put(id, GRAVE.pack(sequence, dead, *place), db=self._t["graves"])
        else:
            self._txn.delete(id, db=self._t["graves"])

    def _identity_if_graves(self, entry: StoredEntry) -> bytes | None:
        return _identity(entry) if self._txn.stat(self._t["graves"])["entries"] else None

    # --- buckets

    def _drop(self, drop: Drop, place: Place) -> None:
        if not self._index.is_dropped(self._txn, drop.bucket):
            self._txn.put(drop.bucket.encode(), struct.pack("<IQI", *place), db=self._t["dropped"])
            self._add_live(place, 1)

    def empty(self, bucket: str, limit: int) -> int:
        """Remove so many things of a bucket that was dropped. Answers how many it found."""
        found = 0
        for _ in range(limit):
            walked = self._index.current.walk(self._txn, bucket).next()
            if walked is None:
                break
            entry = entry_of(walked[1])
            at = self._index.current.find(self._txn, bucket, entry.key)
            assert at is not None
            self._promote(at, key_number(walked[1]))
            self._died(entry, counted=False)
            found += 1
        for _ in range(limit - found):
            uploads = self._index.upload_keys.walk(self._txn, bucket).next()
            if uploads is None:
                break
            value = self._txn.get(uploads[1][:8], db=self._t["uploads"])
            assert value is not None
            upload = upload_of(value)
            self._end_upload(bucket, upload.key, upload.upload_id, counted=False)
            found += 1
        if found < limit:
            self._index.current.clear(self._txn, bucket)
            self._index.upload_keys.clear(self._txn, bucket)
        return found

    # --- extents

    def _add_extents(self, body: Body, change: int) -> None:
        for file, offset, length in extents_of(body):
            key = EXTENT_KEY.pack(file, offset)
            value = self._txn.get(key, db=self._t["extents"])
            references = (EXTENT.unpack(value)[0] if value else 0) + change
            if value is None:
                self._live[file] = self._live.get(file, 0) + length
            if references > 0:
                self._txn.put(key, EXTENT.pack(references, length), db=self._t["extents"])
            else:
                self._txn.delete(key, db=self._t["extents"])
                freed = FREED_KEY.pack(self._now, file, offset)
                self._txn.put(freed, U64.pack(length), db=self._t["freed"])
                self._live[file] = self._live.get(file, 0) - length

    def _free_unused(self, body: Body) -> None:
        """Of a record that never came true."""
        for file, offset, length in extents_of(body):
            if self._txn.get(EXTENT_KEY.pack(file, offset), db=self._t["extents"]) is None:
                freed = FREED_KEY.pack(self._now, file, offset)
                self._txn.put(freed, U64.pack(length), db=self._t["freed"])

    # --- counting

    def _add_live(self, place: Place, sign: int) -> None:
        self._live[place.log] = self._live.get(place.log, 0) + sign * place.length

    def _add_usage(self, bucket: str, versions: int, size: int, uploads: int) -> None:
        usage = self._usage.setdefault(bucket, [0, 0, 0])
        usage[0] += versions
        usage[1] += size
        usage[2] += uploads

    def _where(self, fields: Fields) -> tuple[Table, bytes, Place] | None:
        """The row that tells of the same thing: table, key, and the place that it tells."""
        found: tuple[Table, bytes | None]
        match fields:
            case StoredEntry():
                found = self._where_version(fields)
            case StoredUpload():
                found = self._t["uploads"], U64.pack(fields.sequence)
            case StoredPart():
                upload = self._index.upload_number(self._txn, fields.bucket, fields.key, fields.upload_id)
                found = self._t["parts"], None if upload is None else part_key(upload, fields.number)
            case Grave():
                id = identity(fields.bucket, fields.key, fields.id, upload=fields.upload)
                value = self._txn.get(id, db=self._t["graves"])
                return None if value is None else (self._t["graves"], id, Place(*GRAVE.unpack(value)[2:]))
            case Drop():
                value = self._txn.get(fields.bucket.encode(), db=self._t["dropped"])
                place = Place(*struct.unpack("<IQI", value)) if value else _NO_PLACE
                return self._t["dropped"], fields.bucket.encode(), place
        table, key = found
        value = None if key is None else self._txn.get(key, db=table)
        return None if value is None or key is None else (table, key, place_of(value))

    def _where_version(self, entry: StoredEntry) -> tuple[Table, bytes | None]:
        at = self._index.current.find(self._txn, entry.bucket, entry.key)
        value = None if at is None else self._txn.get(at, db=self._t["current"])
        if value is None:
            return self._t["current"], None
        if entry_of(value).sequence == entry.sequence:
            return self._t["current"], at
        return self._t["older"], older_key(key_number(value), entry.sequence)


def _identity(fields: StoredEntry | StoredUpload) -> bytes:
    if isinstance(fields, StoredEntry):
        return identity(fields.bucket, fields.key, fields.version_id)
    return identity(fields.bucket, fields.key, fields.upload_id, upload=True)
