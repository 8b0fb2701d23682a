"""The Filters of Describe calls: names and values, `*` and `?` as wildcards, tags by key and value.

Several filters must all hold; of one filter's values any may. Source: the EC2 API reference, "Filter", and the user
guide, "List and filter your resources".
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from cloudstead.core.errors import ServiceError


class Tagged(Protocol):
    @property
    def tags(self) -> Mapping[str, str]: ...


E = TypeVar("E", bound=Tagged)

#: What a filter compares: nothing, one value or several. Booleans compare as "true" and "false".
Found = str | bool | int | datetime | None | Iterable[str | None]
Fields = Mapping[str, Callable[[E], Found]]

_VALUES_MAX = 200


def select(rows: Iterable[E], filters: Sequence[Mapping[str, Any]] | None, fields: Fields[E]) -> list[E]:
    """The rows for which every filter holds.

    `fields` has a function for each filter name of the call; tag filters need no entry.
    Raises InvalidParameterValue for a name that the call does not have.
    """
    checks = [_check(filter, fields) for filter in filters or ()]
    return [row for row in rows if all(check(row) for check in checks)]


def _check(filter: Mapping[str, Any], fields: Fields[E]) -> Callable[[E], bool]:
    name: str = filter.get("Name", "")
    values = filter.get("Values") or ()
    if len(values) > _VALUES_MAX:
        raise ServiceError(
            f"The maximum number of filter values specified on a single call is {_VALUES_MAX}",
            code="FilterLimitExceeded",
        )
    patterns = [_pattern(value) for value in values]

    def holds(found: Iterable[str | None]) -> bool:
        return any(text is not None and pattern.fullmatch(text) for text in found for pattern in patterns)

    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda row: holds((row.tags.get(key),))
    if name == "tag-key":
        return lambda row: holds(row.tags)
    if name == "tag-value":
        return lambda row: holds(row.tags.values())
    read = fields.get(name)
    if read is None:
        raise ServiceError(f"The filter '{name}' is invalid", code="InvalidParameterValue")
    return lambda row: holds(_texts(read(row)))


def _texts(found: Found) -> Iterable[str | None]:
    match found:
        case None:
            return ()
        case bool():
            return ("true" if found else "false",)
        case str():
            return (found,)
        case int():
            return (str(found),)
        case datetime():
            return (found.strftime("%Y-%m-%dT%H:%M:%S.") + f"{found.microsecond // 1000:03d}Z",)
        case _:
            return found


@lru_cache(maxsize=1024)
def _pattern(value: str) -> re.Pattern[str]:
    """A filter value as a regular expression: `*` any text, `?` one character, a backslash takes the next as it is.

    What stands between two stars is looked for once, at the first place where it fits: trying the later ones too
    would find nothing more, and take for ever.
    """
    pieces = [""]
    characters = iter(value)
    for character in characters:
        if character == "\\":
            pieces[-1] += re.escape(next(characters, "\\"))
        elif character == "*":
            pieces.append("")
        else:
            pieces[-1] += "." if character == "?" else re.escape(character)
    first, *between = pieces
    last = ".*" + between.pop() if between else ""
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in between) + last, re.DOTALL)
