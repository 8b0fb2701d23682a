"""The schema's history: one entry per version, applied in order, each in one transaction.

An entry is never edited once released. A new field of a row with a default needs none; a renamed kind or field, or
a field whose meaning changes, does: such an entry rewrites bodies (`rewrite`).
"""

import hashlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

Migration = Callable[[sqlite3.Connection], None]


class WrittenByNewer(RuntimeError):
    """The file's schema is one that this program does not know. The text completes "the state …"."""


def _first(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE rows ("
        " kind TEXT NOT NULL, id TEXT NOT NULL, born INTEGER NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,"
        " PRIMARY KEY (kind, id)) WITHOUT ROWID"
    )
    # AUTOINCREMENT: a sequence number is never given twice, though old entries are trimmed.
    connection.execute(
        "CREATE TABLE changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL)"
    )


def _keys_to_kms(connection: sqlite3.Connection) -> None:
    """S3 had keys of its own before there was KMS. Their material stays as it lies; when they were made nobody wrote down."""
    (now,) = connection.execute("SELECT unixepoch()").fetchone()
    found = connection.execute("SELECT id, born, body FROM rows WHERE kind = 's3.KmsKey'").fetchall()
    for arn, born, body in found:
        old = msgspec.msgpack.decode(body)
        _put(connection, "kms.Key", born, _as_kms_key(old, now))
        if old["alias"]:
            _put(connection, "kms.Alias", born, _as_kms_alias(old, now))
        connection.execute("DELETE FROM rows WHERE kind = 's3.KmsKey' AND id = ?", (arn,))


def _as_kms_key(old: dict[str, Any], now: int) -> dict[str, Any]:
    made_at = datetime.fromtimestamp(now, UTC)
    material = {
        "id": hashlib.sha256(old["id"].encode()).hexdigest(),
        "sealed": old["sealed"],
        "made_at": made_at,
    }
    return {
        "id": old["id"],
        "version": 1,
        "account": old["account"],
        "region": old["region"],
        "place": f"{old['account']}/{old['region']}",
        "key_id": old["id"].rpartition("/")[2],
        "created_at": made_at,
        "materials": [material],
        "aws_service": "s3",
        "description": "Default key that protects my S3 objects when no other key is defined",
        "policy": "",
        "rotation_days": 365,
        "rotates_from": made_at,
    }


def _as_kms_alias(old: dict[str, Any], now: int) -> dict[str, Any]:
    at = datetime.fromtimestamp(now, UTC)
    return {
        "id": old["id"].partition("key/")[0] + old["alias"],
        "version": 1,
        "account": old["account"],
        "region": old["region"],
        "place": f"{old['account']}/{old['region']}",
        "name": old["alias"],
        "key": old["id"],
        "created_at": at,
        "changed_at": at,
    }


def _put(connection: sqlite3.Connection, kind: str, born: int, body: dict[str, Any]) -> None:
    connection.execute(
        "INSERT INTO rows (kind, id, born, version, body) VALUES (?, ?, ?, 1, ?)",
        (kind, body["id"], born, msgspec.msgpack.encode(body)),
    )


MIGRATIONS: tuple[Migration, ...] = (_first, _keys_to_kms)


def migrate(connection: sqlite3.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Bring the file to the newest schema. Safe when several processes open it at once.

    Raises WrittenByNewer before anything is touched.
    """
    if _schema(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        at = _schema(connection)
        if at > len(migrations):
            raise WrittenByNewer(
                f"was written by a newer Cloudstead (schema {at}, this one knows {len(migrations)})"
            )
        for migration in migrations[at:]:
            migration(connection)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


def rewrite(
    connection: sqlite3.Connection, kind: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Pass every body of a kind through `change`, for use inside a migration."""
    for id, body in connection.execute("SELECT id, body FROM rows WHERE kind = ?", (kind,)).fetchall():
        fields = change(msgspec.msgpack.decode(body))
        connection.execute(
            "UPDATE rows SET body = ? WHERE kind = ? AND id = ?", (msgspec.msgpack.encode(fields), kind, id)
        )


def _schema(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
