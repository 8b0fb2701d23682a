"""UpdateObjectEncryption: an object comes under a key of KMS, or under another one, and all else about it stays.

What KMS keeps for an object is only the object's own key, so from one key of KMS to another not a byte of the body is
touched. A body under SSE-S3 has no such key and is sealed anew; that makes a new record, so it must be the newest version.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.dataplane.objects import driver
from cloudstead.dataplane.objects.driver import Blob, Entry
from cloudstead.services.s3 import buckets, encryption, objects_meta
from cloudstead.services.s3.errors import AccessDenied, InvalidRequest
from cloudstead.services.s3.objects import Objects
from cloudstead.services.s3.objects_lock import holds
from cloudstead.services.s3.objects_meta import Encryption, Meta, of
from cloudstead.services.s3.objects_reading import Body, read
from cloudstead.services.s3.rows import Bucket

_ACTION = "s3:UpdateObjectEncryption"


class ObjectEncryption:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def update_object_encryption(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        bucket = buckets.find_for(objects.store, caller, request)
        entry = objects.find(caller, bucket, request, _ACTION, _ACTION)
        if not caller.account:
            raise AccessDenied
        wanted = self._wanted(caller, bucket, request)
        meta = of(entry)
        self._check(meta)
        if meta.encryption.sealed_key:
            again = objects.vault.wrapped_anew(
                caller, meta.encryption, wanted, bucket, (entry.key, entry.key)
            )
            await self._relabel(bucket, entry, meta, again)
        else:
            await self._rewrite(caller, bucket, entry, wanted)
        return {}

    def _wanted(self, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> Encryption:
        """The encryption asked for; the object's own key is not in it yet."""
        asked = request["ObjectEncryption"].get("SSEKMS")
        if asked is None:
            raise InvalidRequest(
                "Requests that modify an object encryption configuration require a valid new encryption type. Valid "
                "values are SSEKMS. Modify the request to specify SSE-KMS for the updated encryption type, and then "
                "try again."
            )
        arn = asked["KMSKeyArn"]
        if arn.split(":")[4:5] != [bucket.account]:
            raise AccessDenied(
                "The Amazon Web Services KMS key in the request must be owned by the same account as the bucket. "
                "Modify the request to specify a KMS key from the same account, and then try again."
            )
        bucket_key = asked.get("BucketKeyEnabled", False)
        return self._objects.vault.named(caller, "aws:kms", arn, bucket, None, bucket_key=bucket_key)

    def _check(self, meta: Meta) -> None:
        if meta.encryption.kind not in ("AES256", "aws:kms"):
            raise InvalidRequest(
                "The UpdateObjectEncryption operation doesn't support source objects with the encryption type "
                "DSSE-KMS or SSE-C. Only source objects encrypted with SSE-S3 or SSE-KMS are supported."
            )
        if holds(meta, self._objects.now(), bypass=False):
            raise AccessDenied(
                "The encryption type for the specified object can't be updated because that object is protected by "
                "S3 Object Lock."
            )

    async def _relabel(self, bucket: Bucket, entry: Entry, meta: Meta, after: Encryption) -> None:
        """Only what is kept beside the body changes."""
        change = driver.SetMeta(
            key=entry.key,
            version_id=entry.version_id,
            meta=objects_meta.packed(replace(meta, encryption=after)),
            revision=entry.revision,
        )
        await self._objects.commit(bucket, [change])

    async def _rewrite(self, caller: Caller, bucket: Bucket, entry: Entry, wanted: Encryption) -> None:
        objects, meta = self._objects, of(entry)
        newest = objects.engine.get(bucket.bucket_id, entry.key)
        if newest is None or newest.version_id != entry.version_id:
            raise NotBuilt(
                "UpdateObjectEncryption of a version under SSE-S3 that is not the newest is not built in Cloudstead's S3"
            )
        after = objects.vault.with_key(caller, wanted, bucket, entry.key)
        with objects.refusals(bucket):
            blob = await self._sealed_anew(caller, bucket, entry, after)
        put = driver.Put(
            key=entry.key,
            version_id=entry.version_id,
            modified_ms=entry.modified_ms,
            etag=entry.etag,
            meta=objects_meta.packed(replace(meta, encryption=after)),
            body=blob,
            parts=tuple(objects.engine.parts(entry)),  # sealed anew they are as long as they were
        )
        unchanged = driver.RevisionIs(key=entry.key, version_id=entry.version_id, revision=entry.revision)
        still = driver.NewestIs(key=entry.key, version_id=entry.version_id)
        await objects.commit(bucket, [put], [unchanged, still])

    async def _sealed_anew(self, caller: Caller, bucket: Bucket, entry: Entry, after: Encryption) -> Blob:
        """Its body, each part with a salt of its own as before."""
        objects, meta = self._objects, of(entry)
        opening = objects.vault.key_to_read(caller, meta.encryption, bucket, {"Key": entry.key})
        sealing = objects.vault.key(after, bucket, entry.key)
        sizes = [encryption.plain_size(part.size) for part in objects.engine.parts(entry)] or [meta.size]
        body, at = Body(objects.engine, entry, meta, opening), 0
        writer = objects.engine.writer(bucket.bucket_id, entry.size)
        try:
            for size in sizes:
                sealer = encryption.Sealers(sealing, objects.tools.random.randbytes(encryption.SALT_BYTES))
                async for piece in read(body, at, at + size):
                    await writer.write(sealer.update(piece))
                await writer.write(sealer.finish())
                at += size
            return await writer.close()
        finally:
            writer.discard()
