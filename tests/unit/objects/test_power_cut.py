"""The power goes at any touch of the disk: nothing acknowledged is lost, and nothing torn is taken for whole.

CLOUDSTEAD_OBJECTS_SEEDS=1000 tries more seeds than the few that always run.
"""

import asyncio
import os
import random
import shutil

import pytest
from tests.unit.objects.powercut import CutDisk

from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects import bodies, committing, files, recovery
from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects import format as layout
from cloudstead.dataplane.objects.engine import open_objects

_SEEDS = int(os.environ.get("CLOUDSTEAD_OBJECTS_SEEDS", "6"))
_CUTS_A_SEED = 8
_B = "bucket"
_SIZES = (0, 10, 3000, 60_000, 140_000, 400_000)


@pytest.fixture(autouse=True)
def small_logs(monkeypatch):
    for module in (layout, files, committing, recovery):
        monkeypatch.setattr(module, "LOG_BYTES", 768 << 10)
    for module in (committing, recovery):
        monkeypatch.setattr(module, "GROUP_BYTES_MAX", 420 << 10)
    monkeypatch.setattr(committing, "_BYTES_A_GROUP", 128 << 10)
    monkeypatch.setattr(committing, "_SPARE_AT_BYTES", 600 << 10)
    monkeypatch.setattr(bodies, "_FILE_BYTES", 3 << 20)


class Client:
    """Acts on keys of its own, one after another, and knows what each may be after a crash."""

    def __init__(self, store, chance: random.Random, name: str) -> None:
        self.store = store
        self.chance = chance
        self.keys = [f"{name}/{n}" for n in range(3)]
        self.may_be: dict[tuple[str, str], list[tuple[bytes, bytes] | None]] = {}

    async def run(self, steps: int) -> None:
        for _ in range(steps):
            await self.chance.choice((self.put, self.put, self.delete, self.copy, self.meta, self.upload))()

    async def put(self):
        body = self.chance.randbytes(self.chance.choice(_SIZES))
        await self.commit(lambda key: self.a_put(key, body), (body, b"m"))

    async def delete(self):
        async def change(key):
            return d.Delete(key=key, version_id=d.NULL)

        await self.commit(change, None)

    async def copy(self):
        source = self.chance.choice(self.keys)
        entry = self.store.get(_B, source)
        if entry is None:
            return
        body = b"".join([chunk async for chunk in self.store.read(entry)])

        async def change(key):
            blob = await self.store.share(entry)
            return d.Put(key=key, version_id=d.NULL, modified_ms=1, etag="e", meta=b"c", body=blob)

        await self.commit(change, (body, b"c"))

    async def meta(self):
        key = self.chance.choice(self.keys)
        entry = self.store.get(_B, key)
        if entry is None:
            return
        meta = self.chance.randbytes(9)
        body = b"".join([chunk async for chunk in self.store.read(entry)])

        async def change(key):
            return d.SetMeta(key=key, version_id=d.NULL, meta=meta)

        await self.commit(change, (body, meta), key=key)

    async def upload(self):
        key, id = self.chance.choice(self.keys), self.chance.randbytes(6).hex()
        await self.store.commit(_B, [d.BeginUpload(key=key, upload_id=id, modified_ms=1, meta=b"")])
        parts, whole = [], b""
        for number in range(1, self.chance.randint(2, 4)):
            body = self.chance.randbytes(self.chance.choice(_SIZES))
            whole += body
            part = d.PutPart(
                key=key,
                upload_id=id,
                number=number,
                modified_ms=1,
                etag="e",
                meta=b"",
                body=await self.a_body(body),
            )
            parts += await self.store.commit(_B, [part])
        if self.chance.random() < 0.3:
            await self.store.commit(_B, [d.Abort(key=key, upload_id=id)])
            return

        async def change(key):
            return d.Complete(
                key=key,
                upload_id=id,
                parts=tuple((part.number, part.revision) for part in parts),
                version_id=d.NULL,
                modified_ms=1,
                etag="e",
                meta=b"u",
            )

        await self.commit(change, (whole, b"u"), key=key)

    async def a_put(self, key, body):
        blob = await self.a_body(body)
        return d.Put(key=key, version_id=d.NULL, modified_ms=1, etag="e", meta=b"m", body=blob)

    async def a_body(self, body):
        writer = self.store.writer(_B, self.chance.choice((None, len(body))))
        await writer.write(body)
        return await writer.close()

    async def commit(self, change, becomes, key=None):
        key = key or self.chance.choice(self.keys)
        made = await change(key)
        was = self.may_be.get((_B, key), [None])
        self.may_be[_B, key] = [*was, becomes]
        await self.store.commit(_B, [made])
        self.may_be[_B, key] = [becomes]


async def live(store, seed: int) -> list[Client]:
    """A life of three clients, and the store's own work among them."""
    clients = [Client(store, random.Random(seed * 10 + n), f"c{n}") for n in range(3)]

    async def tending():
        for _ in range(6):
            for _ in range(15):
                await asyncio.sleep(0)
            await store.tend_once()

    tasks = [asyncio.ensure_future(each) for each in (*(one.run(14) for one in clients), tending())]
    await asyncio.wait(tasks)
    unexpected = [
        task.exception()
        for task in tasks
        if task.exception() and not isinstance(task.exception(), d.Broken | OSError)
    ]
    assert not unexpected
    return clients


def forsake(store) -> None:
    """As if the process were gone: its locks are free, and nothing is written any more."""
    store._index.close()
    store._shared.close()
    store._syncs.close()


async def check(store, clients) -> None:
    for one in clients:
        for (bucket, key), may_be in one.may_be.items():
            entry = store.get(bucket, key)
            found = None
            if entry is not None:
                found = b"".join([chunk async for chunk in store.read(entry)]), entry.meta
            assert found in may_be, (key, entry, [each and len(each[0]) for each in may_be])
    for checked in (await store.fsck(), await store.scrub()):
        assert checked.damage == []


async def one_life(folder, seed: int, cut_at: int | None) -> int:
    disk = CutDisk(folder / "a" / "files", cut_at)
    clients: list[Client] = []
    store = None
    try:
        store = await open_objects(
            folder / "a",
            on_broken=lambda _: None,
            tools=Tools(random=random.Random(seed)),
            boot="one",
            disk=disk,
        )
    except (OSError, d.Broken):
        assert cut_at is not None
    if store is not None:
        clients = await live(store, seed)
        forsake(store)
    touches = disk.touches
    chance = random.Random(f"{seed}/{cut_at}")
    for boot in ("two", "three"):  # the second time with what the first recovery left
        disk.after_cut(folder / boot / "files", chance)
        if chance.random() < 0.5 and (folder / "a/index").exists():  # it may be anything: here, an old one
            shutil.copytree(folder / "a/index", folder / boot / "index")
            shutil.copy(folder / "a/state", folder / boot / "state")
        disk = CutDisk(folder / boot / "files")
        store = await open_objects(folder / boot, on_broken=lambda _: None, boot=boot, disk=disk)
        await check(store, clients)
        await store.tend_once()
        await check(store, clients)
        forsake(store)
    return touches


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_nothing_acknowledged_is_lost_and_nothing_torn_is_accepted(tmp_path, seed):
    touches = asyncio.run(one_life(tmp_path / "whole", seed, None))
    assert touches > 40
    cuts = random.Random(seed)
    for cut_at in sorted(cuts.sample(range(1, touches), _CUTS_A_SEED)):
        asyncio.run(one_life(tmp_path / str(cut_at), seed, cut_at))
        shutil.rmtree(tmp_path / str(cut_at))
