"""S3 Control: what is said of an account's buckets altogether, and of any bucket by its ARN.

A service of its own at AWS, with addresses and a description apart, over the same buckets.
"""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.s3 import bucket_tags, buckets, public_access
from cloudstead.services.s3.errors import (
    AccessDenied,
    InvalidRequest,
    NoSuchPublicAccessBlockConfiguration,
    NoSuchResource,
)
from cloudstead.services.s3.rows import AccountBlock, Bucket
from cloudstead.store import Store

_BUCKET = "arn:aws:s3:::"


class AccountBlocks:
    """The block on public access of all the account's buckets, present and future."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put_public_access_block(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        block = public_access.asked(request["PublicAccessBlockConfiguration"])
        account = _own_account(caller, request)
        with self._store.transaction():
            known = self._store.get(AccountBlock, account)
            if known is None:
                self._store.insert(AccountBlock(id=account, public_access=block))
            else:
                self._store.update(known, public_access=block)
        return {}

    def get_public_access_block(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        account = _own_account(caller, request)
        block = public_access.of_account(self._store, account)
        if block is None:
            raise NoSuchPublicAccessBlockConfiguration(fields={"AccountId": account})
        return {"PublicAccessBlockConfiguration": public_access.shown(block)}

    def delete_public_access_block(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        account = _own_account(caller, request)
        with self._store.transaction():
            known = self._store.get(AccountBlock, account)
            if known is not None:
                self._store.delete(known)
        return {}


class ResourceTags:
    """Tags of buckets, added and removed one by one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tag_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        more = bucket_tags.checked(request["Tags"])
        with self._store.transaction():
            bucket = self._find(caller, request, "s3:TagResource")
            tags = {**bucket.tags, **more}
            if len(tags) > bucket_tags.TAGS_MAX:
                raise InvalidRequest(f"A bucket cannot have more than {bucket_tags.TAGS_MAX} tags")
            self._store.update(bucket, tags=tags)
        return {}

    def untag_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        gone = set(request["TagKeys"])
        with self._store.transaction():
            bucket = self._find(caller, request, "s3:UntagResource")
            kept = {key: value for key, value in bucket.tags.items() if key not in gone}
            self._store.update(bucket, tags=kept)
        return {}

    def list_tags_for_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = self._find(caller, request, "s3:ListTagsForResource")
        return {"Tags": [{"Key": key, "Value": value} for key, value in bucket.tags.items()]}

    def _find(self, caller: Caller, request: Mapping[str, Any], action: str) -> Bucket:
        arn = request["ResourceArn"]
        account = _own_account(caller, request)
        if not arn.startswith(_BUCKET):
            raise NotBuilt(
                "Of S3's resources only general purpose buckets have tags in Cloudstead's S3 Control"
            )
        found = self._store.get(Bucket, arn.removeprefix(_BUCKET))
        if found is None or found.account != account:
            raise NoSuchResource("The specified resource doesn't exist.")
        return buckets.opened(self._store, caller, {"Bucket": found.name}, action)


def _own_account(caller: Caller, request: Mapping[str, Any]) -> str:
    account: str = request.get("AccountId") or caller.account
    if account != caller.account:
        raise AccessDenied
    return account
