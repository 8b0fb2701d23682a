"""The commonest requests of all: a whole current object read, or a small one written, with nothing special about it.

Everything here is said in full elsewhere, and said the same: a test compares. Each function gives None for what is not
plain, and then nothing has happened. What a reader would get wrong: a condition that is not asked here must be one
that a plain bucket, object and request cannot fail.
"""

from collections.abc import Mapping
from hashlib import md5
from typing import Any

from awscrt import checksums as crt

from cloudstead.core.caller import Caller
from cloudstead.core.streams import HttpFacts
from cloudstead.dataplane.objects import driver
from cloudstead.dataplane.objects.driver import Entry
from cloudstead.services.s3 import buckets, encryption, objects_meta
from cloudstead.services.s3.checksums import Checksum
from cloudstead.services.s3.objects import Objects, shown_new_version, shown_version
from cloudstead.services.s3.objects_meta import DEFAULT_CONTENT_TYPE, Encryption, Meta, modified_at, of
from cloudstead.services.s3.rows import Bucket

_READ_MEMBERS = frozenset(("Bucket", "Key", "ChecksumMode", "_Http"))
_WRITE_MEMBERS = frozenset(("Bucket", "Key", "Body", "ContentType", "Metadata", "_Http"))
_ENCRYPTION_HEADER = "x-amz-server-side-encryption"
#: Longer keys, and those with more than ASCII in them, are measured before they are believed.
_KEY_CHARACTERS_MAX = 256
_METADATA_MAX = 8
_METADATA_CHARACTERS_MAX = 128
#: How a word of RFC 2047 begins: what it stands for is what is kept.
_ENCODED_WORD = "=?"
_SSE_S3 = Encryption()


def read(objects: Objects, caller: Caller, request: Mapping[str, Any]) -> tuple[dict[str, Any], Entry] | None:
    """The answer about an object but for its body, and the object."""
    if not request.keys() <= _READ_MEMBERS:
        return None
    http, key = request.get("_Http"), request["Key"]
    if isinstance(http, HttpFacts) and _ENCRYPTION_HEADER in http.headers:
        return None
    bucket = _bucket(objects, caller, request)
    if bucket is None or len(key) > _KEY_CHARACTERS_MAX or not key.isascii():
        return None
    entry = objects.engine.get(bucket.bucket_id, key)
    if entry is None or entry.delete_marker:
        return None
    meta = of(entry)
    if not _is_plain(meta):
        return None
    answer = {
        "AcceptRanges": "bytes",
        "LastModified": modified_at(entry),
        "ContentLength": meta.size,
        "ETag": f'"{entry.etag}"',
        "Metadata": meta.user,
        **meta.headers,
        "ServerSideEncryption": "AES256",
        **shown_version(bucket, entry.version_id),
    }
    mode = request.get("ChecksumMode")
    if mode is not None and meta.checksum is not None and mode.upper() == "ENABLED":
        answer |= meta.checksum.shown()
    return answer, entry


def body(objects: Objects, entry: Entry) -> bytes | bytearray | None:
    """The bytes of what `read` found, if they are at hand and few."""
    if entry.parts_count or entry.size > driver.WHOLE_BYTES_MAX:
        return None
    sealed = objects.engine.peek(entry)
    return None if sealed is None else encryption.open_whole(objects.vault.sealing_key, sealed)


async def write(objects: Objects, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """A small new version, kept; the answer."""
    content, key = request.get("Body") or b"", request["Key"]
    if (
        not request.keys() <= _WRITE_MEMBERS
        or not isinstance(content, bytes)
        or len(content) > encryption.CHUNK_BYTES
    ):
        return None
    http, user = request.get("_Http"), request.get("Metadata") or {}
    if isinstance(http, HttpFacts) and (http.method != "PUT" or "x-amz-trailer" in http.headers):
        return None
    bucket = _bucket(objects, caller, request)
    if (
        bucket is None
        or bucket.encryption is not None
        or bucket.object_lock
        or bucket.notification is not None
    ):
        return None
    if len(key) > _KEY_CHARACTERS_MAX or not key.isascii() or not _is_short(user):
        return None
    checksum = Checksum("CRC64NVME", crt.crc64nvme(content).to_bytes(8, "big"))
    headers = {"ContentType": request.get("ContentType") or DEFAULT_CONTENT_TYPE}
    meta = Meta(size=len(content), checksum=checksum, headers=headers, user=user)
    salt = objects.tools.random.randbytes(encryption.SALT_BYTES)
    sealed = encryption.seal(objects.vault.sealing_key, salt, content)
    put = driver.Put(
        key=key,
        version_id=objects.new_version_id(bucket),
        modified_ms=objects.now_ms(),
        etag=md5(content, usedforsecurity=False).hexdigest(),
        meta=objects_meta.packed(meta),
        body=objects.engine.small(sealed),
    )
    entry = await objects.put(bucket, put)
    return {
        "ETag": f'"{entry.etag}"',
        **checksum.shown(),
        "ServerSideEncryption": "AES256",
        **shown_new_version(entry),
    }


def _bucket(objects: Objects, caller: Caller, request: Mapping[str, Any]) -> Bucket | None:
    """The bucket, if whoever calls may do all in it, and nothing is told about it but what its objects tell."""
    bucket = objects.store.get(Bucket, request["Bucket"])
    if (
        bucket is None
        or bucket.account != caller.account
        or bucket.policy is not None
        or bucket.ownership != "BucketOwnerEnforced"
        or bucket.lifecycle is not None
    ):
        return None
    buckets.check_region(caller, bucket, request)
    return bucket


def _is_plain(meta: Meta) -> bool:
    return (
        meta.storage_class == "STANDARD"
        and meta.encryption == _SSE_S3
        and not meta.tags
        and meta.retention is None
        and meta.held is None
        and not meta.restored_until_ms
        and "Expires" not in meta.headers
    )


def _is_short(user: Mapping[str, str]) -> bool:
    """Whether nobody need measure or write otherwise the client's own metadata."""
    return not user or (
        len(user) <= _METADATA_MAX
        and all(
            len(text) <= _METADATA_CHARACTERS_MAX
            and text.isascii()
            and text.isprintable()
            and _ENCODED_WORD not in text
            for pair in user.items()
            for text in pair
        )
    )
