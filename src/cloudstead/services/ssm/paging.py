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
    shown: Callable[[T], Any | None],
    size: int,
) -> dict[str, Any]:
    """One page of `Parameters`; `size` is what a page holds if the request does not say.

    The items come in the order of their keys, and none is looked at that the page does not need. Those that `shown`
    gives nothing for are left out.
    """
    token = request.get("NextToken")
    after = _read(token) if token is not None else ""
    size = request.get("MaxResults") or size
    page: list[Any] = []
    last = ""
    for item in items:
        if key(item) <= after or (one := shown(item)) is None:
            continue
        if len(page) == size:
            return {
                "Parameters": page,
                "NextToken": base64.urlsafe_b64encode(last.encode()).decode(),
            }
        page.append(one)
        last = key(item)
    return {"Parameters": page}


def _read(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise InvalidNextToken("The specified token isn't valid.") from None
