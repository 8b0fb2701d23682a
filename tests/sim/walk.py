"""One seeded walk: callers, controllers, failures, kills and the passing of time, in an order that the seed chooses.

Everything a walk does follows from its seed: same seed, same walk. Safety is checked at every commit and every effect;
then the walk falls quiet, and all must come to rest as it is wanted, and at last be gone without a trace.
"""

import asyncio
import logging
import random
from datetime import timedelta

from tests.sim import cloud, quiet
from tests.sim.callers import Callers
from tests.sim.calls import Calls, GatewayStore
from tests.sim.controllers import Controllers
from tests.sim.host import Host, Run
from tests.sim.promises import Promises
from tests.sim.trouble import Trouble

from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.rows import Settings
from cloudstead.store import Store

STEPS = 700
SETTINGS = Settings(vcpus_max=10, elastic_addresses_max=3, terminated_visible_s=60.0)
_ROUNDS_WHEN_QUIET, _ACTS_WHEN_QUIET = 5, 5
_TOLD = 60  # last lines of the story that a failure tells


class Broken(AssertionError):
    """A law or a promise was broken: with the seed and the end of the story."""


class JumpingClock(ManualClock):
    """A clock whose wall time somebody may set; waiting is not disturbed. `latest` is the latest it ever showed."""

    def __init__(self):
        super().__init__()
        self.latest = self.now()

    def jump(self, seconds):
        self._now += timedelta(seconds=seconds)
        self.latest = max(self.latest, self._now)

    def catch_up(self):
        self.jump((self.latest - self.now()).total_seconds())

    def advance(self, seconds):
        super().advance(seconds)
        self.latest = max(self.latest, self._now)


class Walk:
    def __init__(self, seed, folder=None):
        """With a folder, state is in a file, and callers and each run of the controllers have connections of their own."""
        self.seed = seed
        self.chance = random.Random(seed)
        self.story, self.mistakes = [], []
        self.clock = JumpingClock()
        tools = Tools(clock=self.clock, random=random.Random(f"ids {seed}"))
        self._path = folder / f"{seed}.sqlite" if folder is not None else None
        self.store = Store(self._path, on_commit=self._committed)
        self.trouble = Trouble(self.chance, self._others, self.say)
        self.host = Host(self.trouble, self.broken, self.say, tick=lambda: len(self.story))
        self.promises = Promises(self.store, self.host, self.clock, SETTINGS, self.broken, self.say)
        self.host.promised = self.promises.instances
        self.host.promised_interfaces = self.promises.network.interfaces
        gateway = GatewayStore(self.store)
        self.calls = Calls(
            cloud.operations(gateway, tools, SETTINGS),
            gateway,
            self.promises,
            self.chance,
            broken=self.broken,
            say=self.say,
            cross=self._cross,
        )
        self.callers = Callers(self.calls, self.promises, self.chance, self.store, self.broken)
        self.controllers = Controllers(
            self._open_store, self.host, tools, SETTINGS, trouble=self.trouble, broken=self.broken
        )
        self._checking = False

    def run(self, steps=STEPS):
        try:
            with _Errors(self.broken), asyncio.Runner() as runner:
                runner.run(self._run(steps))
        finally:
            self.store.close()

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

    async def _run(self, steps):
        self.controllers.start()
        self.callers.begin()
        try:
            for _ in range(steps):
                self._act()
                for _ in range(self.chance.choice((0, 1, 2, 5, 10))):
                    await asyncio.sleep(0)
                self._raise_if_broken()
                if self.trouble.dead:
                    await self.controllers.bury()
                    self.controllers.start()
            await self._fall_quiet()
        finally:
            await self.controllers.bury()

    def _act(self):
        self._choose(
            {
                self.controllers.pass_over_some: 50,
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
        )

    def _others(self, where):
        """Somebody acts while the controllers are at a touch."""
        self.say(f"  at {where}:")
        self._choose(
            {
                self.callers.act: 12,
                self.callers.meddle: 8,
                self._power_off: 3,
                self._time_passes: 2,
                self._clock_jumps: 0.2,
            }
        )

    def _cross(self):
        """Somebody acts while a caller is between two reads."""
        if not self.trouble.busy:
            self.trouble.busy = True
            self._choose({self.callers.act: 1, self.callers.meddle: 1, self.controllers.step_at_once: 2})
            self.trouble.busy = False

    def _choose(self, acts):
        (chosen,) = self.chance.choices(list(acts), acts.values())
        chosen()

    def _open_store(self):
        if self._path is None:
            return self.store, False
        return Store(self._path, on_commit=self._committed), True

    def _committed(self):
        if not self._checking and self.calls.frame is None:
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
        self.host.power_off(id, known=self._known_to_run(id))

    def _known_to_run(self, id):
        """By its row, or by an answer that the controllers had and went on from."""
        row, boot = self.store.get(Instance, id), self.host.machines._kept[id].boot
        if row is None or row.boot != boot:
            return False
        if (row.state, row.started_boot, row.host_boot) == ("running", boot, self.host.boot):
            return True
        return row.aim == "running" and not self.trouble.busy and Run(id, boot) in self.host.answered

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
        self.trouble.quiet = self.calls.quiet = True
        self.trouble.go_on()
        await self.controllers.finish()
        await self._settle()
        for _ in range(_ROUNDS_WHEN_QUIET):
            self.callers.run_instances()
            for _ in range(_ACTS_WHEN_QUIET):
                self.callers.act()
            await self._settle()
        self.say("the end: everything is deleted")
        self.callers.delete_everything()
        await self._settle()
        self.callers.delete_rest()
        self.clock.catch_up()
        self.clock.advance(2 * SETTINGS.terminated_visible_s)
        await self._settle()
        quiet.check_nothing_is_left(self.store, self.host, self.broken)
        self._raise_if_broken()

    async def _settle(self):
        await self.controllers.settle()
        self._raise_if_broken()
        quiet.check(self.store, self.host, self.promises, self.broken)
        self._raise_if_broken()


class _Errors(logging.Handler):
    """The loop survives a step's crash and logs it; to a walk it is a mistake."""

    def __init__(self, broken):
        super().__init__(logging.ERROR)
        self._broken = broken

    def emit(self, record):
        why = f": {record.exc_info[1]!r}" if record.exc_info is not None else ""
        self._broken(f"{record.getMessage()}{why}")

    def __enter__(self):
        logging.getLogger("cloudstead").addHandler(self)
        return self

    def __exit__(self, *_):
        logging.getLogger("cloudstead").removeHandler(self)
