"""Limit and Marker. A marker says after which element to go on."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from cloudstead.services.kms.errors import InvalidMarkerException, ValidationException

T = TypeVar("T")


def paged(
    member: str,
    items: Iterable[T],
    request: Mapping[str, Any],
    *,
    key: Callable[[T], str],
    shown: Callable[[T], Any],
    size: int,
    most: int,
) -> dict[str, Any]:
    """One page of items that come in the order of their keys; `size` is what it holds if the request does not say."""
    size = request.get("Limit") or size
    if size > most:
        raise ValidationException(
            f"1 validation error detected: Value '{size}' at 'limit' failed to satisfy constraint: "
            f"Member must have value less than or equal to {most}"
        )
    after = _read(request["Marker"]) if "Marker" in request else ""
    left = [item for item in items if key(item) > after]
    page = left[:size]
    answer = {member: [shown(item) for item in page], "Truncated": len(left) > size}
    if len(left) > size:
        answer["NextMarker"] = base64.urlsafe_b64encode(key(page[-1]).encode()).decode()
    return answer


def _read(marker: str) -> str:
    try:
        return base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise InvalidMarkerException("Could not deserialize marker") from None
