"""The controllers' process: started, killed and started again over the same store and the same world.

While a walk goes on its passes are tasks like any others, disturbed at every touch. When all is quiet it passes as the
runner does, and so shows that a change, a step that ended or a retry wakes whoever has something to do.
"""

import asyncio
from contextlib import suppress

from tests.sim import cloud
from tests.sim.trouble import TouchedDriver, TouchedStore

from cloudstead.control.reconciler import Reconciler
from cloudstead.control.steps import Forget, Record
from cloudstead.core.errors import DriverError
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import NatGateway
from cloudstead.store.rows import kind_name

_ROUNDS_MAX = 80
#: What is forgotten when its time has come, which wakes nobody.
_FORGOTTEN_IN_TIME = (Instance, NatGateway)


class Controllers:
    def __init__(self, open_store, host, tools, settings, *, trouble, broken):
        """`open_store` gives each run of the process a store, and tells whether it is its own to close."""
        self._open_store, self._host, self._tools, self._settings = open_store, host, tools, settings
        self._trouble, self._chance, self._broken = trouble, trouble.chance, broken
        self._reconcilers, self._passing = [], {}
        self._tasks = []
        self._due, self._seen = set(), 0

    # --- its life

    def start(self):
        self._trouble.dead = False
        self._host.answered.clear()
        self._store, self._owned = self._open_store()
        store = TouchedStore(self._store, self._trouble)
        drivers = {
            name: TouchedDriver(getattr(self._host, name), name, self._trouble)
            for name in ("machines", "volumes", "images", "networks")
        }
        made = cloud.controllers(store, self._tools, self._settings, drivers, self._host.boot)
        self._reconcilers = [self._reconciler(controller, store) for controller in made]
        self._passing = {}
        loop = asyncio.get_running_loop()
        loop.set_task_factory(self._new_task)
        loop.set_exception_handler(lambda *_: None)  # a killed process' tasks end in Crash, and nobody asks

    async def bury(self):
        """What a killed process had under way goes no further than its next touch."""
        self._trouble.dead = True
        await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._owned:
            self._store.close()

    async def finish(self):
        """Wait for what is under way."""
        while under_way := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(under_way)
        self._due = set(self._reconcilers)

    def _reconciler(self, controller, store):
        made = Reconciler(controller, store, self._tools.clock, on_done=lambda: self._due.add(made))
        return made

    def _new_task(self, loop, work, **options):
        task = asyncio.Task(work, loop=loop, **options)
        self._tasks = [*(known for known in self._tasks if not known.done()), task]
        return task

    # --- disturbed

    def pass_over_some(self):
        for reconciler in self._chance.sample(self._reconcilers, 2):
            if not self._is_passing(reconciler):
                work = self._pass(reconciler)
                self._passing[reconciler] = asyncio.get_running_loop().create_task(work)

    def step_at_once(self):
        """Take what steps are due for one kind, while somebody else is between two reads."""
        reconciler = self._chance.choice(self._reconcilers)
        if self._trouble.dead or self._is_passing(reconciler):
            return
        was, self._trouble.quiet = self._trouble.quiet, True
        controller = reconciler.controller
        seen = {thing.id: thing for thing in _at_once(controller.observe())}
        for row in self._store.rows(controller.kind):
            if row.id not in reconciler._in_flight:
                self._take(controller, row, controller.plan(row, seen.get(row.id)))
        self._trouble.quiet = was

    def _take(self, controller, row, step):
        match step:
            case None:
                pass
            case Record():
                self._store.update(row, **step.fields)
            case Forget():
                self._store.delete(row)
            case _:
                with suppress(DriverError):
                    _at_once(controller.perform(row, step))

    def _is_passing(self, reconciler):
        passing = self._passing.get(reconciler)
        return passing is not None and not passing.done()

    async def _pass(self, reconciler):
        try:
            return await reconciler.pass_once()
        except DriverError:
            return 1
        except Exception as e:  # noqa: BLE001 - whatever it is, it is a mistake
            self._broken(f"a pass of {type(reconciler.controller).__name__} ended in {e!r}")
            return 1

    # --- quiet

    async def settle(self):
        """Pass as the runner does, and come to rest. Then nobody finds a thing to do that nothing woke him for."""
        self._wake()
        for _ in range(_ROUNDS_MAX):
            for reconciler in self._chance.sample(self._reconcilers, len(self._reconcilers)):
                if reconciler in self._due:
                    self._due.discard(reconciler)
                    await self._pass(reconciler)
                    await reconciler.idle()
                    self._wake()
            if not self._due and not self._retry():
                break
        else:
            self._broken(f"it has not come to rest after {_ROUNDS_MAX} rounds")
        await self._look_again()

    def _wake(self):
        self._seen, changed = self._store.changed_since(self._seen)
        self._due |= {one for one in self._reconcilers if _wakes(one.controller) & changed}

    def _retry(self):
        """Let the time pass until somebody may try again, if anybody waits for that."""
        waits = {one: wait_s for one in self._reconcilers if (wait_s := one.next_retry_s()) is not None}
        if waits:
            self._tools.clock.advance(min(waits.values()) + 0.001)
            self._due |= {one for one in waits if one.next_retry_s() == 0.0}
        return bool(waits)

    async def _look_again(self):
        for reconciler in self._reconcilers:
            kind = reconciler.controller.kind
            before = len(self._store.rows(kind))
            steps = await self._pass(reconciler)
            await reconciler.idle()
            if kind in _FORGOTTEN_IN_TIME:
                steps -= before - len(self._store.rows(kind))
            if steps:
                self._broken(f"{steps} steps for {kind.__name__} were due, and nobody was woken for them")


def _wakes(controller):
    return {kind_name(kind) for kind in (controller.kind, *controller.wakes_on)}


def _at_once(work):
    """The outcome of what never waits, for nobody disturbs it."""
    try:
        work.send(None)
    except StopIteration as e:
        return e.value
    raise AssertionError("it waited")
