"""GetObjectAttributes, access control lists of objects, and archived objects."""

import pytest
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, NOBODY, OTHER

from cloudstead.services.s3.rows import ALL_USERS, canonical_id


def put(s3, **more):
    return s3.put_object(Bucket=BUCKET, Key="k", Body=b"hello", **more)


def test_the_attributes_that_are_asked_for_are_told(s3):
    put(s3)
    told = s3.get_object_attributes(Bucket=BUCKET, Key="k", ObjectAttributes=["ETag", "ObjectParts"])
    assert told.pop("LastModified") is not None
    assert told == {"ETag": "5d41402abc4b2a76b9719d911017c592"}
    told = s3.get_object_attributes(
        Bucket=BUCKET, Key="k", ObjectAttributes=["Checksum", "StorageClass", "ObjectSize"]
    )
    assert told["Checksum"] == {"ChecksumCRC64NVME": "M3eFcAZSQlc=", "ChecksumType": "FULL_OBJECT"}
    assert (told["StorageClass"], told["ObjectSize"]) == ("STANDARD", 5)
    refusal = refused(s3.get_object_attributes, Bucket=BUCKET, Key="k", ObjectAttributes=["Colour"])
    assert refusal.code == "InvalidArgument"


# --- access control lists


def test_an_object_of_today_is_its_bucket_owner_s_alone(s3):
    put(s3)
    acl = s3.get_object_acl(Bucket=BUCKET, Key="k")
    owner = acl["Owner"]["ID"]
    assert [(one["Grantee"]["ID"], one["Permission"]) for one in acl["Grants"]] == [(owner, "FULL_CONTROL")]
    assert refused(s3.put_object_acl, Bucket=BUCKET, Key="k", ACL="public-read").code == (
        "AccessControlListNotSupported"
    )
    assert refused(put, s3=s3, ACL="public-read").code == "AccessControlListNotSupported"
    put(s3, ACL="bucket-owner-full-control")
    for who in (NOBODY, OTHER):
        assert refused(s3.by(who).get_object, Bucket=BUCKET, Key="k").code == "AccessDenied"


def test_where_acls_decide_a_public_object_is_public(old_s3):
    nobody = old_s3.by(NOBODY)
    put(old_s3)
    assert refused(nobody.get_object, Bucket=BUCKET, Key="k").status == 403
    old_s3.put_object_acl(Bucket=BUCKET, Key="k", ACL="public-read")
    assert nobody.get_object(Bucket=BUCKET, Key="k")["Body"] == b"hello"
    assert nobody.head_object(Bucket=BUCKET, Key="k")["ContentLength"] == 5
    assert refused(nobody.get_object_acl, Bucket=BUCKET, Key="k").status == 403
    assert refused(nobody.get_object, Bucket=BUCKET, Key="none").status == 403
    grants = old_s3.get_object_acl(Bucket=BUCKET, Key="k")["Grants"]
    assert grants[1]["Grantee"] == {"Type": "Group", "URI": ALL_USERS}
    old_s3.put_object_acl(Bucket=BUCKET, Key="k", ACL="private")
    assert refused(nobody.get_object, Bucket=BUCKET, Key="k").status == 403


def test_what_another_account_writes_is_its_own(old_s3):
    old_s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read-write")
    other = old_s3.by(OTHER)
    put(other, ACL="private")
    assert other.get_object_acl(Bucket=BUCKET, Key="k")["Owner"]["ID"] == canonical_id(OTHER.account)
    assert refused(old_s3.get_object, Bucket=BUCKET, Key="k").status == 403
    assert other.get_object(Bucket=BUCKET, Key="k")["Body"] == b"hello"
    put(other, ACL="bucket-owner-full-control")
    assert old_s3.get_object(Bucket=BUCKET, Key="k")["Body"] == b"hello"


# --- archives


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_must_be_restored_to_be_read(s3, clock, storage_class):
    put(s3, StorageClass=storage_class)
    refusal = refused(s3.get_object, Bucket=BUCKET, Key="k")
    assert (refusal.status, refusal.code, refusal.error["StorageClass"]) == (
        403,
        "InvalidObjectState",
        storage_class,
    )
    assert s3.head_object(Bucket=BUCKET, Key="k")["StorageClass"] == storage_class
    source = f"{BUCKET}/k"
    assert refused(s3.copy_object, Bucket=BUCKET, Key="c", CopySource=source).code == "InvalidObjectState"
    s3.restore_object(Bucket=BUCKET, Key="k", RestoreRequest={"Days": 1})
    assert s3.status == 202
    s3.restore_object(Bucket=BUCKET, Key="k", RestoreRequest={"Days": 1})
    assert s3.status == 200
    assert s3.get_object(Bucket=BUCKET, Key="k")["Restore"].startswith(
        'ongoing-request="false", expiry-date="'
    )
    page = s3.list_objects_v2(Bucket=BUCKET, OptionalObjectAttributes=["RestoreStatus"])
    assert page["Contents"][0]["RestoreStatus"]["IsRestoreInProgress"] is False
    clock.advance(2 * 86_400)
    assert refused(s3.get_object, Bucket=BUCKET, Key="k").code == "InvalidObjectState"


def test_what_is_not_archived_needs_no_restoring(s3):
    put(s3)
    refusal = refused(s3.restore_object, Bucket=BUCKET, Key="k", RestoreRequest={"Days": 1})
    assert (refusal.status, refusal.code) == (403, "InvalidObjectState")
