"""A bucket's access control list, whether it has one at all, and the block on public access.

With ownership `BucketOwnerEnforced`, which new buckets have, lists decide nothing and cannot be changed.
"""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import acl_grants, buckets, public_access
from cloudstead.services.s3.errors import (
    InvalidBucketAclWithObjectOwnership,
    MalformedXML,
    NoSuchPublicAccessBlockConfiguration,
    OwnershipControlsNotFoundError,
)
from cloudstead.services.s3.rows import shown_acl
from cloudstead.store import Store


class BucketAcls:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_acl(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketAcl")
            acl = acl_grants.changed(
                request, bucket.acl, bucket, public_access.of(self._store, bucket), of_object=False
            )
            self._store.update(bucket, acl=acl)
        return {}

    def get_bucket_acl(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return shown_acl(buckets.opened(self._store, caller, request, "s3:GetBucketAcl").acl)

    # --- ownership

    def put_bucket_ownership_controls(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        rules = request["OwnershipControls"]["Rules"]
        if len(rules) != 1:
            raise MalformedXML
        wanted = rules[0]["ObjectOwnership"]
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketOwnershipControls")
            if wanted == "BucketOwnerEnforced" and set(bucket.acl.grants) - set(
                acl_grants.private(bucket.acl.owner).grants
            ):
                raise InvalidBucketAclWithObjectOwnership
            self._store.update(bucket, ownership=wanted)
        return {}

    def get_bucket_ownership_controls(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketOwnershipControls")
        if bucket.ownership is None:
            raise OwnershipControlsNotFoundError(fields={"BucketName": bucket.name})
        return {"OwnershipControls": {"Rules": [{"ObjectOwnership": bucket.ownership}]}}

    def delete_bucket_ownership_controls(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketOwnershipControls")
            self._store.update(bucket, ownership=None)
        return {}

    # --- the block on public access

    def put_public_access_block(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        block = public_access.asked(request["PublicAccessBlockConfiguration"])
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketPublicAccessBlock")
            self._store.update(bucket, public_access=block)
        return {}

    def get_public_access_block(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketPublicAccessBlock")
        block = bucket.public_access
        if block is None:
            raise NoSuchPublicAccessBlockConfiguration(fields={"BucketName": bucket.name})
        return {"PublicAccessBlockConfiguration": public_access.shown(block)}

    def delete_public_access_block(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketPublicAccessBlock")
            self._store.update(bucket, public_access=None)
        return {}
