"""CreateTags, DeleteTags, DescribeTags, over every kind of resource that has tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters
from cloudstead.services.ec2 import tags as rules
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Ec2Row, Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        ClientCreateTagsRequestTypeDef,
        ClientDeleteTagsRequestTypeDef,
        DescribeTagsRequestTypeDef,
    )

_RESOURCES_MAX = 1000


@dataclass(frozen=True)
class _Tag:
    """One tag of one resource."""

    row: Ec2Row
    key: str
    value: str

    @property
    def tags(self) -> Mapping[str, str]:
        return {self.key: self.value}


_FIELDS: Fields[_Tag] = {
    "key": lambda tag: tag.key,
    "resource-id": lambda tag: tag.row.id,
    "resource-type": lambda tag: tag.row.resource_type,
    "value": lambda tag: tag.value,
}


class Tags:
    def __init__(self, resources: Resources, kinds: Sequence[type[Ec2Row]]) -> None:
        """`kinds` are all that can be tagged; a resource is told by the prefix of its id."""
        self._resources = resources
        self._kinds = {kind.prefix: kind for kind in kinds}

    def create_tags(self, caller: Caller, request: "ClientCreateTagsRequestTypeDef") -> None:
        added: dict[str, str] = {}
        for tag in request["Tags"]:
            if tag.get("Key", "") in added:
                raise ServiceError(
                    f"Duplicate tag key '{tag.get('Key')}' specified.", code="InvalidParameterValue"
                )
            added[tag.get("Key", "")] = tag.get("Value", "")
        rules.check(added)
        with self._resources.store.transaction():
            for row in self._rows(caller, request["Resources"]):
                together = {**row.tags, **added}
                rules.check(together, own=False)
                self._resources.store.update(row, tags=together)

    def delete_tags(self, caller: Caller, request: "ClientDeleteTagsRequestTypeDef") -> None:
        doomed = request.get("Tags")
        with self._resources.store.transaction():
            for row in self._rows(caller, request["Resources"]):
                kept = {key: value for key, value in row.tags.items() if not _named(doomed, key, value)}
                self._resources.store.update(row, tags=kept)

    def describe_tags(self, caller: Caller, request: "DescribeTagsRequestTypeDef") -> dict[str, Any]:
        with self._resources.store.reading():
            found = [
                _Tag(row, key, value)
                for kind in self._kinds.values()
                for row in self._resources.mine(kind, caller)
                for key, value in row.tags.items()
            ]
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda tag: f"{tag.row.id} {tag.key}")
        shown = [
            {
                "Key": tag.key,
                "ResourceId": tag.row.id,
                "ResourceType": tag.row.resource_type,
                "Value": tag.value,
            }
            for tag in some
        ]
        return {"Tags": shown, "NextToken": token}

    def _rows(self, caller: Caller, wanted: Sequence[str]) -> list[Ec2Row]:
        if len(wanted) > _RESOURCES_MAX:
            raise ServiceError(
                f"The maximum number of resources of one call is {_RESOURCES_MAX}",
                code="InvalidParameterValue",
            )
        found: list[Ec2Row] = []
        for id in dict.fromkeys(wanted):
            kind = self._kinds.get(id.rpartition("-")[0])
            if kind is None:
                raise ServiceError(f"The ID '{id}' is not valid", code="InvalidID")
            found.append(self._resources.find(kind, caller, id))
        return found


def _named(doomed: Sequence[Mapping[str, Any]] | None, key: str, value: str) -> bool:
    """Whether a tag is to go: named by its key, and by its value if one is given. Naming none names all."""
    if key.startswith("aws:"):
        return False
    if not doomed:
        return True
    return any(tag.get("Key") == key and tag.get("Value", value) == value for tag in doomed)
