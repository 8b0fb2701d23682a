"""Two processes that write the same keys are killed, over and over, and sometimes their index is deleted.

CLOUDSTEAD_OBJECTS_KILLS=100 kills more often than the few times that always run.
"""

import asyncio
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.unit.objects import killed

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.engine import open_objects

_ROUNDS = int(os.environ.get("CLOUDSTEAD_OBJECTS_KILLS", "6"))
_WRITES_S = 0.4


def lives(folder: Path, round: int, chance: random.Random) -> list[dict]:
    """Two processes, killed at some moment; what they told."""
    command = [sys.executable, killed.__file__, str(folder), str(round)]
    pids = [
        subprocess.Popen([*command, f"{name}{round}-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in "ab"
    ]
    try:
        until = time.monotonic() + 30
        told = [b"", b""]
        kill_at = None
        while kill_at is None or time.monotonic() < kill_at:
            assert time.monotonic() < until, [one.stderr.read() for one in pids if one.poll() is not None]
            for n, one in enumerate(pids):
                if select.select([one.stdout], [], [], 0.01)[0]:
                    told[n] += os.read(one.stdout.fileno(), 1 << 20)
            if kill_at is None and all(b"did" in each for each in told):
                kill_at = time.monotonic() + chance.random() * _WRITES_S
    finally:
        for one in pids:
            one.send_signal(signal.SIGKILL)
        for n, one in enumerate(pids):
            told[n] += one.stdout.read()
            said = one.stderr.read()
            one.wait()
            one.stdout.close()
            one.stderr.close()
            assert b"Traceback" not in said, said.decode()
    return [json.loads(line) for each in told for line in each.split(b"\n") if line.endswith(b"}")]


class Promises:
    """What may be found under each key: the put with the highest sequence, unless something unanswered came."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[int, str]] = {}  # of answered puts
        self.open: dict[str, set[str]] = {}
        self.deleted: set[str] = set()  # keys that a delete was answered for since the last look

    def hear(self, lines: list[dict]) -> None:
        for line in lines:
            if "does" in line:
                self.open.setdefault(line["key"], set()).add(line["by"])
            elif "failed" in line:
                self.open[line["key"]].discard(line["failed"])
            elif "did" in line and line["after"]:
                self.open[line["key"]].discard(line["did"])
                self.last[line["key"]] = max(
                    self.last.get(line["key"], (0, "")), (line["after"], line["did"])
                )
            elif "did" in line:
                self.open[line["key"]].discard(line["did"])
                self.deleted.add(line["key"])


async def look(folder: Path, promises: Promises) -> int:
    store = await open_objects(folder, on_broken=lambda why: None)
    try:
        for key in promises.open:
            entry = store.get(killed.BUCKET, key)
            may_be_gone = key in promises.deleted or promises.open[key] or key not in promises.last
            if entry is None:
                assert may_be_gone, key
                promises.last.pop(key, None)
                continue
            seed, size = entry.etag.split(":")
            found = b"".join([chunk async for chunk in store.read(entry)])
            assert found == killed.body_of(seed, int(size)), key
            sequence, by = promises.last.get(key, (0, ""))
            assert entry.sequence >= sequence, (key, entry, sequence, by)
            assert seed == by or seed in promises.open[key], (key, seed, by)
            promises.last[key] = (entry.sequence, seed)
        for checked in (await store.fsck(), await store.scrub()):
            assert checked.damage == []
        return checked.versions
    finally:
        await store.close()


def test_nothing_acknowledged_is_lost_when_processes_are_killed(tmp_path):
    chance = random.Random(7)
    promises = Promises()
    for round in range(_ROUNDS):
        promises.open.clear()
        promises.deleted.clear()
        told = lives(tmp_path, round, chance)
        promises.hear(told)
        assert sum("did" in line for line in told) > 5
        if chance.random() < 0.4:
            shutil.rmtree(tmp_path / "index")
        assert asyncio.run(look(tmp_path, promises)) > 0


_STUCK = """
import asyncio, sys
from pathlib import Path
from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.disk import _RealFile
from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.engine import open_objects
async def main():
    store = await open_objects(Path(sys.argv[1]), on_broken=print)
    async def stuck(*_):
        print("stuck", flush=True)
        await asyncio.sleep(1000)
    def never(*_):
        print("stuck", flush=True)
        sys.stdin.read()
    if sys.argv[2] == "sync":
        _RealFile.sync = stuck
    else:
        _RealFile.write = never
    change = d.Put(key="k", version_id=d.NULL, modified_ms=1, etag="killed", meta=b"", body=store.small(b"x"))
    await store.commit("bucket", [change])
asyncio.run(main())
"""


async def killed_in(folder, stuck_in):
    """A process that is in the middle of a commit, until it is killed."""
    command = [sys.executable, "-c", _STUCK, str(folder), stuck_in]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert await process.stdout.readline() == b"stuck\n"
    return process


async def kill(process):
    process.kill()
    await process.communicate()


@pytest.mark.parametrize("stuck_in", ["write", "sync"])
def test_nobody_waits_for_a_commit_whose_process_was_killed(tmp_path, stuck_in):
    async def test():
        store = await open_objects(tmp_path, on_broken=lambda why: None)
        process = await killed_in(tmp_path, stuck_in)
        body = store.small(b"y")
        change = d.Put(key="k", version_id=d.NULL, modified_ms=1, etag="ours", meta=b"", body=body)
        absent = asyncio.ensure_future(store.commit(killed.BUCKET, [change], [d.Absent(key="k")]))
        await asyncio.wait([absent], timeout=0.1)
        assert not absent.done(), "the other one lives"
        await kill(process)
        (done,) = await asyncio.wait_for(asyncio.gather(absent, return_exceptions=True), 2)
        if stuck_in == "sync":  # its record is there, and has come true
            assert isinstance(done, d.ConditionFailed)
            assert store.get(killed.BUCKET, "k").etag == "killed"
        else:
            assert store.get(killed.BUCKET, "k") == done[0]
        assert (await store.fsck()).damage == []
        await store.close()

    asyncio.run(asyncio.wait_for(test(), 30))


def test_no_space_waits_for_a_process_that_was_killed(tmp_path):
    async def test():
        store = await open_objects(tmp_path, on_broken=lambda why: None)
        await kill(await killed_in(tmp_path, "sync"))
        assert store._shared.horizon() <= store._shared.sequence
        await store.tend_once()
        while store._shared.horizon() <= store._shared.sequence:
            await asyncio.sleep(0.001)
        await store.close()

    asyncio.run(asyncio.wait_for(test(), 30))
