"""One kind of row, taken towards what is wanted, one step per row and pass.

The world is observed before the rows are listed. Whatever is seen had its row written first, so a thing seen
without a row is one whose row is gone: an orphan, to be removed. Slow steps run as tasks, one in flight per row;
a row in flight is left alone. Recovery after a crash is not a special path: it is the only path.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic

from cloudstead.control.problems import Problem
from cloudstead.control.steps import Controller, Ensure, Forget, R, Record, S, Step
from cloudstead.core.clock import Clock
from cloudstead.core.errors import Conflict, DriverError
from cloudstead.store import Store
from cloudstead.store.rows import kind_name
from cloudstead.store.sqlite import Unavailable

log = logging.getLogger(__name__)

Work = Callable[[], Coroutine[Any, Any, None]]

_BACKOFF_S_FIRST = 0.25
_BACKOFF_S_MAX = 15.0
_STEP_TIMEOUT_S = 1800.0  # a first image build takes minutes


class Reconciler(Generic[R, S]):
    """Takes every row of one kind one step per pass."""

    def __init__(
        self,
        controller: Controller[R, S],
        store: Store,
        clock: Clock,
        *,
        on_done: Callable[[], None] = lambda: None,
        in_flight_max: int = 64,
    ) -> None:
        """`on_done` is called whenever a step ends: the moment for another pass."""
        self.sweeps = True  # whether what no row explains is removed
        self.controller = controller
        self._store = store
        self._clock = clock
        self._on_done = on_done
        self._in_flight_max = in_flight_max
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, tuple[int, float]] = {}  # id -> how often in a row, not before (monotonic)

    async def pass_once(self) -> int:
        """Observe, plan, and start or take every step due; return how many there were."""
        busy = set(self._in_flight)  # what these touch may be seen in any condition
        seen = {thing.id: thing for thing in await self.controller.observe()}
        steps: list[tuple[R, Step]] = []
        for row in self._store.rows(self.controller.kind):
            thing = seen.pop(row.id, None)
            if row.id in busy or row.id in self._in_flight or self._backing_off(row.id):
                continue
            step = self._plan(row, thing)
            if step is not None:
                steps.append((row, step))
        slow = [(row, step) for row, step in steps if not isinstance(step, Record | Forget)]
        self._mend({*busy, *self._in_flight, *seen, *(row.id for row, _ in slow)})
        count = self._write([(row, step) for row, step in steps if isinstance(step, Record | Forget)])
        slow.sort(key=lambda due: self._failures.get(due[0].id, (0,))[0])  # what fails keeps nobody waiting
        for row, step in slow:
            work = partial(self.controller.perform, row, step)
            count += self._start(row.id, work, repr(step), spare=not isinstance(step, Ensure))
        return count + (self._sweep([id for id in seen if id not in busy]) if self.sweeps else 0)

    async def idle(self) -> None:
        """Wait until no step is in flight."""
        while self._in_flight:
            await asyncio.wait(list(self._in_flight.values()))

    def next_retry_s(self) -> float | None:
        """Seconds until a row that failed may be tried again; None if none waits for that alone."""
        if self._full(spare=False):
            return None  # a step that ends makes room, and wakes
        waits = [not_before for id, (_, not_before) in self._failures.items() if id not in self._in_flight]
        return max(0.0, min(waits) - self._clock.monotonic()) if waits else None

    async def close(self) -> None:
        """Give up steps in flight. Nothing is lost: the next start plans them again."""
        tasks = list(self._in_flight.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- inside

    def _plan(self, row: R, thing: S | None) -> Step | None:
        """The step of one row. A row that cannot be planned is a mistake of ours, and no other row's trouble."""
        try:
            return self.controller.plan(row, thing)
        except Unavailable:
            raise
        except Exception:
            log.exception("%s: planning crashed", row.id)
            self._failed(row.id, "plan", RuntimeError("an internal error; the log has it"))
            return None

    def _sweep(self, ids: list[str]) -> int:
        """Remove what no row explains."""
        count = 0
        for id in ids:
            if id in self._in_flight or self._backing_off(id):
                continue
            if id not in self._failures:
                log.info("%s: no row explains it, removing", id)
            count += self._start(id, partial(self.controller.sweep, id), "sweep", spare=True)
        return count

    def _write(self, steps: list[tuple[R, Step]]) -> int:
        """Take all steps that touch the store alone in one transaction; return how many changed something.

        A row that changed since it was listed keeps its change: the next pass sees it.
        """
        if not steps:
            return 0
        count = 0
        with self._store.transaction():
            for row, step in steps:
                try:
                    if isinstance(step, Record):
                        count += self._store.update(row, **step.fields) is not row
                    else:
                        self._store.delete(row)
                        count += 1
                except Conflict:
                    count += 1
        return count

    def _mend(self, due: set[str]) -> None:
        """Nothing stands in the way any more of what has no step to take: the world changed, or what was wanted."""
        problems = self._store.rows(Problem, kind=kind_name(self.controller.kind))
        for id in dict.fromkeys((*self._failures, *(problem.id for problem in problems))):
            if id not in due and not self._backing_off(id):
                self._succeeded(id)

    def _full(self, *, spare: bool) -> bool:
        """Whether no further step finds room. What is made may take minutes, so the rest has some of its own."""
        return len(self._in_flight) >= self._in_flight_max * (2 if spare else 1)

    def _start(self, id: str, work: Work, step: str, *, spare: bool) -> int:
        if self._full(spare=spare):
            return 0
        self._in_flight[id] = asyncio.create_task(self._take(id, work, step), name=f"{step} {id}")
        return 1

    async def _take(self, id: str, work: Work, step: str) -> None:
        try:
            async with asyncio.timeout(_STEP_TIMEOUT_S):
                await work()
        except (DriverError, Conflict, TimeoutError, Unavailable) as e:
            self._failed(id, step, e)
        except Exception:
            log.exception("%s: %s crashed", id, step)
            self._failed(id, step, RuntimeError("an internal error; the log has it"))
        else:
            self._succeeded(id)
        finally:
            del self._in_flight[id]
            self._on_done()

    def _backing_off(self, id: str) -> bool:
        failed = self._failures.get(id)
        return failed is not None and self._clock.monotonic() < failed[1]

    def _failed(self, id: str, step: str, why: Exception) -> None:
        times = self._failures.get(id, (0, 0.0))[0] + 1
        wait_s = min(_BACKOFF_S_FIRST * 2 ** (times - 1), _BACKOFF_S_MAX)
        self._failures[id] = times, self._clock.monotonic() + wait_s
        text = str(why) or type(why).__name__
        try:
            if not self._tell(id, text):
                return
        except Unavailable as e:
            log.warning("%s: nobody can be told: %s", id, e)
        log.warning("%s: %s: %s; will try again", id, step, text)

    def _tell(self, id: str, text: str) -> bool:
        """Write down what stands in the way; return whether that is new."""
        with self._store.transaction():
            known = self._store.get(Problem, id)
            if known is not None and known.text == text:
                return False
            if known is not None:
                self._store.delete(known)
            kind = kind_name(self.controller.kind)
            self._store.insert(Problem(id=id, kind=kind, text=text, since=self._clock.now()))
        return True

    def _succeeded(self, id: str) -> None:
        self._failures.pop(id, None)
        if self._store.get(Problem, id) is None:
            return
        with self._store.transaction():
            known = self._store.get(Problem, id)
            if known is not None:
                self._store.delete(known)
                log.info("%s: mended: %s", id, known.text)
