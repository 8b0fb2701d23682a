"""One seeded walk: callers, controllers, failures, kills and the passing of time, in an order that the seed chooses.

Everything a walk does follows from its seed: same seed, same walk. Safety is checked at every commit and every effect;
then the walk falls quiet, and all must come to rest as it is wanted, and at last be gone without a trace.
"""

import asyncio
import logging
import random
from contextlib import suppress
from datetime import timedelta

from tests.sim import cloud, quiet
from tests.sim.callers import Callers, GatewayStore
from tests.sim.host import Host
from tests.sim.promises import Promises
from tests.sim.trouble import TouchedDriver, TouchedStore, Trouble

from cloudstead.control.reconciler import Reconciler
from cloudstead.control.steps import Forget, Record
from cloudstead.core.clock import ManualClock
from cloudstead.core.errors import DriverError
from cloudstead.core.tools import Tools
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import NatGateway
from cloudstead.services.ec2.rows import Settings
from cloudstead.store import Store
from cloudstead.store.rows import kind_name

STEPS = 700
SETTINGS = Settings(vcpus_max=10, elastic_addresses_max=3, terminated_visible_s=60.0)
_PASSES_MAX = 80
_ACTS_WHEN_QUIET = 6
_TOLD = 60  # last lines of the story that a failure tells


class JumpingClock(ManualClock):
    """A clock whose wall time somebody may set; waiting is not disturbed. `latest` is the latest it ever showed."""

    def __init__(self):
        super().__init__()
        self.latest = self.now()

    def jump(self, seconds):
        self._now += timedelta(seconds=seconds)
        self.latest = max(self.latest, self._now)

    def advance(self, seconds):
        super().advance(seconds)
        self.latest = max(self.latest, self._now)


class Broken(AssertionError):
    """A law or a promise was broken: with the seed and the end of the story."""


class Walk:
    def __init__(self, seed, folder=None):
        """With a folder, state is in a file, and callers and each run of the controllers have connections of their own."""
        self.seed = seed
        self.chance = random.Random(seed)
        self.story, self.mistakes = [], []
        self._path = folder / f"{seed}.sqlite" if folder is not None else None
        self.clock = JumpingClock()
        self.tools = Tools(clock=self.clock, random=random.Random(f"ids {seed}"))
        self.store = Store(self._path, on_commit=self._committed)
        self.trouble = Trouble(self.chance, self._others, self.say)
        self.host = Host(self.trouble, self.broken, self.say)
        self.promises = Promises(self.store, self.host, self.clock, SETTINGS, self.broken, self.say)
        self.host.promised = self.promises.instances
        gateway = GatewayStore(self.store)
        operations = cloud.operations(gateway, self.tools, SETTINGS)
        self.callers = Callers(
            operations, gateway, self.promises, self.chance, self.broken, self.say, self._cross
        )
        self._tasks, self._passing, self._due, self._seen = [], {}, set(), 0
        self._reconcilers, self._own_store = [], self.store
        self._checking = False

    # --- telling

    def say(self, what):
        self.story.append(what)

    def broken(self, what):
        if not self.mistakes:
            self.say(f"BROKEN: {what}")
        self.mistakes.append(what)

    def _raise_if_broken(self):
        if self.mistakes:
            story = "\n  ".join(self.story[-_TOLD:])
            raise Broken(f"seed {self.seed}: {self.mistakes[0]}\n  {story}")

    # --- walking

    def run(self, steps=STEPS):
        with _Errors(self.broken), asyncio.Runner() as runner:
            runner.run(self._run(steps))
        self.store.close()

    async def _run(self, steps):
        loop = asyncio.get_running_loop()
        loop.set_task_factory(self._new_task)
        loop.set_exception_handler(lambda *_: None)  # a killed process' tasks end in Crash, and nobody asks
        self._start()
        self.callers.begin()
        try:
            for _ in range(steps):
                self._act()
                for _ in range(self.chance.choice((0, 1, 2, 5, 10))):
                    await asyncio.sleep(0)
                await self._after()
            await self._fall_quiet()
        finally:
            await self._bury()

    def _new_task(self, loop, work, **options):
        task = asyncio.Task(work, loop=loop, **options)
        self._tasks.append(task)
        return task

    def _act(self):
        acts = {
            self._pass: 50,
            self.callers.act: 25,
            self._time_passes: 10,
            self.trouble.go_on: 5,
            self._drivers_change: 2,
            self._power_off: 2,
            self._kill: 0.5,
            self._host_reboots: 0.25,
            self._clock_jumps: 0.25,
            self._wiped: 0.05,
        }
        (chosen,) = self.chance.choices(list(acts), acts.values())
        chosen()

    def _others(self, where):
        """Somebody acts while the controllers are at a touch."""
        self.say(f"  at {where}:")
        acts = {
            self.callers.act: 12,
            self.callers.meddle: 8,
            self._power_off: 3,
            self._time_passes: 2,
            self._clock_jumps: 0.2,
        }
        (chosen,) = self.chance.choices(list(acts), acts.values())
        chosen()

    def _cross(self):
        """Somebody acts while a caller is between two reads: another caller, or the controllers."""
        if self.trouble.busy:
            return
        self.trouble.busy = True
        acts = (self.callers.act, self.callers.meddle, self._step_at_once, self._step_at_once)
        try:
            self.chance.choice(acts)()
        finally:
            self.trouble.busy = False

    def _step_at_once(self):
        """The controllers take what steps are due for one kind, undisturbed."""
        reconciler = self.chance.choice(self._reconcilers)
        controller, was = reconciler.controller, self.trouble.quiet
        passing = self._passing.get(reconciler)
        if self.trouble.dead or (passing is not None and not passing.done()):
            return
        self.trouble.quiet = True
        seen = {thing.id: thing for thing in _at_once(controller.observe())}
        for row in self._own_store.rows(controller.kind):
            step = None if row.id in reconciler._in_flight else controller.plan(row, seen.get(row.id))
            match step:
                case None:
                    pass
                case Record():
                    self._own_store.update(row, **step.fields)
                case Forget():
                    self._own_store.delete(row)
                case _:
                    with suppress(DriverError):
                        _at_once(controller.perform(row, step))
        self.trouble.quiet = was

    async def _after(self):
        self._raise_if_broken()
        if self.trouble.dead:
            await self._bury()
            self._start()
        self._tasks = [task for task in self._tasks if not task.done()]

    # --- the controllers' process

    def _start(self):
        self.trouble.dead = False
        if self._path is not None:
            self._own_store = Store(self._path, on_commit=self._committed)
        store = TouchedStore(self._own_store, self.trouble)
        drivers = {
            name: TouchedDriver(getattr(self.host, name), name, self.trouble)
            for name in ("machines", "volumes", "images", "networks")
        }
        made = cloud.controllers(store, self.tools, SETTINGS, drivers, self.host.boot)
        self._reconcilers = [self._reconciler(controller, store) for controller in made]
        self._passing = {}

    def _reconciler(self, controller, store):
        made = Reconciler(controller, store, self.clock, on_done=lambda: self._due.add(made))
        return made

    async def _bury(self):
        """What a killed process had under way goes no further than its next touch."""
        self.trouble.dead = True
        await asyncio.sleep(0)
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks = []
        if self._own_store is not self.store:
            self._own_store.close()

    def _pass(self):
        for reconciler in self.chance.sample(self._reconcilers, 2):
            passing = self._passing.get(reconciler)
            if passing is None or passing.done():
                self._passing[reconciler] = asyncio.get_running_loop().create_task(self._one_pass(reconciler))

    async def _one_pass(self, reconciler):
        try:
            return await reconciler.pass_once()
        except DriverError:
            return 1
        except Exception as e:  # noqa: BLE001 - whatever it is, it is a mistake
            self.broken(f"a pass of {type(reconciler.controller).__name__} ended in {e!r}")
            return 1

    def _committed(self):
        if not self._checking and self.callers.frame is None:
            self._checking = True
            self.promises.check()
            self._checking = False

    # --- what else happens

    def _time_passes(self):
        self.clock.advance(self.chance.choice((0.1, 0.5, 1.0, 5.0, 20.0, 70.0)))

    def _clock_jumps(self):
        self.say("the clock jumps")
        self.clock.jump(self.chance.choice((-7200.0, -30.0, 30.0, 7200.0)))

    def _drivers_change(self):
        driver = self.chance.choice(("machines", "volumes", "images", "networks"))
        self.trouble.refusing[driver] = self.chance.choice((0.0, 0.0, 0.0, 0.1, 0.3, 1.0))

    def _power_off(self):
        running = self.host.running()
        if not running:
            return
        id = self.chance.choice(running)
        row, boot = self.store.get(Instance, id), self.host.machines._kept[id].boot
        known = row is not None and (row.state, row.started_boot, row.boot, row.host_boot) == (
            "running",
            boot,
            boot,
            self.host.boot,
        )
        self.host.power_off(id, known=known)

    def _kill(self):
        self.trouble.kill("leisure")

    def _host_reboots(self):
        self.trouble.kill("a power cut")
        self.host.reboot()

    def _wiped(self):
        """All rows go, as `reset` makes them go; everything in the world is an orphan."""
        self.say("all is wiped")
        self.promises.forget_all()
        self.store.wipe()
        self.callers.begin()

    # --- quiet

    async def _fall_quiet(self):
        self.say("quiet")
        self.trouble.quiet = self.callers.quiet = True
        self.trouble.go_on()
        while under_way := [
            task for task in self._tasks if not task.done() and task is not asyncio.current_task()
        ]:
            await asyncio.wait(under_way)
        self._due = set(self._reconcilers)
        await self._settle()
        quiet.check(self.store, self.host, self.promises, self.broken)
        for act in (self.callers.run_instances, *[self.callers.act] * _ACTS_WHEN_QUIET):
            act()
        await self._settle()
        quiet.check(self.store, self.host, self.promises, self.broken)
        self._raise_if_broken()
        self.say("the end: everything is deleted")
        self.callers.delete_everything()
        await self._settle()
        self.callers.delete_rest()
        self.clock.advance(2 * SETTINGS.terminated_visible_s + 7200.0 * 4)
        await self._settle()
        quiet.check(self.store, self.host, self.promises, self.broken)
        quiet.check_nothing_is_left(self.store, self.host, self.broken)
        self._raise_if_broken()

    async def _settle(self):
        """Pass as the runner does, for those whom a change wakes, a step that ended or a retry that is due; no clock
        wakes anybody. All must come to rest so, and then nobody finds a thing to do that he had to look for himself.
        """
        self._wake()
        for _ in range(_PASSES_MAX):
            for reconciler in self.chance.sample(self._reconcilers, len(self._reconcilers)):
                if reconciler not in self._due:
                    continue
                self._due.discard(reconciler)
                await self._one_pass(reconciler)
                await reconciler.idle()
                self._wake()
            self._raise_if_broken()
            if not self._due and not self._retry():
                break
        else:
            self.broken(f"it has not come to rest after {_PASSES_MAX} rounds")
        await self._look_again()

    def _wake(self):
        self._seen, changed = self.store.changed_since(self._seen)
        self._due |= {one for one in self._reconcilers if _wakes(one.controller) & changed}

    def _retry(self):
        """Let the time pass until somebody may try again, if anybody waits for that."""
        waits = {one: wait_s for one in self._reconcilers if (wait_s := one.next_retry_s()) is not None}
        if waits:
            self.clock.advance(min(waits.values()) + 0.001)
            self._due |= {one for one in waits if one.next_retry_s() == 0.0}
        return bool(waits)

    async def _look_again(self):
        for reconciler in self._reconcilers:
            kind, before = reconciler.controller.kind, self.store.rows(reconciler.controller.kind)
            steps = await self._one_pass(reconciler)
            await reconciler.idle()
            if kind in (
                Instance,
                NatGateway,
            ):  # these are forgotten when their time has come, which wakes nobody
                steps -= len(before) - len(self.store.rows(kind))
            if steps:
                self.broken(f"{steps} steps for {kind.__name__} were due, and nobody was woken for them")
        self._raise_if_broken()


def _at_once(work):
    """The outcome of what never waits, for nobody disturbs it."""
    try:
        work.send(None)
    except StopIteration as e:
        return e.value
    raise AssertionError("it waited")


def _wakes(controller):
    return {kind_name(kind) for kind in (controller.kind, *controller.wakes_on)}


class _Errors(logging.Handler):
    """The loop survives a step's crash and logs it; to a walk it is a mistake."""

    def __init__(self, broken):
        super().__init__(logging.ERROR)
        self._broken = broken

    def emit(self, record):
        self._broken(
            self.format(record)
            if record.exc_info is None
            else f"{record.getMessage()}: {record.exc_info[1]!r}"
        )

    def __enter__(self):
        logging.getLogger("cloudstead").addHandler(self)
        return self

    def __exit__(self, *_):
        logging.getLogger("cloudstead").removeHandler(self)
