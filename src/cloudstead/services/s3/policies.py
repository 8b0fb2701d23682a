"""Bucket policies: kept as they were written, so that they read back the same."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import buckets, policy_grammar, public_access
from cloudstead.services.s3.errors import (
    AccessDenied,
    MethodNotAllowed,
    MissingRequestBodyError,
    NoSuchBucketPolicy,
)
from cloudstead.services.s3.policy_public import is_public
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Store


class Policies:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_policy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        policy = request.get("Policy")
        if not policy:
            raise MissingRequestBodyError
        with self._store.transaction():
            bucket = self._own(caller, request, "s3:PutBucketPolicy")
            policy_grammar.check(policy, bucket.name)
            if public_access.of(self._store, bucket).block_policy and is_public(policy):
                raise AccessDenied(
                    f"User: {caller.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
                    f'"{bucket.arn()}" because public policies are prevented by the BlockPublicPolicy setting in '
                    "S3 Block Public Access."
                )
            self._store.update(bucket, policy=policy)
        return {}

    def get_bucket_policy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"Policy": _policy(self._own(caller, request, "s3:GetBucketPolicy"))}

    def delete_bucket_policy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = self._own(caller, request, "s3:DeleteBucketPolicy")
            self._store.update(bucket, policy=None)
        return {}

    def get_bucket_policy_status(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketPolicyStatus")
        return {"PolicyStatus": {"IsPublic": is_public(_policy(bucket))}}

    def _own(self, caller: Caller, request: Mapping[str, Any], action: str) -> Bucket:
        """The bucket, for its own account alone: even who may is told so if it is of another."""
        bucket = buckets.opened(self._store, caller, request, action)
        if caller.account != bucket.account:
            raise MethodNotAllowed
        return bucket


def _policy(bucket: Bucket) -> str:
    if bucket.policy is None:
        raise NoSuchBucketPolicy(fields={"BucketName": bucket.name})
    return bucket.policy
