"""Making and removing buckets.

A new bucket has today's defaults: no ACLs, no public access, SSE-S3. In us-east-1 alone making one's own bucket once
more is no error. Removing one ends its uploads that were never completed, but never an object.
"""

from collections.abc import Mapping
from typing import Any, get_args

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.driver import NotEmpty, ObjectStore
from cloudstead.services.s3 import acl_grants, bucket_names, bucket_tags, buckets, public_access
from cloudstead.services.s3.configurations import forget_configurations
from cloudstead.services.s3.errors import (
    AccessDenied,
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    IllegalLocationConstraintException,
    InvalidBucketAclWithBlockPublicAccessError,
    InvalidBucketAclWithObjectOwnership,
    InvalidLocationConstraint,
    TooManyBuckets,
    bad_argument,
)
from cloudstead.services.s3.rows import Acl, Bucket, Defaults, Ownership, canonical_id
from cloudstead.store import Store

BUCKETS_MAX = 10_000

_US_EAST_1 = "us-east-1"
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class BucketsCreate:
    def __init__(self, store: Store, tools: Tools, objects: ObjectStore, defaults: Defaults) -> None:
        self._store = store
        self._tools = tools
        self._objects = objects
        self._defaults = defaults

    def create_bucket(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        name, config = request["Bucket"], request.get("CreateBucketConfiguration") or {}
        bucket_names.check(name)
        if not caller.account:
            raise AccessDenied
        _refuse_unbuilt(request, config)
        _check_ownership(request.get("ObjectOwnership"))
        region = _region(caller, config.get("LocationConstraint"))
        location = f"/{name}" if region == _US_EAST_1 else f"http://{name}.s3.amazonaws.com/"
        with self._store.transaction():
            existing = self._store.get(Bucket, name)
            if existing is None:
                self._store.insert(self._new(caller, request, region))
            else:
                self._check_made_again(caller, existing, region)
        return {"Location": location}

    def _new(self, caller: Caller, request: Mapping[str, Any], region: str) -> Bucket:
        if len(self._store.rows(Bucket, account=caller.account)) >= BUCKETS_MAX:
            raise TooManyBuckets
        ownership = request.get("ObjectOwnership") or self._defaults.ownership
        locked = bool(request.get("ObjectLockEnabledForBucket"))
        tags = (request.get("CreateBucketConfiguration") or {}).get("Tags") or []
        return Bucket(
            id=request["Bucket"],
            bucket_id=ids.token(self._tools.random, _LETTERS, 20),
            account=caller.account,
            region=region,
            created_at=self._tools.this_second(),
            acl=self._acl(request, caller.account, ownership),
            ownership=ownership,
            public_access=self._defaults.public_access,
            object_lock=locked,
            versioning="Enabled" if locked else "",
            tags=bucket_tags.checked(tags),
        )

    def _acl(self, request: Mapping[str, Any], account: str, ownership: str) -> Acl:
        owner = canonical_id(account)
        wanted = acl_grants.of_bucket(request, owner) or acl_grants.private(owner)
        if ownership == "BucketOwnerEnforced" and wanted != acl_grants.private(owner):
            raise InvalidBucketAclWithObjectOwnership
        blocks = self._defaults.public_access, public_access.of_account(self._store, account)
        if acl_grants.is_public(wanted) and any(block is not None and block.block_acls for block in blocks):
            raise InvalidBucketAclWithBlockPublicAccessError
        return wanted

    def _check_made_again(self, caller: Caller, existing: Bucket, region: str) -> None:
        said = {"BucketName": existing.name}
        if existing.account != caller.account:
            raise BucketAlreadyExists(fields=said)
        if not region == existing.region == _US_EAST_1:
            raise BucketAlreadyOwnedByYou(fields=said)

    async def delete_bucket(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """Its objects' end comes first, for then no put can be let in any more; after a crash it is asked for again."""
        bucket = buckets.opened(self._store, caller, request, "s3:DeleteBucket")
        try:
            await self._objects.drop_bucket(bucket.bucket_id, if_empty=True)
        except NotEmpty:
            raise _not_empty(bucket) from None
        with self._store.transaction():
            current = self._store.get(Bucket, bucket.id)
            if current is not None and current.bucket_id == bucket.bucket_id:
                forget_configurations(self._store, current)
                self._store.delete(current)
        return {}


def _not_empty(bucket: Bucket) -> BucketNotEmpty:
    text = BucketNotEmpty.text
    if bucket.versioning:
        text += ". You must delete all versions in the bucket."
    return BucketNotEmpty(text, fields={"BucketName": bucket.name})


def _region(caller: Caller, constraint: str | None) -> str:
    """Where the bucket will be. us-east-1 makes buckets anywhere, any other region in itself alone, if asked to."""
    if constraint == _US_EAST_1:
        raise InvalidLocationConstraint(fields={"LocationConstraint": constraint})
    wanted = "eu-west-1" if constraint == "EU" else constraint
    if caller.region in (_US_EAST_1, "aws-global"):
        return wanted or _US_EAST_1
    if wanted != caller.region:
        raise IllegalLocationConstraintException(
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific "
            "endpoint this request was sent to."
        )
    return wanted


def _check_ownership(wanted: str | None) -> None:
    if wanted is not None and wanted not in get_args(Ownership):
        raise bad_argument(
            f"Invalid x-amz-object-ownership header: {wanted}", "x-amz-object-ownership", wanted
        )


def _refuse_unbuilt(request: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    if config.get("Location") or config.get("Bucket"):
        raise NotBuilt("Directory buckets are not built in Cloudstead's S3")
    if request.get("BucketNamespace", "global") != "global":
        raise NotBuilt("Buckets in an account's own namespace are not built in Cloudstead's S3")
