"""Domain names as rules and firewall lists have them: lower case, with the last dot."""

import re

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NAME_LENGTH_MAX = 253


def canonical(name: str) -> str:
    return name.lower().rstrip(".") + "."


def of_rule(name: str) -> bool:
    """Whether a rule may be for this: a name, or the root."""
    return name == "." or _is_name(name.rstrip("."))


def of_list(name: str) -> bool:
    """Whether a firewall list may hold this: a name, one with `*.` in front, or `*` for all."""
    return name in ("*", "*.") or _is_name(name.rstrip(".").removeprefix("*."))


def _is_name(name: str) -> bool:
    labels = name.lower().split(".")
    return len(name) <= _NAME_LENGTH_MAX and all(_LABEL.fullmatch(label) for label in labels)
