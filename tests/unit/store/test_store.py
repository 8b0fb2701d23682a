"""The store: what is acknowledged is there, what failed left nothing, every process sees it."""

import os
import random
import signal
import sqlite3
from datetime import UTC, datetime

import msgspec
import pytest

from cloudstead.core.errors import Conflict
from cloudstead.store import Row, Store
from cloudstead.store.bell import Bell
from cloudstead.store.migrations import MIGRATIONS, WrittenByNewer, migrate, rewrite
from cloudstead.store.sqlite import Busy, OutOfSpace


class Boat(Row, frozen=True, kw_only=True):
    harbour: str
    length_m: float = 1.0
    seen_at: datetime | None = None


class Crew(Row, frozen=True, kw_only=True):
    boat: str


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.sqlite"


@pytest.fixture
def opened():
    """Open stores that are closed when the test ends."""
    stores = []

    def open_store(path, **options):
        stores.append(Store(path, **options))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def test_a_row_comes_back_as_it_was_written_in_another_process(path, opened):
    when = datetime(2026, 5, 4, 3, 2, 1, 987000, tzinfo=UTC)
    written = opened(path).insert(Boat(id="b-1", harbour="Kiel", length_m=7.5, seen_at=when))
    assert (
        opened(path).get(Boat, "b-1")
        == written
        == Boat(id="b-1", version=1, harbour="Kiel", length_m=7.5, seen_at=when)
    )


def test_an_open_store_sees_what_another_one_writes(path, opened):
    ours, theirs = opened(path), opened(path)
    assert ours.rows(Boat) == []
    boat = theirs.insert(Boat(id="b-1", harbour="Kiel"))
    assert ours.rows(Boat, harbour="Kiel") == [boat]
    moved = theirs.update(boat, harbour="Bergen")
    assert ours.rows(Boat, harbour="Kiel") == []
    assert ours.rows(Boat, harbour="Bergen") == [moved]
    theirs.delete(moved)
    assert ours.get(Boat, "b-1") is None


def test_what_is_read_together_is_of_one_moment(path, opened):
    """Also of kinds that the reader has never read before."""
    writer, reader = opened(path), opened(path)
    assert reader.rows(Boat) == []
    with reader.reading():
        assert reader.rows(Boat) == []
        with writer.transaction():
            writer.insert(Boat(id="anna", harbour="Kiel"))
            writer.insert(Crew(id="ole", boat="anna"))
        assert (reader.rows(Boat), reader.rows(Crew)) == ([], [])
    assert [row.id for row in (*reader.rows(Boat), *reader.rows(Crew))] == ["anna", "ole"]


def test_a_writer_that_read_an_older_version_loses(path, opened):
    ours, theirs = opened(path), opened(path)
    boat = ours.insert(Boat(id="b-1", harbour="Kiel"))
    theirs.update(theirs.get(Boat, "b-1"), harbour="Bergen")
    with pytest.raises(Conflict):
        ours.update(boat, harbour="Oslo")
    with pytest.raises(Conflict):
        ours.delete(boat)
    with pytest.raises(Conflict):
        ours.insert(boat)
    assert ours.get(Boat, "b-1").harbour == "Bergen"


def test_writing_what_stands_there_already_writes_nothing(opened):
    rings = []
    store = opened(None, on_commit=lambda: rings.append(1))
    boat = store.insert(Boat(id="b-1", harbour="Kiel"))
    assert store.update(boat, harbour="Kiel") is boat
    assert rings == [1]


def test_a_transaction_that_fails_leaves_no_trace(path, opened):
    store = opened(path)
    kept = [store.insert(Boat(id=f"b-{n}", harbour="Kiel")) for n in range(3)]
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.delete(kept[0])
        store.update(kept[1], harbour="Oslo")
        store.insert(Boat(id="b-9", harbour="Oslo"))
        assert [boat.id for boat in store.rows(Boat, harbour="Oslo")] == ["b-1", "b-9"]
        _ = 1 / 0
    assert store.rows(Boat) == kept
    assert store.rows(Boat, harbour="Oslo") == []
    assert opened(path).rows(Boat) == kept


def test_rows_are_listed_in_the_order_they_were_born_by_every_process(path, opened):
    store, reader = opened(path), opened(path)
    reader.rows(Boat)
    with store.transaction():
        for name in ("z", "a", "m"):
            store.insert(Boat(id=name, harbour="Kiel"))
    store.update(store.get(Boat, "z"), length_m=2.0)
    for one in (store, reader, opened(path)):
        assert [boat.id for boat in one.rows(Boat)] == ["z", "a", "m"]


def test_a_reader_further_behind_than_the_change_log_reads_all_anew(path, opened, monkeypatch):
    monkeypatch.setattr("cloudstead.store.sqlite._CHANGES_KEPT", 5)
    store, reader = opened(path), opened(path)
    reader.insert(Boat(id="first", harbour="Kiel"))
    for n in range(40):
        store.insert(Boat(id=f"b-{n}", harbour="Kiel"))
    store.delete(store.get(Boat, "first"))
    assert [boat.id for boat in reader.rows(Boat)] == [f"b-{n}" for n in range(40)]


def test_random_writers_and_readers_always_agree(path, opened):
    chance = random.Random(11)
    stores = [opened(path) for _ in range(3)]
    model = {}
    for step in range(600):
        store = chance.choice(stores)
        id = f"b-{chance.randrange(12)}"
        row = store.get(Boat, id)
        assert (None if row is None else row.harbour) == model.get(id), step
        match chance.choice(("put", "delete", "fail")):
            case "put":
                harbour = chance.choice("KBO")
                model[id] = harbour
                if row is None:
                    store.insert(Boat(id=id, harbour=harbour))
                else:
                    store.update(row, harbour=harbour)
            case "delete" if row is not None:
                del model[id]
                store.delete(row)
            case "fail":
                with pytest.raises(KeyError), store.transaction():
                    if row is not None:
                        store.update(row, harbour="nowhere")
                    raise KeyError
        reader = chance.choice(stores)
        harbour = chance.choice("KBO")
        assert {b.id for b in reader.rows(Boat, harbour=harbour)} == {
            i for i, h in model.items() if h == harbour
        }


def test_everything_acknowledged_survives_a_killed_writer(path, opened):
    opened(path)  # the schema is there
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        store = Store(path)
        for n in range(10_000):
            with store.transaction():
                store.insert(Boat(id=f"b-{n}", harbour="Kiel"))
                store.insert(Crew(id=f"c-{n}", boat=f"b-{n}"))
            os.write(write_fd, b"%d\n" % n)
        os._exit(0)
    os.close(write_fd)
    with os.fdopen(read_fd, "rb") as acknowledged:
        for _ in range(50):
            last = int(acknowledged.readline())
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        rest = acknowledged.read().split()
    last = int(rest[-1]) if rest else last
    store = opened(path)
    boats, crews = {b.id for b in store.rows(Boat)}, {c.boat for c in store.rows(Crew)}
    assert boats == crews
    assert boats >= {f"b-{n}" for n in range(last + 1)}


def test_a_full_disk_is_a_clear_error_and_nothing_is_changed(path, opened):
    store = opened(path)
    store.insert(Boat(id="b-1", harbour="Kiel"))
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(OutOfSpace), store.transaction():
        for n in range(2, 2000):
            store.insert(Boat(id=f"b-{n}", harbour="x" * 400))
    store._connection.execute("PRAGMA max_page_count = 100000")
    assert [boat.id for boat in store.rows(Boat)] == ["b-1"]
    store.insert(Boat(id="b-2", harbour="Kiel"))
    assert len(opened(path).rows(Boat)) == 2


def test_a_row_of_the_wrong_type_fails_at_the_read(path, opened):
    store = opened(path)
    store.insert(Boat(id="b-1", harbour="Kiel"))
    bad = msgspec.msgpack.encode({"id": "b-1", "version": 1, "harbour": 7})
    store._connection.execute("UPDATE rows SET body = ?", (bad,))
    with pytest.raises(msgspec.ValidationError):
        opened(path).rows(Boat)


def test_wiping_forgets_every_row_in_every_process(path, opened):
    ours, theirs = opened(path), opened(path)
    ours.insert(Boat(id="b-1", harbour="Kiel"))
    theirs.rows(Boat)
    ours.wipe()
    assert ours.rows(Boat) == theirs.rows(Boat) == opened(path).rows(Boat) == []


def test_the_change_log_tells_which_kinds_changed(path, opened):
    ours, theirs = opened(path), opened(path)
    seq, _ = ours.changed_since(0)
    theirs.insert(Crew(id="c-1", boat="b-1"))
    after, kinds = ours.changed_since(seq)
    assert {name.split(".")[-1] for name in kinds} == {"Crew"}
    assert ours.changed_since(after) == (after, frozenset())


def test_no_change_is_counted_without_being_told(path, opened):
    ours, theirs = opened(path), opened(path)
    looked = []

    def meanwhile(statement):
        if statement.startswith("SELECT") and not looked:
            looked.append(statement)
        elif looked == [statement] or (looked and not theirs.rows(Crew)):
            theirs.insert(Crew(id="c-1", boat="b-1"))

    ours._connection.set_trace_callback(meanwhile)  # between two statements of one look
    seq, before = ours.changed_since(0)
    ours._connection.set_trace_callback(None)
    _, after = ours.changed_since(seq)
    assert theirs.rows(Crew)
    assert [name.split(".")[-1] for name in before | after] == ["Crew"]


def test_a_lock_that_is_held_for_ever_is_a_clear_error_and_nothing_is_changed(path, opened, monkeypatch):
    monkeypatch.setattr("cloudstead.store.sqlite._BUSY_TIMEOUT_S", 0.05)
    store, stopped = opened(path), opened(path)
    with stopped.transaction():
        with pytest.raises(Busy, match="locked by another"):
            store.insert(Boat(id="b-1", harbour="Kiel"))
        assert store.rows(Boat) == []  # who only reads is not held up
    store.insert(Boat(id="b-1", harbour="Kiel"))
    assert [boat.id for boat in stopped.rows(Boat)] == ["b-1"]


def test_a_reader_that_stood_still_does_not_leave_its_log_behind(path, opened, monkeypatch):
    monkeypatch.setattr("cloudstead.store.sqlite._WAL_BYTES_KEPT", 1 << 16)
    store, reader = opened(path), opened(path)
    log = path.with_name(path.name + "-wal")
    with reader.reading():
        for number in range(200):
            store.insert(Boat(id=f"b-{number}", harbour="Kiel" * 5000))
        assert log.stat().st_size > 4 << 20
    for number in range(3):
        store.insert(Boat(id=f"c-{number}", harbour="Kiel" * 5000))
    assert log.stat().st_size < 1 << 20


def test_a_bell_wakes_however_often_it_was_rung():
    bell = Bell()
    for _ in range(100_000):
        bell.ring()
    bell.answer()
    with pytest.raises(BlockingIOError):
        os.read(bell.fileno(), 1)
    bell.ring()
    assert os.read(bell.fileno(), 10) == b"!"


def test_migrations_run_once_in_order_and_rewrite_rows(path, opened):
    opened(path).insert(Boat(id="b-1", harbour="Kiel"))

    def rename(connection):
        rewrite(
            connection,
            next(kind for (kind,) in connection.execute("SELECT DISTINCT kind FROM rows")),
            lambda fields: {**fields, "harbour": fields["harbour"].upper()},
        )

    connection = sqlite3.connect(path, isolation_level=None)
    for _ in range(2):
        migrate(connection, (*MIGRATIONS, rename))
    assert (
        msgspec.msgpack.decode(connection.execute("SELECT body FROM rows").fetchone()[0])["harbour"] == "KIEL"
    )
    connection.close()


def test_keys_that_s3_had_are_kms_s_and_open_as_before(path):
    from cloudstead.services.kms.rows import Alias, Key

    arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    old = {"id": arn, "version": 1, "account": "123456789012", "region": "us-east-1", "sealed": b"sealed"}
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, MIGRATIONS[:1])
    connection.execute(
        "INSERT INTO rows (kind, id, born, version, body) VALUES ('s3.KmsKey', ?, 1, 1, ?)",
        (arn, msgspec.msgpack.encode({**old, "alias": "alias/aws/s3"})),
    )
    connection.close()
    with Store(path) as store:
        (key,) = store.rows(Key)
        (alias,) = store.rows(Alias)
        assert store.counts().keys() == {"kms.Key", "kms.Alias"}
    assert (key.id, key.aws_service, key.materials[0].sealed) == (arn, "s3", b"sealed")
    assert (alias.id, alias.key) == ("arn:aws:kms:us-east-1:123456789012:alias/aws/s3", arn)


def test_a_failed_migration_changes_nothing(path, opened):
    opened(path).insert(Boat(id="b-1", harbour="Kiel"))

    def broken(connection):
        connection.execute("DELETE FROM rows")
        raise ValueError

    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(ValueError):
        migrate(connection, (*MIGRATIONS, broken))
    connection.close()
    assert len(opened(path).rows(Boat)) == 1


def test_state_of_a_newer_cloudstead_is_refused_untouched(path, opened):
    opened(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(WrittenByNewer, match="by a newer Cloudstead"):
        Store(path)


def test_what_is_stored_again_after_wiping_stays(path, opened):
    store, reader = opened(path), opened(path)
    kept = store.insert(Boat(id="b-1", harbour="Kiel"))
    store.insert(Boat(id="b-2", harbour="Kiel"))
    reader.rows(Boat)
    with store.transaction():
        store.wipe()
        store.insert(kept)
    assert [boat.id for boat in store.rows(Boat)] == [boat.id for boat in reader.rows(Boat)] == ["b-1"]


def test_what_another_process_committed_is_seen_though_the_first_look_at_it_failed(path, opened, monkeypatch):
    mine, other = opened(path), opened(path)
    assert mine.get(Boat, "a") is None
    other.insert(Boat(id="a", harbour="Kiel"))

    def locked(_):
        raise Busy("locked")

    with monkeypatch.context() as patched:
        patched.setattr(mine, "_follow", locked)
        with pytest.raises(Busy):
            mine.get(Boat, "a")

    assert mine.get(Boat, "a") is not None


def test_while_nobody_commits_a_look_asks_sqlite_nothing(path, opened, monkeypatch):
    store = opened(path)
    store.insert(Boat(id="a", harbour="Kiel"))
    store.get(Boat, "a")

    monkeypatch.delattr(Store, "_read_data_version")

    assert store.get(Boat, "a") is not None


def test_what_is_committed_while_a_moment_is_read_is_seen_after_it(path, opened, monkeypatch):
    mine, other = opened(path), opened(path)
    assert mine.get(Boat, "a") is None
    look = mine._read_seq

    def then_another_commits():
        found = look()
        if other.get(Boat, "a") is None:
            other.insert(Boat(id="a", harbour="Kiel"))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(mine, "_read_seq", then_another_commits)
        with mine.reading():
            assert mine.get(Boat, "a") is None

    assert mine.get(Boat, "a") is not None


def test_what_is_committed_just_before_a_moment_belongs_to_it(path, opened, monkeypatch):
    mine, other = opened(path), opened(path)
    mine.insert(Boat(id="a", harbour="Kiel"))
    assert mine.get(Boat, "a") is not None
    execute = mine._execute

    def after_another_committed(sql, values=()):
        if sql == "BEGIN":
            with other.transaction():
                other.delete(other.get(Boat, "a"))
                other.insert(Crew(id="c", boat="a"))
        return execute(sql, values)

    with monkeypatch.context() as patched:
        patched.setattr(mine, "_execute", after_another_committed)
        with mine.reading():
            found = mine.get(Boat, "a"), mine.get(Crew, "c")

    assert found[0] is None
    assert found[1] is not None
