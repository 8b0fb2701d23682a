"""MaxItems, markers and tokens. Sizes travel as text; a marker names what the page begins with."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from cloudstead.core.errors import ServiceError
from cloudstead.services.route53.errors import InvalidInput, InvalidPaginationToken

T = TypeVar("T")

SIZE_MAX = 100


def size(request: Mapping[str, Any], most: int = SIZE_MAX, member: str = "MaxItems") -> int:
    """How many elements a page may have: asking for more than the most is asking for the most."""
    text = request.get(member)
    if text is None or text == "":
        return most
    if not str(text).isdecimal() or int(text) < 1:
        raise InvalidInput(f"The value '{text}' for {member} is not a positive number")
    return min(int(text), most)


def marked(
    member: str,
    items: Sequence[T],
    request: Mapping[str, Any],
    *,
    key: Callable[[T], str],
    shown: Callable[[T], Any],
) -> dict[str, Any]:
    """A page from the one that Marker names, in the order of the keys."""
    most = size(request)
    left = sorted((item for item in items if key(item) >= request.get("Marker", "")), key=key)
    answer = {
        member: [shown(item) for item in left[:most]],
        "IsTruncated": len(left) > most,
        "MaxItems": str(most),
        "Marker": request.get("Marker", ""),
    }
    return answer if len(left) <= most else {**answer, "NextMarker": key(left[most])}


def tokened(
    member: str,
    items: Sequence[T],
    request: Mapping[str, Any],
    *,
    key: Callable[[T], str],
    shown: Callable[[T], Any],
    size_member: str = "MaxResults",
    refusal: type[ServiceError] = InvalidPaginationToken,
) -> dict[str, Any]:
    """A page after the one that NextToken names, in the order of the keys. `refusal` is of a token nobody gave."""
    most = size(request, member=size_member)
    after = _read(request["NextToken"], refusal) if request.get("NextToken") else ""
    left = sorted((item for item in items if key(item) > after), key=key)
    answer: dict[str, Any] = {member: [shown(item) for item in left[:most]]}
    if len(left) > most:
        answer["NextToken"] = base64.urlsafe_b64encode(key(left[most - 1]).encode()).decode()
    return answer


def _read(token: str, refusal: type[ServiceError]) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise refusal("The specified pagination token is not valid.") from None
