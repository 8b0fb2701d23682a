"""One world with three kinds of buckets, and a key for signing."""

import asyncio

import pytest
import uvloop
from tests.unit.s3.wire.asked import Asked, sign
from tests.unit.s3.wire.world import World

#: What the buckets hold before a test.
KEYS = ("a", "b", "a/b", "folder/")
BUCKETS = ("plain", "kept", "locked")


@pytest.fixture
def world(tmp_path):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        async def made():
            world = World(tmp_path / "objects")
            await world.open()
            await _fill(world)
            return world

        world = runner.run(made())
        world.run = runner.run
        yield world
        damage = runner.run(_damage(world))
        runner.run(world.objects.close())
        assert damage == []


async def _damage(world):
    return (await world.objects.fsck()).damage + (await world.objects.scrub()).damage


async def asking(world, method, path, query="", body=b"", **headers):
    """The answer to a request that is signed as it should be."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = Asked(method, path, query, named, body)
    sign(asked, world.key, world.tools.clock.now())
    return await world.ask(asked.written())


async def _fill(world):
    for name in BUCKETS:
        locked = {"x_amz_bucket_object_lock_enabled": "true"} if name == "locked" else {}
        assert (await asking(world, "PUT", f"/{name}", **locked)).status == 200
        if name == "kept":
            body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            assert (await asking(world, "PUT", f"/{name}", "versioning=", body)).status == 200
        for key in KEYS:
            assert (await asking(world, "PUT", f"/{name}/{key}", body=key.encode() * 20)).status == 200


@pytest.fixture
def ask(world):
    """Sign and send one request, and return its answer."""
    return lambda *given, **headers: world.run(asking(world, *given, **headers))
