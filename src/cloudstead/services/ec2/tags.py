"""Tags: the ones asked for at creation, and how answers show them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cloudstead.core.errors import ServiceError

TAGS_MAX = 50


def wanted(request: Mapping[str, Any], resource_type: str, *, among: Collection[str] = ()) -> dict[str, str]:
    """The tags that TagSpecifications ask for on resources of this type, checked.

    `among` are the types that the operation makes, if there are more.
    """
    tags: dict[str, str] = {}
    for specification in request.get("TagSpecifications") or ():
        asked = specification.get("ResourceType")
        if not asked:
            raise ServiceError(
                "Tag specification resource type must have a value", code="InvalidParameterValue"
            )
        if asked != resource_type and asked not in among:
            raise ServiceError(
                f"'{asked}' is not a valid taggable resource type for this operation.",
                code="InvalidParameterValue",
            )
        if asked == resource_type:
            for tag in specification.get("Tags") or ():
                if tag.get("Key", "") in tags:
                    raise ServiceError(
                        f"Duplicate tag key '{tag.get('Key', '')}' specified.", code="InvalidParameterValue"
                    )
                tags[tag.get("Key", "")] = tag.get("Value", "")
    check(tags)
    return tags


def check(tags: Mapping[str, str], *, own: bool = True) -> None:
    """Raise AWS's error if these tags may not stand on one resource. `own`: they come from a caller."""
    for key, value in tags.items():
        if not key:
            raise ServiceError("Tag key cannot be empty", code="InvalidParameterValue")
        if own and key.lower().startswith("aws:"):
            raise ServiceError(
                "Tag keys starting with 'aws:' are reserved for internal use", code="InvalidParameterValue"
            )
        if len(key) > 128:
            raise ServiceError(
                f"Tag key exceeds the maximum length of 128 characters: '{key}'", code="InvalidParameterValue"
            )
        if len(value) > 256:
            raise ServiceError(
                f"Tag value exceeds the maximum length of 256 characters: '{value}'",
                code="InvalidParameterValue",
            )
    if len([key for key in tags if not key.startswith("aws:")]) > TAGS_MAX:
        raise ServiceError(f"More than {TAGS_MAX} tags specified for one resource", code="TagLimitExceeded")


def shown(tags: Mapping[str, str]) -> Sequence[dict[str, str]]:
    """As Describe answers list them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
