"""Pages over many keys, of any length, told against a sorted list."""

import asyncio
import random

import pytest

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.engine import open_objects

_B = "bucket"
#: Pieces that make keys go on in spaces of their own, and in spaces of those.
_PIECES = ("a", "b", "/", "c/", "x" * 439, "x" * 440, "y" * 441, "é" * 220, "\U0010ffff", "%", "\x00")
_SEEDS = 4


def some_keys(chance: random.Random) -> list[str]:
    keys = {f"n/{n:05}" for n in range(chance.choice((3, 300, 1500)))}
    for _ in range(500):
        key = "".join(chance.choice(_PIECES) for _ in range(chance.randint(1, 5)))
        if len(key.encode()) <= d.KEY_BYTES_MAX:
            keys.add(key)
    return sorted(keys, key=str.encode)


def told(keys: list[str], prefix: str, delimiter: str, after: str) -> list[tuple[str, bool]]:
    """Each line, and whether it stands for a prefix."""
    found = dict[tuple[str, bool], None]()
    for key in keys:
        if not key.startswith(prefix):
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        line = (key, False) if at < 0 else (key[: at + len(delimiter)], True)
        if line[0].encode() > after.encode():
            found[line] = None
    return list(found)


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_pages_tell_every_key_once_and_in_order(tmp_path, seed):
    chance = random.Random(seed)
    keys = some_keys(chance)

    async def test():
        store = await open_objects(tmp_path, on_broken=print)
        await asyncio.gather(*(store.commit(_B, [change(store, key)]) for key in keys))
        markers = set(chance.sample(keys, len(keys) // 5))
        await asyncio.gather(*(store.commit(_B, [marker(key)]) for key in markers))
        living = [key for key in keys if key not in markers]
        for _ in range(60):
            prefix = chance.choice(
                ("", "", "n/", "a", "x" * 440, chance.choice(keys)[: chance.randint(0, 900)])
            )
            delimiter = chance.choice(("", "", "/", "x", "é", "x" * 440))
            assert walked(store, prefix, delimiter, chance) == told(living, prefix, delimiter, "")
            after = chance.choice(keys)
            page = store.list_objects(_B, prefix=prefix, delimiter=delimiter, after=after, limit=3)
            if not delimiter:
                assert [one.key for one in page.entries] == [
                    key for key, _ in told(living, prefix, "", after)
                ][:3]
        await store.close()

    def walked(store, prefix, delimiter, chance):
        lines, after = [], ""
        limit = chance.choice((1, 7, 100, 257, 1000))
        while after is not None:
            page = store.list_objects(_B, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
            some = [(one.key, False) for one in page.entries] + [(one, True) for one in page.prefixes]
            assert len(some) == limit or page.next is None
            lines += sorted(some, key=lambda line: line[0].encode())
            after = page.next
        return lines

    asyncio.run(asyncio.wait_for(test(), 100))


def change(store, key):
    return d.Put(key=key, version_id="v1", modified_ms=1, etag="e", meta=b"", body=store.small(b""))


def marker(key):
    return d.PutMarker(key=key, version_id="v2", modified_ms=2, meta=b"")
