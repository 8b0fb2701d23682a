"""Versions, delete markers, and deleting: one, a version for good, many."""

import pytest
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, OTHER


def put(s3, body, key="k", **more):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def get(s3, key="k", **more):
    return s3.get_object(Bucket=BUCKET, Key=key, **more)


def delete(s3, key="k", **more):
    return s3.delete_object(Bucket=BUCKET, Key=key, **more)


def suspend(s3):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})


def test_every_version_can_be_read(versioned):
    first, second = put(versioned, b"1")["VersionId"], put(versioned, b"2")["VersionId"]
    assert first != second
    assert get(versioned)["Body"] == b"2"
    assert get(versioned)["VersionId"] == second
    assert get(versioned, VersionId=first)["Body"] == b"1"


def test_a_delete_marker_hides_and_can_be_taken_away(versioned):
    version = put(versioned, b"1")["VersionId"]
    marker = delete(versioned)
    assert marker["DeleteMarker"] is True
    missing = refused(get, s3=versioned)
    assert (missing.status, missing.code) == (404, "NoSuchKey")
    assert missing.headers["x-amz-delete-marker"] == "true"
    assert missing.headers["x-amz-version-id"] == marker["VersionId"]
    itself = refused(get, s3=versioned, VersionId=marker["VersionId"])
    assert (itself.status, itself.code) == (405, "MethodNotAllowed")
    assert (itself.headers["allow"], itself.headers["x-amz-delete-marker"]) == ("DELETE", "true")
    assert "last-modified" in itself.headers
    head = refused(versioned.head_object, Bucket=BUCKET, Key="k", VersionId=marker["VersionId"])
    assert (head.status, head.body) == (405, b"")
    assert get(versioned, VersionId=version)["Body"] == b"1"
    assert delete(versioned, VersionId=marker["VersionId"]) == marker
    assert get(versioned)["Body"] == b"1"


def test_under_a_delete_marker_there_is_nothing_to_read_and_nothing_to_change(versioned):
    named = {"Bucket": BUCKET, "Key": "k"}
    versioned.put_object(**named, Body=b"x")
    marker = delete(versioned)
    for read in (versioned.get_object_tagging, versioned.get_object_acl):
        assert refused(read, **named).code == "NoSuchKey"
    source = {"Bucket": BUCKET, "Key": "c", "CopySource": f"{BUCKET}/k"}
    assert refused(versioned.copy_object, **source).code == "NoSuchKey"
    tags = {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}
    for change, more in ((versioned.put_object_tagging, tags), (versioned.delete_object_tagging, {})):
        refusal = refused(change, **named, **more)
        assert (refusal.status, refusal.code) == (405, "MethodNotAllowed")
        assert refusal.headers["x-amz-version-id"] == marker["VersionId"]


def test_a_version_deleted_is_gone_for_good(versioned):
    first, second = put(versioned, b"1")["VersionId"], put(versioned, b"2")["VersionId"]
    assert delete(versioned, VersionId=second) == {"VersionId": second}
    assert get(versioned)["Body"] == b"1"
    refusal = refused(get, s3=versioned, VersionId=second)
    assert (refusal.status, refusal.code) == (404, "NoSuchVersion")
    delete(versioned, VersionId=first)
    assert refused(get, s3=versioned).code == "NoSuchKey"


def test_a_suspended_bucket_writes_over_its_null_version_alone(versioned):
    version = put(versioned, b"1")["VersionId"]
    suspend(versioned)
    assert "VersionId" not in put(versioned, b"2")
    put(versioned, b"3")
    assert get(versioned, VersionId="null")["Body"] == b"3"
    assert get(versioned, VersionId=version)["Body"] == b"1"
    assert delete(versioned) == {"DeleteMarker": True, "VersionId": "null"}
    assert refused(get, s3=versioned).code == "NoSuchKey"
    assert [one["VersionId"] for one in versioned.list_object_versions(Bucket=BUCKET)["Versions"]] == [
        version
    ]


def test_what_was_there_before_versioning_is_the_null_version(s3):
    put(s3, b"old")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    put(s3, b"new")
    assert get(s3, VersionId="null")["Body"] == b"old"


@pytest.mark.parametrize("bad", ["", "x", "no-version"])
def test_what_is_no_version_id_is_refused(versioned, bad):
    put(versioned, b"1")
    refusal = refused(
        versioned.by(versioned._caller).get_object_tagging, Bucket=BUCKET, Key="k", VersionId=bad
    )
    assert (refusal.status, refusal.code) == (400, "InvalidArgument")


def test_deleting_what_is_not_there_succeeds(s3):
    assert delete(s3) == {}
    assert s3.status == 204
    put(s3, b"1")
    assert delete(s3) == {}
    assert refused(get, s3=s3).code == "NoSuchKey"


def test_deleting_on_a_condition(versioned):
    etag = put(versioned, b"1")["ETag"]
    assert refused(delete, s3=versioned, IfMatch='"x"').status == 412
    assert refused(delete, s3=versioned, key="none", IfMatch="*").status == 404
    delete(versioned, IfMatch=etag)
    assert refused(delete, s3=versioned, IfMatch="*").status == 412
    assert refused(delete, s3=versioned, IfMatchSize=1).status == 501


def test_many_are_deleted_at_once_each_with_its_own_outcome(versioned):
    version = put(versioned, b"1", "a")["VersionId"]
    put(versioned, b"1", "b")
    asked = [{"Key": "a", "VersionId": version}, {"Key": "b"}, {"Key": "none"}, {"Key": "b", "ETag": '"x"'}]
    done = versioned.delete_objects(Bucket=BUCKET, Delete={"Objects": asked})
    assert done["Deleted"][0] == {"Key": "a", "VersionId": version}
    assert [one.get("DeleteMarker") for one in done["Deleted"][1:]] == [True, True]
    assert [(one["Key"], one["Code"]) for one in done["Errors"]] == [("b", "PreconditionFailed")]
    quiet = versioned.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "c"}], "Quiet": True})
    assert quiet == {}


def test_at_most_a_thousand_are_deleted_at_once(s3):
    keys = [{"Key": f"k{n}"} for n in range(1001)]
    assert refused(s3.delete_objects, Bucket=BUCKET, Delete={"Objects": keys}).code == "MalformedXML"
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys[:1000]})


def test_nobody_deletes_in_a_bucket_of_another(s3):
    put(s3, b"1")
    other = s3.by(OTHER)
    assert refused(delete, s3=other).code == "AccessDenied"
    done = other.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "k"}]})
    assert [one["Code"] for one in done["Errors"]] == ["AccessDenied"]
    assert get(s3)["Body"] == b"1"
