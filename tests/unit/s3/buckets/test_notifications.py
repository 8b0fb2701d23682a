"""Notifications: what may be configured, and the events that are kept for it."""

import json

import pytest
from tests.support.api import refusal
from tests.unit.s3.buckets.conftest import NOBODY, OWNER

from cloudstead.services.s3.events import EVENTS_KEPT, Happened, tell
from cloudstead.services.s3.rows import Bucket, Event

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"


def queue(*events, prefix="", suffix="", **more):
    rules = [
        {"Name": name, "Value": value} for name, value in (("prefix", prefix), ("suffix", suffix)) if value
    ]
    found = {"QueueArn": QUEUE, "Events": list(events) or ["s3:ObjectCreated:*"], **more}
    return found | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


@pytest.fixture
def put(s3, store):
    s3.create_bucket(Bucket="abc")

    def make(*queues, **more):
        wanted = ({"QueueConfigurations": list(queues)} if queues else {}) | more
        s3.put_bucket_notification_configuration(Bucket="abc", NotificationConfiguration=wanted)
        return store.get(Bucket, "abc")

    return make


@pytest.fixture
def told(store, tools):
    """Tell, and give what was kept since: destinations and messages."""

    def make(bucket, name="ObjectCreated:Put", key="a", caller=OWNER, **more):
        before = {event.id for event in store.rows(Event)}
        tell(store, tools, caller, bucket, Happened(name=name, key=key, sequence=255, **more))
        return [(e.destination, json.loads(e.message)) for e in store.rows(Event) if e.id not in before]

    return make


def test_a_bucket_tells_nobody_at_first(s3, store, told):
    s3.create_bucket(Bucket="abc")
    assert s3.get_bucket_notification_configuration(Bucket="abc") == {}
    assert told(store.get(Bucket, "abc")) == []


def test_a_configuration_is_kept_with_ids_and_an_empty_one_takes_it_away(s3, put):
    put(
        queue(prefix="in/", suffix=".jpg"),
        TopicConfigurations=[{"TopicArn": TOPIC, "Events": ["s3:ObjectTagging:Put"]}],
    )
    kept = s3.get_bucket_notification_configuration(Bucket="abc")
    id = kept["QueueConfigurations"][0].pop("Id")
    assert len(id) == 36
    assert kept["QueueConfigurations"] == [queue(prefix="in/", suffix=".jpg")]
    put()
    assert s3.get_bucket_notification_configuration(Bucket="abc") == {}


def test_a_new_destination_is_sent_a_test(put, store):
    for _ in range(2):
        put(queue())
    (event,) = store.rows(Event)
    message = json.loads(event.message)
    assert (event.destination, message["Event"], message["Bucket"]) == (QUEUE, "s3:TestEvent", "abc")


AMBIGUOUS = (
    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
    "overlapping for the same event type."
)


@pytest.mark.parametrize(
    ("queues", "code", "text"),
    [
        ([queue(QueueArn="q")], "InvalidArgument", "The ARN could not be parsed"),
        ([queue(QueueArn=TOPIC)], "InvalidArgument", "The ARN could not be parsed"),
        (
            [queue(QueueArn=QUEUE.replace("us-east-1", "eu-west-1"))],
            "InvalidArgument",
            "The notification destination service region is not valid for the bucket location constraint",
        ),
        ([queue("s3:Fly")], "MalformedXML", None),
        ([queue(Id="a"), queue("s3:ObjectRemoved:*", Id="a")], "InvalidArgument", None),
        ([queue(), queue("s3:ObjectCreated:Put")], "InvalidArgument", AMBIGUOUS),
        ([queue(prefix="a"), queue(prefix="ab")], "InvalidArgument", AMBIGUOUS),
        ([queue(prefix="a", suffix=".jpg"), queue(suffix="x.jpg")], "InvalidArgument", AMBIGUOUS),
    ],
)
def test_bad_configurations_are_refused(s3, queues, code, text):
    s3.create_bucket(Bucket="abc")
    asked = {"QueueConfigurations": queues}
    refused = refusal(s3.put_bucket_notification_configuration, Bucket="abc", NotificationConfiguration=asked)
    assert refused[0] == code
    assert text in (None, refused[1])


@pytest.mark.parametrize(
    "queues",
    [
        [queue(prefix="a/"), queue(prefix="b/")],
        [queue(suffix=".jpg"), queue(suffix=".png")],
        [queue("s3:ObjectCreated:Put"), queue("s3:ObjectCreated:Copy")],
    ],
)
def test_configurations_that_never_meet_go_together(put, queues):
    assert len(put(*queues).notification["QueueConfigurations"]) == 2


@pytest.mark.parametrize(
    ("asked", "happened", "key", "kept"),
    [
        (queue("s3:ObjectCreated:*"), "ObjectCreated:Copy", "a", True),
        (queue("s3:ObjectCreated:Put"), "ObjectCreated:Copy", "a", False),
        (queue("s3:ObjectRemoved:Delete"), "ObjectRemoved:Delete", "a", True),
        (queue(prefix="in/"), "ObjectCreated:Put", "in/a", True),
        (queue(prefix="in/"), "ObjectCreated:Put", "out/a", False),
        (queue(suffix=".jpg"), "ObjectCreated:Put", "a.jpg", True),
        (queue(suffix=".jpg"), "ObjectCreated:Put", "a.jpeg", False),
    ],
)
def test_what_is_asked_for_is_kept(put, told, asked, happened, key, kept):
    assert bool(told(put(asked), happened, key)) is kept


def test_an_event_reads_as_s3_writes_it(put, told, clock):
    bucket = put(queue(Id="mine"))
    clock.advance(1.5)
    ((destination, message),) = told(bucket, key="a b/ü", size=5, etag="e7", version_id="v1")
    assert destination == QUEUE
    assert message == {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "us-east-1",
                "eventTime": "2026-01-01T00:00:01.500Z",
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": f"AWS:{OWNER.user_id}"},
                "requestParameters": {"sourceIPAddress": "203.0.113.7"},
                "responseElements": {"x-amz-request-id": ""},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "mine",
                    "bucket": {
                        "name": "abc",
                        "ownerIdentity": {"principalId": bucket.acl.owner},
                        "arn": "arn:aws:s3:::abc",
                    },
                    "object": {
                        "key": "a+b/%C3%BC",
                        "size": 5,
                        "eTag": "e7",
                        "versionId": "v1",
                        "sequencer": "0000000000000000FF",
                    },
                },
            }
        ]
    }


def test_eventbridge_gets_everything_in_its_own_words(put, told):
    bucket = put(EventBridgeConfiguration={})
    ((destination, message),) = told(
        bucket, "ObjectRemoved:DeleteMarkerCreated", caller=NOBODY, version_id="v1"
    )
    assert destination == "eventbridge"
    assert (message["source"], message["detail-type"]) == ("aws.s3", "Object Deleted")
    assert message["detail"]["deletion-type"] == "Delete Marker Created"
    assert message["detail"]["object"]["version-id"] == "v1"


def test_only_the_newest_events_are_kept(put, store, tools):
    bucket = put(queue())
    with store.transaction():
        for n in range(EVENTS_KEPT + 5):
            tell(store, tools, OWNER, bucket, Happened(name="ObjectCreated:Put", key=str(n), sequence=n))
    kept = store.rows(Event)
    assert len(kept) == EVENTS_KEPT
    assert json.loads(kept[-1].message)["Records"][0]["s3"]["object"]["key"] == str(EVENTS_KEPT + 4)
