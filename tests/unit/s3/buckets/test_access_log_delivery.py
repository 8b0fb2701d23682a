"""Access logs arrive in the target bucket, in one object for all that waited, or are dropped without a trace."""

import asyncio
import json
import logging

import pytest
from tests.support.api import ACCOUNT
from tests.unit.s3.buckets.conftest import NOBODY, OWNER

from cloudstead.core.errors import ServiceError
from cloudstead.services.s3 import access_log_delivery
from cloudstead.services.s3.access_log_delivery import Deliveries
from cloudstead.services.s3.access_logs import Served, operation_of
from cloudstead.services.s3.rows import Bucket

POLICY = {
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::logs/*",
}


@pytest.fixture
def bucket(s3, store):
    """Logged into `logs`, which lets it."""
    for name in ("abc", "logs"):
        s3.create_bucket(Bucket=name)
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps({"Statement": [POLICY]}))
    enabled = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "of-abc/"}}
    s3.put_bucket_logging(Bucket="abc", BucketLoggingStatus=enabled)
    return store.get(Bucket, "abc")


@pytest.fixture
def served(clock):
    return Served(
        at=clock.now(), operation="REST.GET.OBJECT", status=200, request_line="GET /abc/a HTTP/1.1", key="a"
    )


@pytest.fixture
def run(store, tools, bucket, served):
    """Note these callers' requests and end; what was put."""

    def make(callers, *, before_the_end=lambda: None, fail=None):
        put = []

        async def take(caller, request):
            if fail is not None:
                raise fail
            put.append((caller, request))

        async def main():
            deliveries = Deliveries(store, tools, take)
            for caller in callers:
                deliveries.note(bucket, caller, served)
            before_the_end()
            await deliveries.close()

        asyncio.run(main())
        return put

    return make


def test_all_that_waited_arrives_in_one_object(run):
    ((caller, request),) = run([OWNER, NOBODY])
    assert (caller.account, request["Bucket"]) == (ACCOUNT, "logs")
    assert request["Key"].startswith("of-abc/2026-01-01-00-00-00-")
    lines = request["Body"].decode().splitlines()
    assert len(lines) == 2
    assert all(" abc [01/Jan/2026:00:00:00 +0000] 203.0.113.7 " in line for line in lines)


def test_nothing_noted_is_nothing_delivered(run):
    assert run([]) == []


def test_a_target_that_takes_no_logs_gets_none(run, s3):
    assert run([OWNER], before_the_end=lambda: s3.delete_bucket_policy(Bucket="logs")) == []


def test_a_bucket_that_is_gone_is_not_logged(run, store, bucket):
    assert run([OWNER], before_the_end=lambda: store.delete(bucket)) == []


def test_what_comes_once_a_delivery_is_under_way_goes_with_the_next(
    store, tools, bucket, served, monkeypatch
):
    monkeypatch.setattr(access_log_delivery, "EVERY_S", 0.0)
    bodies, arrived = [], asyncio.Event()

    async def main():
        async def take(_caller, request):
            bodies.append(request["Body"])
            if len(bodies) == 1:
                deliveries.note(bucket, NOBODY, served)
            else:
                arrived.set()

        deliveries = Deliveries(store, tools, take)
        deliveries.note(bucket, OWNER, served)
        await asyncio.wait_for(arrived.wait(), 10)
        await deliveries.close()

    asyncio.run(main())
    assert [body.count(b"\n") for body in bodies] == [1, 1]


def test_what_is_refused_is_lost_and_said(run, caplog):
    with caplog.at_level(logging.WARNING):
        assert run([OWNER], fail=ServiceError("no", code="AccessDenied")) == []
    assert "abc: 1 lines of its access log were not taken: no" in caplog.text


def test_no_more_waits_than_there_is_room_for(run, monkeypatch, caplog):
    monkeypatch.setattr(access_log_delivery, "BYTES_WAITING_MAX", 400)
    with caplog.at_level(logging.WARNING):
        ((_, request),) = run([OWNER] * 5)
    kept = len(request["Body"].decode().splitlines())
    assert 1 <= kept < 5
    assert f"{5 - kept} lines were too many to wait" in caplog.text


@pytest.mark.parametrize(
    ("operation", "method", "key", "named"),
    [
        ("GetObject", "GET", "a", "REST.GET.OBJECT"),
        ("HeadBucket", "HEAD", "", "REST.HEAD.BUCKET"),
        ("ListObjectsV2", "GET", "", "REST.GET.BUCKET"),
        ("CopyObject", "PUT", "a", "REST.COPY.OBJECT"),
        ("UploadPartCopy", "PUT", "a", "REST.COPY.PART"),
        ("GetBucketPolicy", "GET", "", "REST.GET.BUCKETPOLICY"),
        ("PutObjectTagging", "PUT", "a", "REST.PUT.OBJECT_TAGGING"),
        ("DeleteObjects", "POST", "", "REST.POST.MULTI_OBJECT_DELETE"),
    ],
)
def test_operations_go_by_their_names_in_the_log(operation, method, key, named):
    assert operation_of(operation, method, key) == named
