"""UpdateObjectEncryption: another key, and nothing else about the object is another."""

import pytest
from tests.support.api import Api
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, SEALING_KEY
from tests.unit.s3.objects.test_encryption import KEY, SECRET, at_rest, customer

from cloudstead.services.kms.operations import parts


@pytest.fixture
def kms(store, tools):
    return Api("kms", *parts(store, tools, SEALING_KEY))


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


def update(s3, arn, name="k", bucket_key=False, **more):
    wanted = {"SSEKMS": {"KMSKeyArn": arn, "BucketKeyEnabled": bucket_key}}
    return s3.update_object_encryption(Bucket=BUCKET, Key=name, ObjectEncryption=wanted, **more)


def put(s3, **more):
    return s3.put_object(Bucket=BUCKET, Key="k", Body=SECRET, Metadata={"a": "1"}, **more)


def told(s3):
    """All that is told of it but for how it is encrypted."""
    head = s3.head_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")
    return {name: value for name, value in head.items() if "SSE" not in name and "Encryption" not in name}


def test_from_one_key_of_kms_to_another_no_byte_is_touched(s3, kms, key, store, loop, engine, clock):
    other = kms.create_key()["KeyMetadata"]["Arn"]
    put(s3, ServerSideEncryption="aws:kms", SSEKMSKeyId=other)
    before, sealed = told(s3), at_rest(store, loop, engine)
    clock.advance(100)
    update(s3, key)
    assert (told(s3), at_rest(store, loop, engine)) == (before, sealed)
    assert s3.head_object(Bucket=BUCKET, Key="k")["SSEKMSKeyId"] == key
    kms.disable_key(KeyId=other)
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"] == SECRET
    kms.disable_key(KeyId=key)
    assert refused(s3.get_object, Bucket=BUCKET, Key="k").code == "KMS.DisabledException"


@pytest.mark.parametrize("how", ["plain", "versioned"])
def test_from_sse_s3_it_is_sealed_anew(s3, kms, key, store, loop, engine, clock, how):
    if how == "versioned":
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    put(s3)
    before, sealed = told(s3), at_rest(store, loop, engine)
    clock.advance(100)
    update(s3, key, bucket_key=True)
    assert told(s3) == {**before, "BucketKeyEnabled": True}
    assert at_rest(store, loop, engine) != sealed
    assert len(s3.list_object_versions(Bucket=BUCKET)["Versions"]) == 1
    assert s3.get_object(Bucket=BUCKET, Key="k", Range="bytes=70000-140000")["Body"] == SECRET[70_000:140_001]
    kms.disable_key(KeyId=key)
    assert refused(s3.get_object, Bucket=BUCKET, Key="k").code == "KMS.DisabledException"


def test_parts_stay_parts(s3, key):
    to = {"Bucket": BUCKET, "Key": "k"}
    to["UploadId"] = s3.create_multipart_upload(**to)["UploadId"]
    bodies = [b"a" * (5 << 20), b"b" * 100]
    etags = [s3.upload_part(**to, PartNumber=n, Body=body)["ETag"] for n, body in enumerate(bodies, 1)]
    listed = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]
    s3.complete_multipart_upload(**to, MultipartUpload={"Parts": listed})
    before = told(s3)
    update(s3, key)
    assert told(s3) == before
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"] == b"".join(bodies)
    assert s3.get_object(Bucket=BUCKET, Key="k", PartNumber=2)["Body"] == bodies[1]


def test_what_cannot_be_changed_stays(versioned, kms, key, clock):
    s3 = versioned
    put(s3, **customer(KEY))
    assert refused(update, s3=s3, arn=key).code == "InvalidRequest"
    put(s3, ServerSideEncryption="aws:kms:dsse")
    assert refused(update, s3=s3, arn=key).code == "InvalidRequest"
    first = put(s3)["VersionId"]
    put(s3)
    assert refused(update, s3=s3, arn=key, VersionId=first).status == 501
    assert refused(s3.update_object_encryption, Bucket=BUCKET, Key="k", ObjectEncryption={}).status == 400
    assert refused(update, s3=s3, arn=key.replace("123456789012", "210987654321")).code == "AccessDenied"
    assert refused(update, s3=s3, arn=key[:-1] + "z").code == "KMS.NotFoundException"
    assert refused(update, s3=s3, arn=key, name="none").code == "NoSuchKey"


def test_what_is_locked_stays(locked, key):
    put(locked)
    locked.put_object_legal_hold(Bucket=BUCKET, Key="k", LegalHold={"Status": "ON"})
    refusal = refused(update, s3=locked, arn=key)
    assert (refusal.code, "Object Lock" in refusal.message) == ("AccessDenied", True)
