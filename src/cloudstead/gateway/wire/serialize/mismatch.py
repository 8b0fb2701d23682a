"""A result that is not what the operation's output shape says: a mistake of ours, never the caller's."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


class ResultMismatch(Exception):
    """An operation answered something that its shape does not have. `path` leads to it from the result."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path: list[str] = []

    def within(self, name: str) -> "ResultMismatch":
        self.path.insert(0, name)
        return self

    def __str__(self) -> str:
        return f"{'.'.join(self.path) or 'result'}: {self.problem}"


#: Told of a shape's name and the required members that a value of it lacks.
OnMissing = Callable[[str, frozenset[str]], None]


def refuse_missing(shape: str, missing: frozenset[str]) -> None:
    raise ResultMismatch(f"{shape} lacks {', '.join(sorted(missing))}")


_warned: set[tuple[str, frozenset[str]]] = set()
_WARNED_MAX = 1000


def warn_missing(shape: str, missing: frozenset[str]) -> None:
    """AWS itself leaves out members that its descriptions call required; so this is said once and goes on."""
    if (shape, missing) not in _warned and len(_warned) < _WARNED_MAX:
        _warned.add((shape, missing))
        log.warning("result shape %s lacks %s", shape, ", ".join(sorted(missing)))
