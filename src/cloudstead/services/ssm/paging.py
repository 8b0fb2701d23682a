"""MaxResults and NextToken. A token says after which element to go on."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from cloudstead.services.ssm.errors import InvalidNextToken

T = TypeVar("T")


def paged(
    items: Iterable[T],
    request: Mapping[str, Any],
    *,
    key: Callable[[T], str],
    shown: Callable[[T], Any],
    size: int,
) -> dict[str, Any]:
    """One page of `Parameters`, in the order of their keys; `size` is what a page holds if the request does not say."""
    ordered = sorted(items, key=key)
    if (token := request.get("NextToken")) is not None:
        after = _read(token)
        ordered = [item for item in ordered if key(item) > after]
    size = request.get("MaxResults") or size
    answer: dict[str, Any] = {"Parameters": [shown(item) for item in ordered[:size]]}
    if len(ordered) > size:
        answer["NextToken"] = base64.urlsafe_b64encode(key(ordered[size - 1]).encode()).decode()
    return answer


def _read(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise InvalidNextToken("The specified token isn't valid.") from None
