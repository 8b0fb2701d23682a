"""Whether a bucket policy is public, as Block Public Access understands it.

A policy that gives something to everybody is public unless a condition of the same statement fixes who: an address
range that is not too wide, a VPC, an account, an organisation. A wildcard in such a value fixes nothing.
"""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cloudstead.services.iam import operations as iam

#: Conditions on these narrow a statement to somebody.
_NARROWING = frozenset(
    (
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "aws:vpcsourceip",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    )
)
_NARROWING_OPERATORS = (
    "stringequals",
    "stringequalsignorecase",
    "stringlike",
    "arnequals",
    "arnlike",
    "ipaddress",
)
#: Address ranges wider than these are the Internet.
_WIDEST = {4: 8, 6: 32}


@lru_cache(1024)
def is_public(policy: str) -> bool:
    return any(
        statement["Effect"] == "Allow"
        and _is_for_all(statement.get("Principal"))
        and not _is_narrowed(statement)
        for statement in iam.statements(policy)
    )


def _is_for_all(principal: Any) -> bool:
    if not isinstance(principal, dict):
        return bool(principal == "*")
    return any("*" in value for values in principal.values() for value in iam.several(values))


def _is_narrowed(statement: Mapping[str, Any]) -> bool:
    for operator, keys in statement.get("Condition", {}).items():
        name = operator.lower().rpartition(":")[2]
        if name not in _NARROWING_OPERATORS:  # one that negates, or passes where the key is missing
            continue
        for key, values in keys.items():
            if key.lower() in _NARROWING and all(_is_fixed(key.lower(), str(v)) for v in iam.several(values)):
                return True
    return False


def _is_fixed(key: str, value: str) -> bool:
    if key in ("aws:sourceip", "aws:vpcsourceip"):
        return _is_narrow_range(value)
    if key == "aws:userid":  # `AROA…:*` is one role, whatever its sessions are called
        return "*" not in value.partition(":")[0] and "?" not in value and "${" not in value
    if key in ("aws:sourcearn", "aws:principalarn"):
        return "*" not in ":".join(value.split(":")[:5]) and "${" not in value and value.count(":") >= 5
    return not any(wild in value for wild in ("*", "?", "${"))


def _is_narrow_range(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _WIDEST[network.version]
