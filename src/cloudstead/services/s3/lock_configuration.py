"""Object lock for a bucket: whether its objects can be locked, and how new ones are where nobody says.

Once enabled it stays, and so does versioning.
"""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import (
    InvalidArgument,
    InvalidBucketState,
    MalformedXML,
    ObjectLockConfigurationNotFoundError,
)
from cloudstead.store import Store

_PERIOD_MAX = {"Days": 36_500, "Years": 100}


class LockConfiguration:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_object_lock_configuration(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request.get("ObjectLockConfiguration") or {}
        if wanted.get("ObjectLockEnabled") != "Enabled":
            raise MalformedXML
        default = _checked((wanted.get("Rule") or {}).get("DefaultRetention"), "Rule" in wanted)
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketObjectLockConfiguration")
            if bucket.versioning != "Enabled":
                raise InvalidBucketState(
                    "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
                )
            self._store.update(bucket, object_lock=True, default_retention=default)
        return {}

    def get_object_lock_configuration(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketObjectLockConfiguration")
        if not bucket.object_lock:
            raise ObjectLockConfigurationNotFoundError(fields={"BucketName": bucket.name})
        rule = {"Rule": {"DefaultRetention": bucket.default_retention}} if bucket.default_retention else {}
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **rule}}


def _checked(default: Mapping[str, Any] | None, has_rule: bool) -> dict[str, Any] | None:
    if default is None:
        if has_rule:
            raise MalformedXML
        return None
    if default.get("DefaultEventHold"):
        raise NotBuilt("Event holds are not built in Cloudstead's S3")
    if "Mode" not in default or ("Days" in default) == ("Years" in default):
        raise MalformedXML
    unit = "Days" if "Days" in default else "Years"
    if default[unit] <= 0:
        raise _bad_period(unit, "Default retention period must be a positive integer value.")
    if default[unit] > _PERIOD_MAX[unit]:
        raise _bad_period(unit, "Default retention period is too large.")
    return dict(default)


def _bad_period(unit: str, text: str) -> InvalidArgument:
    return InvalidArgument(text, fields={"ArgumentName": unit})
