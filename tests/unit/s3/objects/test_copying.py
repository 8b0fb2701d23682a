"""CopyObject: what is copied, what is not, and what must not be."""

import pytest
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, OTHER


def copy(s3, source=f"{BUCKET}/k", key="c", bucket=BUCKET, **more):
    return s3.copy_object(Bucket=bucket, Key=key, CopySource=source, **more)


@pytest.fixture
def filled(s3):
    s3.put_object(
        Bucket=BUCKET,
        Key="k",
        Body=b"hello" * 50_000,
        ContentType="text/plain",
        Metadata={"a": "1"},
        Tagging="t=1",
        StorageClass="STANDARD_IA",
    )
    return s3


def test_a_copy_has_the_bytes_and_the_metadata(filled):
    etag = filled.head_object(Bucket=BUCKET, Key="k")["ETag"]
    made = copy(filled)
    assert made["CopyObjectResult"]["ETag"] == etag
    assert made["CopyObjectResult"]["ChecksumType"] == "FULL_OBJECT"
    got = filled.get_object(Bucket=BUCKET, Key="c")
    assert got["Body"] == b"hello" * 50_000
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("text/plain", {"a": "1"}, 1)
    assert "StorageClass" not in got
    filled.delete_object(Bucket=BUCKET, Key="k")
    assert filled.get_object(Bucket=BUCKET, Key="c", Range="bytes=100000-100004")["Body"] == b"hello"


def test_a_copy_may_have_metadata_and_tags_of_its_own(filled):
    copy(
        filled,
        MetadataDirective="REPLACE",
        Metadata={"b": "2"},
        TaggingDirective="REPLACE",
        Tagging="u=2&v=3",
        ContentType="image/png",
    )
    got = filled.head_object(Bucket=BUCKET, Key="c")
    assert (got["ContentType"], got["Metadata"]) == ("image/png", {"b": "2"})
    assert filled.get_object_tagging(Bucket=BUCKET, Key="c")["TagSet"] == [
        {"Key": "u", "Value": "2"},
        {"Key": "v", "Value": "3"},
    ]


def test_a_copy_onto_itself_must_change_something(filled):
    refusal = refused(copy, s3=filled, key="k")
    assert (refusal.status, refusal.code) == (400, "InvalidRequest")
    copy(filled, key="k", MetadataDirective="REPLACE", Metadata={"new": "1"})
    assert filled.head_object(Bucket=BUCKET, Key="k")["Metadata"] == {"new": "1"}
    copy(filled, key="k", StorageClass="GLACIER_IR")
    assert filled.head_object(Bucket=BUCKET, Key="k")["StorageClass"] == "GLACIER_IR"
    assert filled.get_object(Bucket=BUCKET, Key="k")["Body"] == b"hello" * 50_000


def test_another_checksum_is_computed_on_demand(filled):
    assert "ChecksumSHA256" in copy(filled, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    assert "ChecksumSHA256" in filled.head_object(Bucket=BUCKET, Key="c", ChecksumMode="ENABLED")


def test_conditions_on_the_source_fail_with_412(filled):
    etag = filled.head_object(Bucket=BUCKET, Key="k")["ETag"]
    copy(filled, CopySourceIfMatch=etag)
    for fails in ({"CopySourceIfMatch": '"x"'}, {"CopySourceIfNoneMatch": etag}):
        assert refused(copy, s3=filled, **fails).status == 412
    assert refused(copy, s3=filled, IfNoneMatch="*").status == 412


def test_an_older_version_is_restored_by_a_copy_onto_itself(versioned):
    first = versioned.put_object(Bucket=BUCKET, Key="k", Body=b"1")["VersionId"]
    versioned.put_object(Bucket=BUCKET, Key="k", Body=b"2")
    made = copy(versioned, source=f"{BUCKET}/k?versionId={first}", key="k")
    assert made["CopySourceVersionId"] == first
    assert versioned.get_object(Bucket=BUCKET, Key="k")["Body"] == b"1"
    assert made["VersionId"] not in (first, None)


def test_a_delete_marker_is_no_source(versioned):
    versioned.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    marker = versioned.delete_object(Bucket=BUCKET, Key="k")["VersionId"]
    assert refused(copy, s3=versioned).code == "NoSuchKey"
    assert refused(copy, s3=versioned, source=f"{BUCKET}/k?versionId={marker}").code == "InvalidRequest"


@pytest.mark.parametrize("source", ["abc", "/abc", "abc/", ""])
def test_a_source_must_name_bucket_and_key(filled, source):
    assert refused(copy, s3=filled, source=source).code == "InvalidArgument"


def test_a_source_is_percent_encoded(s3):
    s3.put_object(Bucket=BUCKET, Key="a b/ü?x", Body=b"1")
    copy(s3, source=f"/{BUCKET}/a%20b/%C3%BC%3Fx")
    assert s3.get_object(Bucket=BUCKET, Key="c")["Body"] == b"1"


def test_copies_go_between_buckets_but_not_out_of_a_stranger_s(filled):
    filled.create_bucket(Bucket="second")
    copy(filled, bucket="second")
    assert filled.get_object(Bucket="second", Key="c")["Body"] == b"hello" * 50_000
    stranger = filled.by(OTHER)
    stranger.create_bucket(Bucket="strange")
    assert refused(copy, s3=stranger, bucket="strange").code == "AccessDenied"
