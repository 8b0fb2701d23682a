"""Keys in their order in LMDB, however long.

LMDB takes keys of 511 bytes and S3 has keys of 1024. A key of SPLIT bytes or more goes on in a space of its own:
under its first SPLIT bytes lies a link, which is the number of the space that has the rest. Every record in a
space is therefore shorter than SPLIT, and what is as long is a link.
"""

import struct
from bisect import bisect_left
from itertools import islice
from operator import itemgetter

from cloudstead.dataplane.objects.listing import beyond
from cloudstead.dataplane.objects.tables import Table, Txn

SPLIT = 440
_NUMBER = struct.Struct(">Q")
_NEXT_SPACE = b"next-space"
_TOGETHER_MAX = 256

Pair = tuple[bytes, bytes]  # where a row lies in its table, and the row
_where = itemgetter(0)


def root(bucket: str) -> bytes:
    prefix = bucket.encode() + b"/"
    assert len(prefix) <= 60
    assert prefix[0] > 0
    return prefix


class Keys:
    """One table of things by bucket and key."""

    def __init__(self, table: Table, counters: Table) -> None:
        self._table = table
        self._counters = counters

    def find(self, txn: Txn, bucket: str, key: str) -> bytes | None:
        """Where the key lies in the table; None if it cannot be there."""
        at, rest = root(bucket), key.encode()
        while len(rest) >= SPLIT:
            link = txn.get(at + rest[:SPLIT], db=self._table)
            if link is None:
                return None
            at, rest = _space(link), rest[SPLIT:]
        return at + rest

    def make(self, txn: Txn, bucket: str, key: str) -> bytes:
        """Where the key lies in the table, or is to lie."""
        at, rest = root(bucket), key.encode()
        while len(rest) >= SPLIT:
            link = txn.get(at + rest[:SPLIT], db=self._table)
            if link is None:
                link = txn.get(_NEXT_SPACE, _NUMBER.pack(1), db=self._counters)
                txn.put(_NEXT_SPACE, _NUMBER.pack(_NUMBER.unpack(link)[0] + 1), db=self._counters)
                txn.put(at + rest[:SPLIT], link, db=self._table)
            at, rest = _space(link), rest[SPLIT:]
        return at + rest

    def walk(self, txn: Txn, bucket: str) -> "KeyWalk":
        return KeyWalk(txn, self._table, bucket)

    def clear(self, txn: Txn, bucket: str) -> None:
        """Remove the links that are left of a bucket without records."""
        spaces = [root(bucket)]
        while spaces:
            space = spaces.pop()
            cursor = txn.cursor(db=self._table)
            while cursor.set_range(space) and cursor.key().startswith(space):
                spaces.append(_space(cursor.value()))
                cursor.delete()


class KeyWalk:
    """A walk over a bucket, in the sense of listing.Walk.

    Rows that lie side by side are read together: the longer nobody jumps, the more of them at once.
    """

    def __init__(self, txn: Txn, table: Table, bucket: str) -> None:
        self._cursor = txn.cursor(db=table)
        self._levels = [(root(bucket), b"")]  # each space, and what its keys begin with
        self._there = self._cursor.set_range(root(bucket))
        self._read: list[Pair] = []  # rows that were read, and are still to be told
        self._at = 0
        self._together = 1

    def next(self) -> tuple[bytes, bytes] | None:
        if self._at == len(self._read):
            self._read, self._at = self._one() or self.run(self._together), 0
            self._together = min(self._together * 4, _TOGETHER_MAX)
            if not self._read:
                return None
        at, value = self._read[self._at]
        self._at += 1
        return self.name(at), value

    def _one(self) -> list[Pair]:
        """As `run` of one row, where somebody just jumped and the next row is as good as any."""
        if self._together > 1 or not self._there:
            return []
        at, space = self._cursor.key(), self._levels[-1][0]
        if not at.startswith(space) or len(at) - len(space) == SPLIT:
            return []
        row = at, self._cursor.value()
        self._there = self._cursor.next()
        return [row]

    def seek(self, key: bytes) -> None:
        """Never back."""
        space, base = self._levels[-1]
        if self._at < len(self._read) and key.startswith(base):
            self._at = bisect_left(self._read, space + key[len(base) :], self._at, key=_where)
            if self._at < len(self._read):
                return
        del self._levels[1:]
        self._read, self._at, self._together = [], 0, 1
        self._seek(key)

    def run(self, limit: int) -> list[Pair]:
        """The next rows of one space, none of them a link; none only at the end. Not to be mixed with `next`."""
        while True:
            space, base = self._levels[-1]
            rows = list(islice(self._cursor.iternext(), limit)) if self._there else []
            if rows and not rows[-1][0].startswith(space):
                del rows[bisect_left(rows, beyond(space) or b"", key=_where) :]
                self._there = False
            else:
                self._there = len(rows) == limit and self._cursor.next()
            lengths = [len(at) for at, _ in rows]
            end = len(space) + SPLIT
            link = lengths.index(end) if end in lengths else len(rows)
            if link:
                if link < len(rows):
                    self._there = self._cursor.set_range(rows[link][0])
                return rows[:link]
            if rows:
                at, value = rows[0]
                self._levels.append((_space(value), base + at[len(space) :]))
                self._there = self._cursor.set_range(_space(value))
            elif len(self._levels) == 1:
                return []
            else:
                self._levels.pop()
                self._seek(beyond(base) or b"")  # what is behind the link

    def name(self, at: bytes) -> bytes:
        """The key of a row of the last run."""
        space, base = self._levels[-1]
        return base + at[len(space) :]

    def _seek(self, key: bytes) -> None:
        while True:
            space, base = self._levels[-1]
            rest = key[len(base) :]
            at = space + rest[:SPLIT]
            self._there = self._cursor.set_range(at)
            if len(rest) < SPLIT or not self._there or self._cursor.key() != at:
                return
            self._levels.append((_space(self._cursor.value()), base + rest[:SPLIT]))


def _space(link: bytes) -> bytes:
    return b"\0" + link
