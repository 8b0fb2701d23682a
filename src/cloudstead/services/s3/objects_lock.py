"""Object lock: who holds a version from being deleted, and until when.

A governance retention yields to who may bypass it and says so; a compliance retention yields to nobody, it can only
be made longer. A legal hold knows no time. All of them hold versions: a delete marker can always be put on top.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.s3 import access, buckets, objects_meta
from cloudstead.services.s3.errors import (
    AccessDenied,
    InvalidRequest,
    MalformedXML,
    NoSuchObjectLockConfiguration,
    bad_argument,
)
from cloudstead.services.s3.objects import Objects, header
from cloudstead.services.s3.objects_meta import Meta, Retention, from_ms, to_ms
from cloudstead.services.s3.rows import Bucket

_PROTECTED = "Access Denied because object protected by object lock."
_MODES = ("GOVERNANCE", "COMPLIANCE")
_UNTIL = "x-amz-object-lock-retain-until-date"


def of_request(
    caller: Caller, request: Mapping[str, Any], bucket: Bucket, now: datetime
) -> tuple[Retention | None, bool | None]:
    """The retention and the legal hold of a new version: what the request says, else the bucket's default."""
    retention, held = _of_request(request, bucket, now)
    if not caller.account and (retention, held) != (None, None):
        raise bad_argument(
            "Put Object requests with Object Lock parameters require AWS Signature Version 4",
            "Authorization",
            None,
        )
    return retention, held


def _of_request(
    request: Mapping[str, Any], bucket: Bucket, now: datetime
) -> tuple[Retention | None, bool | None]:
    if any(name.startswith("ObjectLockEventHold") for name in request):
        raise NotBuilt("Event holds are not built in Cloudstead's S3.")
    mode, until = request.get("ObjectLockMode"), request.get("ObjectLockRetainUntilDate")
    hold = request.get("ObjectLockLegalHoldStatus")
    if (mode is None) is not (until is None):
        raise bad_argument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
            "x-amz-object-lock-mode" if mode is None else _UNTIL,
            None,
        )
    if mode is None and hold is None:
        return _by_default(bucket, now), None
    if not bucket.object_lock:
        raise InvalidRequest("Bucket is missing ObjectLockConfiguration")
    if hold not in (None, "ON", "OFF"):
        raise bad_argument("Legal Hold must be either of 'ON' or 'OFF'", "x-amz-object-lock-legal-hold", hold)
    held = None if hold is None else hold == "ON"
    if mode is None or until is None:
        return _by_default(bucket, now), held
    if mode not in _MODES:
        raise bad_argument("Unknown wormMode directive.", "x-amz-object-lock-mode", mode)
    _check_future(until, now, _UNTIL, header(request, _UNTIL))
    return Retention(mode, to_ms(until)), held


def asked_for(request: Mapping[str, Any]) -> bool:
    """Whether a write says anything of locks."""
    return "ObjectLockMode" in request or "ObjectLockLegalHoldStatus" in request


def _by_default(bucket: Bucket, now: datetime) -> Retention | None:
    default = bucket.default_retention
    if not bucket.object_lock or not default or not default.get("Mode"):
        return None
    days = default["Days"] if default.get("Days") else default["Years"] * 365
    return Retention(default["Mode"], to_ms(now + timedelta(days=days)))


def _check_future(until: datetime, now: datetime, argument: str, sent: str = "") -> None:
    if until <= now:
        text = sent or until.strftime("%a %b %d %H:%M:%S UTC %Y")
        raise bad_argument("The retain until date must be in the future!", argument, text)


def shown(meta: Meta) -> dict[str, Any]:
    """The members of GetObject's answer that tell of locks."""
    told: dict[str, Any] = {}
    if meta.retention is not None:
        told["ObjectLockMode"] = meta.retention.mode
        told["ObjectLockRetainUntilDate"] = from_ms(meta.retention.until_ms)
    if meta.held is not None:
        told["ObjectLockLegalHoldStatus"] = "ON" if meta.held else "OFF"
    return told


def holds(meta: Meta, now: datetime, *, bypass: bool) -> bool:
    """Whether a version must not be deleted."""
    if meta.held:
        return True
    kept = meta.retention is not None and meta.retention.until_ms > to_ms(now)
    return kept and not (bypass and meta.retention is not None and meta.retention.mode == "GOVERNANCE")


def check_deletable(meta: Meta, now: datetime, *, bypass: bool) -> None:
    if holds(meta, now, bypass=bypass):
        raise AccessDenied(_PROTECTED)


def may_bypass(
    objects: Objects, caller: Caller, bucket: Bucket, key: str, request: Mapping[str, Any]
) -> bool:
    """Whether the caller asks to pass over a governance retention, and may."""
    if not request.get("BypassGovernanceRetention"):
        return False
    return access.may(objects.store, caller, bucket, "s3:BypassGovernanceRetention", key, request=request)


class ObjectLocks:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    # --- legal holds

    async def put_object_legal_hold(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self._bucket(caller, request)
        status = (request.get("LegalHold") or {}).get("Status")
        if status not in ("ON", "OFF"):
            raise MalformedXML
        entry = self._objects.find(caller, bucket, request, "s3:PutObjectLegalHold", "s3:PutObjectLegalHold")
        await self._objects.change_meta(bucket, entry, lambda meta: replace(meta, held=status == "ON"))
        return {}

    def get_object_legal_hold(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self._bucket(caller, request)
        entry = self._objects.find(caller, bucket, request, "s3:GetObjectLegalHold", "s3:GetObjectLegalHold")
        held = objects_meta.of(entry).held
        if held is None:
            raise NoSuchObjectLockConfiguration
        return {"LegalHold": {"Status": "ON" if held else "OFF"}}

    # --- retention

    async def put_object_retention(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self._bucket(caller, request)
        wanted = self._wanted(request.get("Retention") or {})
        entry = self._objects.find(caller, bucket, request, "s3:PutObjectRetention", "s3:PutObjectRetention")
        bypass = may_bypass(self._objects, caller, bucket, entry.key, request)

        def change(meta: Meta) -> Meta:
            _check_change(meta.retention, wanted, self._objects.now_ms(), bypass=bypass)
            return replace(meta, retention=wanted)

        await self._objects.change_meta(bucket, entry, change)
        return {}

    def get_object_retention(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self._bucket(caller, request)
        entry = self._objects.find(caller, bucket, request, "s3:GetObjectRetention", "s3:GetObjectRetention")
        kept = objects_meta.of(entry).retention
        if kept is None:
            raise NoSuchObjectLockConfiguration
        return {"Retention": {"Mode": kept.mode, "RetainUntilDate": from_ms(kept.until_ms)}}

    def _bucket(self, caller: Caller, request: Mapping[str, Any]) -> Bucket:
        bucket = buckets.find_for(self._objects.store, caller, request)
        if not bucket.object_lock:
            raise InvalidRequest("Bucket is missing Object Lock Configuration")
        return bucket

    def _wanted(self, retention: Mapping[str, Any]) -> Retention | None:
        """None to end a retention, which an empty one asks for."""
        if "EventHold" in retention or "EventHoldDuration" in retention:
            raise NotBuilt("Event holds are not built in Cloudstead's S3.")
        mode, until = retention.get("Mode"), retention.get("RetainUntilDate")
        if mode is None and until is None:
            return None
        if mode not in _MODES or until is None:
            raise MalformedXML
        _check_future(until, self._objects.now(), "RetainUntilDate")
        return Retention(mode, to_ms(until))


def _check_change(before: Retention | None, wanted: Retention | None, now_ms: int, *, bypass: bool) -> None:
    """Raise unless a retention that still holds may become this one."""
    if before is None or before.until_ms <= now_ms:
        return
    longer = wanted is not None and wanted.mode == before.mode and wanted.until_ms >= before.until_ms
    if not longer and (before.mode == "COMPLIANCE" or not bypass):
        raise AccessDenied(_PROTECTED)
