"""The index: where the newest record about everything lies. LMDB, shared by the processes, never synced.

It can be made again from the logs, and is after every boot that did not follow a clean stop. What a reader
would get wrong: it is no authority. A record that the index does not tell may still be true, if a process ended
between writing it and telling; recovery replays it.

Of each key the newest version lies in `current`, so that the commonest look-up and listing touch one row; those
behind it lie in `older`, under a number that the current row tells.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, cast

import lmdb
import msgspec

from cloudstead.dataplane.objects.driver import NoSuchPart, Usage
from cloudstead.dataplane.objects.format import (
    Place,
    StoredEntry,
    StoredPart,
    StoredUpload,
    decode_entries,
    decode_entry,
    decode_part,
    decode_upload,
)
from cloudstead.dataplane.objects.keys import Keys
from cloudstead.dataplane.objects.tables import Table, Txn

_MAP_BYTES = 1 << 40  # of addresses, not of memory
_READERS = 512
_TABLES = (
    "current",  # bucket and key -> row of the newest version
    "older",  # number of a key, inverted sequence -> row of a version behind the newest
    "ids",  # number of a key, version id -> sequence of one of those
    "graves",  # id of a version or upload -> its grave, and how many dead records of it lie in logs
    "upload-keys",  # bucket and key -> numbers of the open uploads
    "uploads",  # number -> row
    "upload-ids",  # id of an upload -> number
    "parts",  # number of an upload, of a part -> row
    "ended",  # number of an upload that is over -> nothing; its parts are still to be dropped
    "extents",  # file, offset -> references, length
    "freed",  # sequence, file, offset -> length; to be given back once nobody can be reading it
    "files",  # number -> FileRow
    "usage",  # bucket -> versions, bytes, uploads
    "dropped",  # bucket -> place of the record
    "counters",
)

ROW = struct.Struct("<BQIQI")  # flags, number of the key, place; the record's fields follow
GRAVE = struct.Struct("<QIIQI")  # sequence of the grave or 0, dead records, place of the grave
USAGE = struct.Struct("<qqq")
EXTENT = struct.Struct("<IQ")
EXTENT_KEY = struct.Struct(">IQ")
FREED_KEY = struct.Struct(">QIQ")
U64 = struct.Struct(">Q")
MARKER = 1
ROW_PLACE = struct.Struct("<IQI")
PLACE_AT = 9
MAX_U64 = (1 << 64) - 1


class FileRow(msgspec.Struct, array_like=True):
    """A log or a body file."""

    slot: int
    extents: bool
    sealed: bool = False
    end: int = 0  # how far a log is told in the index
    live: int = 0  # bytes of records, or of extents, that are still true


encode_file = msgspec.msgpack.Encoder().encode
decode_file = msgspec.msgpack.Decoder(FileRow).decode


class Row(NamedTuple):
    key_number: int
    place: Place
    fields: bytes

    @classmethod
    def unpack(cls, value: bytes) -> "Row":
        _, number, log, offset, length = ROW.unpack_from(value)
        return cls(number, Place(log, offset, length), value[ROW.size :])


def row(fields: bytes, place: Place, *, key_number: int = 0, marker: bool = False) -> bytes:
    return ROW.pack(MARKER if marker else 0, key_number, *place) + fields


def key_number(value: bytes) -> int:
    return int(ROW.unpack_from(value)[1])


def with_key_number(value: bytes, number: int) -> bytes:
    flags, _, *place = ROW.unpack_from(value)
    return ROW.pack(flags, number, *place) + value[ROW.size :]


def place_of(value: bytes) -> Place:
    return Place(*ROW_PLACE.unpack_from(value, PLACE_AT))


def entry_of(value: bytes) -> StoredEntry:
    entry = decode_entry(memoryview(value)[ROW.size :])
    msgspec.structs.force_setattr(entry, "place", place_of(value))
    return entry


def entries_of(values: Sequence[bytes]) -> list[StoredEntry]:
    """As `entry_of`, many at once and but for their places, which whoever reads one looks up."""
    return decode_entries(
        b"\xdd" + len(values).to_bytes(4, "big") + b"".join([one[ROW.size :] for one in values])
    )


def part_of(value: bytes) -> StoredPart:
    part = decode_part(memoryview(value)[ROW.size :])
    msgspec.structs.force_setattr(part, "place", place_of(value))
    return part


def upload_of(value: bytes) -> StoredUpload:
    return decode_upload(memoryview(value)[ROW.size :])


def identity(bucket: str, key: str, id: str, *, upload: bool = False) -> bytes:
    """Of a version or an upload; what graves are told apart by."""
    name = f"{'u' if upload else 'v'}{bucket}/{len(key)}/{key}/{id}"
    return blake2b(name.encode(), digest_size=16).digest()


def older_key(number: int, sequence: int) -> bytes:
    return U64.pack(number) + U64.pack(MAX_U64 - sequence)


class Index:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._env = lmdb.open(
            str(folder),
            map_size=_MAP_BYTES,
            max_dbs=len(_TABLES),
            max_readers=_READERS,
            max_spare_txns=8,
            sync=False,
            metasync=False,
            readahead=False,
        )
        try:
            self._env.reader_check()
            self.tables = {name: Table(self._env.open_db(name.encode())) for name in _TABLES}
        except BaseException:
            self._env.close()
            raise
        self.current = Keys(self.tables["current"], self.tables["counters"])
        self.upload_keys = Keys(self.tables["upload-keys"], self.tables["counters"])
        self._current_table = self.tables["current"]

    def close(self) -> None:
        self._env.close()

    def sync(self) -> None:
        self._env.sync(True)

    def reading(self) -> Txn:
        return cast(Txn, self._env.begin())

    @contextmanager
    def writing(self) -> Iterator[Txn]:
        with cast(Txn, self._env.begin(write=True)) as txn:
            yield txn

    # --- looking up

    def get(self, bucket: str, key: str, version_id: str | None = None) -> StoredEntry | None:
        with self.reading() as txn:
            return self.find(txn, bucket, key, version_id)

    def find(self, txn: Txn, bucket: str, key: str, version_id: str | None = None) -> StoredEntry | None:
        at = self.current.find(txn, bucket, key)
        value = None if at is None else txn.get(at, db=self._current_table)
        if value is None:
            return None
        entry = entry_of(value)
        if version_id is None or entry.version_id == version_id:
            return entry
        number = key_number(value)
        if not number:
            return None
        sequence = txn.get(U64.pack(number) + version_id.encode(), db=self.tables["ids"])
        if sequence is None:
            return None
        value = txn.get(older_key(number, U64.unpack(sequence)[0]), db=self.tables["older"])
        return None if value is None else entry_of(value)

    def upload_number(self, txn: Txn, bucket: str, key: str, upload_id: str) -> int | None:
        found = txn.get(identity(bucket, key, upload_id, upload=True), db=self.tables["upload-ids"])
        return None if found is None else int(U64.unpack(found)[0])

    def upload(self, txn: Txn, number: int) -> StoredUpload | None:
        value = txn.get(U64.pack(number), db=self.tables["uploads"])
        return None if value is None else upload_of(value)

    def part(self, txn: Txn, upload: int, number: int) -> StoredPart | None:
        value = txn.get(part_key(upload, number), db=self.tables["parts"])
        return None if value is None else part_of(value)

    def part_rows(self, txn: Txn, upload: int, parts: Sequence[tuple[int, int]]) -> dict[bytes, bytes]:
        """The rows of these parts, each by number and revision, in the table of parts. Raises NoSuchPart."""
        rows: dict[bytes, bytes] = {}
        for number, revision in parts:
            key = part_key(upload, number)
            value = txn.get(key, db=self.tables["parts"])
            if value is None or part_of(value).revision != revision:
                raise NoSuchPart(number)
            rows[key] = value
        return rows

    def parts(self, txn: Txn, upload: int, after: int, limit: int) -> list[StoredPart]:
        cursor = txn.cursor(db=self.tables["parts"])
        there = cursor.set_range(part_key(upload, after + 1))
        found = list[StoredPart]()
        while there and cursor.key().startswith(U64.pack(upload)) and len(found) < limit:
            found.append(part_of(cursor.value()))
            there = cursor.next()
        return found

    def has_any(self, txn: Txn, bucket: str) -> bool:
        """Whether the bucket has any version or upload."""
        walks = (self.current.walk(txn, bucket), self.upload_keys.walk(txn, bucket))
        return any(walk.next() is not None for walk in walks)

    def is_dropped(self, txn: Txn, bucket: str) -> bool:
        return txn.get(bucket.encode(), db=self.tables["dropped"]) is not None

    def usage(self, bucket: str) -> Usage:
        with self.reading() as txn:
            return self.usage_in(txn, bucket)

    def usage_in(self, txn: Txn, bucket: str) -> Usage:
        value = txn.get(bucket.encode(), db=self.tables["usage"])
        versions, size, uploads = USAGE.unpack(value) if value else (0, 0, 0)
        return Usage(versions=versions, bytes=size, uploads=uploads)

    # --- files

    def files(self) -> dict[int, FileRow]:
        with self.reading() as txn:
            return self.files_in(txn)

    def files_in(self, txn: Txn) -> dict[int, FileRow]:
        with txn.cursor(db=self.tables["files"]) as cursor:
            return {U64.unpack(key)[0]: decode_file(value) for key, value in cursor}

    def file(self, txn: Txn, number: int) -> FileRow | None:
        value = txn.get(U64.pack(number), db=self.tables["files"])
        return None if value is None else decode_file(value)

    def put_file(self, txn: Txn, number: int, file: FileRow) -> None:
        txn.put(U64.pack(number), encode_file(file), db=self.tables["files"])

    def forget_file(self, txn: Txn, number: int) -> None:
        txn.delete(U64.pack(number), db=self.tables["files"])


def part_key(upload: int, number: int) -> bytes:
    return U64.pack(upload) + number.to_bytes(4, "big")
