"""Tags of sessions. Transitive ones go on to every session that is made with this one's keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudstead.services.sts.errors import InvalidParameterValue


@dataclass(frozen=True)
class SessionTags:
    tags: Mapping[str, str]
    transitive: Sequence[str]  # keys


def wanted(request: Mapping[str, Any], inherited: Mapping[str, str]) -> SessionTags:
    """The tags of a request and those the calling session hands on."""
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}
    keys = [tag["Key"].lower() for tag in request.get("Tags") or ()]
    if len(set(keys)) < len(keys):
        raise InvalidParameterValue(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    transitive = list(request.get("TransitiveTagKeys") or ())
    if not {key.lower() for key in transitive} <= set(keys):
        raise InvalidParameterValue(
            "The specified transitive tag key must be included in the requested tags."
        )
    if not {key.lower() for key in inherited}.isdisjoint(keys):
        raise InvalidParameterValue(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )
    return SessionTags({**inherited, **tags}, [*inherited, *transitive])
