"""Lifecycle: the configuration, and what it says is to be done with a version or an upload at a moment.

Nothing here does it: who holds the objects asks `due` and acts. Days are counted to the midnight (UTC) after the
day that is reached, as AWS counts them, so that all of a day's objects go together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import quote

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import NoSuchLifecycleConfiguration
from cloudstead.services.s3.lifecycle_rules import (
    CLASSES,
    Rule,
    check,
    enabled,
    prefix_of,
    sizes_of,
    tags_of,
)
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Store

_SMALL_BYTES = 128 * 1024
_MINIMUM_DEFAULT = "all_storage_classes_128K"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Lifecycle:
    def __init__(self, store: Store, tools: Tools) -> None:
        self._store = store
        self._tools = tools

    def put_bucket_lifecycle_configuration(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        rules = (request.get("LifecycleConfiguration") or {}).get("Rules") or []
        minimum = request.get("TransitionDefaultMinimumObjectSize") or _MINIMUM_DEFAULT
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutLifecycleConfiguration")
            check(rules)
            named = [{**rule, "ID": rule.get("ID") or self._new_id()} for rule in rules]
            lifecycle = {"Rules": named, "TransitionDefaultMinimumObjectSize": minimum}
            self._store.update(bucket, lifecycle=lifecycle)
        return {"TransitionDefaultMinimumObjectSize": minimum}

    def get_bucket_lifecycle_configuration(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetLifecycleConfiguration")
        if bucket.lifecycle is None:
            raise NoSuchLifecycleConfiguration(fields={"BucketName": bucket.name})
        return bucket.lifecycle

    def delete_bucket_lifecycle(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutLifecycleConfiguration")
            self._store.update(bucket, lifecycle=None)
        return {}

    def _new_id(self) -> str:
        return ids.token(self._tools.random, _LETTERS, 48)


# --- what is due


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A version, as far as lifecycle rules ask about it."""

    key: str
    modified_at: datetime
    size: int = 0
    storage_class: str = "STANDARD"
    tags: Mapping[str, str] = field(default_factory=dict)
    delete_marker: bool = False
    is_latest: bool = True
    is_only: bool = True  # no other version of the key exists
    noncurrent_since: datetime | None = None  # when the next newer version came
    newer_noncurrent: int = 0  # how many noncurrent versions of the key are newer


@dataclass(frozen=True)
class Due:
    """What to do. `expire` a current version (a marker where versions are kept), `remove` for good, or `move`."""

    what: Literal["expire", "remove", "move"]
    rule_id: str
    storage_class: str = ""


def due(bucket: Bucket, candidate: Candidate, now: datetime) -> Due | None:
    """The one thing to do now. Removing beats moving, moving beats a delete marker; the coldest class wins."""
    found = list(_all_due(bucket, candidate, now))
    if not found:
        return None
    return max(found, key=lambda each: _rank(each, versioned=bool(bucket.versioning)))


def _rank(each: Due, *, versioned: bool) -> tuple[int, int]:
    match each.what:
        case "remove":
            return 3, 0
        case "expire":
            return (1 if versioned else 3), 0
        case "move":
            return 2, CLASSES.index(each.storage_class)


def _all_due(bucket: Bucket, candidate: Candidate, now: datetime) -> Iterator[Due]:
    for rule in enabled((bucket.lifecycle or {}).get("Rules", ())):
        if not _covers(rule, candidate):
            continue
        if candidate.delete_marker and candidate.is_latest:
            if candidate.is_only and _marker_is_over(rule, candidate, now):
                yield Due("remove", rule["ID"])
        elif candidate.is_latest:
            yield from _of_current(bucket, rule, candidate, now)
        else:
            yield from _of_noncurrent(bucket, rule, candidate, now)


def _covers(rule: Rule, candidate: Candidate) -> bool:
    larger, smaller = sizes_of(rule)
    return (
        candidate.key.startswith(prefix_of(rule))
        and all(candidate.tags.get(tag["Key"]) == tag["Value"] for tag in tags_of(rule))
        and (larger is None or candidate.size > larger)
        and (smaller is None or candidate.size < smaller)
    )


def _marker_is_over(rule: Rule, candidate: Candidate, now: datetime) -> bool:
    """A marker that hides nothing any more goes if a rule says so, or once it is as old as objects may be."""
    expiration = rule.get("Expiration") or {}
    if expiration.get("ExpiredObjectDeleteMarker"):
        return True
    return "Days" in expiration and now >= _after_days(candidate.modified_at, expiration["Days"])


def _of_current(bucket: Bucket, rule: Rule, candidate: Candidate, now: datetime) -> Iterator[Due]:
    end = _when(rule.get("Expiration") or {}, candidate.modified_at)
    if end is not None and now >= end:
        yield Due("expire", rule["ID"])
    for transition in rule.get("Transitions") or ():
        start = _when(transition, candidate.modified_at)
        wanted = transition["StorageClass"]
        if start is not None and now >= start and _may_move(bucket, rule, candidate, wanted):
            yield Due("move", rule["ID"], wanted)


def _of_noncurrent(bucket: Bucket, rule: Rule, candidate: Candidate, now: datetime) -> Iterator[Due]:
    since = candidate.noncurrent_since or candidate.modified_at

    def is_due(action: Mapping[str, Any]) -> bool:
        kept = action.get("NewerNoncurrentVersions") or 0
        return candidate.newer_noncurrent >= kept and now >= _after_days(since, action["NoncurrentDays"])

    expiration = rule.get("NoncurrentVersionExpiration")
    if expiration is not None and is_due(expiration):
        yield Due("remove", rule["ID"])
    for transition in rule.get("NoncurrentVersionTransitions") or ():
        wanted = transition["StorageClass"]
        if not candidate.delete_marker and is_due(transition) and _may_move(bucket, rule, candidate, wanted):
            yield Due("move", rule["ID"], wanted)


def _may_move(bucket: Bucket, rule: Rule, candidate: Candidate, wanted: str) -> bool:
    """Only downwards, and small objects only where a rule names a size."""
    if CLASSES.index(wanted) <= CLASSES.index(candidate.storage_class):
        return False
    if candidate.size >= _SMALL_BYTES or any(size is not None for size in sizes_of(rule)):
        return True
    varies = (bucket.lifecycle or {}).get("TransitionDefaultMinimumObjectSize") == "varies_by_storage_class"
    return varies and wanted in ("GLACIER", "DEEP_ARCHIVE")


def _when(action: Mapping[str, Any], modified_at: datetime) -> datetime | None:
    if "Days" in action:
        return _after_days(modified_at, action["Days"])
    date: datetime | None = action.get("Date")
    return date


def _after_days(start: datetime, days: int) -> datetime:
    """The midnight after so many days."""
    reached = start.astimezone(UTC) + timedelta(days=days)
    midnight = reached.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if reached == midnight else midnight + timedelta(days=1)


# --- uploads that nobody completes


def upload_ends(bucket: Bucket, key: str, begun_at: datetime) -> tuple[datetime, str] | None:
    """When an upload that is still open is to be aborted, and by which rule; the earliest of several."""
    ends = [
        (_after_days(begun_at, abort["DaysAfterInitiation"]), rule["ID"])
        for rule in enabled((bucket.lifecycle or {}).get("Rules", ()))
        if (abort := rule.get("AbortIncompleteMultipartUpload")) and key.startswith(prefix_of(rule))
    ]
    return min(ends, default=None)


# --- what answers tell


def expiration_header(bucket: Bucket, candidate: Candidate) -> str | None:
    """`x-amz-expiration` of a current version: when it will expire, and by which rule."""
    if bucket.lifecycle is None:
        return None
    ends = [
        (end, rule["ID"])
        for rule in enabled(bucket.lifecycle["Rules"])
        if _covers(rule, candidate)
        and (end := _when(rule.get("Expiration") or {}, candidate.modified_at)) is not None
    ]
    if not ends:
        return None
    end, rule_id = min(ends)
    return f'expiry-date="{format_datetime(end.astimezone(UTC), usegmt=True)}", rule-id="{quote(rule_id)}"'
