"""SSE-KMS: each object has a key of its own, and KMS's key says whether it can be read."""

import base64
import hmac
import json

import pytest
from tests.support.api import Api
from tests.unit.s3.objects.client import Pieces, refused
from tests.unit.s3.objects.conftest import BUCKET, NOBODY, OTHER, SEALING_KEY
from tests.unit.s3.objects.test_encryption import SECRET, at_rest

from cloudstead.dataplane.objects import driver
from cloudstead.services.kms.operations import parts
from cloudstead.services.kms.rows import Key
from cloudstead.services.kms.sealing import Seal
from cloudstead.services.s3 import encryption, objects_meta
from cloudstead.services.s3.rows import Bucket

KMS = {"ServerSideEncryption": "aws:kms"}
CONTEXT = base64.b64encode(json.dumps({"department": "ä"}).encode()).decode()


@pytest.fixture
def kms(store, tools):
    return Api("kms", *parts(store, tools, SEALING_KEY))


@pytest.fixture
def key(kms):
    """The ARN of a key that `alias/mine` stands for."""
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=arn)
    return arn


def put(s3, name="k", body=SECRET, **more):
    return s3.put_object(Bucket=BUCKET, Key=name, Body=body, **KMS, **more)


def got(s3, name="k", **more):
    return s3.get_object(Bucket=BUCKET, Key=name, **more)["Body"]


def entry_of(store, engine, name="k"):
    return engine.get(store.get(Bucket, BUCKET).bucket_id, name)


def test_a_key_goes_by_all_its_names(s3, key):
    for name in (key, key.rpartition("/")[2], "alias/mine", key.partition("key/")[0] + "alias/mine"):
        assert put(s3, SSEKMSKeyId=name)["SSEKMSKeyId"] == key
        assert got(s3) == SECRET


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("alias/none", "KMS.NotFoundException"),
        ("0", "KMS.NotFoundException"),
        ("00000000-0000-0000-0000-000000000000", "KMS.NotFoundException"),
        (
            "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000",
            "KMS.NotFoundException",
        ),
    ],
)
def test_a_key_that_is_not_there_is_told_as_s3_tells_it(s3, name, code):
    refusal = refused(put, s3=s3, SSEKMSKeyId=name)
    assert (refusal.status, refusal.code) == (400, code)


def test_no_two_objects_have_the_same_key(s3, store, engine, key):
    sealed_keys = set()
    for name in ("a", "b"):
        put(s3, name, SSEKMSKeyId=key)
        sealed_keys.add(objects_meta.of(entry_of(store, engine, name)).encryption.sealed_key)
    assert len(sealed_keys) == 2


def test_a_disabled_key_opens_nothing_and_seals_nothing_until_it_is_enabled(s3, kms, key):
    put(s3, SSEKMSKeyId=key)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="m", **KMS, SSEKMSKeyId=key)["UploadId"]
    kms.disable_key(KeyId=key)
    for call in (
        lambda: put(s3, "other", SSEKMSKeyId=key),
        lambda: got(s3),
        lambda: s3.copy_object(Bucket=BUCKET, Key="c", CopySource=f"{BUCKET}/k"),
        lambda: s3.upload_part(Bucket=BUCKET, Key="m", UploadId=upload, PartNumber=1, Body=b"x"),
    ):
        refusal = refused(call)
        assert (refusal.status, refusal.code) == (400, "KMS.DisabledException")
        assert refusal.message == f"{key} is disabled."
    assert s3.head_object(Bucket=BUCKET, Key="k")["SSEKMSKeyId"] == key
    kms.enable_key(KeyId=key)
    assert got(s3) == SECRET


def test_an_object_is_lost_with_its_key(s3, kms, key, clock):
    put(s3, SSEKMSKeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    refusal = refused(lambda: got(s3))
    assert (refusal.status, refusal.code) == (400, "KMS.KMSInvalidStateException")
    assert refusal.message == f"{key} is pending deletion."
    clock.advance(8 * 86400)
    assert refused(lambda: got(s3)).code == "KMS.NotFoundException"
    assert refused(put, s3=s3, SSEKMSKeyId=key).code == "KMS.NotFoundException"
    assert refused(put, s3=s3, SSEKMSKeyId="alias/mine").code == "KMS.NotFoundException"


def test_a_rotated_key_opens_what_it_sealed_before(s3, kms, key):
    put(s3, SSEKMSKeyId=key)
    kms.rotate_key_on_demand(KeyId=key)
    put(s3, "later", SSEKMSKeyId=key)
    assert got(s3) == got(s3, "later") == SECRET


@pytest.mark.parametrize("bucket_key", [False, True])
def test_an_object_s_key_opens_in_its_own_place_alone(s3, kms, store, engine, key, bucket_key):
    put(s3, SSEKMSKeyId=key, SSEKMSEncryptionContext=CONTEXT, BucketKeyEnabled=bucket_key)
    assert got(s3) == SECRET
    sealed = objects_meta.of(entry_of(store, engine)).encryption.sealed_key
    place = f"arn:aws:s3:::{BUCKET}" + ("" if bucket_key else "/k")
    context = {"aws:s3:arn": place, "department": "ä"}
    assert len(kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"]) == 32
    for wrong in ({**context, "department": "b"}, {**context, "aws:s3:arn": place + "2"}):
        with pytest.raises(Exception, match="InvalidCiphertext"):
            kms.decrypt(CiphertextBlob=sealed, EncryptionContext=wrong)


def test_a_bucket_s_default_key_is_used(s3, key):
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"}
    s3.put_bucket_encryption(
        Bucket=BUCKET,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]},
    )
    assert s3.put_object(Bucket=BUCKET, Key="k", Body=SECRET)["SSEKMSKeyId"] == key
    assert got(s3) == SECRET


def test_nobody_without_a_signature_reads_and_strangers_need_the_key_s_policy(old_s3, store, kms, key):
    stranger = old_s3.by(OTHER)
    put(old_s3, SSEKMSKeyId=key, ACL="public-read")
    old_s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read-write")
    nobody = old_s3.by(NOBODY)
    for call in (lambda: got(nobody), lambda: put(nobody, "n"), lambda: put(nobody, "n", SSEKMSKeyId=key)):
        refusal = refused(call)
        assert (refusal.status, refusal.code) == (400, "InvalidArgument")
        assert refusal.message.endswith("require AWS Signature Version 4.")
    assert refused(nobody.head_object, Bucket=BUCKET, Key="k").status == 400
    assert {row.account for row in store.rows(Key)} == {"123456789012"}
    assert refused(lambda: got(stranger)).status == 403
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*", "Resource": "*"}
        for account in (OTHER.account, "123456789012")
    ]
    kms.put_key_policy(KeyId=key, Policy=json.dumps({"Statement": statements}))
    assert got(stranger) == SECRET


def test_who_signs_as_in_old_times_gets_nothing_from_kms(s3, key):
    put(s3, SSEKMSKeyId=key)
    s3.put_object(Bucket=BUCKET, Key="plain", Body=SECRET)
    old = s3.signing(2)
    assert got(old, "plain") == SECRET
    for call in (lambda: got(old), lambda: put(old, "n"), lambda: old.head_object(Bucket=BUCKET, Key="k")):
        assert refused(call).status == 400


# --- two layers


@pytest.mark.parametrize("size", [0, 1, 65_500, 65_536, 131_072, 300_001])
def test_dsse_seals_twice_and_any_part_of_it_can_be_read(s3, store, loop, engine, size):
    body = bytes(n * 7 % 251 for n in range(size))
    s3.put_object(Bucket=BUCKET, Key="k", Body=body, ServerSideEncryption="aws:kms:dsse")
    sealed = at_rest(store, loop, engine)
    assert len(sealed) == encryption.sealed_size(size, 2) > encryption.sealed_size(size)
    once = encryption.open_whole(SEALING_KEY, sealed)
    assert len(once) == encryption.sealed_size(size)
    assert size < 64 or body[:64] not in once
    assert got(s3) == body
    for start, end in ((0, 10), (size // 2, size // 2 + 70_000), (size - 5, size - 1)):
        if 0 <= start < size:
            assert got(s3, Range=f"bytes={start}-{end}") == body[start : end + 1]
    streamed = {"ServerSideEncryption": "aws:kms:dsse", "body": Pieces(body[:1000], body[1000:])}
    s3.put_object(Bucket=BUCKET, Key="s", **streamed)
    assert got(s3, "s") == body


def test_parts_are_sealed_twice_too(s3):
    parts = [bytes([n]) * (5 << 20) for n in (1, 2)] + [b"end"]
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="k", ServerSideEncryption="aws:kms:dsse")
    to = {"Bucket": BUCKET, "Key": "k", "UploadId": upload["UploadId"]}
    etags = [s3.upload_part(**to, PartNumber=n, Body=body)["ETag"] for n, body in enumerate(parts, 1)]
    listed = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]
    s3.complete_multipart_upload(**to, MultipartUpload={"Parts": listed})
    whole = b"".join(parts)
    assert got(s3, PartNumber=3) == b"end"
    assert got(s3, Range="bytes=5242870-5242890") == whole[5242870:5242891]
    assert s3.head_object(Bucket=BUCKET, Key="k")["ContentLength"] == len(whole)


# --- what was there before


def test_objects_sealed_before_there_was_kms_can_still_be_read(s3, kms, store, loop, tools, engine):
    """Their bodies were sealed under a key made of the master key and the context."""
    arn = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    material = Seal(SEALING_KEY).open(store.get(Key, arn).materials[0].sealed, arn)
    bucket = store.get(Bucket, BUCKET).bucket_id

    async def put_old():
        sealed = encryption.seal(hmac.digest(material, CONTEXT.encode(), "sha256"), bytes(16), SECRET)
        writer = engine.writer(bucket, len(sealed))
        await writer.write(sealed)
        meta = objects_meta.Meta(
            size=len(SECRET), encryption=objects_meta.Encryption("aws:kms:dsse", arn, CONTEXT)
        )
        change = driver.Put(
            key="old",
            version_id="null",
            modified_ms=1,
            etag="e",
            meta=objects_meta.packed(meta),
            body=await writer.close(),
        )
        await engine.commit(bucket, [change])

    loop.run_until_complete(put_old())
    assert got(s3, "old") == SECRET
    s3.copy_object(Bucket=BUCKET, Key="new", CopySource=f"{BUCKET}/old")
    assert got(s3, "new") == SECRET
