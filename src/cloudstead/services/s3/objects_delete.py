"""Deleting: an object, a version of it for good, or many at once.

Where a bucket keeps versions, deleting an object puts a marker on top and takes nothing away; only a version that is
named goes. What is not there counts as deleted.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.objects import driver
from cloudstead.dataplane.objects.driver import Condition, Entry
from cloudstead.services.s3 import access, buckets, objects_meta
from cloudstead.services.s3.conditions import check_write, write_condition
from cloudstead.services.s3.errors import MalformedXML, NotImplementedHeader, bad_argument
from cloudstead.services.s3.objects import Objects, as_conditions, checked_key, checked_version_id
from cloudstead.services.s3.objects_lock import check_deletable, may_bypass
from cloudstead.services.s3.objects_meta import Meta
from cloudstead.services.s3.rows import Bucket

_KEYS_MAX = 1000
#: Conditions of directory buckets, by their members in DeleteObject and in DeleteObjects.
_NEVER_HERE = {
    "IfMatchLastModifiedTime": "x-amz-if-match-last-modified-time",
    "IfMatchSize": "x-amz-if-match-size",
    "LastModifiedTime": "LastModifiedTime",
    "Size": "Size",
}


class DeleteObjects:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def delete_object(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.find_for(self._objects.store, caller, request)
        if request.get("BypassGovernanceRetention") and not bucket.object_lock:
            raise bad_argument(
                "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
                "x-amz-bypass-governance-retention",
                "true",
            )
        return await self._delete(caller, bucket, request)

    async def delete_objects(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.find_for(self._objects.store, caller, request)
        asked: Sequence[Mapping[str, Any]] = request["Delete"].get("Objects") or ()
        if not 1 <= len(asked) <= _KEYS_MAX:
            raise MalformedXML
        outcomes = await asyncio.gather(*[self._one(caller, bucket, request, one) for one in asked])
        quiet = request["Delete"].get("Quiet", False)
        deleted = [one for one in outcomes if "Code" not in one]
        errors = [one for one in outcomes if "Code" in one]
        answer: dict[str, Any] = {} if quiet or not deleted else {"Deleted": deleted}
        return {**answer, "Errors": errors} if errors else answer

    async def _one(
        self, caller: Caller, bucket: Bucket, request: Mapping[str, Any], asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What became of one of many: a line of `Deleted`, or one of `Errors`."""
        shared = {
            name: request[name] for name in ("BypassGovernanceRetention", "_Http", "MFA") if name in request
        }
        named = {"Key": asked["Key"]}
        if asked.get("VersionId") is not None:
            named["VersionId"] = asked["VersionId"]
        single = {**shared, **named, **{name: asked[name] for name in _NEVER_HERE if name in asked}}
        if "ETag" in asked:
            single["IfMatch"] = asked["ETag"]
        try:
            done = await self._delete(caller, bucket, single)
        except ServiceError as e:
            return {**named, "Code": e.code, "Message": e.message}
        if done.get("DeleteMarker"):
            named |= {"DeleteMarker": True, "DeleteMarkerVersionId": done["VersionId"]}
        return named

    async def _delete(self, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> dict[str, Any]:
        key, version_id = checked_key(request["Key"]), checked_version_id(request.get("VersionId"))
        for member, name in _NEVER_HERE.items():
            if member in request:
                raise NotImplementedHeader(fields={"Header": name})
        action = "s3:DeleteObjectVersion" if version_id else "s3:DeleteObject"
        access.check(self._objects.store, caller, bucket, action, key, request=request)
        conditions = self._conditions(bucket, key, request)
        if version_id is not None:
            return await self._remove(caller, bucket, request, version_id, conditions)
        if not bucket.versioning:
            await self._remove(caller, bucket, request, driver.NULL, conditions)
            return {}
        return await self._mark(caller, bucket, key, conditions)

    def _conditions(self, bucket: Bucket, key: str, request: Mapping[str, Any]) -> Sequence[Condition]:
        """If-Match, looked at now for the better error, and again by the commit."""
        wanted = write_condition(request, any_etag=True)
        if wanted is not None:
            newest = self._objects.engine.get(bucket.bucket_id, key)
            etag = None if newest is None or newest.delete_marker else newest.etag
            check_write(wanted, etag, exists=newest is not None, key=key)
        return as_conditions(key, wanted)

    async def _remove(
        self,
        caller: Caller,
        bucket: Bucket,
        request: Mapping[str, Any],
        version_id: str,
        conditions: Sequence[Condition],
    ) -> dict[str, Any]:
        """For good. A version that may be locked must not be locked between the look and the step."""
        objects, key = self._objects, request["Key"]
        if bucket.object_lock:
            there = objects.engine.get(bucket.bucket_id, key, version_id)
            if there is None:
                return {"VersionId": version_id}
            bypass = may_bypass(objects, caller, bucket, key, request)
            check_deletable(objects_meta.of(there), objects.now(), bypass=bypass)
            unchanged = driver.RevisionIs(key=key, version_id=version_id, revision=there.revision)
            conditions = (*conditions, unchanged)
        delete = driver.Delete(key=key, version_id=version_id)
        (removed,) = await objects.commit(bucket, [delete], conditions)
        answer: dict[str, Any] = {"VersionId": version_id}
        if isinstance(removed, Entry):
            objects.announce(bucket, caller, "s3:ObjectRemoved:Delete", removed)
            if removed.delete_marker:
                answer["DeleteMarker"] = True
        return answer

    async def _mark(
        self, caller: Caller, bucket: Bucket, key: str, conditions: Sequence[Condition]
    ) -> dict[str, Any]:
        objects = self._objects
        marker = marker_for(objects, bucket, key, objects.now(), access.owner_id(caller))
        (made,) = await objects.commit(bucket, [marker], conditions)
        assert isinstance(made, Entry)
        objects.announce(bucket, caller, "s3:ObjectRemoved:DeleteMarkerCreated", made)
        return {"DeleteMarker": True, "VersionId": made.version_id}


def marker_for(objects: Objects, bucket: Bucket, key: str, now: datetime, owner: str) -> driver.PutMarker:
    """A new delete marker; in a bucket whose versioning is suspended it takes the null version's place."""
    return driver.PutMarker(
        key=key,
        version_id=objects.new_version_id(bucket),
        modified_ms=objects_meta.to_ms(now),
        meta=objects_meta.packed(Meta(owner=owner if bucket.acls_enabled else bucket.acl.owner)),
    )
