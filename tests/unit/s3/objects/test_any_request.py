"""Requests of any shape: always an answer or an error of S3's, never anything half done."""

import random

import pytest
from tests.compat.wire_values import Values
from tests.unit.s3.objects.client import MODEL, Refusal
from tests.unit.s3.objects.conftest import BUCKET

OBJECTS = [
    "put_object",
    "get_object",
    "head_object",
    "delete_object",
    "delete_objects",
    "copy_object",
    "get_object_attributes",
    "list_objects",
    "list_objects_v2",
    "list_object_versions",
    "put_object_tagging",
    "get_object_tagging",
    "delete_object_tagging",
    "get_object_acl",
    "put_object_acl",
    "put_object_legal_hold",
    "get_object_legal_hold",
    "put_object_retention",
    "get_object_retention",
    "create_multipart_upload",
    "upload_part",
    "upload_part_copy",
    "list_parts",
    "list_multipart_uploads",
    "complete_multipart_upload",
    "abort_multipart_upload",
    "restore_object",
    "rename_object",
    "update_object_encryption",
    "get_object_torrent",
]
EACH = 12
#: What is rather taken than anything at all, so that requests get far.
LIKELY = {
    "Key": ["a", "b", "a/b", "..", "é"],
    "VersionId": ["null"],
    "Range": ["bytes=0-3", "bytes=-1", "bytes=9999999-"],
    "PartNumber": [1, 2, 10_000],
    "MaxKeys": [0, 1, 1000],
    "CopySource": [f"{BUCKET}/a", f"{BUCKET}/b?versionId=null", "/", f"{BUCKET}/%ff"],
    "CopySourceRange": ["bytes=0-1", "bytes=5-1"],
    "StorageClass": ["STANDARD", "GLACIER"],
    "ACL": ["private", "bucket-owner-full-control"],
    "WebsiteRedirectLocation": ["/x"],
    "MetadataDirective": ["REPLACE", "COPY"],
    "RenameSource": ["a", "b", "%ff", "none"],
    "SSEKMSKeyId": ["alias/aws/s3", "0", "alias/none"],
    "ObjectAttributes": [["ETag", "ObjectParts"], ["ObjectSize"]],
    "Metadata": [{"a": "1"}, {"a": "x" * 2048}],
    "ServerSideEncryption": ["AES256", "aws:kms", "aws:kms:dsse"],
    "EncodingType": ["url"],
    "Tagging": ["a=1", "&&", "%ff=%00"],
    "Delimiter": ["/", "", "b"],
    "ContinuationToken": ["YQ==", "?"],
}
#: What keeps nearly every request from getting anywhere.
RARE = (
    "SSECustomer",
    "CopySourceSSECustomer",
    "ObjectLock",
    "Checksum",
    "ContentMD5",
    "CopySourceIf",
    "Destination",
    "Expected",
    "Grant",
    "If",
    "SourceIf",
    "WriteOffset",
)


def made(chance, name, uploads):
    """The parameters of a call."""
    shape = MODEL.operation_model(MODEL_NAMES[name]).input_shape
    params = Values(f"{name} {chance.random()}", direction="input").of(shape)
    for member in list(params):
        rare = 0.95 if member.startswith(RARE) else 0.5
        if member not in shape.required_members and chance.random() < rare:
            del params[member]
        elif isinstance(params[member], type(LIKELY.get(member, [None])[0])) and chance.random() < 0.8:
            params[member] = chance.choice(LIKELY[member])
    params["Bucket"] = BUCKET
    if "UploadId" in params and uploads and chance.random() < 0.8:
        params["Key"], params["UploadId"] = chance.choice(uploads)
    return params


MODEL_NAMES = {name: "".join(word.capitalize() for word in name.split("_")) for name in OBJECTS}


def spoilt(chance):
    """Headers that no client of ours would send."""
    names = [
        "x-amz-trailer",
        "x-amz-checksum-sha256",
        "content-md5",
        "x-amz-copy-source-range",
        "if-none-match",
        "x-amz-tagging",
        "range",
        "x-amz-object-lock-mode",
        "x-amz-storage-class",
        "x-amz-server-side-encryption-customer-key",
    ]
    values = ["", "x", "*", "\u00e9", "bytes=1-0", "AAAA", "a=b&a=b", "=" * 2000]
    return {chance.choice(names): chance.choice(values)} if chance.random() < 0.3 else {}


def answered(s3, name, spoil, params):
    """The refusal, or None."""
    try:
        getattr(s3, name)(spoil=spoil, **params)
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.parametrize("name", OBJECTS)
def test_no_request_is_answered_with_an_internal_error(versioned, store, name):
    chance = random.Random(name)
    for key in ("a", "b", "a/b"):
        versioned.put_object(Bucket=BUCKET, Key=key, Body=key.encode() * 5)
    uploads = [
        (key, versioned.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]) for key in ("a", "b")
    ]
    for _ in range(EACH):
        refusal = answered(versioned, name, spoilt(chance), made(chance, name, uploads))
        assert refusal is None or refusal.status < 500 or refusal.code == "NotImplemented", refusal
    for version in versioned.list_object_versions(Bucket=BUCKET).get("Versions", []):
        head = versioned.head_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
        if head.get("StorageClass") not in ("GLACIER", "DEEP_ARCHIVE"):
            got = versioned.get_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
            assert len(got["Body"]) == version["Size"] == head["ContentLength"]
