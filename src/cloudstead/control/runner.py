"""Wakes reconcilers: when rows change, when a step ends, when a retry is due, and every few seconds anyway.

One pass per kind in flight. A bell says only *that* something changed; the store's change log says which kinds, so a
lost or doubled ring does no harm.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any

from cloudstead.control.problems import Problem
from cloudstead.control.reconciler import Reconciler
from cloudstead.control.steps import Controller
from cloudstead.control.witness import Witness
from cloudstead.core.clock import Clock
from cloudstead.core.errors import DriverError
from cloudstead.store import Store
from cloudstead.store.bell import Bell
from cloudstead.store.rows import kind_name
from cloudstead.store.sqlite import Unavailable

log = logging.getLogger(__name__)

RESYNC_S = 5.0
_AFTER_TROUBLE_S = 1.0
#: What a problem of the whole state is kept under.
_STATE = "state"


class _Loop:
    """One kind's passes, one after the other."""

    def __init__(self, controller: Controller[Any, Any], store: Store, clock: Clock, resync_s: float) -> None:
        self.woken = asyncio.Event()
        self.wakes_on = frozenset(kind_name(kind) for kind in (controller.kind, *controller.wakes_on))
        self.reconciler = Reconciler(controller, store, clock, on_done=self.woken.set)
        self._resync_s = resync_s
        self._problem = ""

    async def run(self) -> None:
        while True:
            self.woken.clear()
            await self._pass()
            retry_s = self.reconciler.next_retry_s()
            wait_s = self._resync_s if retry_s is None else min(self._resync_s, retry_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self.woken.wait()

    async def _pass(self) -> None:
        try:
            await self.reconciler.pass_once()
        except (DriverError, Unavailable) as e:
            if self._problem != str(e):
                self._problem = str(e)
                log.warning("%s: cannot go on: %s", type(self.reconciler.controller).__name__, e)
            await asyncio.sleep(_AFTER_TROUBLE_S)
            return
        except Exception:
            log.exception("%s: pass crashed", type(self.reconciler.controller).__name__)
            await asyncio.sleep(_AFTER_TROUBLE_S)
            return
        if self._problem:
            log.info("%s: mended: %s", type(self.reconciler.controller).__name__, self._problem)
            self._problem = ""


class Runner:
    """All reconcilers of one process."""

    def __init__(
        self,
        controllers: Sequence[Controller[Any, Any]],
        store: Store,
        clock: Clock,
        bell: Bell | None = None,
        *,
        resync_s: float = RESYNC_S,
        witness: Witness | None = None,
    ) -> None:
        """`witness` knows how far the store had come, so that nothing is swept by the word of one that went back."""
        self._store = store
        self._clock = clock
        self._witness = witness
        self._bell = bell
        self._loops = [_Loop(controller, store, clock, resync_s) for controller in controllers]
        self._seq = 0

    async def run(self) -> None:
        """Reconcile until cancelled."""
        loop = asyncio.get_running_loop()
        self._seq, _ = self._store.changed_since(self._seq)
        self._ask_witness()
        if self._bell is not None:
            loop.add_reader(self._bell.fileno(), self._rung)
        try:
            async with asyncio.TaskGroup() as group:
                for one in self._loops:
                    group.create_task(one.run(), name=type(one.reconciler.controller).__name__)
        finally:
            if self._bell is not None:
                loop.remove_reader(self._bell.fileno())
            for one in self._loops:
                await one.reconciler.close()

    def _ask_witness(self) -> None:
        """Sweep nothing if the store went back in time; say so in the log and in `status`."""
        why = self._witness.contradicts(self._seq) if self._witness is not None else None
        if why is not None:
            log.warning("%s", why)
            self._witness = None
            for one in self._loops:
                one.reconciler.sweeps = False
        with self._store.transaction():
            known = self._store.get(Problem, _STATE)
            if known is not None:
                self._store.delete(known)
            if why is not None:
                self._store.insert(Problem(id=_STATE, kind=_STATE, text=why, since=self._clock.now()))

    def _rung(self) -> None:
        assert self._bell is not None
        self._bell.answer()
        self.wake()

    def wake(self) -> None:
        """Wake whoever reconciles what has changed since last time. To be called after a commit of this process too."""
        self._seq, changed = self._store.changed_since(self._seq)
        if self._witness is not None:
            self._witness.note(self._seq)
        for one in self._loops:
            if one.wakes_on & changed:
                one.woken.set()
