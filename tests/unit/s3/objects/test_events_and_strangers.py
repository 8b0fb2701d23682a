"""What is told of objects, who may see them by a policy, and several callers at once."""

import asyncio
import contextlib
import json

import pytest
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, NOBODY, OTHER

from cloudstead.services.s3.operations import taken, waiting
from cloudstead.services.s3.rows import Configuration, Event
from cloudstead.store.sqlite import OutOfSpace

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


@pytest.fixture
def told(versioned, store):
    """The names, keys and sizes of the events since it was last asked."""
    versioned.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": QUEUE,
                    "Events": [
                        "s3:ObjectCreated:*",
                        "s3:ObjectRemoved:*",
                        "s3:ObjectTagging:*",
                        "s3:ObjectAcl:Put",
                    ],
                }
            ]
        },
        SkipDestinationValidation=True,
    )
    seen = len(store.rows(Event))

    def ask():
        nonlocal seen
        rows = store.rows(Event)[seen:]
        seen += len(rows)
        records = [record for row in rows for record in json.loads(row.message)["Records"]]
        return [
            (record["eventName"], record["s3"]["object"]["key"], record["s3"]["object"].get("size"))
            for record in records
        ]

    return ask


def test_everything_that_happens_is_told_once(versioned, told):
    versioned.put_object(Bucket=BUCKET, Key="a b", Body=b"hello")
    assert told() == [("ObjectCreated:Put", "a+b", 5)]
    versioned.copy_object(Bucket=BUCKET, Key="c", CopySource=f"{BUCKET}/a%20b")
    assert told() == [("ObjectCreated:Copy", "c", 5)]
    upload = versioned.create_multipart_upload(Bucket=BUCKET, Key="m")["UploadId"]
    part = versioned.upload_part(Bucket=BUCKET, Key="m", UploadId=upload, PartNumber=1, Body=b"part")
    assert told() == []
    listed = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    versioned.complete_multipart_upload(Bucket=BUCKET, Key="m", UploadId=upload, MultipartUpload=listed)
    assert told() == [("ObjectCreated:CompleteMultipartUpload", "m", 4)]
    tags = {"TagSet": [{"Key": "t", "Value": "1"}]}
    versioned.put_object_tagging(Bucket=BUCKET, Key="m", Tagging=tags)
    versioned.delete_object_tagging(Bucket=BUCKET, Key="m")
    assert [name for name, _, _ in told()] == ["ObjectTagging:Put", "ObjectTagging:Delete"]
    marker = versioned.delete_object(Bucket=BUCKET, Key="m")
    assert told() == [("ObjectRemoved:DeleteMarkerCreated", "m", None)]
    versioned.delete_object(Bucket=BUCKET, Key="m", VersionId=marker["VersionId"])
    assert told() == [("ObjectRemoved:Delete", "m", None)]


def test_what_is_refused_or_changes_nothing_is_not_told(versioned, told):
    assert refused(versioned.put_object, Bucket=BUCKET, Key="k", Body=b"x", StorageClass="X").status == 400
    versioned.delete_object(Bucket=BUCKET, Key="k", VersionId="null")
    assert told() == []


def set_room(store, pages):
    """Let the store's file grow by so many pages and no more."""
    there = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {there + pages}")


def fill(store):
    """Take all the room that the store's file has left, down to the last crumb."""
    for size in (3000, 300, 30):
        with contextlib.suppress(OutOfSpace):
            for n in range(10_000):
                store.insert(Configuration(id=f"{size}-{n}", bucket_id="", kind="", name="x" * size, body={}))


def test_a_put_is_not_refused_for_an_event_that_finds_no_room_and_the_event_comes_later(
    versioned, store, told
):
    set_room(store, 0)
    fill(store)
    versioned.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    versioned.put_object(Bucket=BUCKET, Key="b", Body=b"2")
    assert versioned.get_object(Bucket=BUCKET, Key="b")["Body"] == b"2"
    assert told() == []
    set_room(store, 1000)
    versioned.run(asyncio.sleep(1.1))
    assert told() == [("ObjectCreated:Put", "a", 1), ("ObjectCreated:Put", "b", 1)]
    versioned.put_object(Bucket=BUCKET, Key="c", Body=b"3")
    assert told() == [("ObjectCreated:Put", "c", 1)]


def test_a_service_takes_its_own_events_and_none_is_told_twice(versioned, store, told):
    versioned.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    versioned.put_object(Bucket=BUCKET, Key="b", Body=b"2")
    assert waiting(store, "sns") == waiting(store, "eventbridge") == []
    test, *events = waiting(store, "sqs")
    assert json.loads(test.message)["Event"] == "s3:TestEvent"
    assert [json.loads(each.message)["Records"][0]["s3"]["object"]["key"] for each in events] == ["a", "b"]
    assert {each.destination for each in events} == {QUEUE}
    for each in (test, events[0], events[0]):
        taken(store, each)
    assert waiting(store, "sqs") == [events[1]]


# --- strangers


def allow(s3, *actions, resource=f"arn:aws:s3:::{BUCKET}/*"):
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=dict.fromkeys(closed, False))
    statement = {"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": resource}
    s3.put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )


def test_a_policy_lets_strangers_read_and_no_more(s3):
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"hello", Tagging="a=1")
    allow(s3, "s3:GetObject")
    for who in (NOBODY, OTHER):
        stranger = s3.by(who)
        got = stranger.get_object(Bucket=BUCKET, Key="k")
        assert got["Body"] == b"hello"
        assert "TagCount" not in got, "that takes s3:GetObjectTagging"
        for call in (stranger.get_object_tagging, stranger.delete_object, stranger.get_object_acl):
            assert refused(call, Bucket=BUCKET, Key="k").code == "AccessDenied"
        assert refused(stranger.get_object, Bucket=BUCKET, Key="none").status == 403
        assert refused(stranger.put_object, Bucket=BUCKET, Key="new", Body=b"x").code == "AccessDenied"


def test_who_writes_with_a_list_needs_leave_for_that_too(old_s3):
    stranger = old_s3.by(OTHER)
    write = {"Bucket": BUCKET, "Key": "k", "Body": b"x"}

    def let(*actions):
        statement = {"Effect": "Allow", "Principal": {"AWS": OTHER.account}, "Action": list(actions)}
        policy = {"Statement": [{**statement, "Resource": f"arn:aws:s3:::{BUCKET}/*"}]}
        old_s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))

    let("s3:PutObject")
    stranger.put_object(**write)
    assert refused(stranger.put_object, **write, ACL="public-read").status == 403
    assert refused(stranger.create_multipart_upload, Bucket=BUCKET, Key="k", GrantRead="id=1").status == 403
    let("s3:PutObject", "s3:PutObjectAcl")
    stranger.put_object(**write, ACL="public-read")
    assert old_s3.status == 204


def test_who_may_list_is_told_that_nothing_is_there(s3):
    allow(s3, "s3:ListBucket", resource=f"arn:aws:s3:::{BUCKET}")
    assert refused(s3.by(NOBODY).get_object, Bucket=BUCKET, Key="none").code == "NoSuchKey"


def test_a_version_takes_an_action_of_its_own(versioned):
    version = versioned.put_object(Bucket=BUCKET, Key="k", Body=b"hello")["VersionId"]
    allow(versioned, "s3:GetObject")
    stranger = versioned.by(NOBODY)
    assert stranger.get_object(Bucket=BUCKET, Key="k")["Body"] == b"hello"
    assert refused(stranger.get_object, Bucket=BUCKET, Key="k", VersionId=version).status == 403


# --- several at once


def test_changes_of_one_object_at_once_are_all_kept(locked):
    locked.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    named = {"Bucket": BUCKET, "Key": "k"}
    outcomes = locked.together(
        ("put_object_tagging", {**named, "Tagging": {"TagSet": [{"Key": "a", "Value": "1"}]}}),
        ("put_object_legal_hold", {**named, "LegalHold": {"Status": "ON"}}),
    )
    assert all(isinstance(one, dict) for one in outcomes), outcomes
    head = locked.head_object(**named)
    assert (head["TagCount"], head["ObjectLockLegalHoldStatus"]) == (1, "ON")


def test_of_many_puts_at_once_one_is_current_and_whole(s3):
    bodies = [bytes([n]) * 100_000 for n in range(8)]
    s3.together(*[("put_object", {"Bucket": BUCKET, "Key": "k", "Body": body}) for body in bodies])
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"] in bodies
    assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == 1
