"""A process that writes objects until it is killed, and tells on its output what it was promised.

python killed.py FOLDER SEED NAME
"""

import asyncio
import json
import os
import random
import sys
from pathlib import Path

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.engine import open_objects

BUCKET = "bucket"
SIZES = (0, 10, 3000, 60_000, 140_000, 400_000)
_CLIENTS = 6
_SHARED_KEYS = 8


def body_of(seed: str, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def tell(**line) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")


async def client(store, chance: random.Random, name: str) -> None:
    """Overwrites keys that all clients of all processes share, and some of its own."""
    for n in range(1_000_000):
        key = chance.choice((f"shared/{chance.randrange(_SHARED_KEYS)}", f"{name}/{chance.randrange(3)}"))
        if chance.random() < 0.15:
            tell(does="delete", key=key, by=f"{name}/{n}")
            await store.commit(BUCKET, [d.Delete(key=key, version_id=d.NULL)])
            tell(did=f"{name}/{n}", key=key, after=0)
            continue
        seed, size = f"{name}/{n}", chance.choice(SIZES)
        writer = store.writer(BUCKET, size)
        await writer.write(body_of(seed, size))
        blob = await writer.close()
        change = d.Put(key=key, version_id=d.NULL, modified_ms=1, etag=f"{seed}:{size}", meta=b"", body=blob)
        tell(does="put", key=key, by=seed)
        try:
            conditions = [d.Absent(key=key)] if chance.random() < 0.1 else []
            (entry,) = await store.commit(BUCKET, [change], conditions)
        except d.ConditionFailed:
            tell(failed=seed, key=key)
            continue
        tell(did=seed, key=key, after=entry.sequence)


async def main(folder: Path, seed: int, name: str) -> None:
    store = await open_objects(folder, on_broken=lambda why: os._exit(3))
    tell(ready=True)
    clients = [client(store, random.Random(f"{seed}/{name}/{n}"), f"{name}{n}") for n in range(_CLIENTS)]
    await asyncio.gather(store.tend(), *clients)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
