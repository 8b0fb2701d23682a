"""S3's objects over each store of objects there is, called by two accounts and by nobody."""

import asyncio
import random

import pytest
from tests.unit.s3.buckets.conftest import NOBODY, OTHER, OWNER
from tests.unit.s3.objects.client import Client

from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.engine import open_objects
from cloudstead.dataplane.objects.fake import FakeObjects
from cloudstead.services.s3.operations import parts
from cloudstead.services.s3.rows import BEFORE_APRIL_2023
from cloudstead.store import Store

__all__ = ["NOBODY", "OTHER", "OWNER"]
BUCKET = "abc"
SEALING_KEY = bytes(range(32))


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def tools(request, clock):
    """Each test has ids of its own: what was listed of one bucket is remembered for the life of the process."""
    return Tools(clock=clock, random=random.Random(request.node.nodeid))


@pytest.fixture
def store():
    with Store(None) as store:
        yield store


def _broken(why):
    raise AssertionError(why)


@pytest.fixture(params=["fake", "engine"])
def engine(request, loop, tmp_path):
    if request.param == "fake":
        engine = FakeObjects()
        yield engine
        assert engine.open_blobs == 0, "a body was neither committed nor discarded"
        return
    engine = loop.run_until_complete(open_objects(tmp_path / "objects", on_broken=_broken))
    yield engine
    found = loop.run_until_complete(engine.fsck()).damage + loop.run_until_complete(engine.scrub()).damage
    loop.run_until_complete(engine.close())
    assert found == []


@pytest.fixture
def empty_s3(loop, store, tools, engine):
    """No bucket yet."""
    return Client(loop, parts(store, tools, engine, SEALING_KEY), OWNER)


@pytest.fixture
def s3(empty_s3):
    """With one bucket that keeps no versions."""
    empty_s3.create_bucket(Bucket=BUCKET)
    return empty_s3


@pytest.fixture
def versioned(s3):
    """With one bucket that keeps versions."""
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture
def locked(empty_s3):
    """With one bucket whose versions can be locked."""
    empty_s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    return empty_s3


@pytest.fixture
def old_s3(loop, store, tools, engine):
    """With one bucket as they were before April 2023: with ACLs, and nothing blocked."""
    client = Client(loop, parts(store, tools, engine, SEALING_KEY, BEFORE_APRIL_2023), OWNER)
    client.create_bucket(Bucket=BUCKET)
    return client
