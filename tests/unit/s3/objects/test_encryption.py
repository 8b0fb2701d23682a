"""Bodies at rest: really sealed, under the key that was asked for, and told as S3 tells it."""

import base64
import hashlib

import pytest
from tests.unit.s3.objects.client import Pieces, refused
from tests.unit.s3.objects.conftest import BUCKET

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
SECRET = b"a secret that must not lie on any disk " * 4000


def customer(key, prefix=""):
    return {
        f"{prefix}SSECustomerAlgorithm": "AES256",
        f"{prefix}SSECustomerKey": base64.b64encode(key).decode(),
        f"{prefix}SSECustomerKeyMD5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


def put(s3, key="k", **more):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=SECRET, **more)


def at_rest(store, loop, engine, key="k"):
    from cloudstead.services.s3.rows import Bucket

    entry = engine.get(store.get(Bucket, BUCKET).bucket_id, key)

    async def read():
        return b"".join([piece async for piece in engine.read(entry)])

    return loop.run_until_complete(read())


KINDS = {
    "default": {},
    "kms": {"ServerSideEncryption": "aws:kms"},
    "customer": customer(KEY),
}


@pytest.mark.parametrize("how", KINDS.values(), ids=list(KINDS))
def test_nothing_of_a_body_can_be_read_at_rest(s3, store, loop, engine, how):
    put(s3, **how)
    sealed = at_rest(store, loop, engine)
    assert len(sealed) > len(SECRET)
    assert b"secret" not in sealed
    asked = how if "SSECustomerKey" in how else {}
    assert s3.get_object(Bucket=BUCKET, Key="k", **asked)["Body"] == SECRET
    got = s3.get_object(Bucket=BUCKET, Key="k", Range="bytes=70000-140000", **asked)
    assert got["Body"] == SECRET[70_000:140_001]


def test_a_key_of_the_client_s_is_needed_for_everything(s3):
    made = put(s3, **customer(KEY))
    assert made["SSECustomerAlgorithm"] == "AES256"
    assert "ServerSideEncryption" not in made
    assert made["ETag"] != f'"{hashlib.md5(SECRET).hexdigest()}"'
    for call in (s3.get_object, s3.head_object):
        assert refused(call, Bucket=BUCKET, Key="k").status == 400
        assert refused(call, Bucket=BUCKET, Key="k", **customer(OTHER_KEY)).status == 403
    put(s3, "plain")
    refusal = refused(s3.get_object, Bucket=BUCKET, Key="plain", **customer(KEY))
    assert refusal.message == "The encryption parameters are not applicable to this object."


@pytest.mark.parametrize(
    "wrong",
    [
        {"SSECustomerAlgorithm": "AES256"},
        {**customer(KEY), "SSECustomerAlgorithm": "DES"},
        {**customer(KEY), "SSECustomerKeyMD5": customer(OTHER_KEY)["SSECustomerKeyMD5"]},
        customer(b"short"),
        {**customer(KEY), "ServerSideEncryption": "aws:kms"},
    ],
)
def test_a_key_given_wrongly_is_refused(s3, wrong):
    assert refused(put, s3=s3, **wrong).status == 400
    assert refused(s3.head_object, Bucket=BUCKET, Key="k").status == 404


def test_a_copy_goes_from_one_key_to_another(s3):
    put(s3, **customer(KEY))
    s3.copy_object(
        Bucket=BUCKET,
        Key="c",
        CopySource=f"{BUCKET}/k",
        **customer(KEY, "CopySource"),
        **customer(OTHER_KEY),
    )
    assert s3.get_object(Bucket=BUCKET, Key="c", **customer(OTHER_KEY))["Body"] == SECRET
    s3.copy_object(Bucket=BUCKET, Key="d", CopySource=f"{BUCKET}/k", **customer(KEY, "CopySource"))
    assert s3.get_object(Bucket=BUCKET, Key="d")["Body"] == SECRET
    assert s3.head_object(Bucket=BUCKET, Key="d")["ETag"] == f'"{hashlib.md5(SECRET).hexdigest()}"'


def test_kms_has_a_key_of_its_own_for_s3_and_knows_which_keys_there_are(s3):
    made = put(s3, ServerSideEncryption="aws:kms")
    assert made["SSEKMSKeyId"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    assert made["ETag"] != f'"{hashlib.md5(SECRET).hexdigest()}"'
    for name in ("alias/aws/s3", made["SSEKMSKeyId"], made["SSEKMSKeyId"].rpartition("/")[2]):
        again = put(s3, ServerSideEncryption="aws:kms", SSEKMSKeyId=name, BucketKeyEnabled=True)
        assert (again["SSEKMSKeyId"], again["BucketKeyEnabled"]) == (made["SSEKMSKeyId"], True)
    for name in ("alias/mine", "0", made["SSEKMSKeyId"][:-1] + "z"):
        refusal = refused(put, s3=s3, ServerSideEncryption="aws:kms", SSEKMSKeyId=name)
        assert (refusal.status, refusal.code) == (400, "KMS.NotFoundException")
    assert refused(put, s3=s3, ServerSideEncryption="rot13").status == 400
    assert refused(put, s3=s3, SSEKMSKeyId="alias/aws/s3").status == 400


def test_a_bucket_s_default_is_used(s3):
    s3.put_bucket_encryption(
        Bucket=BUCKET,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"},
                    "BucketKeyEnabled": True,
                }
            ]
        },
    )
    made = s3.put_object(Bucket=BUCKET, Key="k", body=Pieces(SECRET[:100_000], SECRET[100_000:]))
    assert (made["ServerSideEncryption"], made["BucketKeyEnabled"]) == ("aws:kms", True)
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"] == SECRET
    assert put(s3, "other", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"


def test_a_read_does_not_say_how_to_encrypt(s3):
    put(s3)
    wrong = {"sent_headers": {"x-amz-server-side-encryption": "AES256"}}
    for call in (s3.get_object, s3.head_object):
        assert refused(call, Bucket=BUCKET, Key="k", **wrong).status == 400
