"""Bodies on volume servers, of which some are away, slow, rotten or killed."""

import asyncio
import contextlib
import os
import shutil
import time

import pytest
from tests.support.cloud import free_port
from tests.support.seaweed import FakeCluster

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.bodies import Blob
from cloudstead.dataplane.objects.engine import open_objects
from cloudstead.dataplane.objects.format import BLOCK_BYTES
from cloudstead.dataplane.objects.volumes import writing
from cloudstead.dataplane.objects.volumes.cluster import ClusterSettings

_B = "bucket"
_SIZES = (4097, BLOCK_BYTES - 4, BLOCK_BYTES, BLOCK_BYTES + 1, 1_500_000)
_KEYS = [f"k{size}" for size in _SIZES]


def unbroken(why):
    raise AssertionError(why)


@pytest.fixture
def world(tmp_path):
    """Runs a coroutine with a cluster, and a way to open the store on it."""

    def run(test, *, racks=3, timeout_s=1.0):
        async def inside():
            async with FakeCluster(racks).running() as cluster:

                async def opened(**other):
                    settings = ClusterSettings(masters=(cluster.master,), timeout_s=timeout_s, **other)
                    return await open_objects(tmp_path, on_broken=unbroken, cluster=settings)

                await test(cluster, opened)

        asyncio.run(inside())

    return run


def content(size):
    return (size.to_bytes(8) * (size // 8 + 1))[:size]


async def body(store, data):
    writer = store.writer(_B, len(data))
    await writer.write(data)
    return await writer.close()


async def put(store, key, data):
    blob = await body(store, data)
    change = d.Put(key=key, version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
    (entry,) = await store.commit(_B, [change])
    return entry


async def fill(store):
    for key, size in zip(_KEYS, _SIZES, strict=True):
        await put(store, key, content(size))


async def check(store):
    for key, size in zip(_KEYS, _SIZES, strict=True):
        entry = store.get(_B, key)
        assert b"".join([chunk async for chunk in store.read(entry)]) == content(size)
        part = b"".join([chunk async for chunk in store.read(entry, size // 2, size - 1)])
        assert part == content(size)[size // 2 : size - 1]


async def delete(store, *keys):
    for key in keys:
        await store.commit(_B, [d.Delete(key=key, version_id=d.NULL)])


async def crash(store):
    """As if the process had been killed: nothing is closed, but what the kernel closes."""
    store._index.close()
    store._shared.close()
    await store._volumes._cluster.close()


def test_all_copies_are_synced_before_a_body_is_safe(world, tmp_path):
    async def test(cluster, opened):
        store = await opened()
        await fill(store)
        assert cluster.needles
        assert set(cluster.needles.values()) == {2}
        assert all(server.synced == set(server.needles) for server in cluster.servers)
        assert not list((tmp_path / "files").glob("*.ext"))
        await store.close()

    world(test)


def test_small_bodies_that_came_in_one_piece_lie_there_too_but_the_smallest(world):
    async def test(cluster, opened):
        store = await opened()
        for size, needles in ((writing.IN_RECORD_BYTES_MAX, 0), (writing.IN_RECORD_BYTES_MAX + 1, 1)):
            blob = store.small(content(size))
            change = d.Put(key=f"k{size}", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
            (entry,) = await store.commit(_B, [change])
            assert len(cluster.needles) == needles
            assert store.peek(entry) in (
                (None,) if needles else (None, content(size))
            )  # as the file system has it
            assert await store.read_whole(entry) == content(size)
        await store.close()

    world(test)


def test_a_large_body_is_cut_into_needles_of_a_few_mib(world):
    async def test(cluster, opened):
        store = await opened()
        data = os.urandom(9 << 20)
        entry = await put(store, "large", data)
        assert len(cluster.needles) == 3
        assert max(len(each) for server in cluster.servers for each in server.needles.values()) < 5 << 20
        assert b"".join([chunk async for chunk in store.read(entry)]) == data
        await store.close()

    world(test)


@pytest.mark.parametrize("known", [True, False])
def test_with_any_one_server_killed_reads_and_writes_go_on(world, known):
    async def test(cluster, opened):
        store = await opened()
        await fill(store)
        await cluster.kill(cluster.servers[0], known=known)
        await check(store)
        cluster.alive = [one for one in cluster.alive if one is not cluster.servers[0]]
        await put(store, "after", content(200_000))
        assert await store.read_whole(store.get(_B, "after")) == content(200_000)
        await store.close()

    for _ in range(2):
        world(test)


def test_a_server_that_hangs_is_given_up(world):
    async def test(cluster, opened):
        async def hang(*_):
            await asyncio.sleep(60)

        store = await opened()
        await put(store, "k", content(100_000))
        entry = store.get(_B, "k")
        holders = [server for server in cluster.servers if server.needles]
        holders[0].trouble = hang
        began = time.monotonic()
        for _ in range(2):
            assert await store.read_whole(entry) == content(100_000)
        cluster.alive.remove(holders[0])
        await put(store, "after", content(100_000))
        assert time.monotonic() - began < 3
        await store.close()

    world(test, timeout_s=0.3)


def test_reads_go_on_without_the_master(world):
    async def test(cluster, opened):
        store = await opened()
        await fill(store)
        cluster.master_is_away = True
        for volume, (_, where) in store._volumes._cluster._locations.items():
            store._volumes._cluster._locations[volume] = 0.0, where  # long ago
        await check(store)
        await store.close()

    world(test)


def test_another_master_is_asked_when_one_is_away(world, tmp_path):
    async def test(cluster, opened):
        nobody = f"127.0.0.1:{free_port()}"
        settings = ClusterSettings(masters=(nobody, cluster.master))
        store = await open_objects(tmp_path, on_broken=unbroken, cluster=settings)
        await fill(store)
        await check(store)
        await store.close()

    world(test)


def test_a_rotten_copy_is_passed_over_and_two_are_never_given_out(world):
    async def test(cluster, opened):
        store = await opened()
        entry = await put(store, "k", content(200_000))
        (path,) = cluster.needles
        first, second = [server for server in cluster.servers if path in server.needles]
        rotten = bytearray(first.needles[path])
        rotten[100_000] ^= 1
        first.needles[path] = bytes(rotten)
        for _ in range(2):
            assert await store.read_whole(entry) == content(200_000)
        second.needles[path] = bytes(rotten)
        with pytest.raises(d.Corrupt, match="do not match their checksum"):
            await store.read_whole(entry)
        assert [each.key for each in (await store.scrub()).damage] == ["k"]
        await store.close()

    world(test)


def test_fsck_names_what_has_lost_a_copy(world):
    async def test(cluster, opened):
        store = await opened()
        await put(store, "k", content(200_000))
        assert (await store.fsck()).damage == []
        next(server for server in cluster.servers if server.needles).needles.clear()
        (damage,) = (await store.fsck()).damage
        assert damage.key == "k"
        assert "has 1 of 2 copies" in damage.what
        await store.close()

    world(test)


def test_with_too_few_servers_a_write_fails_in_good_time_and_changes_nothing(world):
    async def test(cluster, opened):
        store = await opened()
        await fill(store)
        for server in cluster.servers[1:]:
            await cluster.kill(server)
        began = time.monotonic()
        with pytest.raises(d.Unreachable):
            await put(store, "k4097", b"x" * 5000)
        assert 0.5 < time.monotonic() - began < 3
        assert store.get(_B, "k4097").size == 4097
        await store.close()

    world(test, timeout_s=0.4)


def test_deleted_bodies_are_given_back_once_all_their_servers_are_there(world, tmp_path):
    async def test(cluster, opened):
        store = await opened()
        await fill(store)
        away = next(server for server in cluster.servers if server.needles)
        await cluster.kill(away)
        await delete(store, *_KEYS)
        await store.tend_once()
        assert away.needles
        await cluster.revive(away)
        await store.tend_once()
        assert not cluster.needles
        await store.close()
        store = await opened()
        for _ in range(2):
            await store.tend_once()
        assert not list((tmp_path / "files").glob("*.needles")), "nor is anything left to say of them"
        await store.close()

    world(test)


def test_bodies_that_were_never_committed_are_given_back(world):
    async def test(cluster, opened):
        store = await opened()
        await fill(store)
        kept = set(cluster.needles)
        store.discard(await body(store, content(300_000)))
        writer = store.writer(_B, None)
        await writer.write(os.urandom(5 << 20))
        writer.discard()
        blob = await body(store, content(300_000))
        change = d.Put(key="k4097", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
        with pytest.raises(d.ConditionFailed):
            await store.commit(_B, [change], [d.Absent(key="k4097")])
        assert len(cluster.needles) > len(kept)
        await store.tend_once()
        assert set(cluster.needles) == kept
        await check(store)
        await store.close()

    world(test)


@pytest.mark.parametrize("index_is_lost", [True, False])
def test_what_a_killed_process_had_begun_is_given_back_and_nothing_else(world, tmp_path, index_is_lost):
    async def test(cluster, opened):
        store = await opened()
        await fill(store)
        kept = set(cluster.needles)
        assert isinstance(await body(store, content(300_000)), Blob)
        await delete(store, "k4097")
        await crash(store)
        if index_is_lost:
            shutil.rmtree(tmp_path / "index")
            (tmp_path / "state").unlink()
        store = await opened()
        for _ in range(2):
            await store.tend_once()
        assert set(cluster.needles) < kept
        assert len(cluster.needles) == len(_KEYS) - 1
        await put(store, "k4097", content(4097))
        await check(store)
        assert (await store.fsck()).damage == []
        await store.close()

    world(test)


def test_a_write_that_failed_on_one_copy_leaves_none_behind(world):
    async def test(cluster, opened):
        failures = []

        async def refuse(method, path, query):
            if method == "POST" and not failures:
                failures.append(path)
                return 500, b'{"error":"no space left on device"}'
            return None

        store = await opened()
        for server in cluster.servers:
            server.trouble = refuse
        await fill(store)
        assert failures
        await store.tend_once()
        assert failures[0] not in cluster.needles
        await check(store)
        await store.close()

    world(test)


def test_bodies_stay_readable_when_new_ones_go_elsewhere(world, tmp_path):
    async def test(cluster, opened):
        here = await open_objects(tmp_path, on_broken=unbroken)
        await put(here, "here", content(300_000))
        await put(here, "small", content(100_000))
        await here.close()
        store = await opened()
        await fill(store)
        shared = await store.share(store.get(_B, "small"))
        change = d.Put(key="copy", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=shared)
        before = len(cluster.needles)
        await store.commit(_B, [change])
        assert len(cluster.needles) == before + 1
        await store.close()
        store = await opened(takes_new=False)
        await put(store, "here too", content(300_000))
        assert len(cluster.needles) == before + 1
        for key, size in (("here", 300_000), ("here too", 300_000), ("small", 100_000), ("copy", 100_000)):
            assert await store.read_whole(store.get(_B, key)) == content(size)
        await check(store)
        assert (await store.fsck()).damage == []
        await store.close()
        with pytest.raises(d.Unreachable, match="no master is named"):
            await open_objects(tmp_path, on_broken=unbroken)

    world(test)


def test_a_batch_ends_when_it_is_used_up_or_large(world, monkeypatch):
    monkeypatch.setattr(writing, "BATCH_NEEDLES", 3)
    monkeypatch.setattr(writing, "_BATCH_BYTES", 1_000_000)

    async def test(cluster, opened):
        store = await opened()
        for n in range(5):
            await put(store, f"few{n}", content(5000))
        assert cluster.assigned == 2
        for n in range(4):
            await put(store, f"large{n}", content(400_000))
        assert cluster.assigned == 4
        assert (await store.fsck()).damage == []
        await store.close()

    world(test)


def test_uploads_that_are_cut_off_are_given_back(world):
    async def test(cluster, opened):
        store = await opened()
        tasks = [asyncio.create_task(put(store, f"k{n}", os.urandom(5 << 20))) for n in range(4)]
        while len(cluster.needles) < 3:
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        there = [key for key in ("k0", "k1", "k2", "k3") if store.get(_B, key) is not None]
        await delete(store, *there)
        with contextlib.suppress(d.Unreachable):
            await store.tend_once()
        assert (await store.fsck()).damage == []
        await store.close()

    world(test)
