"""What a write wants of the new version beside its bytes: headers, metadata, tags, class, locks, ACL, encryption.

PutObject, CreateMultipartUpload and CopyObject say it with the same members, so it is read here for all of them.
"""

from collections.abc import Mapping
from typing import Any

from cloudstead.core import encoded_words
from cloudstead.core.caller import Caller
from cloudstead.services.s3 import access, acl_grants, objects_lock, public_access, tagging
from cloudstead.services.s3.errors import (
    InvalidRequest,
    InvalidStorageClass,
    MetadataTooLarge,
    NotImplementedHeader,
    S3Error,
)
from cloudstead.services.s3.objects import Objects
from cloudstead.services.s3.objects_meta import (
    DEFAULT_CONTENT_TYPE,
    HEADERS,
    USER_METADATA_BYTES_MAX,
    Meta,
)
from cloudstead.services.s3.rows import Acl, Bucket

_STORAGE_CLASSES = frozenset(
    (
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    )
)
#: Says how the body was sent, and so nothing of the object.
_TRANSFER_CODING = "aws-chunked"
#: What one needs a permission of its own for, by the member that asks for it.
_FURTHER_ACTIONS = {
    "ACL": "s3:PutObjectAcl",
    "GrantFullControl": "s3:PutObjectAcl",
    "GrantRead": "s3:PutObjectAcl",
    "GrantReadACP": "s3:PutObjectAcl",
    "GrantWriteACP": "s3:PutObjectAcl",
    "Tagging": "s3:PutObjectTagging",
    "ObjectLockMode": "s3:PutObjectRetention",
    "ObjectLockLegalHoldStatus": "s3:PutObjectLegalHold",
}


def wanted(objects: Objects, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> Meta:
    """The metadata of a new version, but for what its bytes say. The caller may write it; raises otherwise."""
    check_allowed(objects, caller, bucket, request)
    retention, held = objects_lock.of_request(caller, request, bucket, objects.now())
    return Meta(
        encryption=objects.vault.chosen(caller, request, bucket),
        headers=headers(request),
        user=user_metadata(request),
        tags=tagging.of_header(request.get("Tagging")),
        storage_class=storage_class(request),
        acl=acl(objects, caller, bucket, request),
        retention=retention,
        held=held,
    )


def check_allowed(objects: Objects, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> None:
    key = request["Key"]
    access.check(objects.store, caller, bucket, "s3:PutObject", key, request=request)
    if caller.account == bucket.account and bucket.policy is None:
        return
    own = access.own_acl(objects.store, caller, bucket)
    for action in dict.fromkeys(_FURTHER_ACTIONS[name] for name in request if name in _FURTHER_ACTIONS):
        access.check(objects.store, caller, bucket, action, key, request=request, acl=own)


def acl(objects: Objects, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> Acl | None:
    """The new version's list; None for the usual one."""
    found = acl_grants.of_object(
        request, access.owner_id(caller), bucket, public_access.of(objects.store, bucket)
    )
    return found if bucket.acls_enabled else None


def headers(request: Mapping[str, Any]) -> dict[str, str]:
    found = {name: request[name] for name in HEADERS if request.get(name)}
    if _TRANSFER_CODING in found.get("ContentEncoding", ""):
        found["ContentEncoding"] = _without_transfer_coding(found["ContentEncoding"])
        if not found["ContentEncoding"]:
            del found["ContentEncoding"]
    found.setdefault("ContentType", DEFAULT_CONTENT_TYPE)
    location = found.get("WebsiteRedirectLocation", "/")
    if not location.startswith(("/", "http://", "https://")):
        raise S3Error(
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
            code="InvalidRedirectLocation",
        )
    return found


def _without_transfer_coding(codings: str) -> str:
    kept = [coding for coding in codings.split(",") if coding.strip() != _TRANSFER_CODING]
    return ",".join(kept).strip(" ,")


def user_metadata(request: Mapping[str, Any]) -> dict[str, str]:
    """What comes back in headers is ASCII, whatever was sent: bytes that are not are taken as latin-1, as S3 takes them."""
    metadata = {name: encoded_words.decoded(text) for name, text in (request.get("Metadata") or {}).items()}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > USER_METADATA_BYTES_MAX:
        raise MetadataTooLarge(fields={"Size": size, "MaxSizeAllowed": USER_METADATA_BYTES_MAX})
    return {name: encoded_words.encoded(text) for name, text in metadata.items()}


def storage_class(request: Mapping[str, Any]) -> str:
    name: str = request.get("StorageClass") or "STANDARD"
    if name not in _STORAGE_CLASSES:
        raise InvalidStorageClass(fields={"StorageClassRequested": name})
    return name


def check_lock_integrity(request: Mapping[str, Any], *, said: bool, what: str) -> None:
    """What is to be locked for years must not have been broken on its way."""
    if objects_lock.asked_for(request) and not said and "ContentMD5" not in request:
        raise InvalidRequest(
            f"Content-MD5 OR x-amz-checksum- HTTP header is required for {what} requests with Object Lock parameters"
        )


def check_no_offset(request: Mapping[str, Any]) -> None:
    """Appending is for directory buckets, which are not built."""
    if "WriteOffsetBytes" in request:
        raise NotImplementedHeader(fields={"Header": "x-amz-write-offset-bytes"})
