"""Tags of keys."""

from collections.abc import Iterable, Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.kms.directory import Directory, check_not_ending
from cloudstead.services.kms.errors import LimitExceededException, TagException
from cloudstead.services.kms.paging import paged

TAGS_MAX = 50


class Tags:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def tag_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            key = self._directory.managed(caller, request["KeyId"], "kms:TagResource")
            check_not_ending(key)
            self._store.update(key, tags=added(key.tags, request["Tags"]))
        return {}

    def untag_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            key = self._directory.managed(caller, request["KeyId"], "kms:UntagResource")
            check_not_ending(key)
            kept = {name: value for name, value in key.tags.items() if name not in request["TagKeys"]}
            self._store.update(key, tags=kept)
        return {}

    def list_resource_tags(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        key = self._directory.managed(caller, request["KeyId"], "kms:ListResourceTags")
        return paged(
            "Tags",
            sorted(key.tags.items()),
            request,
            key=lambda tag: tag[0],
            shown=lambda tag: {"TagKey": tag[0], "TagValue": tag[1]},
            size=50,
            most=50,
        )


def added(tags: Mapping[str, str], more: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """These tags and more; a value takes the place of an earlier one."""
    more = list(more)
    names = [tag["TagKey"] for tag in more]
    if any(name.lower().startswith("aws:") for name in names):
        raise TagException("Tag keys beginning with aws: are reserved for system use.")
    if len(set(names)) < len(names):
        raise TagException("Duplicate tag keys are not allowed.")
    result = {**tags, **{tag["TagKey"]: tag["TagValue"] for tag in more}}
    if len(result) > TAGS_MAX:
        raise LimitExceededException(f"A key cannot have more than {TAGS_MAX} tags.")
    return result
