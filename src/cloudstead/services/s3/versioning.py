"""Whether a bucket keeps versions. Once on it can be suspended, never switched off."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import (
    AccessDenied,
    IllegalVersioningConfigurationException,
    InvalidBucketState,
)
from cloudstead.store import Store


class Versioning:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_versioning(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request["VersioningConfiguration"]
        if wanted.get("MFADelete") == "Enabled":
            if caller.principal != "root" or not request.get("MFA"):
                raise AccessDenied("This operation may only be performed with root and MFA authentication")
            raise NotBuilt("MFA delete is not built in Cloudstead's S3: no account has an MFA device")
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketVersioning")
            status = wanted.get("Status")
            if status is None:
                raise IllegalVersioningConfigurationException
            if status == "Suspended" and bucket.object_lock:
                raise InvalidBucketState(
                    "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
                )
            if status == "Suspended" and bucket.replication is not None:
                raise InvalidBucketState(
                    "A replication configuration is present on this bucket, so the versioning state cannot be changed."
                )
            self._store.update(bucket, versioning=status)
        return {}

    def get_bucket_versioning(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketVersioning")
        return {"Status": bucket.versioning} if bucket.versioning else {}
