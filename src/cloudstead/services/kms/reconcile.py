"""What happens to keys by the calendar: those whose waiting time is over go, and those that rotate get new material.

There is nothing of a key in the world but its row, so nothing is ever observed. Until the row goes, `directory` says
that the key is gone; until it rotates, the older material encrypts: whenever this runs late, no answer is wrong.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudstead.control.steps import Step
from cloudstead.services.kms.directory import Directory
from cloudstead.services.kms.rows import Key
from cloudstead.store import Row

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class End(Step):
    """Forget the key, its material and its aliases."""


@dataclass(frozen=True)
class Rotate(Step):
    """Give it new material."""


class Nothing:
    """What is seen of a key in the world."""

    id: str


class KeyLives:
    kind = Key
    wakes_on: tuple[type[Row], ...] = ()

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def observe(self) -> Iterable[Nothing]:
        return ()

    def plan(self, row: Key, seen: Nothing | None) -> Step | None:
        del seen
        if self._directory.is_over(row):
            return End()
        at = row.next_rotation()
        return Rotate() if at is not None and at <= self._now() else None

    async def perform(self, row: Key, step: Step) -> None:
        if isinstance(step, End):
            self._directory.remove(row)
            log.info("%s: its waiting time is over, deleted", row.key_id)
            return
        assert isinstance(step, Rotate)
        self._directory.rotated(row, "AUTOMATIC", rotates_from=self._last_due(row))
        log.info("%s: rotated", row.key_id)

    async def sweep(self, id: str) -> None:
        raise AssertionError(f"{id}: nothing is ever seen")

    def _last_due(self, row: Key) -> datetime:
        """The day it should have rotated; of several that nobody was there for, the latest."""
        assert row.rotates_from is not None
        periods = (self._now() - row.rotates_from) // timedelta(days=row.rotation_days)
        return row.rotates_from + periods * timedelta(days=row.rotation_days)

    def _now(self) -> datetime:
        return self._directory.tools.clock.now()
