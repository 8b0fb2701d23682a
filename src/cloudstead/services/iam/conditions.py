"""Whether the conditions of a policy statement hold for a request.

The request's side is its context: values by condition key, keys in small letters. A key that is not there fails a
condition, unless the operator is negated, ends in IfExists, or asks for all values of none.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

#: Values by keys in small letters. Most keys have one.
Context = Mapping[str, Sequence[str]]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERAL = {"*": "*", "?": "?", "$": "$"}


def hold(condition: Mapping[str, Any], context: Context) -> bool:
    """Whether every key under every operator matches. The condition is one that the grammar has found good."""
    return all(
        _holds(operator.lower(), key.lower(), values, context)
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def fits(pattern: str, text: str, context: Context) -> bool:
    """Whether a text matches a policy's pattern once its variables are filled in."""
    filled = _substituted(pattern, context) if "${" in pattern else pattern
    return filled is not None and like(filled, text)


def like(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern with * and ?, which match across slashes and colons.

    Not a regular expression: one with many stars takes years over a text that was made for it.
    """
    at, place, star, retry = 0, 0, -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, retry = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:  # let the last star take one more
            retry += 1
            at, place = star + 1, retry
        else:
            return False
    return not pattern[at:].strip("*")


def _holds(operator: str, key: str, values: Any, context: Context) -> bool:
    found = context.get(key)
    wanted = [_text(value) for value in (values if isinstance(values, list) else [values])]
    if operator == "null":
        return str(found is None).lower() in (value.lower() for value in wanted)
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    negated = "not" in name
    if found is None:
        return if_exists or negated or quantifier == "forallvalues"
    matches = _MATCHES[name.replace("not", "")]
    wanted = [text for value in wanted if (text := _substituted(value, context)) is not None]
    good = [any(matches(value, actual) for value in wanted) != negated for actual in found]
    return all(good) if quantifier == "forallvalues" or (negated and not quantifier) else any(good)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _substituted(text: str, context: Context) -> str | None:
    """A policy's value with its variables filled in; None if one has no value, which then matches nothing."""
    missing = False

    def fill(found: re.Match[str]) -> str:
        nonlocal missing
        name, comma, default = found[1].partition(",")
        if name in _LITERAL:
            return _LITERAL[name]
        values = context.get(name.strip().lower())
        if values:
            return values[0]
        missing = missing or not comma
        return default.strip().strip("'")

    filled = _VARIABLE.sub(fill, text)
    return None if missing else filled


# --- what each operator compares


def _numbers(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def matches(wanted: str, actual: str) -> bool:
        try:
            return compare(float(actual), float(wanted))
        except ValueError:
            return False

    return matches


def _dates(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def matches(wanted: str, actual: str) -> bool:
        try:
            return compare(_seconds(actual), _seconds(wanted))
        except ValueError:
            return False

    return matches


def _seconds(text: str) -> float:
    """A moment, as a date or as seconds since 1970."""
    if re.fullmatch(r"[+-]?\d{5,}", text):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _in_network(wanted: str, actual: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _arn_like(wanted: str, actual: str) -> bool:
    """Each of the six parts by itself, so that a * does not reach over a colon."""
    parts, others = wanted.split(":", 5), actual.split(":", 5)
    return len(parts) == len(others) and all(map(like, parts, others))


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "equals": lambda actual, wanted: actual == wanted,
    "lessthan": lambda actual, wanted: actual < wanted,
    "lessthanequals": lambda actual, wanted: actual <= wanted,
    "greaterthan": lambda actual, wanted: actual > wanted,
    "greaterthanequals": lambda actual, wanted: actual >= wanted,
}
#: By operator without "not": whether a value of the policy and one of the request match.
_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": lambda wanted, actual: wanted == actual,
    "stringequalsignorecase": lambda wanted, actual: wanted.lower() == actual.lower(),
    "stringlike": like,
    "bool": lambda wanted, actual: wanted.lower() == actual.lower(),
    "binaryequals": lambda wanted, actual: wanted == actual,
    "ipaddress": _in_network,
    "arnequals": _arn_like,
    "arnlike": _arn_like,
    **{f"numeric{name}": _numbers(compare) for name, compare in _COMPARISONS.items()},
    **{f"date{name}": _dates(compare) for name, compare in _COMPARISONS.items()},
}
