r"""Patterns of the service descriptions: Java's dialect, compiled by Python's engine.

The difference that matters is `\p{L}` and its like, which become ranges. A pattern that even so cannot be
compiled is not checked; a test lists those.
"""

import re
import unicodedata
from functools import cache

_PROPERTY = re.compile(r"\\p\{(?:Is)?(\w+)\}|\\p([LNZPSMC])")
_POSIX = {
    "Alpha": "a-zA-Z",
    "Alnum": "a-zA-Z0-9",
    "Digit": "0-9",
    "Lower": "a-z",
    "Upper": "A-Z",
    "Punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "Graph": "!-~",
    "Print": " -~",
    "Blank": " \\t",
    "Space": " \\t-\\r",
    "XDigit": "0-9a-fA-F",
    "ASCII": "\\x00-\\x7f",
    "Alphabetic": "L",
}
_PLANE = 0x10000
#: How Java writes all characters beyond the first plane.
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"


@cache
def java_pattern(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(_translated(pattern), re.ASCII)
    except (re.error, KeyError, OverflowError):
        return None


def _translated(pattern: str) -> str:
    pattern = pattern.replace(_SURROGATES, r"\U00010000-\U0010ffff")
    out: list[str] = []
    at, depth = 0, 0
    while at < len(pattern):
        found = _PROPERTY.match(pattern, at)
        if found:
            ranges = _ranges(found[1] or found[2])
            out.append(ranges if depth else f"[{ranges}]")
            at = found.end()
            continue
        char = pattern[at]
        if char == "\\":
            out.append(pattern[at : at + 2])
            at += 2
            if (
                depth
                and pattern[at - 1] in "wds"
                and pattern[at : at + 1] == "-"
                and pattern[at + 1 : at + 2] != "]"
            ):
                # `[\w-_]`: a class cannot begin a range, so Java takes the hyphen for itself.
                out.append(r"\-")
                at += 1
            continue
        if char == "[":
            # Java nests classes (a union), Python takes a bracket inside for itself.
            out.append("\\[" if depth else "[")
            depth = 1
        else:
            depth = 0 if char == "]" else depth
            out.append(char)
        at += 1
    return "".join(out)


def _ranges(name: str) -> str:
    if name in _POSIX and name != "Alphabetic":
        return _POSIX[name]
    return _category("L" if name == "Alphabetic" else name)


@cache
def _category(name: str) -> str:
    """Ranges of a general category; beyond the first plane every character counts as a letter."""
    if len(name) > 2 or name[0] not in "LNZPSMC":
        raise KeyError(name)
    ranges: list[str] = []
    start: int | None = None
    for code in range(_PLANE + 1):
        inside = code < _PLANE and unicodedata.category(chr(code)).startswith(name)
        if inside and start is None:
            start = code
        elif not inside and start is not None:
            ranges.append(f"\\u{start:04x}-\\u{code - 1:04x}")
            start = None
    if name == "L":
        ranges.append("\\U00010000-\\U0010ffff")
    return "".join(ranges)
