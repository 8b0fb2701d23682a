"""Marker and MaxItems of IAM's List calls. A marker says after which element to go on."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from cloudstead.services.iam.errors import ValidationError

T = TypeVar("T")

_SIZE = 100


def paged(
    items: Iterable[T],
    request: Mapping[str, Any],
    member: str,
    key: Callable[[T], str],
    shown: Callable[[T], Any],
) -> dict[str, Any]:
    """One page of the items in the order of their keys, as the answer: the `member` list, IsTruncated, Marker."""
    ordered = sorted(items, key=key)
    if marker := request.get("Marker"):
        after = _read(marker)
        ordered = [item for item in ordered if key(item) > after]
    size = request.get("MaxItems") or _SIZE
    answer: dict[str, Any] = {
        member: [shown(item) for item in ordered[:size]],
        "IsTruncated": len(ordered) > size,
    }
    if len(ordered) > size:
        answer["Marker"] = base64.urlsafe_b64encode(key(ordered[size - 1]).encode()).decode()
    return answer


def _read(marker: str) -> str:
    try:
        return base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise ValidationError(f"Invalid Marker: {marker}") from None
