"""Tags, legal holds and retention of objects."""

import base64
import json
import zlib
from datetime import timedelta

import pytest
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, NOBODY


def put(s3, **more):
    return s3.put_object(Bucket=BUCKET, Key="k", Body=b"x", **more)


# --- tags


def test_tags_are_replaced_as_a_whole(s3):
    put(s3, Tagging="a=1&b=")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="k")["TagSet"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": ""},
    ]
    s3.put_object_tagging(Bucket=BUCKET, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert s3.head_object(Bucket=BUCKET, Key="k")["TagCount"] == 1
    s3.delete_object_tagging(Bucket=BUCKET, Key="k")
    assert s3.status == 204
    assert s3.get_object_tagging(Bucket=BUCKET, Key="k")["TagSet"] == []


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": f"k{n}", "Value": ""} for n in range(11)], "BadRequest"),
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "InvalidTag"),
        ([{"Key": "k" * 129, "Value": ""}], "InvalidTag"),
        ([{"Key": "k", "Value": "v" * 257}], "InvalidTag"),
        ([{"Key": "aws:k", "Value": ""}], "InvalidTag"),
    ],
)
def test_tags_have_their_limits(s3, tags, code):
    put(s3)
    assert refused(s3.put_object_tagging, Bucket=BUCKET, Key="k", Tagging={"TagSet": tags}).code == code


def test_a_tag_of_a_header_may_have_no_value(s3):
    put(s3, Tagging="a=1&b")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="k")["TagSet"][1] == {"Key": "b", "Value": ""}


def test_tags_of_a_header_are_checked_before_anything_is_written(s3):
    assert refused(put, s3=s3, Tagging="a=1&a=2").code == "InvalidArgument"
    assert refused(put, s3=s3, Tagging="&".join(f"k{n}=1" for n in range(11))).code == "BadRequest"
    assert refused(s3.head_object, Bucket=BUCKET, Key="k").status == 404


# --- locks


def delete(s3, version, **more):
    return s3.delete_object(Bucket=BUCKET, Key="k", VersionId=version, **more)


def retain(s3, mode, until, **more):
    return s3.put_object_retention(
        Bucket=BUCKET, Key="k", Retention={"Mode": mode, "RetainUntilDate": until}, **more
    )


def test_a_hold_keeps_a_version_but_not_a_marker_off(locked):
    version = put(locked)["VersionId"]
    assert refused(locked.get_object_legal_hold, Bucket=BUCKET, Key="k").status == 404
    locked.put_object_legal_hold(Bucket=BUCKET, Key="k", LegalHold={"Status": "ON"})
    assert locked.head_object(Bucket=BUCKET, Key="k")["ObjectLockLegalHoldStatus"] == "ON"
    refusal = refused(delete, s3=locked, version=version, BypassGovernanceRetention=True)
    assert (refusal.status, refusal.code) == (403, "AccessDenied")
    locked.delete_object(Bucket=BUCKET, Key="k")
    locked.put_object_legal_hold(Bucket=BUCKET, Key="k", VersionId=version, LegalHold={"Status": "OFF"})
    assert locked.get_object_legal_hold(Bucket=BUCKET, Key="k", VersionId=version)["LegalHold"] == {
        "Status": "OFF"
    }
    delete(locked, version)


def test_governance_yields_to_who_says_so(locked, clock):
    until = clock.now() + timedelta(days=1)
    version = put(locked)["VersionId"]
    retain(locked, "GOVERNANCE", until)
    assert refused(delete, s3=locked, version=version).code == "AccessDenied"
    assert (
        refused(retain, s3=locked, mode="GOVERNANCE", until=until - timedelta(hours=1)).code == "AccessDenied"
    )
    assert refused(retain, s3=locked, mode="COMPLIANCE", until=until).code == "AccessDenied"
    retain(locked, "GOVERNANCE", until + timedelta(hours=1))
    retain(locked, "GOVERNANCE", until, BypassGovernanceRetention=True)
    delete(locked, version, BypassGovernanceRetention=True)
    assert refused(locked.get_object, Bucket=BUCKET, Key="k").code == "NoSuchKey"


def test_compliance_yields_to_time_alone(locked, clock):
    until = clock.now() + timedelta(days=1)
    version = put(locked)["VersionId"]
    retain(locked, "COMPLIANCE", until)
    for mode, date in (("GOVERNANCE", until), ("COMPLIANCE", until - timedelta(hours=1))):
        refusal = refused(retain, s3=locked, mode=mode, until=date, BypassGovernanceRetention=True)
        assert refusal.code == "AccessDenied"
    assert refused(delete, s3=locked, version=version, BypassGovernanceRetention=True).code == "AccessDenied"
    clock.advance(86_401)
    delete(locked, version)


def test_a_lock_may_come_with_the_object_or_by_default(locked, clock):
    until = clock.now() + timedelta(days=1)
    assert refused(put, s3=locked, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until).message == (
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
    )
    put(
        locked,
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=until,
        ObjectLockLegalHoldStatus="ON",
        ChecksumCRC32=base64.b64encode(zlib.crc32(b"x").to_bytes(4, "big")).decode(),
    )
    head = locked.head_object(Bucket=BUCKET, Key="k")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)
    locked.put_object_lock_configuration(
        Bucket=BUCKET,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 2}},
        },
    )
    put(locked)
    kept = locked.get_object_retention(Bucket=BUCKET, Key="k")["Retention"]
    assert kept == {"Mode": "COMPLIANCE", "RetainUntilDate": clock.now() + timedelta(days=2)}


def test_what_asks_for_a_lock_wrongly_is_refused(locked, clock):
    put(locked)
    past, future = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)
    assert refused(retain, s3=locked, mode="GOVERNANCE", until=past).code == "InvalidArgument"
    assert (
        refused(locked.get_object_retention, Bucket=BUCKET, Key="k").code == "NoSuchObjectLockConfiguration"
    )
    assert refused(put, s3=locked, ObjectLockMode="GOVERNANCE").code == "InvalidArgument"
    assert (
        refused(put, s3=locked, ObjectLockMode="X", ObjectLockRetainUntilDate=future).code
        == "InvalidArgument"
    )
    assert refused(put, s3=locked, ObjectLockLegalHoldStatus="MAYBE").code == "InvalidArgument"


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ("tomorrow", "The retain until date must be provided in ISO 8601 format"),
        ("2025-12-25T12:00:00Z", "The retain until date must be in the future!"),
    ],
)
def test_a_date_in_a_header_that_cannot_be_is_shown_as_it_was_sent(locked, until, message):
    header = "x-amz-object-lock-retain-until-date"
    refusal = refused(put, s3=locked, ObjectLockMode="GOVERNANCE", spoil={header: until})
    assert (refusal.code, refusal.message) == ("InvalidArgument", message)
    assert (refusal.error["ArgumentName"], refusal.error["ArgumentValue"]) == (header, until)


def test_nobody_locks_anything_for_there_is_no_signature(locked):
    open_to_all = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    locked.delete_public_access_block(Bucket=BUCKET)
    locked.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": [open_to_all]}))
    put(locked.by(NOBODY))
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    locked.put_object_lock_configuration(
        Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    refusal = refused(put, s3=locked.by(NOBODY))
    assert (refusal.code, refusal.message) == (
        "InvalidArgument",
        "Put Object requests with Object Lock parameters require AWS Signature Version 4",
    )


def test_a_bucket_without_locks_knows_none(s3, clock):
    put(s3)
    until = clock.now() + timedelta(days=1)
    assert refused(retain, s3=s3, mode="GOVERNANCE", until=until).message == (
        "Bucket is missing Object Lock Configuration"
    )
    refusal = refused(put, s3=s3, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)
    assert refusal.message == "Bucket is missing ObjectLockConfiguration"
    assert refused(delete, s3=s3, version="null", BypassGovernanceRetention=True).code == "InvalidArgument"
