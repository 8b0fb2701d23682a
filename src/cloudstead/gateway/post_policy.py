"""The policy of a browser's upload: what a page that holds no key may send, signed by somebody who holds one.

Every field of the form must be allowed by a condition, and every condition met: what the policy is silent about
is forbidden. Names and operators are told apart without regard to case, values with it.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudstead.core.errors import ServiceError

#: Fields that no condition needs to allow.
_FREE = frozenset({"awsaccesskeyid", "file", "policy", "signature", "x-amz-signature"})
_FREE_PREFIX = "x-ignore-"
_EXPIRATION = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z")
_LENGTH_RANGE = "content-length-range"


@dataclass(frozen=True, slots=True)
class Condition:
    operator: str  # eq, starts-with
    field: str
    value: str

    def met(self, given: str | None) -> bool:
        if given is None:
            return False
        if self.operator == "eq":
            return given == self.value
        if self.field == "content-type" and "," in given:
            return all(part.strip().startswith(self.value) for part in given.split(","))
        return given.startswith(self.value)

    def __str__(self) -> str:
        return json.dumps([self.operator, f"${self.field}", self.value])


@dataclass(frozen=True, slots=True)
class PostPolicy:
    expires_at: datetime
    conditions: list[Condition]
    length_range: tuple[int, int] | None

    @classmethod
    def read(cls, encoded: str) -> "PostPolicy":
        """Raises InvalidPolicyDocument."""
        try:
            document = json.loads(b64decode(encoded, validate=True))
        except (binascii.Error, ValueError, RecursionError):
            raise _invalid("Invalid JSON.") from None
        if not isinstance(document, dict):
            raise _invalid("Invalid JSON.")
        conditions: list[Condition] = []
        length_range = None
        for each in _conditions(document):
            if isinstance(each, list) and each and str(each[0]).lower() == _LENGTH_RANGE:
                length_range = _length_range(each)
            else:
                conditions.append(_condition(each))
        return cls(_expires_at(document), conditions, length_range)

    def check(self, fields: Mapping[str, str], bucket: str, now: datetime) -> None:
        """Raises AccessDenied. `fields` by name in lower case."""
        if self.expires_at <= now:
            raise _denied("Policy expired.")
        given = {**fields, "bucket": bucket}
        for condition in self.conditions:
            if not condition.met(given.get(condition.field)):
                raise _denied(f"Policy Condition failed: {condition}")
        allowed = {condition.field for condition in self.conditions}
        extra = [
            name
            for name in fields
            if name not in allowed and name not in _FREE and not name.startswith(_FREE_PREFIX)
        ]
        if extra:
            raise _denied(f"Extra input fields: {', '.join(extra)}")

    def check_length(self, length: int) -> None:
        if self.length_range is None:
            return
        least, most = self.length_range
        if length > most:
            raise ServiceError(
                "Your proposed upload exceeds the maximum allowed size",
                code="EntityTooLarge",
                fields={"ProposedSize": length, "MaxSizeAllowed": most},
            )
        if length < least:
            raise ServiceError(
                "Your proposed upload is smaller than the minimum allowed size",
                code="EntityTooSmall",
                fields={"ProposedSize": length, "MinSizeAllowed": least},
            )


def _expires_at(document: Mapping[str, Any]) -> datetime:
    told = document.get("expiration")
    if told is None:
        raise _invalid("Policy missing expiration.")
    if isinstance(told, str) and _EXPIRATION.fullmatch(told):
        try:
            return datetime.fromisoformat(told[:19]).replace(tzinfo=UTC)
        except ValueError:
            pass
    raise _invalid(f"Invalid 'expiration' value: '{told}'")


def _conditions(document: Mapping[str, Any]) -> list[Any]:
    told = document.get("conditions")
    if told is None:
        raise _invalid("Policy missing conditions.")
    if not isinstance(told, list):
        raise _invalid("Invalid 'conditions' value: must be a List.")
    return told


def _condition(told: object) -> Condition:
    if isinstance(told, dict):
        if len(told) != 1:
            raise _invalid(
                "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
            )
        field, value = next(iter(told.items()))
        operator = "eq"
    elif isinstance(told, list) and len(told) == 3:
        operator, field, value = told
        if not isinstance(field, str) or not field.startswith("$"):
            raise _invalid(f"Invalid Condition: the field must begin with a $: {json.dumps(told)}")
        field = field[1:]
    else:
        raise _invalid(f"Invalid Condition: {json.dumps(told)}")
    operator = str(operator).lower()
    if operator not in ("eq", "starts-with") or not isinstance(value, str):
        raise _invalid(f"Invalid Condition: {json.dumps(told)}")
    return Condition(operator, field.lower(), value)


def _length_range(told: list[Any]) -> tuple[int, int]:
    bounds = told[1:]
    if len(bounds) != 2 or not all(re.fullmatch(r"\d{1,18}", str(bound)) for bound in bounds):
        raise _invalid(f"Invalid {_LENGTH_RANGE}: it needs a least and a most length.")
    return int(bounds[0]), int(bounds[1])


def _invalid(why: str) -> ServiceError:
    return ServiceError(f"Invalid Policy: {why}", code="InvalidPolicyDocument")


def _denied(why: str) -> ServiceError:
    return ServiceError(f"Invalid according to Policy: {why}", code="AccessDenied", status=403)
