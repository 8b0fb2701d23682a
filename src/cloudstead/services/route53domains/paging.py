"""Marker and MaxItems. A marker says after which element to go on."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from cloudstead.services.route53domains.errors import InvalidInput

T = TypeVar("T")

_PAGE = 20


def paged(
    member: str, items: Sequence[T], request: Mapping[str, Any], shown: Callable[[T], Any]
) -> dict[str, Any]:
    """One page of items that come in a fixed order; a page holds 20 if the request does not say.

    What came or went on earlier pages meanwhile shifts the next one, as a place is all that a marker knows.
    """
    size = request.get("MaxItems", _PAGE)
    if size < 1:
        raise InvalidInput("MaxItems must be at least 1")
    start = _read(request["Marker"]) if request.get("Marker") else 0
    answer: dict[str, Any] = {member: [shown(item) for item in items[start : start + size]]}
    if len(items) > start + size:
        answer["NextPageMarker"] = base64.urlsafe_b64encode(f"after:{start + size}".encode()).decode()
    return answer


def _read(marker: str) -> int:
    try:
        word, _, place = (
            base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode().partition(":")
        )
        if word == "after" and place.isdecimal() and place.isascii() and len(place) < 10:
            return int(place)
    except (binascii.Error, UnicodeError):
        pass
    raise InvalidInput("The marker is not valid")
