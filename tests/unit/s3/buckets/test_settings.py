"""The smaller settings of a bucket: encryption, locks, payment, replication, logs, and those there are many of."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import pytest
from msgspec.structs import replace
from tests.support.api import ACCOUNT, refusal
from tests.unit.s3.buckets.conftest import NOBODY, OTHER, OTHER_ACCOUNT, OWNER

from cloudstead.services.s3 import access, access_logs
from cloudstead.services.s3.access_logs import Served
from cloudstead.services.s3.errors import InvalidArgument
from cloudstead.services.s3.lock_configuration import LockConfiguration
from cloudstead.services.s3.rows import Bucket, canonical_id

NOW = datetime(2026, 2, 6, 0, 1, 57, tzinfo=UTC)


@pytest.fixture(autouse=True)
def made(s3):
    s3.create_bucket(Bucket="abc")


# --- encryption


def encrypted(**rule):
    return {"Rules": [rule]}


def by_default(algorithm, **more):
    return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, **more}}


def test_every_bucket_encrypts(s3):
    sse_s3 = encrypted(**by_default("AES256"), BucketKeyEnabled=False)
    assert s3.get_bucket_encryption(Bucket="abc")["ServerSideEncryptionConfiguration"] == sse_s3
    kms = encrypted(**by_default("aws:kms", KMSMasterKeyID="alias/mine"), BucketKeyEnabled=True)
    s3.put_bucket_encryption(Bucket="abc", ServerSideEncryptionConfiguration=kms)
    assert s3.get_bucket_encryption(Bucket="abc")["ServerSideEncryptionConfiguration"] == kms
    s3.delete_bucket_encryption(Bucket="abc")
    assert s3.get_bucket_encryption(Bucket="abc")["ServerSideEncryptionConfiguration"] == sse_s3


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (encrypted(**by_default("AES256", KMSMasterKeyID="k")), "InvalidArgument"),
        (encrypted(**by_default("ROT13")), "MalformedXML"),
        (encrypted(**by_default("aws:fsx")), "NotImplemented"),
        ({"Rules": [by_default("AES256")] * 2}, "MalformedXML"),
    ],
)
def test_bad_encryption_is_refused(s3, wanted, code):
    refused = refusal(s3.put_bucket_encryption, Bucket="abc", ServerSideEncryptionConfiguration=wanted)
    assert refused[0] == code


def test_keys_that_clients_keep_can_be_blocked(s3):
    blocking = encrypted(
        **by_default("AES256"), BucketKeyEnabled=False, BlockedEncryptionTypes={"EncryptionType": ["SSE-C"]}
    )
    s3.put_bucket_encryption(Bucket="abc", ServerSideEncryptionConfiguration=blocking)
    assert s3.get_bucket_encryption(Bucket="abc")["ServerSideEncryptionConfiguration"] == blocking


# --- object lock


def locked(**retention):
    rule = {"Rule": {"DefaultRetention": retention}} if retention else {}
    return {"ObjectLockEnabled": "Enabled", **rule}


@pytest.fixture
def versioned(s3):
    s3.put_bucket_versioning(Bucket="abc", VersioningConfiguration={"Status": "Enabled"})


def test_a_lock_needs_versions(s3):
    assert refusal(s3.get_object_lock_configuration, Bucket="abc") == (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    )
    assert refusal(s3.put_object_lock_configuration, Bucket="abc", ObjectLockConfiguration=locked())[0] == (
        "InvalidBucketState"
    )


@pytest.mark.parametrize("retention", [{"Mode": "GOVERNANCE", "Days": 3}, {"Mode": "COMPLIANCE", "Years": 2}])
def test_how_new_objects_are_locked_is_kept_and_goes_while_the_lock_stays(s3, store, versioned, retention):
    for wanted in (locked(**retention), locked()):
        s3.put_object_lock_configuration(Bucket="abc", ObjectLockConfiguration=wanted)
        assert s3.get_object_lock_configuration(Bucket="abc")["ObjectLockConfiguration"] == wanted
    assert store.get(Bucket, "abc").object_lock


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({}, "MalformedXML"),
        (locked(Mode="GOVERNANCE"), "MalformedXML"),
        (locked(Days=1), "MalformedXML"),
        (locked(Mode="GOVERNANCE", Days=1, Years=1), "MalformedXML"),
        (locked(Mode="GOVERNANCE", Days=0), "InvalidArgument"),
        (locked(Mode="GOVERNANCE", Days=36_501), "InvalidArgument"),
        (locked(Mode="GOVERNANCE", Years=101), "InvalidArgument"),
    ],
)
def test_bad_locks_are_refused(s3, versioned, wanted, code):
    assert refusal(s3.put_object_lock_configuration, Bucket="abc", ObjectLockConfiguration=wanted)[0] == code


@pytest.mark.parametrize("unit", ["Days", "Years"])
def test_a_period_that_is_none_is_named_in_the_refusal(store, versioned, unit):
    wanted = locked(Mode="GOVERNANCE", **{unit: 0})
    with pytest.raises(InvalidArgument) as caught:
        LockConfiguration(store).put_object_lock_configuration(
            OWNER, {"Bucket": "abc", "ObjectLockConfiguration": wanted}
        )
    assert str(caught.value) == "Default retention period must be a positive integer value."
    assert caught.value.fields == {"ArgumentName": unit}


# --- payment and acceleration


def test_strangers_pay_where_the_bucket_says_so(s3, store):
    assert s3.get_bucket_request_payment(Bucket="abc") == {"Payer": "BucketOwner"}
    s3.put_bucket_request_payment(Bucket="abc", RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket="abc") == {"Payer": "Requester"}
    policy = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::abc/*"}
    s3.delete_public_access_block(Bucket="abc")
    s3.put_bucket_policy(Bucket="abc", Policy=json.dumps({"Statement": [policy]}))
    bucket, pays = store.get(Bucket, "abc"), {"RequestPayer": "requester"}
    may = partial(access.may, store, bucket=bucket, action="s3:GetObject", key="a")
    assert may(caller=OWNER, request={})
    assert may(caller=OTHER, request=pays)
    assert not may(caller=OTHER, request={})
    assert not may(caller=NOBODY, request=pays)


def test_acceleration_is_remembered_once_it_was_enabled(s3):
    def accelerate(name, status):
        s3.put_bucket_accelerate_configuration(Bucket=name, AccelerateConfiguration={"Status": status})

    accelerate("abc", "Suspended")
    assert s3.get_bucket_accelerate_configuration(Bucket="abc") == {}
    for status in ("Enabled", "Suspended"):
        accelerate("abc", status)
        assert s3.get_bucket_accelerate_configuration(Bucket="abc") == {"Status": status}
    s3.create_bucket(Bucket="a.b.c")
    assert refusal(accelerate, name="a.b.c", status="Enabled")[0] == "InvalidRequest"


# --- replication


def replicated(**rule):
    usual = {
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::target"},
    }
    return {"Role": f"arn:aws:iam::{ACCOUNT}:role/r", "Rules": [{**usual, **rule}]}


def test_replication_needs_versions_on_both_sides(s3, versioned):
    def put():
        s3.put_bucket_replication(Bucket="abc", ReplicationConfiguration=replicated(ID="r"))

    assert refusal(put) == ("InvalidRequest", "Destination bucket must exist.")
    s3.create_bucket(Bucket="target")
    assert refusal(put) == ("InvalidRequest", "Destination bucket must have versioning enabled.")
    s3.put_bucket_versioning(Bucket="target", VersioningConfiguration={"Status": "Enabled"})
    put()
    assert s3.get_bucket_replication(Bucket="abc")["ReplicationConfiguration"] == replicated(ID="r")
    assert refusal(s3.put_bucket_versioning, Bucket="abc", VersioningConfiguration={"Status": "Suspended"})[
        0
    ] == ("InvalidBucketState")
    s3.delete_bucket_replication(Bucket="abc")
    assert refusal(s3.get_bucket_replication, Bucket="abc")[0] == "ReplicationConfigurationNotFoundError"


def test_replication_without_versions_is_refused(s3):
    assert refusal(s3.put_bucket_replication, Bucket="abc", ReplicationConfiguration=replicated()) == (
        "InvalidRequest",
        "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
    )


# --- logs


@pytest.fixture
def logged(s3, store):
    """`abc` logging to `logs`, with this policy there."""
    s3.create_bucket(Bucket="logs")

    def make(policy=None, **more):
        enabled = {"TargetBucket": "logs", "TargetPrefix": "abc/", **more}
        s3.put_bucket_logging(Bucket="abc", BucketLoggingStatus={"LoggingEnabled": enabled})
        if policy is not None:
            s3.put_bucket_policy(Bucket="logs", Policy=json.dumps({"Statement": [policy]}))
        return store.get(Bucket, "abc")

    return make


DELIVERY = {
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::logs/abc/*",
    "Condition": {
        "ArnLike": {"aws:SourceArn": "arn:aws:s3:::abc"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    },
}


def test_logging_is_on_and_off(s3, logged):
    logged()
    kept = s3.get_bucket_logging(Bucket="abc")["LoggingEnabled"]
    assert (kept["TargetBucket"], kept["TargetPrefix"]) == ("logs", "abc/")
    s3.put_bucket_logging(Bucket="abc", BucketLoggingStatus={})
    assert s3.get_bucket_logging(Bucket="abc") == {}


def test_the_target_must_be_a_bucket_of_ones_own_in_the_region(s3):
    def put(target):
        enabled = {"TargetBucket": target, "TargetPrefix": ""}
        s3.put_bucket_logging(Bucket="abc", BucketLoggingStatus={"LoggingEnabled": enabled})

    s3.by(OTHER).create_bucket(Bucket="theirs")
    s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert refusal(put, target="none") == (
        "InvalidTargetBucketForLogging",
        "The target bucket for logging does not exist",
    )
    assert refusal(put, target="theirs")[0] == "InvalidTargetBucketForLogging"
    assert refusal(put, target="far")[0] == "CrossLocationLoggingProhibited"


@pytest.mark.parametrize(
    ("policy", "delivered"),
    [
        (None, False),
        (DELIVERY, True),
        ({**DELIVERY, "Resource": "arn:aws:s3:::logs/other/*"}, False),
        ({**DELIVERY, "Condition": {"StringEquals": {"aws:SourceAccount": OTHER_ACCOUNT}}}, False),
        ({**DELIVERY, "Effect": "Deny"}, False),
    ],
)
def test_logs_go_where_log_delivery_may_write(store, logged, policy, delivered):
    place = access_logs.place_of(store, logged(policy))
    assert (place is not None) is delivered


def test_or_where_an_old_list_lets_it(old_s3, store, logged):
    old_s3.create_bucket(Bucket="old-logs", ACL="log-delivery-write")
    assert access_logs.place_of(store, logged(TargetBucket="old-logs")).name == "old-logs"


def test_log_objects_are_named_by_their_time(logged):
    flat = logged()
    assert access_logs.key_of(flat, NOW, NOW, Random(1)).startswith("abc/2026-02-06-00-01-57-")
    partitioned = logged(TargetObjectKeyFormat={"PartitionedPrefix": {"PartitionDateSource": "EventTime"}})
    day_before = NOW - timedelta(days=1)
    assert access_logs.key_of(partitioned, day_before, NOW, Random(1)).startswith(
        f"abc/{ACCOUNT}/us-east-1/abc/2026/02/05/2026-02-05-00-00-00-"
    )


def test_a_line_reads_as_s3_writes_it(store):
    bucket, me = store.get(Bucket, "abc"), canonical_id(ACCOUNT)
    served = Served(
        at=NOW,
        operation="REST.GET.OBJECT",
        status=404,
        request_line="GET /abc/a%20b HTTP/1.1",
        key="a b",
        error_code="NoSuchKey",
        bytes_sent=313,
        total_ms=7,
        user_agent='S3"Console/0.4\r\nx',
        host="localhost",
        signature="SigV4",
        auth="AuthHeader",
    )
    written = access_logs.line(bucket, replace(OWNER, request_id="3E57427F33A59F07"), served)
    assert written == (
        f"{me} abc [06/Feb/2026:00:01:57 +0000] 203.0.113.7 {me} 3E57427F33A59F07 REST.GET.OBJECT a%2520b "
        '"GET /abc/a%20b HTTP/1.1" 404 NoSuchKey 313 - 7 - "-" "S3%22Console/0.4%0D%0Ax" - - SigV4 - AuthHeader '
        "localhost - - -\n"
    )


def test_nobodys_requests_show_no_requester(store):
    served = Served(at=NOW, operation="REST.HEAD.BUCKET", status=403, request_line="HEAD /abc HTTP/1.1")
    line = access_logs.line(store.get(Bucket, "abc"), NOBODY, served)
    assert line.split("] ")[1].startswith("203.0.113.7 - - REST.HEAD.BUCKET - ")


# --- those there are many of


def metrics(id):
    return {"Id": id, "Filter": {"Prefix": "a/"}}


def test_configurations_are_put_replaced_and_removed_by_id(s3):
    s3.put_bucket_metrics_configuration(Bucket="abc", Id="one", MetricsConfiguration={"Id": "one"})
    s3.put_bucket_metrics_configuration(Bucket="abc", Id="one", MetricsConfiguration=metrics("one"))
    found = s3.get_bucket_metrics_configuration(Bucket="abc", Id="one")
    assert found["MetricsConfiguration"] == metrics("one")
    s3.delete_bucket_metrics_configuration(Bucket="abc", Id="one")
    for call in (s3.get_bucket_metrics_configuration, s3.delete_bucket_metrics_configuration):
        assert refusal(call, Bucket="abc", Id="one") == (
            "NoSuchConfiguration",
            "The specified configuration does not exist.",
        )


def test_they_are_listed_a_hundred_at_a_time(s3):
    names = [f"m{n:03}" for n in range(205)]
    for name in names:
        s3.put_bucket_metrics_configuration(Bucket="abc", Id=name, MetricsConfiguration=metrics(name))
    pages, token = [], {}
    while not pages or pages[-1]["IsTruncated"]:
        pages.append(s3.list_bucket_metrics_configurations(Bucket="abc", **token))
        token = {"ContinuationToken": pages[-1].get("NextContinuationToken", "")}
    assert [each["Id"] for page in pages for each in page["MetricsConfigurationList"]] == names
    assert len(pages) == 3
    assert s3.list_bucket_inventory_configurations(Bucket="abc") == {"IsTruncated": False}


INVENTORY = {
    "Id": "i",
    "IsEnabled": True,
    "IncludedObjectVersions": "All",
    "Schedule": {"Frequency": "Daily"},
    "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::abc", "Format": "CSV"}},
    "OptionalFields": ["Size", "ETag"],
}
ANALYTICS = {
    "Id": "i",
    "StorageClassAnalysis": {
        "DataExport": {
            "OutputSchemaVersion": "V_1",
            "Destination": {"S3BucketDestination": {"Format": "CSV", "Bucket": "arn:aws:s3:::abc"}},
        }
    },
}
TIERING = {"Id": "i", "Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}


@pytest.mark.parametrize(
    ("kind", "member", "body"),
    [
        ("inventory", "InventoryConfiguration", INVENTORY),
        ("analytics", "AnalyticsConfiguration", ANALYTICS),
        ("intelligent_tiering", "IntelligentTieringConfiguration", TIERING),
    ],
)
def test_each_kind_reads_back_and_goes(s3, kind, member, body):
    getattr(s3, f"put_bucket_{kind}_configuration")(Bucket="abc", Id="i", **{member: body})
    assert getattr(s3, f"get_bucket_{kind}_configuration")(Bucket="abc", Id="i")[member] == body
    assert getattr(s3, f"list_bucket_{kind}_configurations")(Bucket="abc")[f"{member}List"] == [body]
    getattr(s3, f"delete_bucket_{kind}_configuration")(Bucket="abc", Id="i")
    assert f"{member}List" not in getattr(s3, f"list_bucket_{kind}_configurations")(Bucket="abc")


def test_bad_configurations_are_refused(s3):
    def put_tiering(**fields):
        wanted = {**TIERING, **fields}
        s3.put_bucket_intelligent_tiering_configuration(
            Bucket="abc", Id="i", IntelligentTieringConfiguration=wanted
        )

    assert refusal(put_tiering, Id="other")[0] == "InvalidArgument"
    assert (
        refusal(put_tiering, Tierings=[{"Days": 89, "AccessTier": "ARCHIVE_ACCESS"}])[0] == "InvalidArgument"
    )
    assert refusal(put_tiering, Tierings=TIERING["Tierings"] * 2)[0] == "MalformedXML"
    elsewhere = {"S3BucketDestination": {"Bucket": "abc", "Format": "CSV"}}
    assert (
        refusal(
            s3.put_bucket_inventory_configuration,
            Bucket="abc",
            Id="i",
            InventoryConfiguration={**INVENTORY, "Destination": elsewhere},
        )[0]
        == "InvalidS3DestinationBucket"
    )
