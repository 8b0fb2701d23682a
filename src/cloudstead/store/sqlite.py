"""The store on SQLite: WAL, synchronous=FULL, one connection per process.

An acknowledged write survives a power cut. Every process keeps the rows of the kinds it has used in memory; memory
that SQLite shares tells in a fraction of a microsecond whether anybody has written, a counter then whether it was
another process, and the `changes` table what. The one thing a reader would get wrong: a store must be opened *after* a
fork, never carried across.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from cloudstead.core.errors import Conflict, ServiceError
from cloudstead.store.image import Image
from cloudstead.store.migrations import migrate
from cloudstead.store.rows import R, Row, decode, encode, kind_name
from cloudstead.store.wal import WalHeader

log = logging.getLogger(__name__)

#: How many changes are remembered; a process further behind reads its kinds anew.
_CHANGES_KEPT = 20_000
_BUSY_TIMEOUT_S = 5.0  # a transaction takes milliseconds, and meanwhile a worker answers nobody
#: What is kept of the write-ahead log once a reader that held it open has let go.
_WAL_BYTES_KEPT = 16 << 20


class Unavailable(ServiceError):
    """Nothing can be written for now. Whoever tries again later may."""

    code = "ServiceUnavailable"
    status = 503


class OutOfSpace(Unavailable):
    """The disk is full."""


class Busy(Unavailable):
    """Another process has held the write lock for longer than anybody waits: it hangs, or was stopped."""


class Store:
    """Rows by kind and id. Not for use by two threads."""

    def __init__(self, path: Path | None, *, on_commit: Callable[[], None] | None = None) -> None:
        """Open, creating or migrating as needed; None keeps everything in memory, for tests and simulations.

        `on_commit` is called after each transaction that wrote, to ring other processes' bells.
        """
        self._connection = sqlite3.connect(
            ":memory:" if path is None else path, isolation_level=None, timeout=_BUSY_TIMEOUT_S
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")
        try:
            migrate(self._connection)
        except BaseException:
            self._connection.close()
            raise
        self._on_commit = on_commit
        self._images: dict[str, tuple[type[Row], Image[Any]]] = {}
        self._wal = None if path is None else WalHeader.of(path)
        self._wal_seen = b""
        self._data_version = self._read_data_version()
        self._seq = self._read_seq()
        self._depth = 0  # of nested transaction() and reading()
        self._writing = False
        self._undo: list[tuple[Image[Any], str, Row | None]] = []

    def close(self) -> None:
        self._connection.close()
        if self._wal is not None:
            self._wal.close()
            self._wal = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- reading

    def get(self, kind: type[R], id: str) -> R | None:
        return self._image(kind).get(id)

    def rows(self, kind: type[R], /, **equal: object) -> list[R]:
        """Every row of the kind whose fields equal these, oldest first.

        The first keyword is looked up in an index, the others filter: name the most telling one first.
        """
        image = self._image(kind)
        if not equal:
            return list(image)
        (field, value), *rest = equal.items()
        if not rest:
            return list(image.having(field, value))
        return [row for row in image.having(field, value) if all(getattr(row, f) == v for f, v in rest)]

    def moment(self) -> int:
        """A number that is the same as long as nothing has changed that this process could read."""
        assert not self._writing, "what is being written has no moment yet"
        self._catch_up()
        return self._seq

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything read inside is of one moment, kinds that this process never read before included."""
        if self._depth:
            yield
            return
        before = self._wal_header()
        with self._snapshot():
            self._catch_up(before)
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0

    # --- writing

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, durable when the block ends. Nested ones join the outer one.

        Holds the write lock, so what is checked inside stays true until it is written.
        """
        if self._writing:
            yield
            return
        assert self._depth == 0, "a transaction cannot begin inside reading()"
        self._execute("BEGIN IMMEDIATE")
        try:
            self._catch_up()
            self._writing = True
            self._depth += 1
            yield
            wrote = bool(self._undo)
            seq = self._read_seq()
            self._execute("COMMIT")
            self._seq = seq
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._undo.clear()
            self._writing = False
            self._depth = 0
        if wrote and self._on_commit is not None:
            self._on_commit()

    def insert(self, row: R) -> R:
        """Store a new row and return it as stored. Conflict if the id is taken."""
        stored = msgspec.structs.replace(row, version=1)
        with self.transaction():
            image = self._image(type(row))
            if image.get(row.id) is not None:
                raise Conflict(f"{row.id} exists")
            self._execute(
                "INSERT INTO rows (kind, id, born, version, body) VALUES (?, ?, ?, 1, ?)",
                (kind_name(type(row)), row.id, self._seq + len(self._undo) + 1, encode(stored)),
            )
            self._note(image, stored.id, stored)
        return stored

    def update(self, row: R, **fields: object) -> R:
        """Write these fields of a row as it was read; return the row as stored.

        Nothing is written, and the very same row returned, if the fields have these values already.
        Conflict if the row changed since it was read, or is gone.
        """
        if all(getattr(row, name) == value for name, value in fields.items()):
            return row
        changed: R = msgspec.structs.replace(row, version=row.version + 1, **fields)
        with self.transaction():
            image = self._image(type(row))
            current = image.get(row.id)
            if current is None or current.version != row.version:
                raise Conflict(f"{row.id} changed since it was read")
            self._execute(
                "UPDATE rows SET version = ?, body = ? WHERE kind = ? AND id = ?",
                (changed.version, encode(changed), kind_name(type(row)), row.id),
            )
            self._note(image, row.id, changed)
        return changed

    def delete(self, row: Row) -> None:
        """Forget a row as it was read. Conflict if it changed since, or is gone."""
        with self.transaction():
            image = self._image(type(row))
            current = image.get(row.id)
            if current is None or current.version != row.version:
                raise Conflict(f"{row.id} changed since it was read")
            self._execute("DELETE FROM rows WHERE kind = ? AND id = ?", (kind_name(type(row)), row.id))
            self._note(image, row.id, None)

    def wipe(self) -> None:
        """Forget every row of every kind."""
        with self.transaction():
            for kind, id in self._execute("SELECT kind, id FROM rows").fetchall():
                self._execute("INSERT INTO changes (kind, id) VALUES (?, ?)", (kind, id))
                known = self._images.get(kind)
                if known is not None and (row := known[1].get(id)) is not None:
                    self._undo.append((known[1], id, row))
                    known[1].drop(id)
            self._execute("DELETE FROM rows")
            self._undo.append((Image(()), "", None))  # something was written, whatever the images held

    # --- waking

    def changed_since(self, seq: int) -> tuple[int, frozenset[str]]:
        """The newest change's number, and the names of the kinds changed after `seq` (see `kind_name`)."""
        with self._snapshot():  # a change between the two looks would be counted and never told
            kinds = self._execute("SELECT DISTINCT kind FROM changes WHERE seq > ?", (seq,)).fetchall()
            return self._read_seq(), frozenset(kind for (kind,) in kinds)

    def counts(self) -> dict[str, int]:
        """How many rows there are of each kind, by kind name."""
        return dict(self._execute("SELECT kind, count(*) FROM rows GROUP BY kind").fetchall())

    # --- inside

    def _image(self, kind: type[R]) -> Image[R]:
        self._catch_up()
        name = kind_name(kind)
        known = self._images.get(name)
        if known is None:
            bodies = self._execute("SELECT body FROM rows WHERE kind = ? ORDER BY born, id", (name,))
            known = kind, Image(decode(kind, body) for (body,) in bodies)
            self._images[name] = known
        return known[1]

    def _wal_header(self) -> bytes:
        return b"" if self._wal is None else self._wal.read()

    def _catch_up(self, header: bytes | None = None) -> None:
        """Bring the images level with what other processes have committed.

        `header` is as it was before the moment that is read, where that has been fixed already: what was committed
        since does not belong to it, and is to be seen by the next look.
        """
        if self._depth:
            return
        now = self._wal_header()
        if header is None:
            header = now
        if header and header == now == self._wal_seen:
            return
        data_version = self._read_data_version()
        if data_version != self._data_version:
            with self._snapshot():
                self._follow(data_version)
        self._wal_seen = header  # as it was before the look: what came meanwhile is told by the next one

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """What is read inside is of the moment of the first read. Joins a transaction that is open."""
        if self._connection.in_transaction:
            yield
            return
        self._execute("BEGIN")
        try:
            self._read_seq()  # only now does SQLite hold on to the moment
            yield
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._connection.in_transaction:  # an error may have ended it
            self._connection.execute("COMMIT")

    def _follow(self, data_version: int) -> None:
        """Read what changed. If still more changed since `data_version` was read, the next look says so again."""
        newest = self._read_seq()
        changes = self._execute(
            "SELECT kind, id FROM changes WHERE seq > ? GROUP BY kind, id ORDER BY min(seq)", (self._seq,)
        ).fetchall()
        oldest = self._execute("SELECT min(seq) FROM changes").fetchone()[0]
        if oldest is not None and oldest > self._seq + 1:
            self._images.clear()
        for name, id in changes:
            known = self._images.get(name)
            if known is None:
                continue
            kind, image = known
            found = self._execute("SELECT body FROM rows WHERE kind = ? AND id = ?", (name, id)).fetchone()
            if found is None:
                image.drop(id)
            else:
                image.put(decode(kind, found[0]))
        self._data_version, self._seq = data_version, newest

    def _note(self, image: Image[Any], id: str, row: Row | None) -> None:
        """Log a change and show it to later reads of this transaction."""
        assert self._writing
        shown = row if row is not None else image.get(id)
        assert shown is not None
        kind = kind_name(type(shown))
        self._execute("INSERT INTO changes (kind, id) VALUES (?, ?)", (kind, id))
        self._undo.append((image, id, image.get(id)))
        if row is None:
            image.drop(id)
        else:
            image.put(row)
        if len(self._undo) == 1:
            self._execute("DELETE FROM changes WHERE seq <= ?", (self._read_seq() - _CHANGES_KEPT,))

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        if self._undo:
            # Order of birth would be lost by putting dropped rows back: read those kinds anew.
            self._images.clear()

    def _execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.OperationalError as e:
            if "full" in str(e) or "disk I/O" in str(e):
                raise OutOfSpace(
                    "The disk that holds Cloudstead's state is full. Nothing was changed; free some space and try again."
                ) from e
            if e.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise Busy("Cloudstead's state is locked by another of its processes. Try again.") from e
            raise

    def _read_data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _read_seq(self) -> int:
        found = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
        return int(found[0]) if found else 0
