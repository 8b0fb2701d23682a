"""What lies in the files. Layout version 1.

A log `<number>.log` is a header and then records, one behind another. A record is a head of 32 bytes, its fields
in msgpack, and the bytes of a small body. A body file `<number>.ext` holds extents of large bodies: their bytes,
and behind them a CRC32C for each block of 64 KiB. Numbers are never used twice.

Records say for themselves what they are about, so they can be read in any order: of two about the same thing the
one with the larger (sequence, revision) is true. Each log has a random salt in its heads' checksums: bytes that a
caller puts into a body can never be taken for a record.
"""

import struct
from collections.abc import Callable, Iterator
from enum import IntEnum, IntFlag
from typing import Any, NamedTuple

import msgspec
from awscrt import checksums

from cloudstead.dataplane.objects.disk import Bytes, File
from cloudstead.dataplane.objects.driver import Entry, Part, Upload

LAYOUT = 1
LOG_BYTES = 64 << 20
INLINE_BYTES_MAX = 128 << 10
BLOCK_BYTES = 64 << 10
PAGE_BYTES = 4096
#: So much of a log is read at once.
WINDOW_BYTES = 256 << 10

_MAGIC = b"CSOB"
_FILE_HEAD = struct.Struct("<4sHHQI")  # magic, layout, zero, salt, crc
_HEAD = struct.Struct(
    "<4sBBHIIQII"
)  # mark, kind, chain, zero, fields, body, sequence, crc of fields, crc of head
_HEAD_CRC_AT = _HEAD.size - 4
FILE_HEAD_BYTES = 64
HEAD_BYTES = _HEAD.size

_PIECE = struct.Struct("<IQIII")
_PART = struct.Struct("<HQ")


def crc32c(data: Bytes, previous: int = 0) -> int:
    found: int = checksums.crc32c(data, previous)
    return found


class Kind(IntEnum):
    VERSION = 1
    UPLOAD = 2
    PART = 3
    GRAVE = 4  # of a version or an upload that was deleted
    DROP = 5  # of a bucket
    END = 6  # of a log: all before it was synced


class Place(NamedTuple):
    """Where a record lies. The body is its end."""

    log: int
    offset: int
    length: int


class Piece(NamedTuple):
    """A run of bytes of one extent, or of the record's own body if `file` is 0."""

    file: int
    offset: int  # of the extent
    length: int  # of the extent's bytes
    start: int  # in them, or in the record's body
    size: int


class Body(msgspec.Struct, frozen=True, array_like=True, gc=False):
    inline: int = 0  # how many bytes lie in the record
    crc: int = 0  # CRC32C of those
    pieces: bytes = b""  # packed; empty if all is inline
    parts: bytes = b""  # packed: the number and size of each part that it was completed from


class StoredEntry(Entry, frozen=True, kw_only=True, array_like=True, gc=False):
    body: Body
    place: Place | None = None  # not in the files: known to whoever read it


class StoredUpload(Upload, frozen=True, kw_only=True, array_like=True):
    pass


class StoredPart(Part, frozen=True, kw_only=True, array_like=True):
    bucket: str
    key: str
    upload_id: str
    body: Body
    place: Place | None = None


class Grave(msgspec.Struct, frozen=True, array_like=True):
    """`id` is a version's, or an upload's if `upload`."""

    bucket: str
    key: str
    id: str
    upload: bool
    sequence: int


class Drop(msgspec.Struct, frozen=True, array_like=True):
    bucket: str
    sequence: int


Fields = StoredEntry | StoredUpload | StoredPart | Grave | Drop

encode = msgspec.msgpack.Encoder().encode
decode_entry = msgspec.msgpack.Decoder(StoredEntry).decode
decode_entries = msgspec.msgpack.Decoder(list[StoredEntry]).decode
decode_upload = msgspec.msgpack.Decoder(StoredUpload).decode
decode_part = msgspec.msgpack.Decoder(StoredPart).decode
_DECODE: dict[Kind, Callable[[bytes], Any]] = {
    Kind.VERSION: decode_entry,
    Kind.UPLOAD: decode_upload,
    Kind.PART: decode_part,
    Kind.GRAVE: msgspec.msgpack.Decoder(Grave).decode,
    Kind.DROP: msgspec.msgpack.Decoder(Drop).decode,
}


def pack_pieces(pieces: list[Piece]) -> bytes:
    return b"".join(_PIECE.pack(*piece) for piece in pieces)


def pieces_count(body: Body) -> int:
    return len(body.pieces) // _PIECE.size


def pieces_of(body: Body, size: int) -> list[Piece]:
    """`start` counts from the beginning of the record's body where they lie in that."""
    if not body.pieces:
        return [Piece(0, 0, size, 0, size)] if size else []
    return [Piece(*each) for each in _PIECE.iter_unpack(body.pieces)]


def cut(pieces: list[Piece], start: int, end: int) -> list[Piece]:
    """The pieces of the bytes [start, end)."""
    found, at = [], 0
    for piece in pieces:
        first, last = max(start - at, 0), min(end - at, piece.size)
        at += piece.size
        if first < last:
            found.append(piece._replace(start=piece.start + first, size=last - first))
    return found


def extents_of(body: Body) -> list[tuple[int, int, int]]:
    """(file, offset, length) of every extent that it refers to, once for each piece."""
    if not body.pieces:
        return []
    return [(file, offset, length) for file, offset, length, _, _ in _PIECE.iter_unpack(body.pieces) if file]


def pack_parts(parts: list[tuple[int, int]]) -> bytes:
    return b"".join(_PART.pack(*part) for part in parts)


def unpack_parts(parts: bytes) -> list[tuple[int, int]]:
    return list(_PART.iter_unpack(parts))


# --- records


def file_head(salt: int) -> bytes:
    head = _FILE_HEAD.pack(_MAGIC, LAYOUT, 0, salt, 0)[:-4]
    return (head + struct.pack("<I", crc32c(head))).ljust(FILE_HEAD_BYTES, b"\0")


def salt_of(head: bytes) -> int | None:
    """The salt of a log, None if this is not the head of one. Raises NewerLayout."""
    if len(head) < _FILE_HEAD.size:
        return None
    magic, layout, _, salt, crc = _FILE_HEAD.unpack_from(head)
    if magic != _MAGIC or crc != crc32c(head[: _FILE_HEAD.size - 4]):
        return None
    if layout > LAYOUT:
        raise NewerLayout(f"objects were written in layout {layout}, and this knows up to {LAYOUT}")
    return int(salt)


class NewerLayout(Exception):
    """The files were written by a later release: nothing is touched."""


def mark_of(salt: int) -> bytes:
    return struct.pack("<Q", salt)[:4]


class Chain(IntFlag):
    """The records of one commit count together; those of one sync may be torn together."""

    NONE = 0
    MORE = 1  # the next one belongs to it
    CONTINUES = 2  # the one before does
    AFTER_SYNC = 4  # all that lies before it in its log was synced


def record(salt: int, kind: Kind, chain: Chain, fields: bytes, *, body_length: int, sequence: int) -> bytes:
    """Head and fields; the body's bytes follow."""
    head = _HEAD.pack(mark_of(salt), kind, chain, 0, len(fields), body_length, sequence, crc32c(fields), 0)[
        :_HEAD_CRC_AT
    ]
    return head + struct.pack("<I", crc32c(head, salt >> 32)) + fields


def end_record(salt: int) -> bytes:
    return record(salt, Kind.END, Chain.NONE, b"", body_length=0, sequence=0)


def is_ended(file: File, salt: int) -> bool:
    """Whether whoever wrote this log came to its end. If not, what is last in it may be torn."""
    return file.read(max(0, file.size() - HEAD_BYTES), HEAD_BYTES) == end_record(salt)


class Found(NamedTuple):
    kind: Kind
    chain: int
    sequence: int
    fields: bytes
    place: Place
    body_length: int

    @property
    def more(self) -> bool:
        return bool(self.chain & Chain.MORE)

    @property
    def continues(self) -> bool:
        return bool(self.chain & Chain.CONTINUES)

    @property
    def after_sync(self) -> bool:
        return bool(self.chain & Chain.AFTER_SYNC)

    def decoded(self) -> Fields:
        decode: Callable[[bytes], Fields] = _DECODE[self.kind]
        return decode(self.fields)


class Scan:
    """The records of a log, in the order in which they were written.

    What cannot be read is passed over up to the next record that can. `damaged` tells where that was, as far as it had
    been synced; what had not may just be torn.
    """

    def __init__(
        self, file: File, log: int, start: int, end: int, salt: int, *, window_bytes: int = WINDOW_BYTES
    ) -> None:
        self._file = file
        self._window_bytes = window_bytes
        self._log = log
        self._at = start
        self._end = end
        self.is_ended = is_ended(file, salt)
        self.salt = salt
        self._window = b""
        self._window_at = start
        self.damaged: list[tuple[int, int]] = []
        self._torn: list[tuple[int, int]] = []  # as it seems

    def __iter__(self) -> Iterator[Found]:
        while self._at + HEAD_BYTES <= self._end:
            found = self._record_at(self._at)
            if found is None:
                bad = self._at
                self._at = self._next_mark(self._at + 1)
                if self._at < 0:
                    return
                if self._record_at(self._at) is not None:
                    self._torn.append((bad, self._at))
                continue
            if self.is_ended or found.after_sync:
                self.damaged += self._torn
                self._torn.clear()
            if found.kind == Kind.END:
                return
            self._at += found.place.length
            yield found

    def _record_at(self, at: int) -> Found | None:
        head = self._bytes(at, HEAD_BYTES)
        if len(head) < HEAD_BYTES:
            return None
        mark, kind, chain, _, fields, body, sequence, fields_crc, head_crc = _HEAD.unpack(head)
        if mark != mark_of(self.salt) or head_crc != crc32c(head[:_HEAD_CRC_AT], self.salt >> 32):
            return None
        length = HEAD_BYTES + fields + body
        found = self._bytes(at + HEAD_BYTES, fields)
        if at + length > self._end or len(found) < fields or crc32c(found) != fields_crc:
            return None
        return Found(Kind(kind), chain, sequence, found, Place(self._log, at, length), body)

    def _next_mark(self, at: int) -> int:
        mark = mark_of(self.salt)
        while at < self._end:
            some = self._bytes(at, min(self._window_bytes, self._end - at))
            found = some.find(mark)
            if found >= 0:
                return at + found
            if len(some) < len(mark):
                break
            at += len(some) - len(mark) + 1
        return -1

    def _bytes(self, at: int, length: int) -> bytes:
        start = at - self._window_at
        if start < 0 or start + length > len(self._window):
            self._window = self._file.read(at, max(length, self._window_bytes)) or b""
            self._window_at, start = at, 0
        return self._window[start : start + length]


def crc_table(data: Bytes) -> bytes:
    """A CRC32C for each block of an extent."""
    view = memoryview(data)
    crcs = [crc32c(view[at : at + BLOCK_BYTES]) for at in range(0, len(view), BLOCK_BYTES)]
    return struct.pack(f"<{len(crcs)}I", *crcs)


def table_bytes(length: int) -> int:
    return -(-length // BLOCK_BYTES) * 4


def extent_bytes(length: int) -> int:
    """What an extent takes in its file."""
    return -(-(length + table_bytes(length)) // PAGE_BYTES) * PAGE_BYTES
