"""Policies that narrow a session: one inline, and managed ones by ARN."""

from collections.abc import Mapping
from typing import Any

from cloudstead.services.iam import operations as iam
from cloudstead.services.sts.errors import PackedPolicyTooLarge, ValidationError
from cloudstead.store import Store

_ARNS_MAX = 10
#: Of policy, ARNs and tags together, in characters. AWS packs them first, and does not say how.
_SIZE_MAX = 2048


def arns(request: Mapping[str, Any]) -> list[str]:
    return [one["arn"] for one in request.get("PolicyArns") or () if "arn" in one]


def check(store: Store, account: str, request: Mapping[str, Any]) -> int:
    """What share of the room for policies and tags they take, in percent. Raises what is wrong with them."""
    policy, managed = request.get("Policy"), arns(request)
    if len(managed) > _ARNS_MAX:
        raise ValidationError(
            f"The number of managed policy ARNs exceeds the limit of {_ARNS_MAX} for a session."
        )
    missing = iam.check_session_policies(store, account, policy, managed)
    if missing is not None:
        raise ValidationError(f"{missing} is invalid")
    tags = [text for tag in request.get("Tags") or () for text in (tag["Key"], tag["Value"])]
    size = sum(len("".join(text.split())) for text in [policy or "", *managed, *tags])
    percent = -(-100 * size // _SIZE_MAX)
    if percent > 100:
        raise PackedPolicyTooLarge(
            f"Packed policy consumes {percent}% of allotted space, please use smaller policy."
        )
    return percent
