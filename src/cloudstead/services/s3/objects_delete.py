"""Deleting: an object, a version of it for good, or many at once.

Where a bucket keeps versions, deleting an object puts a marker on top and takes nothing away; only a version that is
named goes. What is not there counts as deleted.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

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
#: So many go in one step: a policy may have to be asked about each.
_KEYS_TOGETHER = 50
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
        some: list[asyncio.Task[list[dict[str, Any]]]] = []
        for at in range(0, len(asked), _KEYS_TOGETHER):
            several = self._several(caller, bucket, request, asked[at : at + _KEYS_TOGETHER])
            some.append(asyncio.ensure_future(several))
            await asyncio.sleep(0)  # others' requests come between
        outcomes = [outcome for each in await asyncio.gather(*some) for outcome in each]
        quiet = request["Delete"].get("Quiet", False)
        deleted = [one for one in outcomes if "Code" not in one]
        errors = [one for one in outcomes if "Code" in one]
        answer: dict[str, Any] = {} if quiet or not deleted else {"Deleted": deleted}
        return {**answer, "Errors": errors} if errors else answer

    async def _several(
        self,
        caller: Caller,
        bucket: Bucket,
        request: Mapping[str, Any],
        asked: Sequence[Mapping[str, Any]],
    ) -> list[dict[str, Any]]:
        """What became of some of many: lines of `Deleted` and of `Errors`. What can go in one step does."""
        outcomes: list[dict[str, Any]] = []
        together: list[tuple[dict[str, Any], Step]] = []
        for one in asked:
            named = {name: one[name] for name in ("Key", "VersionId") if one.get(name) is not None}
            outcomes.append(named)
            try:
                step = self._step(caller, bucket, {**_shared(request), **_single(one), **named})
                if step.conditions:
                    _tell(named, await self._take(caller, bucket, [step]))
                elif step.change is not None:
                    together.append((named, step))
            except ServiceError as e:
                named |= {"Code": e.code, "Message": e.message}
        try:
            done = await self._take(caller, bucket, [step for _, step in together])
        except ServiceError as e:
            for named, _ in together:
                named |= {"Code": e.code, "Message": e.message}
            return outcomes
        for (named, _), one_done in zip(together, done, strict=True):
            _tell(named, [one_done])
        return outcomes

    async def _delete(self, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> dict[str, Any]:
        step = self._step(caller, bucket, request)
        if step.change is None:
            return dict(step.answer)
        (done,) = await self._take(caller, bucket, [step])
        return done

    def _step(self, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> "Step":
        """What a delete comes to, once it is found good."""
        key, version_id = checked_key(request["Key"]), checked_version_id(request.get("VersionId"))
        for member, name in _NEVER_HERE.items():
            if member in request:
                raise NotImplementedHeader(fields={"Header": name})
        action = "s3:DeleteObjectVersion" if version_id else "s3:DeleteObject"
        access.check(self._objects.store, caller, bucket, action, key, request=request)
        conditions = self._conditions(bucket, key, request)
        if version_id is not None:
            return self._removal(caller, bucket, request, version_id, conditions)
        if not bucket.versioning:
            return Step(driver.Delete(key=key, version_id=driver.NULL), conditions, {})
        objects = self._objects
        marker = marker_for(objects, bucket, key, objects.now(), access.owner_id(caller))
        return Step(marker, conditions, {"DeleteMarker": True, "VersionId": marker.version_id})

    def _conditions(self, bucket: Bucket, key: str, request: Mapping[str, Any]) -> Sequence[Condition]:
        """If-Match, looked at now for the better error, and again by the commit."""
        wanted = write_condition(request, any_etag=True)
        if wanted is not None:
            newest = self._objects.engine.get(bucket.bucket_id, key)
            etag = None if newest is None or newest.delete_marker else newest.etag
            check_write(wanted, etag, exists=newest is not None, key=key)
        return as_conditions(key, wanted)

    def _removal(
        self,
        caller: Caller,
        bucket: Bucket,
        request: Mapping[str, Any],
        version_id: str,
        conditions: Sequence[Condition],
    ) -> "Step":
        """For good. A version that may be locked must not be locked between the look and the step."""
        objects, key = self._objects, request["Key"]
        answer = {"VersionId": version_id}
        if bucket.object_lock:
            there = objects.engine.get(bucket.bucket_id, key, version_id)
            if there is None:
                return Step(None, (), answer)
            bypass = may_bypass(objects, caller, bucket, key, request)
            check_deletable(objects_meta.of(there), objects.now(), bypass=bypass)
            unchanged = driver.RevisionIs(key=key, version_id=version_id, revision=there.revision)
            conditions = (*conditions, unchanged)
        return Step(driver.Delete(key=key, version_id=version_id), conditions, answer)

    async def _take(self, caller: Caller, bucket: Bucket, steps: Sequence["Step"]) -> list[dict[str, Any]]:
        """All of them or none; what each is answered with."""
        changes = [step.change for step in steps if step.change is not None]
        conditions = [condition for step in steps for condition in step.conditions]
        made = await self._objects.commit(bucket, changes, conditions) if changes else []
        return [self._told(caller, bucket, step, done) for step, done in zip(steps, made, strict=True)]

    def _told(self, caller: Caller, bucket: Bucket, step: "Step", done: object) -> dict[str, Any]:
        answer = dict(step.answer)
        if not isinstance(done, Entry):
            return answer
        marked = isinstance(step.change, driver.PutMarker)
        event = "s3:ObjectRemoved:DeleteMarkerCreated" if marked else "s3:ObjectRemoved:Delete"
        self._objects.announce(bucket, caller, event, done)
        if done.delete_marker and answer:
            answer["DeleteMarker"] = True
        return answer


class Step(NamedTuple):
    """A delete that was found good. `answer` is what it is told by, but for what only the step shows."""

    change: driver.Delete | driver.PutMarker | None  # None if there is nothing to do
    conditions: Sequence[Condition]
    answer: Mapping[str, Any]


def _shared(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a request for many says about each of them."""
    return {name: request[name] for name in ("BypassGovernanceRetention", "_Http", "MFA") if name in request}


def _single(asked: Mapping[str, Any]) -> dict[str, Any]:
    """One of many, as a request of its own says it."""
    single = {name: asked[name] for name in _NEVER_HERE if name in asked}
    return {**single, "IfMatch": asked["ETag"]} if "ETag" in asked else single


def _tell(named: dict[str, Any], done: Sequence[Mapping[str, Any]]) -> None:
    """Add to a line of `Deleted` that it was a marker that was made, or that went."""
    for answer in done:
        if answer.get("DeleteMarker"):
            named |= {"DeleteMarker": True, "DeleteMarkerVersionId": answer["VersionId"]}


def marker_for(objects: Objects, bucket: Bucket, key: str, now: datetime, owner: str) -> driver.PutMarker:
    """A new delete marker; in a bucket whose versioning is suspended it takes the null version's place."""
    return driver.PutMarker(
        key=key,
        version_id=objects.new_version_id(bucket),
        modified_ms=objects_meta.to_ms(now),
        meta=objects_meta.packed(Meta(owner=owner if bucket.acls_enabled else bucket.acl.owner)),
    )
