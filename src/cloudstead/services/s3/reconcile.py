"""Lifecycle rules carried out: each bucket that has some is walked through every hour, and when they change.

The rules themselves decide in `lifecycle`; a bucket is what the walk is planned for, so a crash in the middle of one
only means that the next begins anew. Everything done is done under the condition that nobody was faster.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from cloudstead.control.steps import Step
from cloudstead.core.caller import Caller
from cloudstead.core.errors import Conflict, ServiceError
from cloudstead.dataplane.objects import driver
from cloudstead.dataplane.objects.driver import Entry, Version
from cloudstead.services.s3 import lifecycle
from cloudstead.services.s3.lifecycle import Due
from cloudstead.services.s3.objects import Objects
from cloudstead.services.s3.objects_delete import marker_for
from cloudstead.services.s3.objects_expiry import candidate
from cloudstead.services.s3.objects_lock import holds
from cloudstead.services.s3.objects_meta import from_ms, of
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Row

log = logging.getLogger(__name__)

EVERY_S = 3600.0


@dataclass(frozen=True)
class Walk(Step):
    """Go through all versions and uploads of a bucket and do what is due."""


class Nothing:
    """What is seen of it in the world."""

    id: str


class Lifecycles:
    """A controller without things in the world of its own: it only ever takes from what others put there."""

    kind = Bucket
    wakes_on: tuple[type[Row], ...] = ()

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._walked: dict[str, tuple[object, float]] = {}  # by bucket id: the rules, and when

    async def observe(self) -> Iterable[Nothing]:
        return ()

    def plan(self, row: Bucket, seen: Nothing | None) -> Step | None:
        del seen
        if row.lifecycle is None:
            self._walked.pop(row.bucket_id, None)
            return None
        rules, at = self._walked.get(row.bucket_id, (None, 0.0))
        now = self._objects.tools.clock.monotonic()
        return None if rules == row.lifecycle and now < at + EVERY_S else Walk()

    async def perform(self, row: Bucket, step: Step) -> None:
        assert isinstance(step, Walk)
        now = self._objects.now()
        done = await self._walk_versions(row, now) + await self._walk_uploads(row, now)
        self._walked[row.bucket_id] = (row.lifecycle, self._objects.tools.clock.monotonic())
        if done:
            log.info("%s: lifecycle rules took %d steps", row.name, done)

    async def sweep(self, id: str) -> None:
        raise AssertionError(f"{id}: nothing is ever seen")

    # --- versions

    async def _walk_versions(self, bucket: Bucket, now: datetime) -> int:
        done, after = 0, ("", "")
        before: list[Version] = []
        while True:
            page = self._objects.engine.list_versions(bucket.bucket_id, after=after)
            versions = [*before, *page.versions]
            # The last key's versions may go on in the next page.
            whole, before = _split(versions) if page.next is not None else (versions, [])
            for of_key in _by_key(whole):
                done += await self._walk_key(bucket, of_key, now)
            if page.next is None:
                return done
            after = page.next

    async def _walk_key(self, bucket: Bucket, versions: list[Version], now: datetime) -> int:
        """The versions of one key, the newest first."""
        done = noncurrent = 0
        newer: Entry | None = None
        for version in versions:
            entry = version.entry
            due = lifecycle.due(
                bucket,
                candidate(
                    entry,
                    is_latest=version.is_latest,
                    is_only=len(versions) == 1,
                    noncurrent_since=from_ms(newer.modified_ms) if newer is not None else None,
                    newer_noncurrent=noncurrent,
                ),
                now,
            )
            noncurrent += not version.is_latest
            newer = entry
            if due is not None:
                done += await self._do(bucket, entry, due, now)
        return done

    async def _do(self, bucket: Bucket, entry: Entry, due: Due, now: datetime) -> int:
        try:
            match due.what:
                case "move":
                    return await self._move(bucket, entry, due)
                case "expire" if bucket.versioning:
                    return await self._mark(bucket, entry, now)
                case "expire" | "remove":
                    return await self._remove(bucket, entry, now)
        except (Conflict, ServiceError) as e:
            log.debug("%s: %s was changed by somebody else: %s", bucket.name, entry.key, e)
            return 0

    async def _mark(self, bucket: Bucket, entry: Entry, now: datetime) -> int:
        marker = marker_for(self._objects, bucket, entry.key, now, bucket.acl.owner)
        newest = driver.NewestIs(key=entry.key, version_id=entry.version_id)
        (made,) = await self._objects.commit(bucket, [marker], [newest])
        self._tell(bucket, "s3:LifecycleExpiration:DeleteMarkerCreated", made)
        return 1

    async def _remove(self, bucket: Bucket, entry: Entry, now: datetime) -> int:
        if holds(of(entry), now, bypass=False):
            return 0
        unchanged = driver.RevisionIs(key=entry.key, version_id=entry.version_id, revision=entry.revision)
        delete = driver.Delete(key=entry.key, version_id=entry.version_id)
        await self._objects.commit(bucket, [delete], [unchanged])
        self._tell(bucket, "s3:LifecycleExpiration:Delete", entry)
        return 1

    async def _move(self, bucket: Bucket, entry: Entry, due: Due) -> int:
        moved = await self._objects.change_meta(
            bucket, entry, lambda meta: replace(meta, storage_class=due.storage_class)
        )
        self._tell(bucket, "s3:LifecycleTransition", moved)
        return 1

    # --- uploads

    async def _walk_uploads(self, bucket: Bucket, now: datetime) -> int:
        done, after = 0, ("", "")
        while True:
            page = self._objects.engine.list_uploads(bucket.bucket_id, after=after)
            for upload in page.uploads:
                end = lifecycle.upload_ends(bucket, upload.key, from_ms(upload.modified_ms))
                if end is not None and end[0] <= now:
                    abort = driver.Abort(key=upload.key, upload_id=upload.upload_id)
                    done += await self._abort(bucket, abort)
            if page.next is None:
                return done
            after = page.next

    async def _abort(self, bucket: Bucket, abort: driver.Abort) -> int:
        try:
            await self._objects.commit(bucket, [abort])
        except ServiceError:  # completed or aborted meanwhile
            return 0
        return 1

    def _tell(self, bucket: Bucket, event: str, entry: Entry) -> None:
        """S3 itself is who did it."""
        caller = Caller(
            account=bucket.account, region=bucket.region, arn="", user_id="s3.amazonaws.com", principal="role"
        )
        self._objects.announce(bucket, caller, event, entry)


def _split(versions: list[Version]) -> tuple[list[Version], list[Version]]:
    """Those of all keys but the last, and those of the last."""
    if not versions:
        return [], []
    last = versions[-1].entry.key
    at = next(n for n, version in enumerate(versions) if version.entry.key == last)
    return versions[:at], versions[at:]


def _by_key(versions: list[Version]) -> Iterator[list[Version]]:
    found: list[Version] = []
    for version in versions:
        if found and found[0].entry.key != version.entry.key:
            yield found
            found = []
        found.append(version)
    if found:
        yield found
