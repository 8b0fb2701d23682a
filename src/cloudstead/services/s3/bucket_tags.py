"""Tags of buckets: replaced as a whole, never added to."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import BadRequest, InvalidRequest, InvalidTag, NoSuchTagSet
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Store

TAGS_MAX = 50

_KEY_LENGTH_MAX = 128
_VALUE_LENGTH_MAX = 256
_ALLOWED = re.compile(r"[\w\s.:/=+\-@]*")


class BucketTags:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_tagging(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        tags = checked(request["Tagging"]["TagSet"])
        with self._store.transaction():
            bucket = self._changeable(caller, request)
            self._store.update(bucket, tags=tags)
        return {}

    def get_bucket_tagging(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketTagging")
        if not bucket.tags:
            raise NoSuchTagSet(fields={"BucketName": bucket.name})
        return {"TagSet": [{"Key": key, "Value": value} for key, value in bucket.tags.items()]}

    def delete_bucket_tagging(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = self._changeable(caller, request)
            self._store.update(bucket, tags={})
        return {}

    def _changeable(self, caller: Caller, request: Mapping[str, Any]) -> Bucket:
        bucket = buckets.opened(self._store, caller, request, "s3:PutBucketTagging")
        if bucket.abac:
            raise InvalidRequest(
                "This operation is not allowed on buckets with ABAC enabled. Use TagResource and UntagResource instead."
            )
        return bucket


def checked(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    if len(tags) > TAGS_MAX:
        raise BadRequest(f"Bucket tag count cannot be greater than {TAGS_MAX}")
    for tag in tags:
        check_tag(tag["Key"], tag["Value"])
    result = {tag["Key"]: tag["Value"] for tag in tags}
    if len(result) < len(tags):
        raise InvalidTag("Cannot provide multiple Tags with the same key")
    return result


def check_tag(key: str, value: str) -> None:
    if key.lower().startswith("aws:"):
        raise InvalidTag("System tags cannot be added/updated by requester", fields={"TagKey": key})
    if not 1 <= len(key) <= _KEY_LENGTH_MAX or not _ALLOWED.fullmatch(key):
        raise InvalidTag("The TagKey you have provided is invalid", fields={"TagKey": key})
    if len(value) > _VALUE_LENGTH_MAX or not _ALLOWED.fullmatch(value):
        raise InvalidTag(
            "The TagValue you have provided is invalid", fields={"TagKey": key, "TagValue": value}
        )
