"""RenameObject: an object gets another key in one step, and not a byte of it moves.

AWS has it for directory buckets alone, which are not built; here it is for general purpose ones. Where a bucket keeps
versions nothing may go for good: the object becomes a new version under its new key, and the old key gets a marker.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from cloudstead.core.caller import Caller
from cloudstead.dataplane.objects import driver
from cloudstead.dataplane.objects.driver import Change, Condition, Entry
from cloudstead.services.s3 import access, buckets, conditions, objects_meta
from cloudstead.services.s3.conditions import Current, write_condition
from cloudstead.services.s3.errors import (
    IdempotencyParameterMismatch,
    InvalidRequest,
    S3Error,
    bad_argument,
)
from cloudstead.services.s3.objects import Objects, as_conditions, checked_key
from cloudstead.services.s3.objects_delete import marker_for
from cloudstead.services.s3.objects_meta import Meta, Renamed, from_ms, of
from cloudstead.services.s3.objects_put import check_early
from cloudstead.services.s3.rows import Bucket

_SOURCE = "x-amz-rename-source"


class Renaming:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def rename_object(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        bucket = buckets.find_for(objects.store, caller, request)
        old, new = _old_key(request), checked_key(request["Key"])
        for key in (old, new):
            if key.endswith("/"):
                raise InvalidRequest("Objects whose keys end with a slash cannot be renamed")
        access.check(objects.store, caller, bucket, "s3:PutObject", new, request=request)
        access.check(objects.store, caller, bucket, "s3:DeleteObject", old, request=request)
        named = Renamed(old, request.get("ClientToken") or "")
        try:
            entry = self._source(caller, bucket, old, request)
        except S3Error:
            if self._done_before(bucket, new, named):
                return {}
            raise
        if old != new:
            await self._rename(caller, bucket, entry, request, named)
        return {}

    def _source(self, caller: Caller, bucket: Bucket, key: str, request: Mapping[str, Any]) -> Entry:
        asked = {"Bucket": bucket.name, "Key": key, "_Http": request.get("_Http")}
        entry = self._objects.find(caller, bucket, asked, "s3:GetObject", "s3:GetObjectVersion")
        current = Current(entry.etag, from_ms(entry.modified_ms))
        conditions.check_rename(request, current, self._objects.now(), "Source")
        return entry

    def _done_before(self, bucket: Bucket, key: str, wanted: Renamed) -> bool:
        """Whether a request with this token has made the object under the new key: then it was sent again."""
        there = self._objects.engine.get(bucket.bucket_id, key)
        if there is None or there.delete_marker or not wanted.token:
            return False
        renamed = of(there).renamed
        if renamed is not None and renamed.token == wanted.token and renamed.source != wanted.source:
            raise IdempotencyParameterMismatch
        return renamed == wanted

    async def _rename(
        self, caller: Caller, bucket: Bucket, entry: Entry, request: Mapping[str, Any], named: Renamed
    ) -> None:
        objects, key = self._objects, request["Key"]
        wanted = self._destination(bucket, key, request)
        meta = self._meta(caller, bucket, entry, key, named)
        with objects.refusals(bucket):
            body = await objects.engine.share(entry)
        put = driver.Put(
            key=key,
            version_id=objects.new_version_id(bucket),
            modified_ms=entry.modified_ms,
            etag=entry.etag,
            meta=objects_meta.packed(meta),
            body=body,
            parts=tuple(objects.engine.parts(entry)),
        )
        gone, unchanged = self._gone(caller, bucket, entry)
        made, left = await objects.commit(bucket, [put, gone], [*wanted, unchanged])
        objects.announce(bucket, caller, "s3:ObjectCreated:Copy", made)
        marked = isinstance(gone, driver.PutMarker)
        event = "s3:ObjectRemoved:DeleteMarkerCreated" if marked else "s3:ObjectRemoved:Delete"
        objects.announce(bucket, caller, event, left if marked else entry)

    def _destination(self, bucket: Bucket, key: str, request: Mapping[str, Any]) -> Sequence[Condition]:
        """What must be true of the new key, looked at now and again by the commit."""
        objects = self._objects
        asked = {name: request.get(f"Destination{name}") for name in ("IfMatch", "IfNoneMatch")}
        wanted = write_condition(asked)
        check_early(objects, bucket, key, wanted)
        there = objects.engine.get(bucket.bucket_id, key)
        if there is not None and not there.delete_marker:
            current = Current(there.etag, from_ms(there.modified_ms))
            conditions.check_rename(request, current, objects.now(), "Destination")
        return as_conditions(key, wanted)

    def _meta(self, caller: Caller, bucket: Bucket, entry: Entry, key: str, named: Renamed) -> Meta:
        """All that was kept of the object; a key of its own that KMS keeps is sealed for its new place."""
        meta = of(entry)
        moved = self._objects.vault.moved(caller, meta.encryption, bucket, entry.key, key)
        return replace(meta, encryption=moved, renamed=named)

    def _gone(self, caller: Caller, bucket: Bucket, entry: Entry) -> tuple[Change, Condition]:
        """What becomes of the old key, if it is still as it was seen."""
        objects = self._objects
        unchanged = driver.RevisionIs(key=entry.key, version_id=entry.version_id, revision=entry.revision)
        if not bucket.versioning:
            return driver.Delete(key=entry.key, version_id=entry.version_id), unchanged
        owner = access.owner_id(caller)
        newest = driver.NewestIs(key=entry.key, version_id=entry.version_id)
        return marker_for(objects, bucket, entry.key, objects.now(), owner), newest


def _old_key(request: Mapping[str, Any]) -> str:
    try:
        return checked_key(unquote(request["RenameSource"], errors="strict").removeprefix("/"))
    except UnicodeDecodeError:
        raise bad_argument(
            "The rename source is not percent-encoded UTF-8", _SOURCE, request["RenameSource"]
        ) from None
