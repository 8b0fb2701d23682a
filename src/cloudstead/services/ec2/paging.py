"""MaxResults and NextToken of Describe calls.

A token says after which element to go on, so elements made or removed in between neither repeat nor hide others.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from cloudstead.core.errors import ServiceError

T = TypeVar("T")


def page(
    items: Sequence[T],
    request: Mapping[str, Any],
    *,
    key: Callable[[T], str],
    least: int = 5,
    most: int = 1000,
    ids: str | None = None,
) -> tuple[Sequence[T], str | None]:
    """One page of `items`, and the token for the next, None at the end.

    `key` gives each element's id. `ids` names the request member that lists ids, which may not go with MaxResults.
    """
    size = request.get("MaxResults")
    if size is not None:
        if ids is not None and request.get(ids):
            raise ServiceError(
                f"The parameter {ids} cannot be used with the parameter MaxResults",
                code="InvalidParameterCombination",
            )
        if not least <= size <= most:
            raise ServiceError(
                f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between {least} and {most}.",
                code="InvalidParameterValue",
            )
    start = 0
    if (token := request.get("NextToken")) is not None:
        start = _after(items, _read(token), key)
    rest = items[start:]
    if size is None or len(rest) <= size:
        return rest, None
    return rest[:size], base64.urlsafe_b64encode(f"{start + size}/{key(rest[size - 1])}".encode()).decode()


def _read(token: str) -> tuple[int, str]:
    try:
        position, _, last = base64.urlsafe_b64decode(token.encode()).decode().partition("/")
        return int(position), last
    except (ValueError, binascii.Error, UnicodeError):
        raise ServiceError(f"Invalid value '{token}' for NextToken", code="InvalidNextToken") from None


def _after(items: Sequence[T], token: tuple[int, str], key: Callable[[T], str]) -> int:
    position, last = token
    for index, item in enumerate(items):
        if key(item) == last:
            return index + 1
    return min(position, len(items))
