"""Seeing buckets: one's own listed, and whether and where one is."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import access, buckets
from cloudstead.services.s3.errors import AccessDenied, bad_argument
from cloudstead.services.s3.rows import Bucket, canonical_id
from cloudstead.store import Store

_PAGE_MAX = 10_000
_FILTERS = ("MaxBuckets", "ContinuationToken", "Prefix", "BucketRegion")


class BucketsDescribe:
    def __init__(self, store: Store) -> None:
        self._store = store

    def list_buckets(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        if not caller.account:
            raise AccessDenied
        limit, after = _page(request)
        prefix, region = request.get("Prefix", ""), request.get("BucketRegion")
        found = sorted(
            (
                bucket
                for bucket in self._store.rows(Bucket, account=caller.account)
                if bucket.name.startswith(prefix) and bucket.name > after and region in (None, bucket.region)
            ),
            key=lambda bucket: bucket.name,
        )
        page = found[:limit]
        with_region = any(request.get(name) is not None for name in _FILTERS)
        answer = {
            "Buckets": [_shown(bucket, with_region=with_region) for bucket in page],
            "Owner": {"ID": canonical_id(caller.account)},
        }
        if len(found) > limit:
            answer["ContinuationToken"] = base64.urlsafe_b64encode(page[-1].name.encode()).decode()
        return answer | ({"Prefix": prefix} if prefix else {})

    def head_bucket(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.find_for(self._store, caller, request)
        if not access.may(self._store, caller, bucket, "s3:ListBucket", request=request):
            raise AccessDenied(headers=buckets.region_header(bucket))
        return {"BucketRegion": bucket.region, "AccessPointAlias": False}

    def get_bucket_location(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """From every region, for this is how clients learn which is the right one."""
        bucket = buckets.find(self._store, request["Bucket"])
        buckets.check_owner(bucket, request.get("ExpectedBucketOwner"))
        access.check(self._store, caller, bucket, "s3:GetBucketLocation", request=request)
        return {} if bucket.region == "us-east-1" else {"LocationConstraint": bucket.region}


def _shown(bucket: Bucket, *, with_region: bool) -> dict[str, Any]:
    region = {"BucketRegion": bucket.region} if with_region else {}
    return {"Name": bucket.name, "CreationDate": bucket.created_at, **region}


def _page(request: Mapping[str, Any]) -> tuple[int, str]:
    """How many, and after which name."""
    limit = request.get("MaxBuckets", _PAGE_MAX)
    if not 1 <= limit <= _PAGE_MAX:
        raise bad_argument(
            f"Argument max-buckets must be an integer between 1 and {_PAGE_MAX}", "max-buckets", limit
        )
    token = request.get("ContinuationToken")
    if token is None:
        return limit, ""
    try:
        return limit, base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise bad_argument(
            "The continuation token provided is incorrect", "continuation-token", token
        ) from None
