"""Tags of parameters."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.ssm.directory import Directory
from cloudstead.services.ssm.errors import (
    InvalidResourceId,
    ParameterNotFound,
    TooManyTagsError,
    ValidationException,
)
from cloudstead.services.ssm.rows import Parameter

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        AddTagsToResourceRequestTypeDef,
        ListTagsForResourceRequestTypeDef,
        RemoveTagsFromResourceRequestTypeDef,
        TagTypeDef,
    )

_TAGS_MAX = 50


class Tags:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def add_tags_to_resource(
        self, caller: Caller, request: "AddTagsToResourceRequestTypeDef"
    ) -> dict[str, Any]:
        with self._store.transaction():
            found = self._find(caller, request)
            self._store.update(found, tags=added(found.tags, request["Tags"]))
        return {}

    def remove_tags_from_resource(
        self, caller: Caller, request: "RemoveTagsFromResourceRequestTypeDef"
    ) -> dict[str, Any]:
        with self._store.transaction():
            found = self._find(caller, request)
            kept = {key: value for key, value in found.tags.items() if key not in request["TagKeys"]}
            self._store.update(found, tags=kept)
        return {}

    def list_tags_for_resource(
        self, caller: Caller, request: "ListTagsForResourceRequestTypeDef"
    ) -> dict[str, Any]:
        found = self._find(caller, request)
        return {"TagList": [{"Key": key, "Value": value} for key, value in found.tags.items()]}

    def _find(self, caller: Caller, request: Mapping[str, Any]) -> Parameter:
        if request["ResourceType"] != "Parameter":
            raise NotBuilt(f"SSM's resource type {request['ResourceType']} is not built")
        try:
            return self._directory.find(caller, request["ResourceId"])
        except ParameterNotFound:
            raise InvalidResourceId(
                "The resource ID isn't valid. Verify that you entered the correct ID and try again."
            ) from None


def added(tags: Mapping[str, str], more: Sequence["TagTypeDef"]) -> dict[str, str]:
    """These tags and more; a value takes the place of an earlier one."""
    if any(tag["Key"].lower().startswith("aws:") for tag in more):
        raise ValidationException("Tag keys beginning with aws: are reserved for system use.")
    result = {**tags, **{tag["Key"]: tag["Value"] for tag in more}}
    if len(result) > _TAGS_MAX:
        raise TooManyTagsError(
            "The Targets parameter includes too many tags. Remove one or more tags and try the command again."
        )
    return result
