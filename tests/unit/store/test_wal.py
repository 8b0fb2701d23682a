"""The look at SQLite's shared memory takes nothing from SQLite: above all not its locks.

POSIX gives up all locks of a process on a file as soon as the process closes any descriptor of it.
"""

import sqlite3
import subprocess
import sys

import pytest

from cloudstead.store import Row, Store

# The lock that says that the shared memory is in use: who gets it for itself alone begins the memory anew.
_TAKE = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
    except OSError:
        sys.exit("held")
"""
_OPEN = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0.2)
connection.execute("PRAGMA journal_mode = WAL")
print(connection.execute("SELECT count(*) FROM rows").fetchone()[0])
"""


class Pet(Row, frozen=True, kw_only=True):
    name: str


def _in_another_process(code, path):
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=30, check=False
    )


def _is_held(database):
    return _in_another_process(_TAKE, f"{database}-shm").stderr.strip() == "held"


def test_the_shared_memory_stays_locked_while_a_store_is_open(tmp_path):
    with Store(tmp_path / "state.db"):
        assert _is_held(tmp_path / "state.db")


def test_it_stays_locked_when_another_store_of_the_process_is_closed(tmp_path):
    with Store(tmp_path / "state.db"):
        Store(tmp_path / "state.db").close()

        assert _is_held(tmp_path / "state.db")


def test_nothing_of_the_shared_memory_is_kept_when_the_last_store_is_closed(tmp_path):
    Store(tmp_path / "state.db").close()

    assert not (tmp_path / "state.db-shm").exists()
    with Store(tmp_path / "state.db") as store, Store(tmp_path / "state.db") as other:
        store.insert(Pet(id="a", name="Ada"))
        assert other.get(Pet, "a") is not None


def test_a_process_that_comes_amid_a_write_spoils_nothing(tmp_path):
    database = tmp_path / "state.db"
    with Store(database) as store:
        for number in range(50):
            store.insert(Pet(id=f"early-{number}", name="Ada"))
        with store.transaction():
            store.insert(Pet(id="late", name="Bob"))
            assert _in_another_process(_OPEN, database).stdout == "50\n"
        assert _in_another_process(_OPEN, database).stdout == "51\n"
        with sqlite3.connect(database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("truncated", [False, True])
def test_a_commit_is_seen_after_a_checkpoint_by_another_process(tmp_path, truncated):
    database = tmp_path / "state.db"
    kind = "TRUNCATE" if truncated else "RESTART"
    checkpoint = f"import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA wal_checkpoint({kind})')"
    with Store(database) as reader, Store(database) as writer:
        for name in ("Ada", "Bob", "Cyd"):
            found = writer.get(Pet, "a")
            if found is None:
                writer.insert(Pet(id="a", name=name))
            else:
                writer.update(found, name=name)
            seen = reader.get(Pet, "a")
            assert seen is not None
            assert seen.name == name
            _in_another_process(checkpoint, database)
