"""When to look at which endpoint: each region for itself, an interval after its last look has ended.

The clock decides and nothing else: who drives the rounds calls `start_due` when `next_due_s` says so, and `run` does that.
A region never has two looks at one endpoint under way, all together never more than a bound.
"""

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from cloudstead.core.clock import Clock
from cloudstead.dataplane.checks.driver import Outcome, Prober, Work

log = logging.getLogger(__name__)

IN_FLIGHT_MAX = 512
_AFTER_TROUBLE_S = 1.0

#: Told each outcome: the check, the region, what was met.
Told = Callable[[str, str, Outcome], None]


@dataclass(order=True)
class _Due:
    at_s: float
    number: int  # who is due at the same moment comes in turn
    check: str = field(compare=False)
    region: str = field(compare=False)


class Rounds:
    def __init__(
        self, prober: Prober, clock: Clock, random: Random, told: Told, *, in_flight_max: int = IN_FLIGHT_MAX
    ) -> None:
        self._prober = prober
        self._clock = clock
        self._random = random
        self._told = told
        self._in_flight_max = in_flight_max
        self._work: dict[str, Work] = {}
        self._due: list[_Due] = []
        self._planned: set[tuple[str, str]] = set()  # due or under way
        self._looks: set[asyncio.Task[None]] = set()
        self._number = 0
        self._changed = asyncio.Event()

    def set(self, work: Iterable[Work]) -> None:
        """All that is to be looked at from now on. What is new begins at a moment of its own within one interval."""
        self._work = {one.endpoint.check: one for one in work}
        now_s = self._clock.monotonic()
        for check, one in self._work.items():
            for region in one.regions:
                if (check, region) not in self._planned:
                    self._plan(check, region, now_s + self._random.random() * one.interval_s)
        self._changed.set()

    def start_due(self) -> int:
        """Begin every look that is due and finds room; return how many."""
        started, now_s = 0, self._clock.monotonic()
        while self._due and self._due[0].at_s <= now_s and len(self._looks) < self._in_flight_max:
            due = heapq.heappop(self._due)
            work = self._wanted(due.check, due.region)
            if work is None:
                self._planned.discard((due.check, due.region))
                continue
            look = asyncio.create_task(self._look(work, due.region), name=f"look {due.check} {due.region}")
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
            started += 1
        return started

    def next_due_s(self) -> float | None:
        """Seconds until `start_due` will find something; None if that is not a matter of time."""
        if not self._due or len(self._looks) >= self._in_flight_max:
            return None
        return max(0.0, self._due[0].at_s - self._clock.monotonic())

    async def idle(self) -> None:
        """Wait until no look is under way."""
        while self._looks:
            await asyncio.wait(list(self._looks))
            await asyncio.sleep(0)  # so that what is done has been forgotten

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                self._changed.clear()
                self.start_due()
                try:
                    async with asyncio.timeout(self.next_due_s()):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            await self.close()

    async def close(self) -> None:
        """Give up the looks under way."""
        looks = list(self._looks)
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    # --- inside

    async def _look(self, work: Work, region: str) -> None:
        check, pause_s = work.endpoint.check, work.interval_s
        try:
            outcome = await self._prober.probe(work.endpoint, region)
            now = self._wanted(check, region)
            if (
                now is not None and now.endpoint == work.endpoint
            ):  # else it is news of what nobody asks for any more
                self._told(check, region, outcome)
        except Exception:
            log.exception("%s: the checker in %s crashed", check, region)
            pause_s = max(pause_s, _AFTER_TROUBLE_S)
        finally:
            self._planned.discard((check, region))
            if self._wanted(check, region) is not None:
                self._plan(check, region, self._clock.monotonic() + pause_s)
            self._changed.set()

    def _plan(self, check: str, region: str, at_s: float) -> None:
        self._number += 1
        self._planned.add((check, region))
        heapq.heappush(self._due, _Due(at_s, self._number, check, region))

    def _wanted(self, check: str, region: str) -> Work | None:
        work = self._work.get(check)
        return work if work is not None and region in work.regions else None
