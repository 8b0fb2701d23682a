"""What a plan may say: one step for one row, or nothing.

Every step is safe to take twice. A controller may add step classes of its own for its driver's further verbs
(`Stop`, say); all but Record and Forget are carried out by `Controller.perform`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from cloudstead.store import Row


@dataclass(frozen=True)
class Step:
    """Something to do about one row."""


@dataclass(frozen=True)
class Ensure(Step):
    """Make the thing exist as the row wants it."""


@dataclass(frozen=True)
class Remove(Step):
    """Make the thing not exist."""


@dataclass(frozen=True)
class Record(Step):
    """Write what was seen on the row. The only step besides Forget that touches the store alone."""

    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Forget(Step):
    """Drop the row. Planned only when the world shows nothing left of it."""


class Seen(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Row)
S = TypeVar("S", bound=Seen)


class Controller(Protocol[R, S]):
    """One kind of row and the mechanism behind it."""

    @property
    def kind(self) -> type[R]: ...

    @property
    def wakes_on(self) -> tuple[type[Row], ...]:
        """Further kinds whose changes may ask for a step of this one."""
        ...

    async def observe(self) -> Iterable[S]:
        """Everything of this kind that exists, whole or half made."""
        ...

    def plan(self, row: R, seen: S | None) -> Step | None:
        """The next step, from what is wanted and what was seen. Pure but for reading the store and the clock."""
        ...

    async def perform(self, row: R, step: Step) -> None:
        """Carry out a step other than Record and Forget. Raises DriverError if it cannot be done now."""
        ...

    async def sweep(self, id: str) -> None:
        """Remove a thing that no row explains. Bytes of value go to a trash folder, not away."""
        ...
