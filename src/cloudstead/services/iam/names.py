"""What IAM takes as a name, a path and a set of tags, with AWS's words for what it does not take."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudstead.services.iam.errors import InvalidInput, LimitExceeded, ValidationError

TAGS_MAX = 50

_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]+")
_PATH = re.compile(r"/|/[\u0021-\u007e]+/")
_PREFIX = re.compile(r"/[\u0021-\u007e]*")


def check_name(value: str, member: str) -> str:
    """`member` is the request's, as AWS's messages spell it: `userName`."""
    if not _NAME.fullmatch(value):
        raise ValidationError(
            f"The specified value for {member} is invalid. "
            "It must contain only alphanumeric characters and/or the following: +=,.@_-"
        )
    return value


def check_path(value: str, member: str = "path") -> str:
    if not _PATH.fullmatch(value):
        raise ValidationError(
            f"The specified value for {member} is invalid. "
            "It must begin and end with / and contain only alphanumeric characters and/or / characters."
        )
    return value


def check_prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value):
        raise ValidationError(
            "The specified value for pathPrefix is invalid. "
            "It must begin with / and contain only alphanumeric characters and/or / characters."
        )
    return value


def wanted_tags(request: Mapping[str, Any]) -> dict[str, str]:
    return with_tags({}, request.get("Tags") or ())


def with_tags(tags: Mapping[str, str], added: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """These tags and the added ones. Keys differ by more than case; a value takes the place of an earlier one."""
    keys = [tag["Key"].lower() for tag in added]
    if len(set(keys)) < len(keys):
        raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith("aws:") for key in keys):
        raise InvalidInput("Tag keys beginning with aws: are reserved for system use.")
    kept = {key: value for key, value in tags.items() if key.lower() not in keys}
    result = kept | {tag["Key"]: tag["Value"] for tag in added}
    if len(result) > TAGS_MAX:
        raise LimitExceeded("The number of tags has reached the maximum limit.")
    return result


def without_tags(tags: Mapping[str, str], keys: Sequence[str]) -> dict[str, str]:
    removed = {key.lower() for key in keys}
    return {key: value for key, value in tags.items() if key.lower() not in removed}
