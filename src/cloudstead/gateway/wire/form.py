"""Query strings and form bodies: text in, pairs out.

Values keep their order and repetitions; names and values are decoded. A missing `=` means an empty value.
"""

from urllib.parse import unquote_plus

from cloudstead.gateway.wire.message import WireRequest

#: Far above what AWS takes (a security group rule list of 1000 is some 4000); a bound on the work all the same.
PAIRS_MAX = 200_000


class TooManyPairs(ValueError):
    """More parameters than any operation has use for."""


def pairs(text: str) -> list[tuple[str, str]]:
    if not text:
        return []
    if text.count("&") >= PAIRS_MAX:
        raise TooManyPairs
    found = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            found.append((_decoded(name), _decoded(value)))
    return found


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def grouped(text: str) -> dict[str, list[str]]:
    """Values by name, for REST query strings."""
    found: dict[str, list[str]] = {}
    for name, value in pairs(text):
        found.setdefault(name, []).append(value)
    return found


def of_request(request: WireRequest) -> dict[str, str]:
    """The parameters of a query-protocol request: those of the query string, then those of the body."""
    found = dict(pairs(request.query))
    found.update(pairs(request.body.decode("utf-8", "replace")))
    return found
