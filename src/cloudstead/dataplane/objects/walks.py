"""Pages of what the index lists."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.index import (
    MARKER,
    MAX_U64,
    U64,
    Index,
    entries_of,
    key_number,
    older_key,
    upload_of,
)
from cloudstead.dataplane.objects.keys import KeyWalk
from cloudstead.dataplane.objects.listing import gather, lines_of, start
from cloudstead.dataplane.objects.tables import Txn


def objects(index: Index, bucket: str, *, prefix: str, delimiter: str, after: str, limit: int) -> d.Page:
    with index.reading() as txn:
        walk = index.current.walk(txn, bucket)
        first = start(prefix.encode(), delimiter.encode(), after.encode())
        if first is None or not limit:
            return d.Page(entries=[], prefixes=[], next=None)
        walk.seek(first)
        if not delimiter:
            return _flat(walk, prefix.encode(), limit)
        found = gather(walk, prefix.encode(), delimiter.encode(), _is_object)
        lines, more = lines_of(found, limit)
        return d.Page(
            entries=list[d.Entry](entries_of([value for _, value in lines if value is not None])),
            prefixes=[key.decode() for key, value in lines if value is None],
            next=lines[-1][0].decode() if more else None,
        )


def _is_object(value: bytes) -> bool:
    return not value[0] & MARKER


def _flat(walk: KeyWalk, prefix: bytes, limit: int) -> d.Page:
    """A page without a delimiter, whose rows are read as they lie there."""
    found: list[bytes] = []
    more = True
    while more and len(found) <= limit:
        rows = walk.run(limit + 1 - len(found))
        more = bool(rows) and walk.name(rows[-1][0]).startswith(prefix)
        if not more:
            rows = rows[: bisect_left(rows, True, key=lambda pair: not walk.name(pair[0]).startswith(prefix))]
        found += [value for _, value in rows if not value[0] & MARKER]
    entries = list[d.Entry](entries_of(found[:limit]))
    return d.Page(entries=entries, prefixes=[], next=entries[-1].key if len(found) > limit else None)


def versions(
    index: Index, bucket: str, *, prefix: str, delimiter: str, after: tuple[str, str], limit: int
) -> d.VersionsPage:
    with index.reading() as txn:
        walk = _Versions(index, txn, bucket)
        key, version_id = after
        last = index.find(txn, bucket, key, version_id) if version_id else None
        first = start(prefix.encode(), delimiter.encode(), key.encode())
        if last is not None and key.startswith(prefix):
            walk.seek_behind(key.encode(), last.sequence)
        elif first is not None:
            walk.seek(first)
        else:
            return d.VersionsPage(versions=[], prefixes=[], next=None)
        lines, more = lines_of(gather(walk, prefix.encode(), delimiter.encode(), lambda _: True), limit)
        seen = [one for _, one in lines if one is not None]
        entries = entries_of([one.value for one in seen])
        found = [
            d.Version(entry=entry, is_latest=one.is_latest) for entry, one in zip(entries, seen, strict=True)
        ]
        told = [key.decode() for key, one in lines if one is None]
        if not more:
            return d.VersionsPage(versions=found, prefixes=told, next=None)
        at, one = lines[-1]
        next = (at.decode(), found[-1].entry.version_id if one is not None else "")
        return d.VersionsPage(versions=found, prefixes=told, next=next)


def uploads(
    index: Index, bucket: str, *, prefix: str, delimiter: str, after: tuple[str, str], limit: int
) -> d.UploadsPage:
    with index.reading() as txn:
        walk = _Uploads(index, txn, bucket)
        key, upload_id = after
        last = index.upload_number(txn, bucket, key, upload_id) if upload_id else None
        first = start(prefix.encode(), delimiter.encode(), key.encode())
        if last is not None and key.startswith(prefix):
            walk.seek_behind(key.encode(), last)
        elif first is not None:
            walk.seek(first)
        else:
            return d.UploadsPage(uploads=[], prefixes=[], next=None)
        lines, more = lines_of(gather(walk, prefix.encode(), delimiter.encode(), lambda _: True), limit)
        found = [upload for _, upload in lines if upload is not None]
        told = [key.decode() for key, upload in lines if upload is None]
        if not more:
            return d.UploadsPage(uploads=found, prefixes=told, next=None)
        at, upload = lines[-1]
        return d.UploadsPage(
            uploads=found, prefixes=told, next=(at.decode(), upload.upload_id if upload is not None else "")
        )


class _One(NamedTuple):
    value: bytes
    is_latest: bool


class _Versions:
    """Every version of every key, the newest of a key first."""

    def __init__(self, index: Index, txn: Txn, bucket: str) -> None:
        self._keys = index.current.walk(txn, bucket)
        self._cursor = txn.cursor(db=index.tables["older"])
        self._key = b""
        self._number = b""  # of that key, while there may be older ones
        self._there = False

    def next(self) -> tuple[bytes, _One] | None:
        if self._there and self._cursor.key().startswith(self._number):
            found = _One(self._cursor.value(), is_latest=False)
            self._there = self._cursor.next()
            return self._key, found
        walked = self._keys.next()
        if walked is None:
            return None
        self._key, value = walked
        self._open(key_number(value), MAX_U64)
        return self._key, _One(value, is_latest=True)

    def seek(self, key: bytes) -> None:
        self._there = False
        self._keys.seek(key)

    def seek_behind(self, key: bytes, sequence: int) -> None:
        """To the first version of the key that is older than this, or to the next key."""
        self.seek(key)
        walked = self._keys.next()
        if walked is not None and walked[0] == key:
            self._key = key
            self._open(key_number(walked[1]), sequence - 1)

    def _open(self, number: int, sequence: int) -> None:
        self._number = U64.pack(number)
        self._there = bool(number) and self._cursor.set_range(older_key(number, sequence))


class _Uploads:
    """Every open upload, by key and age."""

    def __init__(self, index: Index, txn: Txn, bucket: str) -> None:
        self._index = index
        self._txn = txn
        self._keys = index.upload_keys.walk(txn, bucket)
        self._key = b""
        self._numbers: Iterator[int] = iter(())

    def next(self) -> tuple[bytes, d.Upload] | None:
        for number in self._numbers:
            value = self._txn.get(U64.pack(number), db=self._index.tables["uploads"])
            assert value is not None
            return self._key, upload_of(value)
        walked = self._keys.next()
        if walked is None:
            return None
        self._key, numbers = walked
        self._numbers = iter([U64.unpack_from(numbers, at)[0] for at in range(0, len(numbers), 8)])
        return self.next()

    def seek(self, key: bytes) -> None:
        self._numbers = iter(())
        self._keys.seek(key)

    def seek_behind(self, key: bytes, number: int) -> None:
        self.seek(key)
        walked = self._keys.next()
        if walked is not None and walked[0] == key:
            self._key, numbers = walked
            all = [U64.unpack_from(numbers, at)[0] for at in range(0, len(numbers), 8)]
            self._numbers = iter([one for one in all if one > number])
