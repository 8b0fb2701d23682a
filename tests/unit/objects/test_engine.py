"""What only the real engine promises: space comes back, rot is found, a disk that fails or is full does no harm."""

import asyncio
import errno
import os
import resource
import subprocess
import sys
import time

import pytest
from tests.unit.objects.powercut import CutDisk

from cloudstead.dataplane.objects import bodies, committing, files, recovery, tending
from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects import format as layout
from cloudstead.dataplane.objects.engine import open_objects
from cloudstead.dataplane.objects.format import NewerLayout
from cloudstead.dataplane.objects.syncing import Syncs

_B = "bucket"


def unbroken(why):
    raise AssertionError(why)


def run(test):
    return asyncio.run(asyncio.wait_for(test(), 100))


async def put(store, key, data, **more):
    writer = store.writer(_B, len(data))
    await writer.write(data)
    blob = await writer.close()
    change = d.Put(key=key, version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
    return (await store.commit(_B, [change], **more))[0]


async def read(store, key, bucket=_B):
    return b"".join([chunk async for chunk in store.read(store.get(bucket, key))])


def disk_bytes(folder) -> int:
    return sum(path.stat().st_blocks * 512 for path in (folder / "files").iterdir())


def names(folder) -> list[str]:
    return [path.name for path in (folder / "files").iterdir()]


async def settle(store) -> None:
    for _ in range(4):
        await store.tend_once()


@pytest.fixture
def small_logs(monkeypatch):
    for module in (layout, files, committing, recovery):
        monkeypatch.setattr(module, "LOG_BYTES", 1 << 20)
    for module in (committing, recovery):
        monkeypatch.setattr(module, "GROUP_BYTES_MAX", 420 << 10)
    monkeypatch.setattr(committing, "_BYTES_A_GROUP", 128 << 10)
    monkeypatch.setattr(committing, "_SPARE_AT_BYTES", 700 << 10)
    monkeypatch.setattr(bodies, "_FILE_BYTES", 8 << 20)


def test_deleted_and_discarded_bodies_give_their_space_back(tmp_path, small_logs):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        for n in range(30):
            await put(store, f"large/{n}", os.urandom(1 << 20))
            await put(store, f"small/{n}", os.urandom(100_000))
        full = disk_bytes(tmp_path)
        assert full > 33 << 20
        for n in range(1, 30):
            for kind in ("large", "small"):
                await store.commit(_B, [d.Delete(key=f"{kind}/{n}", version_id=d.NULL)])
        writer = store.writer(_B)
        await writer.write(os.urandom(5 << 20))
        writer.discard()
        await settle(store)
        assert disk_bytes(tmp_path) < 20 << 20  # of which 16 are for the next bodies
        assert len(await read(store, "large/0")) == 1 << 20
        assert len(await read(store, "small/0")) == 100_000
        assert (await store.fsck()).damage == []
        await store.close()

    run(test)


def test_graves_go_when_nothing_dead_is_left(tmp_path, small_logs):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        for n in range(60):
            await put(store, f"k{n % 7}", os.urandom(60_000))
            if n % 3 == 0:
                await store.commit(_B, [d.Delete(key=f"k{n % 7}", version_id=d.NULL)])
        for n in range(7):
            await store.commit(_B, [d.Delete(key=f"k{n}", version_id=d.NULL)])
        await store.close()
        store = await open_objects(tmp_path, on_broken=unbroken)
        await settle(store)
        with store._index.reading() as txn:
            assert txn.stat(store._index.tables["graves"])["entries"] == 0
        assert len([name for name in names(tmp_path) if name.endswith(".log")]) <= 3
        await store.close()

    run(test)


def test_what_was_compacted_is_there_when_the_index_is_made_again(tmp_path, small_logs):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        kept = {f"kept{n}": os.urandom(3000) for n in range(40)}
        for key, data in kept.items():
            await put(store, key, data)
            await put(store, "rubbish", os.urandom(90_000))
        await store.commit(_B, [d.Delete(key="rubbish", version_id=d.NULL)])
        await settle(store)
        await store.close()
        assert disk_bytes(tmp_path) < 3 << 20
        (tmp_path / "state").unlink()  # as after a boot that nobody expected
        store = await open_objects(tmp_path, on_broken=unbroken)
        assert {key: await read(store, key) for key in kept} == kept
        assert store.get(_B, "rubbish") is None
        assert store.usage(_B) == d.Usage(versions=40, bytes=40 * 3000, uploads=0)
        assert (await store.fsck()).damage == []
        await store.close()

    run(test)


def test_tending_never_keeps_the_loop_for_long(tmp_path):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        for n in range(0, 20_000, 500):
            puts = [
                d.Put(
                    key=f"k{m % 4000}",
                    version_id=d.NULL,
                    modified_ms=1,
                    etag="e",
                    meta=b"",
                    body=store.small(b"x" * 4000),
                )
                for m in range(n, n + 500)
            ]
            await asyncio.gather(*(store.commit(_B, [each]) for each in puts))
        done = asyncio.Event()
        cpu_pauses = []

        async def watch():
            while not done.is_set():
                before = time.thread_time()
                await asyncio.sleep(0)
                cpu_pauses.append(time.thread_time() - before)

        watching = asyncio.ensure_future(watch())
        files_before = len(names(tmp_path))
        await store.tend_once()
        done.set()
        await watching
        assert len(names(tmp_path)) != files_before
        assert (
            sorted(cpu_pauses)[-3] < 0.010
        )  # of the loop's own CPU: other load on the machine does not count
        await store.close()

    run(test)


def test_a_reader_gets_all_of_what_is_deleted_under_it(tmp_path):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        data = os.urandom(3 << 20)
        entry = await put(store, "k", data)
        chunks = store.read(entry)
        got = [await anext(chunks)]
        await store.commit(_B, [d.Delete(key="k", version_id=d.NULL)])
        await settle(store)
        got += [chunk async for chunk in chunks]
        assert b"".join(got) == data
        await put(store, "later", b"x")
        await settle(store)
        assert disk_bytes(tmp_path) < layout.LOG_BYTES + (17 << 20)
        await store.close()

    run(test)


@pytest.mark.parametrize("size", [1000, 500_000])
def test_rot_is_found_and_never_given_to_anybody(tmp_path, size):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        data = os.urandom(size)
        await put(store, "good", b"good")
        await put(store, "rotten", data)
        for path in (tmp_path / "files").iterdir():
            found = path.read_bytes().find(data[-500:])
            if found >= 0:
                with path.open("r+b") as file:
                    file.seek(found)
                    file.write(b"rot")
        with pytest.raises(d.Corrupt):
            await read(store, "rotten")
        scrubbed = await store.scrub()
        assert [(one.bucket, one.key) for one in scrubbed.damage] == [(_B, "rotten")]
        assert scrubbed.versions == 2
        assert await read(store, "good") == b"good"
        await store.close()

    run(test)


def test_fsck_finds_a_record_that_the_index_lost_and_one_that_the_log_lost(tmp_path):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        entry = await put(store, "k", b"here")
        with store._index.writing() as txn:
            txn.delete(store._index.current.find(txn, _B, "k"), db=store._index.tables["current"])
        (found,) = [one for one in (await store.fsck()).damage if one.key]
        assert (found.key, "does not tell" in found.what) == ("k", True)
        entry = await put(store, "k", b"again")
        path = tmp_path / "files" / f"{entry.place.log:08}.log"
        with path.open("r+b") as file:
            file.seek(entry.place.offset)
            file.write(bytes(entry.place.length))
        assert any("is not there" in one.what for one in (await store.fsck()).damage)
        await store.close()

    run(test)


def test_after_a_sync_that_failed_nothing_is_acknowledged(tmp_path):
    async def test():
        told = []
        store = await open_objects(tmp_path, on_broken=told.append)
        await put(store, "k", b"before")

        async def fail(self, fd):
            raise OSError(errno.EIO, "I/O error")

        working, Syncs.sync = Syncs.sync, fail
        try:
            with pytest.raises(d.Broken):
                await put(store, "k", b"lost")
        finally:
            Syncs.sync = working
        with pytest.raises(d.Broken):  # though the disk says that all is well
            await put(store, "other", b"x")
        assert len(told) == 1
        await store.close()
        store = await open_objects(tmp_path, on_broken=unbroken)
        assert await read(store, "k") in (b"before", b"lost")
        await put(store, "k", b"after")
        assert await read(store, "k") == b"after"
        await store.close()

    run(test)


def test_a_full_disk_refuses_puts_and_lets_delete(tmp_path):
    async def test():
        disk = CutDisk(tmp_path / "files")
        store = await open_objects(tmp_path, on_broken=unbroken, disk=disk)
        await put(store, "k", b"x" * 1000)
        disk.free = files.RESERVE_BYTES - 1
        for size in (10, 500_000):
            with pytest.raises(d.DiskFull):
                await put(store, "new", b"y" * size)
        assert len(await read(store, "k")) == 1000
        await store.commit(_B, [d.Delete(key="k", version_id=d.NULL)])
        assert store.list_objects(_B).entries == []
        disk.free = 1 << 40
        await put(store, "new", b"y")
        assert (await store.fsck()).damage == []
        await store.close()

    run(test)


def test_a_newer_layout_is_not_touched(tmp_path):
    async def test():
        await (await open_objects(tmp_path, on_broken=unbroken)).close()
        (tmp_path / "state").write_text(f"{layout.LAYOUT + 1} boot clean\n")
        with pytest.raises(NewerLayout):
            await open_objects(tmp_path, on_broken=unbroken)

    run(test)


def test_a_large_body_takes_little_memory(tmp_path):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        writer = store.writer(_B)
        piece = os.urandom(1 << 20)
        for _ in range(300):
            await writer.write(piece)
        blob = await writer.close()
        change = d.Put(key="k", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
        (entry,) = await store.commit(_B, [change])
        size = 0
        async for chunk in store.read(entry):
            size += len(chunk)
        assert size == 300 << 20
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 << 10
        await store.close()

    run(test)


_FIRST = """
import asyncio, sys
from pathlib import Path
from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.engine import open_objects
async def main():
    store = await open_objects(Path(sys.argv[1]), on_broken=print)
    print("ready", flush=True)
    sys.stdin.readline()
    async def one(key):
        change = d.Put(key=key, version_id=d.NULL, modified_ms=1, etag=sys.argv[2], meta=b"", body=store.small(b"x"))
        await store.commit("bucket", [change], [d.Absent(key=key)])
        return key
    answers = await asyncio.gather(*(one(f"k{n}") for n in range(200) for _ in range(2)), return_exceptions=True)
    assert all(isinstance(each, str | d.ConditionFailed) for each in answers), answers
    print(" ".join(each for each in answers if isinstance(each, str)), flush=True)
    await store.close()
asyncio.run(main())
"""


_ENDS = """
import asyncio, sys
from pathlib import Path
from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.engine import open_objects
async def main():
    store = await open_objects(Path(sys.argv[1]), on_broken=print)
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(150):
        try:
            if sys.argv[2] == "a":
                await store.drop_bucket(f"b{n}", if_empty=True)
            else:
                body = store.small(b"x")
                change = d.Put(key="k", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=body)
                await store.commit(f"b{n}", [change])
            print(n, end=" ", flush=True)
        except (d.NotEmpty, d.BucketGone):
            pass
    await store.close()
asyncio.run(main())
"""


def at_once(program, folder):
    """What two processes that run this program with the names a and b, from the same moment on, have said."""
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    return {name: one.communicate(timeout=60)[0].split() for name, one in zip("ab", both, strict=True)}


def test_no_put_is_lost_with_a_bucket_that_another_process_ends(tmp_path):
    said = at_once(_ENDS, tmp_path)
    assert not set(said["a"]) & set(said["b"]), "ended and put"
    assert sorted(said["a"] + said["b"], key=int) == [str(n) for n in range(150)]

    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        for n in said["b"]:
            assert await read(store, "k", f"b{n}") == b"x"
        assert (await store.fsck()).damage == []
        await store.close()

    run(test)


def test_two_processes_agree_on_who_was_first(tmp_path):
    first = at_once(_FIRST, tmp_path)
    assert sorted(first["a"] + first["b"]) == sorted(f"k{n}" for n in range(200))

    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        for name, keys in first.items():
            assert all(store.get(_B, key).etag == name for key in keys)
        assert (await store.fsck()).damage == []
        await store.close()

    run(test)


def test_syncs_work_by_threads_too(tmp_path):
    async def test():
        syncs = Syncs(threads=True)
        with (tmp_path / "file").open("wb") as file:
            file.write(b"x")
            await syncs.sync(file.fileno())
        with pytest.raises(OSError, match="Bad file"):
            await syncs.sync(9999)
        kernel = Syncs()
        with pytest.raises(OSError, match="Bad file"):
            await kernel.sync(9999)
        kernel.close()

    run(test)


def test_what_is_moved_is_what_was_true(tmp_path, small_logs):
    """Records overwritten while their log is compacted stay overwritten."""

    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        for n in range(300):
            await put(store, f"k{n % 150}", f"{n}".encode() * 800)
        writes = [put(store, f"k{n}", b"newest" * 300) for n in range(0, 150, 2)]
        await asyncio.gather(settle(store), *writes)
        for n in range(150):
            data = await read(store, f"k{n}")
            assert data == (b"newest" * 300 if n % 2 == 0 else f"{n + 150}".encode() * 800)
        assert (await store.fsck()).damage == []
        assert tending.PAUSE_S > 0
        await store.close()

    run(test)


def test_to_delete_what_is_not_there_writes_nothing(tmp_path):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        await put(store, "k", b"x")
        await store.commit(_B, [d.Delete(key="k", version_id=d.NULL)])
        end = store._committer._log.end
        for key in ("k", "never"):
            assert await store.commit(_B, [d.Delete(key=key, version_id=d.NULL)]) == [None]
        assert store._committer._log.end == end
        await asyncio.gather(put(store, "k", b"y"), store.commit(_B, [d.Delete(key="k", version_id=d.NULL)]))
        assert store.get(_B, "k") is None
        await store.close()

    run(test)


def spoil(folder, entry, at):
    """A byte of a record, counted from its beginning or, below 0, from its end."""
    with (folder / "files" / f"{entry.place.log:08}.log").open("r+b") as file:
        file.seek(entry.place.offset + (at if at >= 0 else entry.place.length + at))
        was = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes((was[0] ^ 0xFF,)))


def forsake(store, folder):
    """As when the power goes: nothing is ended, and nobody knows of the index what it is."""
    store._index.close()
    store._shared.close()
    store._syncs.close()
    (folder / "state").unlink()


@pytest.mark.parametrize("at", [-1, 4])
def test_rot_in_a_log_that_was_not_ended_is_not_taken_for_torn(tmp_path, at):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        entries = [await put(store, f"k{n}", b"body" * 100) for n in range(5)]
        forsake(store, tmp_path)
        spoil(tmp_path, entries[2], at)
        store = await open_objects(tmp_path, on_broken=unbroken)
        for n in (0, 1, 3, 4):
            assert await read(store, f"k{n}") == b"body" * 100
        if at < 0:
            with pytest.raises(d.Corrupt):
                await read(store, "k2")
            assert [one.key for one in (await store.scrub()).damage] == ["k2"]
        else:  # nobody can know which record it was
            assert store.get(_B, "k2") is None
            assert ["are no records" in one.what for one in (await store.fsck()).damage] == [True]
        await store.close()

    run(test)


def test_what_was_torn_is_no_damage(tmp_path):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        await put(store, "k", b"before")
        puts = [put(store, f"k{n}", b"body" * 100) for n in range(4)]
        entries = await asyncio.gather(*puts)  # with one sync: that it came, only we know
        forsake(store, tmp_path)
        spoil(tmp_path, entries[1], -1)
        spoil(tmp_path, entries[2], 4)
        store = await open_objects(tmp_path, on_broken=unbroken)
        found = [one.key for one in store.list_objects(_B).entries]
        assert found == ["k", "k0", "k3"]
        assert (await store.fsck()).damage == (await store.scrub()).damage == []
        await store.close()

    run(test)


def test_a_body_keeps_the_files_that_it_has_filled_until_it_is_committed(tmp_path, small_logs, monkeypatch):
    monkeypatch.setattr(bodies, "EXTENT_BYTES_MAX", 2 << 20)

    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        data = os.urandom(20 << 20)  # of more than two files
        writer, gone = store.writer(_B, len(data)), store.writer(_B, len(data))
        for at in range(0, len(data), 1 << 20):
            await writer.write(data[at : at + (1 << 20)])
            await gone.write(data[at : at + (1 << 20)])
            await store.tend_once()
        gone.discard()
        blob = await writer.close()
        await settle(store)
        change = d.Put(key="k", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
        await store.commit(_B, [change])
        await settle(store)
        assert await read(store, "k") == data
        await store.commit(_B, [d.Delete(key="k", version_id=d.NULL)])
        await settle(store)
        assert sum(name.endswith(".ext") for name in names(tmp_path)) == 1, "only the one that is written"
        await store.close()

    run(test)
