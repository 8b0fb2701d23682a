"""How much of the disk the logs take, however often everything is written over."""

import asyncio
import os
import random

import pytest
from tests.unit.objects.powercut import CutDisk
from tests.unit.objects.test_engine import disk_bytes, names, put, run, settle, small_logs, unbroken

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects import files, recovery
from cloudstead.dataplane.objects.engine import open_objects

__all__ = ["small_logs"]
_LOG_BYTES = 1 << 20  # as small_logs makes them


@pytest.mark.usefixtures("small_logs")
def test_logs_take_at_most_twice_what_is_true_and_two_logs_besides(tmp_path):
    async def test():
        chance = random.Random(3)
        store = await open_objects(tmp_path, on_broken=unbroken)
        for round in range(6):
            keys = [f"k{chance.randrange(150)}" for _ in range(100)]
            await asyncio.gather(*(put(store, key, os.urandom(20_000)) for key in keys))
            await settle(store)
            true = store.usage("bucket").bytes
            assert disk_bytes(tmp_path) <= 2.1 * true + 2 * _LOG_BYTES, round
        await store.close()

    run(test)


@pytest.mark.usefixtures("small_logs")
def test_a_full_disk_has_logs_rewritten_that_are_mostly_true(tmp_path):
    async def test():
        disk = CutDisk(tmp_path / "files")
        store = await open_objects(tmp_path, on_broken=unbroken, disk=disk)
        for n in range(40):
            await put(store, f"k{n}", os.urandom(20_000))
        for n in range(0, 40, 4):
            await store.commit("bucket", [d.Delete(key=f"k{n}", version_id=d.NULL)])
        await store.close()
        disk = CutDisk(tmp_path / "files")
        store = await open_objects(tmp_path, on_broken=unbroken, disk=disk)
        before = set(names(tmp_path))
        await settle(store)
        assert before <= set(names(tmp_path))
        disk.free = files.RESERVE_BYTES - 1
        await settle(store)
        assert not before <= set(names(tmp_path))
        assert (await store.fsck()).damage == []
        await store.close()

    run(test)


@pytest.mark.usefixtures("small_logs")
def test_a_disk_too_full_for_another_log_leaves_the_one_in_use_open(tmp_path):
    """Else what is written on would go into a log that may be compacted meanwhile, and removed."""

    async def test():
        disk = CutDisk(tmp_path / "files")
        store = await open_objects(tmp_path, on_broken=unbroken, disk=disk)
        log = store._committer._log
        log.end = _LOG_BYTES - recovery.HEAD_BYTES
        disk.free = files.INDEX_RESERVE_BYTES - 1
        with pytest.raises(d.DiskFull):
            recovery.room_for_a_group(log, store._files, store._index)
        assert not store._index.files()[log.number].sealed
        log.end = recovery.FILE_HEAD_BYTES
        await store.close()

    run(test)
