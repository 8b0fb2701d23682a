"""ParameterFilters: what may be asked, and which parameters it finds.

DescribeParameters and GetParametersByPath know different keys and words. A filter that is not understood is refused
in AWS's words and never passed over.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cloudstead.services.ssm import names
from cloudstead.services.ssm.errors import (
    InvalidFilterKey,
    InvalidFilterOption,
    InvalidFilterValue,
    ValidationException,
)
from cloudstead.services.ssm.rows import Parameter, Version

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import ParametersFilterTypeDef, ParameterStringFilterTypeDef

#: Whether a parameter, with the version in question, is found.
Matches = Callable[[Parameter, Version], bool]

_TAG = "tag:"
_VALUES: Mapping[str, Sequence[str]] = {
    "Type": ("String", "StringList", "SecureString"),
    "Tier": ("Standard", "Advanced", "Intelligent-Tiering"),
}
_BY_PATH_KEYS = ("Type", "KeyId", "Label")


def described(filters: Sequence["ParameterStringFilterTypeDef"]) -> Matches:
    """The filters of DescribeParameters; all must match, each by one of its values."""
    for one in filters:
        if one["Key"] == "Label":
            raise _unknown_key(one["Key"], "[Path, Name, Type, KeyId, Tier]")
    return _all(filters)


def by_path(filters: Sequence["ParameterStringFilterTypeDef"]) -> Matches:
    """The filters of GetParametersByPath. With a label, the version is the one that holds it."""
    for one in filters:
        if one["Key"] not in _BY_PATH_KEYS:
            raise _unknown_key(one["Key"], "[Type, KeyId]")
    return _all(filters)


def old(filters: Sequence["ParametersFilterTypeDef"]) -> Matches:
    """The filters DescribeParameters had first: values to be met exactly."""
    wanted = [(one["Key"], set(one["Values"])) for one in filters]

    def matches(parameter: Parameter, version: Version) -> bool:
        has = {"Name": parameter.name, "Type": version.type, "KeyId": version.key_id}
        return all(has[key] in values for key, values in wanted)

    return matches


def labels(filters: Sequence["ParameterStringFilterTypeDef"]) -> list[str]:
    """The labels asked for by GetParametersByPath."""
    return [value for one in filters if one["Key"] == "Label" for value in one.get("Values", [])]


def _all(filters: Sequence["ParameterStringFilterTypeDef"]) -> Matches:
    keys = [one["Key"] for one in filters]
    for key in keys:
        if keys.count(key) > 1:
            raise InvalidFilterKey(
                f"The following filter is duplicated in the request: {key}. "
                "A request can contain only one occurrence of a specific filter."
            )
    each = [_one(one["Key"], one.get("Option"), one.get("Values")) for one in filters]
    return lambda parameter, version: all(matches(parameter, version) for matches in each)


def _one(key: str, option: str | None, values: Sequence[str] | None) -> Matches:
    if not values:
        if key.startswith(_TAG):
            return lambda parameter, _: key.removeprefix(_TAG) in parameter.tags
        raise InvalidFilterValue(f"The following filter values are missing : null for filter key {key}")
    if key == "Path":
        return _path(option or "OneLevel", values)
    if key == "Name" and option == "Contains":
        return lambda parameter, _: any(value in _rooted(parameter.name) for value in values)
    option = option or "Equals"
    if option not in ("Equals", "BeginsWith"):
        raise _unknown_option(option, "[BeginsWith, Equals]")
    if option == "Equals":
        _check_values(key, values)
    wanted = [_rooted(value) if key == "Name" else value for value in values]
    field = _field(key)
    return lambda parameter, version: any(
        has == value if option == "Equals" else has.startswith(value)
        for has in field(parameter, version)
        for value in wanted
    )


def _field(key: str) -> Callable[[Parameter, Version], Sequence[str]]:
    """What of a parameter is compared."""
    if key.startswith(_TAG):
        name = key.removeprefix(_TAG)
        return lambda parameter, _: [parameter.tags[name]] if name in parameter.tags else []
    fields: Mapping[str, Callable[[Parameter, Version], Sequence[str]]] = {
        "Name": lambda parameter, _: [_rooted(parameter.name)],
        "Type": lambda _, version: [version.type],
        "KeyId": lambda _, version: [version.key_id] if version.key_id else [],
        "Tier": lambda parameter, _: [parameter.tier],
        "DataType": lambda _, version: [version.data_type],
        "Label": lambda _, version: version.labels,
    }
    return fields[key]


def _path(option: str, values: Sequence[str]) -> Matches:
    if option not in ("Recursive", "OneLevel"):
        raise _unknown_option(option, "[Recursive, OneLevel]")
    if any(value.lower().startswith(("/aws", "/ssm")) for value in values):
        raise ValidationException(
            'Filters for common parameters can\'t be prefixed with "aws" or "ssm" (case-insensitive). '
            "When using global parameters, please specify within a global namespace."
        )
    paths = [names.check_path(value) for value in values]
    recursive = option == "Recursive"
    return lambda parameter, _: any(names.below(parameter.name, path, recursive=recursive) for path in paths)


def _check_values(key: str, values: Sequence[str]) -> None:
    known = _VALUES.get(key)
    wrong = next((value for value in values if known is not None and value not in known), None)
    if wrong is not None and known is not None:
        raise InvalidFilterValue(
            f"The following filter value is not valid: {wrong}. Valid values include: [{', '.join(known)}]."
        )


def _rooted(name: str) -> str:
    """`x` and `/x` are found by either name."""
    return name if name.startswith("/") else f"/{name}"


def _unknown_key(key: str, known: str) -> InvalidFilterKey:
    return InvalidFilterKey(
        f"The following filter key is not valid: {key}. Valid filter keys include: {known}."
    )


def _unknown_option(option: str, known: str) -> InvalidFilterOption:
    return InvalidFilterOption(
        f"The following filter option is not valid: {option}. Valid options include: {known}."
    )
