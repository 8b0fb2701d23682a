"""MaxResults and NextToken, and the Filters of the older List operations. A token says after which element to go on."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from cloudstead.core.errors import ServiceError
from cloudstead.services.route53resolver.errors import InvalidNextTokenException, InvalidParameterException

T = TypeVar("T")
Fields = Mapping[str, Callable[[T], Any]]
_SIZE = 100


def paged(
    member: str,
    items: Sequence[T],
    request: Mapping[str, Any],
    *,
    key: Callable[[T], str],
    shown: Callable[[T], Any],
    size: int = _SIZE,
    tells_size: bool = False,
    bad_token: type[ServiceError] = InvalidNextTokenException,
) -> dict[str, Any]:
    """One page of items; `size` is what it holds if the request does not say."""
    size = request.get("MaxResults") or size
    start = 0
    if "NextToken" in request:
        start = _after(items, _read(request["NextToken"], bad_token), key)
    page = items[start : start + size]
    answer: dict[str, Any] = {member: [shown(item) for item in page]}
    if tells_size:
        answer["MaxResults"] = size
    if start + size < len(items):
        at = f"{start + size}/{key(page[-1])}"
        answer["NextToken"] = base64.urlsafe_b64encode(at.encode()).decode()
    return answer


def filtered(items: Iterable[T], request: Mapping[str, Any], fields: Fields[T]) -> list[T]:
    """What every filter lets through. Their names are known in any spelling: `HostVPCId` is `host-vpc-id`."""
    found = list(items)
    for each in request.get("Filters") or ():
        name, values = each.get("Name", ""), each.get("Values") or ()
        field = fields.get(name.replace("-", "").replace("_", "").lower())
        if field is None:
            raise InvalidParameterException(
                f"The filter '{name}' is invalid", fields={"FieldName": "Filters"}
            )
        found = [item for item in found if _matches(field(item), values)]
    return found


def _matches(value: Any, values: Sequence[str]) -> bool:
    if isinstance(value, tuple | list):
        return any(str(one) in values for one in value)
    return str(value) in values


def _read(token: str, refused: type[ServiceError]) -> tuple[int, str]:
    try:
        position, _, last = (
            base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode().partition("/")
        )
        return int(position), last
    except (ValueError, binascii.Error, UnicodeError):
        raise refused("The value of NextToken is invalid.") from None


def _after(items: Sequence[T], token: tuple[int, str], key: Callable[[T], str]) -> int:
    position, last = token
    for index, item in enumerate(items):
        if key(item) == last:
            return index + 1
    return min(position, len(items))
