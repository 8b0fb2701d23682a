"""Whether values fit a caller's regular expression, decided within a time limit.

Python's `re` backtracks: a pattern of ten characters can keep it busy for years, and every other request waits for the
one that is being answered. It looks for signals on its way, though, and so a timer of the CPU time that we use ends it.
The timer's handler stays once it is set: a signal that comes late finds it and does no harm.
"""

import re
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

LIMIT_S = 0.2


class TooSlow(Exception):
    """The pattern took longer than anybody may keep the others waiting."""


class _Bell:
    """What the timer rings; it is heard only while there is something to end."""

    def __init__(self) -> None:
        self.heard = True

    def ring(self, *_: object) -> None:
        if self.heard:
            self.heard = False
            raise TooSlow


def all_fit(pattern: str, values: Iterable[str]) -> bool:
    """Whether the pattern matches each value whole. Raises re.error for what is no pattern, TooSlow, and OverflowError or
    RecursionError for one that is too large. To be called in the main thread.
    """
    with _limited():
        compiled = re.compile(pattern)
        return all(compiled.fullmatch(value) for value in values)


@contextmanager
def _limited() -> Iterator[None]:
    bell = _Bell()
    signal.signal(signal.SIGVTALRM, bell.ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        yield
    finally:
        bell.heard = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
