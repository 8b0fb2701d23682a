"""ABAC: whether a bucket's tags decide who may do what with it. Then they are changed by S3 Control alone, one by one."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import buckets
from cloudstead.store import Store


class Abac:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_abac(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        enabled = request["AbacStatus"].get("Status") == "Enabled"
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketABAC")
            self._store.update(bucket, abac=enabled)
        return {}

    def get_bucket_abac(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketABAC")
        return {"AbacStatus": {"Status": "Enabled" if bucket.abac else "Disabled"}}
