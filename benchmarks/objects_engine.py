"""The object engine alone: puts and gets a second and their CPU, listings over many keys to their end, and the index made again.

    python benchmarks/objects_engine.py [--folder DIR] [--keys 1000000] [--seconds 2] [--profile]

Everything runs in one process on the disk of DIR, and every put is synced before it counts. CPU is of this process,
kernel included. Rates follow the disk and the load of the machine; CPU per operation does much less.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import resource
import shutil
import tempfile
import time
from pathlib import Path

import uvloop

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.engine import open_objects

BUCKET = "benchmark"


def a_put(key, blob):
    return d.Put(key=key, version_id=d.NULL, modified_ms=1, etag="0" * 32, meta=b"m" * 80, body=blob)


async def put(store, key, data):
    if len(data) <= d.SMALL_BYTES_MAX:
        blob = store.small(data)
    else:
        writer = store.writer(BUCKET, len(data))
        for at in range(0, len(data), 256 << 10):
            await writer.write(data[at : at + (256 << 10)])
        blob = await writer.close()
    await store.commit(BUCKET, [a_put(key, blob)])


async def get(store, key):
    entry = store.get(BUCKET, key)
    if entry.size <= d.SMALL_BYTES_MAX:
        return len(await store.read_whole(entry))
    size = 0
    async for chunk in store.read(entry):
        size += len(chunk)
    return size


async def load(name, clients, seconds, do):
    """So many clients, each one call after another."""
    until, done = time.monotonic() + seconds, 0

    async def client(n):
        nonlocal done
        at = 0
        while time.monotonic() < until:
            await do(n, at)
            at += 1
            done += 1
            await asyncio.sleep(0)

    cpu, began = time.process_time(), time.monotonic()
    await asyncio.gather(*(client(n) for n in range(clients)))
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    print(f"{name:28} {clients:3} clients  {done / took:9.0f} /s  {cpu / done * 1e6:8.1f} us CPU each")


async def rates(store, seconds):
    for size, name in ((4096, "4 KiB"), (1 << 20, "1 MiB")):
        data = os.urandom(size)
        for clients in (1, 16, 64) if size == 4096 else (1, 16):
            await load(
                f"put {name}",
                clients,
                seconds,
                lambda n, at, data=data: put(store, f"{len(data)}/{n}/{at % 100}", data),
            )
        for clients in (1, 16):
            await load(
                f"get {name}", clients, seconds, lambda _n, _at, data=data: get(store, f"{len(data)}/0/0")
            )
    await deletes(store, 20_000)
    await load(
        "delete what is not there",
        16,
        seconds,
        lambda n, at: store.commit(BUCKET, [d.Delete(key=f"4096/{n}/{at}", version_id=d.NULL)]),
    )


async def deletes(store, keys):
    """Of what is there, each once."""
    for at in range(0, keys, 2000):
        await asyncio.gather(*(put(store, f"gone/{n}", b"x" * 4096) for n in range(at, at + 2000)))
    names = iter(range(keys))

    async def client():
        for n in names:
            await store.commit(BUCKET, [d.Delete(key=f"gone/{n}", version_id=d.NULL)])

    cpu, began = time.process_time(), time.monotonic()
    await asyncio.gather(*(client() for _ in range(16)))
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    print(f"{'delete':28}  16 clients  {keys / took:9.0f} /s  {cpu / keys * 1e6:8.1f} us CPU each")


async def fill(store, keys):
    """A thousand prefixes."""
    cpu = time.process_time()
    began = time.monotonic()
    for at in range(0, keys, 2000):
        changes = [
            store.commit(BUCKET, [a_put(f"p{n % 1000:04}/{n:08}", store.small(b"x" * 100))])
            for n in range(at, min(keys, at + 2000))
        ]
        await asyncio.gather(*changes)
    took = time.monotonic() - began
    print(
        f"{keys} small objects put in {took:.1f} s, {(time.process_time() - cpu) / keys * 1e6:.1f} us CPU each"
    )


def list_pages(store):
    for name, more in (
        ("1000 keys flat", {}),
        ("1000 keys of a prefix", {"prefix": "p0500/"}),
        ("1000 prefixes", {"delimiter": "/"}),
    ):
        cpu = time.process_time()
        for _ in range(20):
            page = store.list_objects(BUCKET, **more)
        lines = len(page.entries) + len(page.prefixes)
        print(f"list {name:24} {lines:5} lines  {(time.process_time() - cpu) / 20 * 1e3:.2f} ms CPU a page")
    for name, more in (("every key", {}), ("every prefix", {"delimiter": "/"})):
        cpu, pages, lines, after = time.process_time(), 0, 0, ""
        while after is not None:
            page = store.list_objects(BUCKET, after=after, **more)
            pages, lines, after = pages + 1, lines + len(page.entries) + len(page.prefixes), page.next
        cpu = (time.process_time() - cpu) / pages * 1e3
        print(f"list {name:24} {lines:7} lines on {pages} pages  {cpu:.2f} ms CPU a page")


async def main(folder, keys, seconds, profile):
    store = await open_objects(folder, on_broken=lambda _why: os._exit(3))
    tending = asyncio.ensure_future(store.tend())
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    await rates(store, seconds)
    if profile:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
    await fill(store, keys)
    list_pages(store)
    tending.cancel()
    await asyncio.gather(tending, return_exceptions=True)
    await store.close()
    shutil.rmtree(folder / "index")
    cpu, began = time.process_time(), time.monotonic()
    store = await open_objects(folder, on_broken=lambda _why: os._exit(3))
    print(f"index made again in {time.monotonic() - began:.1f} s, {time.process_time() - cpu:.1f} s CPU")
    list_pages(store)
    await store.close()
    print(f"largest resident set: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as temporary:
        uvloop.run(main(Path(temporary) / "objects", given.keys, given.seconds, given.profile))
