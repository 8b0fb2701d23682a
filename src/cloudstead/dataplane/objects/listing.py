"""How keys are gathered into pages, whatever they lie in.

A source is an ordered walk that can be made to jump: with a delimiter a page costs as many jumps as it has
lines, however many keys lie under each prefix. Everything here is bytes: S3 sorts by UTF-8.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Walk(Protocol[T_co]):
    """Things by key, in order; one key may have several."""

    def next(self) -> tuple[bytes, T_co] | None:
        """The next one, or None at the end."""
        ...

    def seek(self, key: bytes) -> None:
        """Go on with the first one whose key is not below this."""
        ...


def beyond(prefix: bytes) -> bytes | None:
    """The first key above all that begin with the prefix; None if there can be none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None


def rolled_up(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """The prefix that the key is told as, if it goes on after a delimiter."""
    if not delimiter:
        return None
    found = key.find(delimiter, len(prefix))
    return None if found < 0 else key[: found + len(delimiter)]


def start(prefix: bytes, delimiter: bytes, after: bytes) -> bytes | None:
    """Where a walk begins that is to pass over `after`: a key, or a prefix as told. None: there is nothing."""
    if after < prefix:
        return prefix
    if after.startswith(prefix) and rolled_up(after, prefix, delimiter) == after:
        return beyond(after)
    return after + b"\0"


def gather(
    walk: Walk[T], prefix: bytes, delimiter: bytes, wanted: Callable[[T], bool]
) -> Iterator[tuple[bytes, T | None]]:
    """Everything wanted from where the walk stands: (key, thing), or (prefix, None) for keys told as one.

    A prefix is told if one thing under it is wanted.
    """
    while (found := walk.next()) is not None:
        key, thing = found
        if not key.startswith(prefix):
            return
        if not wanted(thing):
            continue
        told = rolled_up(key, prefix, delimiter)
        if told is None:
            yield key, thing
            continue
        yield told, None
        above = beyond(told)
        if above is None:
            return
        walk.seek(above)


def lines_of(found: Iterator[T], limit: int) -> tuple[list[T], bool]:
    """At most so many, and whether there are more. A page of nothing is the last."""
    lines = list(islice(found, limit))
    return lines, len(lines) == limit > 0 and next(found, None) is not None
