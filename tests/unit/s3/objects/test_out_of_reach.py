"""Objects whose bytes lie on volume servers that are away."""

import pytest
from tests.support.seaweed import FakeCluster
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET

from cloudstead.dataplane.objects.engine import open_objects
from cloudstead.dataplane.objects.volumes.cluster import ClusterSettings

BODY = b"content " * 20_000


def unbroken(why):
    raise AssertionError(why)


@pytest.fixture
def cluster(loop):
    cluster = FakeCluster()
    running = cluster.running()
    loop.run_until_complete(running.__aenter__())
    yield cluster
    loop.run_until_complete(running.__aexit__(None, None, None))


@pytest.fixture
def engine(loop, cluster, tmp_path):
    settings = ClusterSettings(masters=(cluster.master,), timeout_s=0.2)
    engine = loop.run_until_complete(open_objects(tmp_path, on_broken=unbroken, cluster=settings))
    yield engine
    loop.run_until_complete(engine.close())


def test_whoever_reads_or_writes_is_told_to_try_again_and_small_objects_are_there(s3, loop, cluster):
    s3.put_object(Bucket=BUCKET, Key="k", Body=BODY)
    s3.put_object(Bucket=BUCKET, Key="small", Body=b"small")
    for server in cluster.servers:
        loop.run_until_complete(cluster.kill(server))
    for call, params in (
        (s3.get_object, {"Key": "k"}),
        (s3.get_object, {"Key": "k", "Range": "bytes=5-9"}),
        (s3.put_object, {"Key": "new", "Body": BODY}),
        (s3.put_object, {"Key": "new", "Body": BODY * 10}),
    ):
        refusal = refused(call, Bucket=BUCKET, **params)
        assert (refusal.code, refusal.status) == ("ServiceUnavailable", 503)
    assert s3.get_object(Bucket=BUCKET, Key="small")["Body"] == b"small"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["k", "small"]
