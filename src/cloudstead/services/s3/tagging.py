"""Tags of objects: read from a header or a body, and the operations that replace them."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from msgspec.structs import replace

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import buckets, objects_meta
from cloudstead.services.s3.bucket_tags import check_tag
from cloudstead.services.s3.errors import BadRequest, InvalidTag, bad_argument
from cloudstead.services.s3.objects import Objects, shown_version

TAGS_MAX = 10


def of_header(text: str | None) -> dict[str, str]:
    """The tags of `x-amz-tagging`: a query string."""
    if not text:
        return {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100, errors="strict")
        return _checked(pairs)
    except (ValueError, _Twice):
        raise bad_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
            "duplicates.",
            "x-amz-tagging",
            text,
        ) from None


def of_set(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The tags of a body."""
    try:
        return _checked([(tag["Key"], tag["Value"]) for tag in tags])
    except _Twice as e:
        raise InvalidTag(
            "Cannot provide multiple Tags with the same key", fields={"TagKey": str(e)}
        ) from None


class _Twice(Exception):
    """A tag was given twice."""


def _checked(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    if len(pairs) > TAGS_MAX:
        raise BadRequest(f"Object tags cannot be greater than {TAGS_MAX}")
    tags: dict[str, str] = {}
    for key, value in pairs:
        check_tag(key, value)
        if key in tags:
            raise _Twice(key)
        tags[key] = value
    return tags


class Tagging:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def put_object_tagging(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        tags = of_set(request["Tagging"]["TagSet"])
        return await self._replace(
            caller, request, tags, ("s3:PutObjectTagging", "s3:PutObjectVersionTagging"), "Put"
        )

    async def delete_object_tagging(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        actions = ("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging")
        return await self._replace(caller, request, {}, actions, "Delete")

    def get_object_tagging(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.find_for(self._objects.store, caller, request)
        entry = self._objects.find(
            caller, bucket, request, "s3:GetObjectTagging", "s3:GetObjectVersionTagging"
        )
        tags = objects_meta.of(entry).tags
        return {
            "TagSet": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
            **shown_version(bucket, entry.version_id),
        }

    async def _replace(
        self,
        caller: Caller,
        request: Mapping[str, Any],
        tags: dict[str, str],
        actions: tuple[str, str],
        event: str,
    ) -> dict[str, Any]:
        bucket = buckets.find_for(self._objects.store, caller, request)
        entry = self._objects.find(caller, bucket, request, *actions)
        changed = await self._objects.change_meta(bucket, entry, lambda meta: replace(meta, tags=tags))
        self._objects.announce(bucket, caller, f"s3:ObjectTagging:{event}", changed)
        return shown_version(bucket, entry.version_id)
