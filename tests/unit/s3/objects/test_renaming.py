"""RenameObject: one step, everything kept, and nothing of either key in between."""

import base64
import json

import pytest
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, OTHER
from tests.unit.s3.objects.test_encryption import KEY, customer

BODY = b"content " * 20_000


def put(s3, key="old", body=BODY, **more):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def rename(s3, new="new", old="old", token="t", **more):
    return s3.rename_object(Bucket=BUCKET, Key=new, RenameSource=old, ClientToken=token, **more)


def got(s3, key="new", **more):
    return s3.get_object(Bucket=BUCKET, Key=key, **more)


def keys(s3):
    return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_everything_but_the_key_is_kept(s3, clock):
    put(s3, Metadata={"a": "1"}, Tagging="t=1", ContentType="text/plain", StorageClass="STANDARD_IA")
    before = s3.head_object(Bucket=BUCKET, Key="old", ChecksumMode="ENABLED")
    clock.advance(100)
    rename(s3, "ü/new", "old")
    assert keys(s3) == ["ü/new"]
    assert s3.head_object(Bucket=BUCKET, Key="ü/new", ChecksumMode="ENABLED") == before
    assert got(s3, "ü/new")["Body"] == BODY
    rename(s3, "old", "%C3%BC/new", token="u")
    assert keys(s3) == ["old"]


@pytest.mark.parametrize(
    "how",
    [
        {"ServerSideEncryption": "aws:kms"},
        {"ServerSideEncryption": "aws:kms", "BucketKeyEnabled": True},
        {
            "ServerSideEncryption": "aws:kms:dsse",
            "SSEKMSEncryptionContext": base64.b64encode(b'{"a":"b"}').decode(),
        },
        customer(KEY),
    ],
)
def test_what_is_sealed_opens_under_the_new_key(s3, how):
    put(s3, **how)
    rename(s3)
    assert got(s3, **(how if "SSECustomerKey" in how else {}))["Body"] == BODY


def test_an_object_of_parts_stays_one(s3):
    to = {"Bucket": BUCKET, "Key": "old"}
    to["UploadId"] = s3.create_multipart_upload(**to)["UploadId"]
    parts = [b"a" * (5 << 20), b"b" * 100]
    etags = [s3.upload_part(**to, PartNumber=n, Body=part)["ETag"] for n, part in enumerate(parts, 1)]
    listed = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]
    made = s3.complete_multipart_upload(**to, MultipartUpload={"Parts": listed})
    rename(s3)
    assert got(s3)["Body"] == b"".join(parts)
    second = got(s3, PartNumber=2)
    assert (second["Body"], second["PartsCount"], second["ETag"]) == (parts[1], 2, made["ETag"])


def test_it_takes_the_place_of_what_was_there_unless_told_otherwise(s3):
    put(s3)
    there = put(s3, "new", b"other")["ETag"]
    refusal = refused(rename, s3=s3, DestinationIfNoneMatch="*")
    assert (refusal.status, refusal.error["Condition"]) == (412, "If-None-Match")
    assert refused(rename, s3=s3, DestinationIfMatch='"x"').status == 412
    assert refused(rename, s3=s3, SourceIfMatch='"x"').status == 412
    assert keys(s3) == ["new", "old"]
    rename(s3, DestinationIfMatch=there)
    assert keys(s3) == ["new"]
    assert got(s3)["Body"] == BODY


def test_a_request_that_is_sent_again_has_been_done(s3):
    put(s3)
    rename(s3)
    rename(s3)
    assert refused(rename, s3=s3, token="another").code == "NoSuchKey"
    assert refused(rename, s3=s3, old="third").code == "IdempotencyParameterMismatch"
    assert keys(s3) == ["new"]


def test_of_two_that_rename_the_same_object_one_does(s3):
    put(s3)
    ask = {"Bucket": BUCKET, "RenameSource": "old"}
    outcomes = s3.together(
        ("rename_object", {**ask, "Key": "a", "ClientToken": "1"}),
        ("rename_object", {**ask, "Key": "b", "ClientToken": "2"}),
    )
    assert sum(isinstance(one, dict) for one in outcomes) == 1
    assert len(keys(s3)) == 1


def test_where_versions_are_kept_none_goes(versioned):
    put(versioned)
    rename(versioned)
    listed = versioned.list_object_versions(Bucket=BUCKET)
    assert [each["Key"] for each in listed["Versions"]] == ["new", "old"]
    assert [each["Key"] for each in listed["DeleteMarkers"]] == ["old"]
    assert got(versioned)["Body"] == BODY


def test_what_cannot_be_renamed_stays(s3):
    put(s3)
    for new, old in (("new/", "old"), ("new", "old/")):
        assert refused(rename, s3=s3, new=new, old=old).code == "InvalidRequest"
    assert refused(rename, s3=s3, old="none").code == "NoSuchKey"
    assert refused(rename, s3=s3, old="%ff").code == "InvalidArgument"
    rename(s3, "old", "old")
    assert keys(s3) == ["old"]


def test_a_stranger_needs_leave_for_all_of_it(s3):
    put(s3)
    stranger = s3.by(OTHER)

    def let(*actions):
        statement = {"Effect": "Allow", "Principal": {"AWS": OTHER.account}, "Action": list(actions)}
        policy = {"Statement": [{**statement, "Resource": f"arn:aws:s3:::{BUCKET}/*"}]}
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))

    for some in (("PutObject", "DeleteObject"), ("GetObject", "PutObject"), ("GetObject", "DeleteObject")):
        let(*(f"s3:{name}" for name in some))
        assert refused(rename, s3=stranger).status == 403
    let("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    rename(stranger)
    assert keys(s3) == ["new"]
