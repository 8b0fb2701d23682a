"""PutObject: one body becomes one version, whole and durable before the answer, or nothing at all."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudstead.core.caller import Caller
from cloudstead.core.streams import HttpFacts, Incoming
from cloudstead.dataplane.objects import driver
from cloudstead.services.s3 import buckets, checksums, objects_meta, objects_plain
from cloudstead.services.s3.conditions import WriteCondition, check_write, write_condition
from cloudstead.services.s3.objects import Kept, Objects, checked_key, header, shown_new_version
from cloudstead.services.s3.objects_expiry import shown_expiration
from cloudstead.services.s3.objects_meta import Encryption, shown_encryption
from cloudstead.services.s3.objects_wanted import check_lock_integrity, check_no_offset, wanted
from cloudstead.services.s3.rows import Bucket


class PutObjects:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def put_object(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        plain = await objects_plain.write(objects, caller, request)
        if plain is not None:
            return plain
        bucket, key = buckets.find_for(objects.store, caller, request), checked_key(request["Key"])
        check_no_offset(request)
        meta = wanted(objects, caller, bucket, request)
        claimed = checksums.claimed(request, header(request, "x-amz-trailer"))
        check_lock_integrity(request, said=claimed.said, what="Put Object")
        condition = write_condition(request)
        check_early(objects, bucket, key, condition)
        body: bytes | Incoming = request.get("Body") or b""
        sealing = objects.vault.key(meta.encryption, bucket, key, objects.vault.customer(request))
        kept = await objects.keep(bucket, body, claimed, sealing)
        put = driver.Put(
            key=key,
            version_id=objects.new_version_id(bucket),
            modified_ms=objects.now_ms(),
            etag=etag_of(objects, meta.encryption, kept),
            meta=objects_meta.packed(replace(meta, size=kept.size, checksum=kept.checksum)),
            body=kept.blob,
        )
        entry = await objects.put(bucket, put, condition)
        objects.announce(bucket, caller, _event(request), entry)
        return {
            "ETag": f'"{entry.etag}"',
            **kept.checksum.shown(),
            **shown_expiration(bucket, entry),
            **shown_encryption(meta.encryption, context=True),
            **shown_new_version(entry),
        }


def _event(request: Mapping[str, Any]) -> str:
    http = request.get("_Http")
    posted = isinstance(http, HttpFacts) and http.method == "POST"
    return "s3:ObjectCreated:Post" if posted else "s3:ObjectCreated:Put"


def check_early(objects: Objects, bucket: Bucket, key: str, wanted: WriteCondition | None) -> None:
    """Refuse what cannot succeed before all of its body was taken; the commit looks again."""
    if wanted is None:
        return
    entry = objects.engine.get(bucket.bucket_id, key)
    etag = None if entry is None or entry.delete_marker else entry.etag
    check_write(wanted, etag, key=key)


def etag_of(objects: Objects, encryption: Encryption, kept: Kept) -> str:
    """The MD5 of the content where S3 holds the key; otherwise a value that tells nothing about it."""
    return kept.md5.hex() if encryption.kind == "AES256" else objects.tools.random.randbytes(16).hex()
