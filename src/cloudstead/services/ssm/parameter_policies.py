"""Parameter policies: of an advanced parameter, when it ends and who should be told.

Expiration is enforced. The two notifications are events for EventBridge, which is not built: they are checked and
kept, and nobody is told.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudstead.services.ssm.errors import (
    IncompatiblePolicyException,
    InvalidPolicyAttributeException,
    InvalidPolicyTypeException,
    PoliciesLimitExceededException,
    ValidationException,
)
from cloudstead.services.ssm.rows import Policy

_POLICIES_MAX = 10
#: The attributes of each type, and which of them holds a number.
_ATTRIBUTES: Mapping[str, tuple[frozenset[str], str]] = {
    "Expiration": (frozenset({"Timestamp"}), ""),
    "ExpirationNotification": (frozenset({"Before", "Unit"}), "Before"),
    "NoChangeNotification": (frozenset({"After", "Unit"}), "After"),
}


def parse(text: str, now: datetime) -> list[Policy]:
    """The policies of a request. None are left by `[{}]`, which is how AWS has them removed."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValidationException(f"Invalid policies input: {text}.")
    wanted = [one for one in found if one]
    if len(wanted) > _POLICIES_MAX:
        raise PoliciesLimitExceededException(
            f"You specified more than the maximum number of allowed policies for the parameter. The maximum is {_POLICIES_MAX}."
        )
    for one in wanted:
        _check(one, now)
    if sum(one["Type"] == "Expiration" for one in wanted) > 1:
        raise IncompatiblePolicyException(
            "There is a conflict in the policies specified for this parameter. You can't, for example, specify two "
            "Expiration policies for a parameter. Review your policies, and try again."
        )
    return [Policy(type=one["Type"], text=json.dumps(one, separators=(",", ":"))) for one in wanted]


def expiry(policies: list[Policy]) -> datetime | None:
    for policy in policies:
        if policy.type == "Expiration":
            return datetime.fromisoformat(json.loads(policy.text)["Attributes"]["Timestamp"])
    return None


def _check(policy: Mapping[str, Any], now: datetime) -> None:
    known = _ATTRIBUTES.get(policy.get("Type", "")) if isinstance(policy.get("Type"), str) else None
    if known is None:
        raise InvalidPolicyTypeException(
            "The policy type isn't supported. Parameter Store supports the following policy types: Expiration, "
            "ExpirationNotification, and NoChangeNotification."
        )
    wanted, number = known
    attributes = policy.get("Attributes")
    good = (
        policy.keys() == {"Type", "Version", "Attributes"}
        and policy["Version"] == "1.0"
        and isinstance(attributes, dict)
        and attributes.keys() == wanted
        and all(isinstance(value, str) for value in attributes.values())
        and (not number or _is_span(attributes, number))
        and ("Timestamp" not in wanted or _is_later(attributes["Timestamp"], now))
    )
    if not good:
        raise InvalidPolicyAttributeException("A policy attribute or its value is invalid.")


def _is_span(attributes: Mapping[str, str], number: str) -> bool:
    return (
        attributes[number].isdecimal()
        and int(attributes[number]) > 0
        and attributes["Unit"] in ("Days", "Hours")
    )


def _is_later(text: str, now: datetime) -> bool:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return moment.tzinfo is not None and moment > now
