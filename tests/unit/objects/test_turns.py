"""Whatever one request or the store's own work has to do, the others have their turn in between.

What counts is the loop's own CPU between two turns: what else runs on the machine does not.
"""

import asyncio
import os
import threading
import time
from contextlib import asynccontextmanager

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.disk import _RealFile
from cloudstead.dataplane.objects.engine import open_objects
from cloudstead.dataplane.objects.format import FILE_HEAD_BYTES

_B = "bucket"
#: Ten times what it takes, so that it fails for a loop over all parts alone. `benchmarks/objects_engine.py` has the figures.
_LONGEST_S = 0.100
_PARTS = 3000


def unbroken(why):
    raise AssertionError(why)


@asynccontextmanager
async def turns():
    """Fails if the loop is kept too long while this is open; the odd stray, as of the garbage collector, is let be."""
    done = False
    kept = []

    async def watch():
        while not done:
            before = time.thread_time()
            await asyncio.sleep(0)
            kept.append(time.thread_time() - before)

    watching = asyncio.ensure_future(watch())
    await asyncio.sleep(0)
    yield
    done = True
    await watching
    assert len(kept) > 10
    assert sorted(kept)[-3] < _LONGEST_S


async def an_upload_of_many_parts(store, extents):
    await store.commit(_B, [d.BeginUpload(key="k", upload_id="u", modified_ms=1, meta=b"")])
    revisions = {}

    async def part(number):
        body = await store.share(extents[number % len(extents)])
        change = d.PutPart(
            key="k", upload_id="u", number=number, modified_ms=1, etag="e" * 32, meta=b"m" * 20, body=body
        )
        (made,) = await store.commit(_B, [change])
        revisions[number] = made.revision

    for at in range(1, _PARTS + 1, 500):
        await asyncio.gather(*(part(number) for number in range(at, at + 500)))
    return tuple(sorted(revisions.items()))


def test_an_object_of_thousands_of_parts_comes_and_goes_among_others(tmp_path):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        extents = []
        for n in range(4):
            writer = store.writer(_B)
            await writer.write(os.urandom(200_000))
            blob = await writer.close()
            change = d.Put(key=f"e{n}", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
            extents += await store.commit(_B, [change])
        parts = await an_upload_of_many_parts(store, extents)
        complete = d.Complete(
            key="k", upload_id="u", parts=parts, version_id=d.NULL, modified_ms=1, etag="e", meta=b""
        )
        async with turns():
            (entry,) = await store.commit(_B, [complete])
        assert (entry.size, entry.parts_count) == (_PARTS * 200_000, _PARTS)
        async with turns():
            await store.tend_once()
            assert (await store.fsck()).damage == []
        async with turns():
            await store.commit(_B, [d.Delete(key="k", version_id=d.NULL)])
        await store.tend_once()
        assert (await store.fsck()).damage == []
        await store.close()

    asyncio.run(asyncio.wait_for(test(), 100))


def test_an_upload_whose_parts_changed_meanwhile_is_not_completed(tmp_path):
    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        await store.commit(_B, [d.BeginUpload(key="k", upload_id="u", modified_ms=1, meta=b"")])
        made = [
            (await store.commit(_B, [a_part(store, number, b"first")]))[0].revision for number in (1, 2, 3)
        ]

        def complete(*chosen):
            parts = tuple((number, made[number - 1]) for number in chosen)
            change = d.Complete(
                key="k", upload_id="u", parts=parts, version_id=d.NULL, modified_ms=1, etag="e", meta=b""
            )
            return store.commit(_B, [change])

        again, whole = await asyncio.gather(
            store.commit(_B, [a_part(store, 2, b"again")]), complete(1, 2, 3), return_exceptions=True
        )
        assert isinstance(again[0], d.Part)
        assert isinstance(whole, d.NoSuchPart)
        await complete(1, 3)  # another part is there besides
        assert await store.read_whole(store.get(_B, "k")) == b"firstfirst"
        await store.close()

    asyncio.run(asyncio.wait_for(test(), 100))


def a_part(store, number, body):
    return d.PutPart(
        key="k", upload_id="u", number=number, modified_ms=1, etag="e", meta=b"", body=store.small(body)
    )


def test_no_recovery_look_for_damage_or_compaction_reads_on_the_loop(tmp_path, monkeypatch):
    here = threading.get_ident()
    on_loop = []
    read = _RealFile.read

    def watched(self, offset, length, *, wait=True):
        if wait and threading.get_ident() == here and length > FILE_HEAD_BYTES:
            on_loop.append(length)
        return read(self, offset, length, wait=wait)

    async def test():
        store = await open_objects(tmp_path, on_broken=unbroken)
        for n in range(0, 3000, 500):
            puts = [a_put(store, f"k{m % 300}", os.urandom(1000)) for m in range(n, n + 500)]
            await asyncio.gather(*(store.commit(_B, [each]) for each in puts))
        await store.close()
        (tmp_path / "state").unlink()  # as after a boot that nobody expected
        monkeypatch.setattr(_RealFile, "read", watched)
        async with turns():
            store = await open_objects(tmp_path, on_broken=unbroken)
        logs = set(store._index.files())
        async with turns():
            assert (await store.fsck()).damage == []
            assert (await store.scrub()).damage == []
            await store.tend_once()
        assert on_loop == []
        assert logs - set(store._index.files()), "nothing was compacted"
        await store.close()

    asyncio.run(asyncio.wait_for(test(), 100))


def a_put(store, key, data):
    return d.Put(key=key, version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=store.small(data))
