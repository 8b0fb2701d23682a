"""The loop over a toy world: lamps that are wanted lit or gone."""

import asyncio
import gc
import warnings
from dataclasses import dataclass
from typing import Literal

import pytest
from tests.support.fuse import STORE_EFFECTS, Crash, Fuse, Fused

from cloudstead.control.problems import Problem
from cloudstead.control.reconciler import Reconciler
from cloudstead.control.runner import Runner
from cloudstead.control.steps import Ensure, Forget, Record, Remove
from cloudstead.control.witness import Witness
from cloudstead.core.clock import ManualClock, SystemClock
from cloudstead.core.errors import DriverError
from cloudstead.store import Row, Store
from cloudstead.store.bell import Bell
from cloudstead.store.sqlite import OutOfSpace


class Lamp(Row, frozen=True, kw_only=True):
    want: Literal["lit", "gone"] = "lit"
    state: Literal["new", "lit", "going"] = "new"


@dataclass(frozen=True)
class LampSeen:
    id: str
    lit: bool


class World:
    """Lamps are hung up first and lit second, so a crash between the two leaves a dark one."""

    def __init__(self) -> None:
        self.lamps: dict[str, bool] = {}
        self.refusals = 0
        self.removed_while: list[str] = []

    async def hang(self, id):
        if self.refusals:
            self.refusals -= 1
            raise DriverError("no hook in the ceiling")
        self.lamps.setdefault(id, False)

    async def light(self, id):
        self.lamps[id] = True

    async def take_down(self, id):
        self.lamps.pop(id, None)


class Lamps:
    kind = Lamp
    wakes_on = ()

    def __init__(self, world) -> None:
        self.world = world

    async def observe(self):
        return [LampSeen(id, lit) for id, lit in self.world.lamps.items()]

    def plan(self, row, seen):
        match row.want, seen:
            case "gone", None:
                return Forget()
            case "gone", _:
                return Remove() if row.state == "going" else Record({"state": "going"})
            case "lit", LampSeen(lit=True):
                return Record({"state": "lit"})
            case _:
                return Ensure()

    async def perform(self, row, step):
        if isinstance(step, Ensure):
            await self.world.hang(row.id)
            await self.world.light(row.id)
        else:
            await self.world.take_down(row.id)

    async def sweep(self, id):
        await self.world.take_down(id)


async def settle(store, world, clock=None, passes=60):
    clock = clock or ManualClock()
    reconciler = Reconciler(Lamps(world), store, clock)
    for _ in range(passes):
        steps = await reconciler.pass_once()
        await reconciler.idle()
        clock.advance(1.0)
        if not steps and all(lamp.state == "lit" for lamp in store.rows(Lamp)):
            return
    raise AssertionError("never settles")


def assert_the_world_is_what_rows_want(store, world):
    assert world.lamps == {lamp.id: True for lamp in store.rows(Lamp) if lamp.want == "lit"}


async def life(store, world):
    """Two lamps are lit, one of them is taken down again."""
    reconciler = Reconciler(Lamps(world), store, ManualClock())

    async def work():
        while True:
            steps = await reconciler.pass_once()
            flying = list(reconciler._in_flight.values())
            for task in flying:
                await task
            if not steps:
                return

    store.insert(Lamp(id="l-1"))
    store.insert(Lamp(id="l-2"))
    await work()
    store.update(store.get(Lamp, "l-1"), want="gone")
    await work()


def test_a_crash_at_any_step_is_survived():
    for at in range(1000):
        world, store, fuse = World(), Store(None), Fuse(at)
        try:
            asyncio.run(
                life(Fused(store, fuse, STORE_EFFECTS), Fused(world, fuse, ("hang", "light", "take_down")))
            )
        except Crash:
            store._roll_back()
            asyncio.run(settle(store, world))
            assert_the_world_is_what_rows_want(store, world)
        else:
            break
    assert at > 15, "the fuse must have blown at every effect"


def test_what_no_row_explains_is_removed():
    world, store = World(), Store(None)
    world.lamps["l-9"] = True
    asyncio.run(settle(store, world))
    assert world.lamps == {}


def test_a_refusal_is_kept_for_people_and_cleared_when_mended():
    async def story():
        world, store, clock = World(), Store(None), ManualClock()
        world.refusals = 3
        reconciler = Reconciler(Lamps(world), store, clock)
        store.insert(Lamp(id="l-1"))
        tries = 0
        while world.lamps.get("l-1") is not True:
            tries += await reconciler.pass_once()
            await reconciler.idle()
            if world.refusals < 3 and not world.lamps:
                assert store.get(Problem, "l-1").text == "no hook in the ceiling"
                assert await reconciler.pass_once() == 0, "it waits before it tries again"
            clock.advance(0.3)
        assert tries == 4
        assert store.rows(Problem) == []

    asyncio.run(story())


def test_a_row_that_is_forgotten_takes_its_problem_with_it():
    async def story():
        world, store, clock = World(), Store(None), ManualClock()
        world.refusals = 1
        reconciler = Reconciler(Lamps(world), store, clock)
        store.insert(Lamp(id="l-1"))
        await reconciler.pass_once()
        await reconciler.idle()
        store.update(store.get(Lamp, "l-1"), want="gone")
        clock.advance(60)
        await reconciler.pass_once()
        assert store.rows(Lamp) == []
        assert store.rows(Problem) == []

    asyncio.run(story())


def test_a_step_that_is_given_up_before_it_began_leaves_nothing_behind():
    async def story():
        world, store = World(), Store(None)
        reconciler = Reconciler(Lamps(world), store, ManualClock())
        store.insert(Lamp(id="l-1"))
        await reconciler.pass_once()
        await reconciler.close()
        assert world.lamps == {}

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(story())
        gc.collect()
    assert told == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_problem_of_what_needs_no_step_any_more_is_over(restarted):
    """However it came to be right: otherwise it would be told for ever, and its retry be due at every moment."""

    async def story():
        world, store, clock = World(), Store(None), ManualClock()
        world.refusals = 1
        world.lamps["l-9"] = True
        reconciler = Reconciler(Lamps(world), store, clock)
        store.insert(Lamp(id="l-1"))
        await reconciler.pass_once()
        await reconciler.idle()
        assert store.get(Problem, "l-1") is not None
        world.lamps = {"l-1": True}
        clock.advance(60)
        if restarted:
            reconciler = Reconciler(Lamps(world), store, clock)
        await reconciler.pass_once()
        await reconciler.idle()
        assert store.rows(Problem) == []
        assert reconciler.next_retry_s() is None

    asyncio.run(story())


def test_a_problem_of_an_orphan_that_is_gone_is_over():
    async def story():
        world, store, clock = World(), Store(None), ManualClock()
        world.lamps["l-9"] = True
        lamps = Lamps(world)

        async def refuse(id):
            raise DriverError(f"{id} is hot")

        lamps.sweep = refuse
        reconciler = Reconciler(lamps, store, clock)
        await reconciler.pass_once()
        await reconciler.idle()
        assert store.get(Problem, "l-9") is not None
        world.lamps.clear()
        clock.advance(60)
        await reconciler.pass_once()
        assert store.rows(Problem) == []
        assert reconciler.next_retry_s() is None

    asyncio.run(story())


def test_a_change_by_another_process_wakes_the_runner_at_once(tmp_path):
    path, bell = tmp_path / "state.sqlite", Bell()

    async def story():
        ours = Store(path)
        theirs = Store(path, on_commit=bell.ring)
        world = World()
        runner = Runner([Lamps(world)], ours, SystemClock(), bell, resync_s=30.0)
        running = asyncio.create_task(runner.run())
        await asyncio.sleep(0)
        theirs.insert(Lamp(id="l-1"))
        async with asyncio.timeout(5):
            while world.lamps.get("l-1") is not True:
                await asyncio.sleep(0.001)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        ours.close()
        theirs.close()

    asyncio.run(story())


def test_a_row_that_cannot_be_planned_holds_up_no_other():
    async def story():
        world, store = World(), Store(None)
        lamps = Lamps(world)
        plan = lamps.plan

        def stumbling(row, seen):
            if row.id == "l-1":
                raise KeyError("a row of an older version")
            return plan(row, seen)

        lamps.plan = stumbling
        world.lamps["l-1"] = True
        store.insert(Lamp(id="l-1"))
        store.insert(Lamp(id="l-2"))
        reconciler = Reconciler(lamps, store, ManualClock())
        for _ in range(3):
            await reconciler.pass_once()
            await reconciler.idle()
        assert world.lamps == {"l-1": True, "l-2": True}
        assert "internal error" in store.get(Problem, "l-1").text

    asyncio.run(story())


def test_rows_that_fail_keep_no_other_waiting():
    async def story():
        world, store, clock = World(), Store(None), ManualClock()
        lamps = Lamps(world)
        perform = lamps.perform

        async def stubborn(row, step):
            if row.id < "l-3":
                raise DriverError("broken")
            await perform(row, step)

        lamps.perform = stubborn
        for number in range(6):
            store.insert(Lamp(id=f"l-{number}"))
        reconciler = Reconciler(lamps, store, clock, in_flight_max=3)
        for _ in range(3):
            await reconciler.pass_once()
            await reconciler.idle()
            clock.advance(60)
        assert world.lamps == {"l-3": True, "l-4": True, "l-5": True}

    asyncio.run(story())


def test_what_is_to_go_finds_room_while_all_else_is_being_made():
    async def story():
        world, store = World(), Store(None)
        lamps, made = Lamps(world), asyncio.Event()
        perform = lamps.perform

        async def slow(row, step):
            if isinstance(step, Ensure):
                await made.wait()
            await perform(row, step)

        lamps.perform = slow
        for number in range(5):
            store.insert(Lamp(id=f"l-{number}"))
        reconciler = Reconciler(lamps, store, ManualClock(), in_flight_max=2)
        assert await reconciler.pass_once() == 2
        world.lamps.update({"l-8": True, "l-9": True})
        store.insert(Lamp(id="l-8", want="gone", state="going"))
        assert await reconciler.pass_once() == 2
        while "l-8" in world.lamps or "l-9" in world.lamps:
            await asyncio.sleep(0)
        made.set()
        await reconciler.idle()

    asyncio.run(story())


def test_a_retry_under_way_is_not_waited_for_again():
    """Otherwise it would be due at every moment until it ends, and one pass follow the other."""

    async def story():
        world, store, clock = World(), Store(None), ManualClock()
        lamps, made = Lamps(world), asyncio.Event()
        perform = lamps.perform

        async def slow(row, step):
            await made.wait()
            await perform(row, step)

        world.refusals = 1
        store.insert(Lamp(id="l-1"))
        reconciler = Reconciler(lamps, store, clock)
        await reconciler.pass_once()
        await reconciler.idle()
        assert reconciler.next_retry_s() > 0
        clock.advance(60)
        lamps.perform = slow
        assert await reconciler.pass_once() == 1
        assert reconciler.next_retry_s() is None
        made.set()
        await reconciler.idle()
        assert world.lamps == {"l-1": True}

    asyncio.run(story())


def test_a_full_disk_is_waited_for_like_any_trouble(caplog):
    async def story():
        world, store, clock = World(), Store(None), ManualClock()
        lamps = Lamps(world)
        store.insert(Lamp(id="l-1"))
        reconciler = Reconciler(lamps, FullDisk(store), clock)

        async def full(row, step):
            raise OutOfSpace("no room")

        perform, lamps.perform = lamps.perform, full
        await reconciler.pass_once()
        await reconciler.idle()
        assert 0 < reconciler.next_retry_s() < 1
        lamps.perform = perform
        clock.advance(1)
        await reconciler.pass_once()
        await reconciler.idle()
        assert world.lamps == {"l-1": True}

    asyncio.run(story())
    assert "internal error" not in caplog.text
    assert "nobody can be told" in caplog.text


class FullDisk:
    """A store in which no problem can be written down."""

    def __init__(self, store) -> None:
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def insert(self, row):
        raise OutOfSpace("no room")


@pytest.mark.parametrize("lost", ["restored from a backup", "deleted"])
def test_a_state_that_knows_less_than_the_world_sweeps_nothing_until_a_person_says_so(tmp_path, lost):
    state, witness, world = tmp_path / "state.sqlite", tmp_path / "witness", World()

    def run_until(holds, *, new=(), gone=()):
        async def story():
            store = Store(state, on_commit=lambda: runner.wake())  # noqa: PLW0108 - it is made after
            runner = Runner([Lamps(world)], store, SystemClock(), resync_s=0.01, witness=Witness(witness))
            running = asyncio.create_task(runner.run())
            await asyncio.sleep(0)
            for id in new:
                store.insert(Lamp(id=id))
            for id in gone:
                store.update(store.get(Lamp, id), want="gone")
            async with asyncio.timeout(5):
                while not holds(store):
                    await asyncio.sleep(0.001)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            store.close()

        asyncio.run(story())

    run_until(lambda _: len(world.lamps) == 1, new=["l-1"])
    backup = state.read_bytes()
    run_until(lambda _: len(world.lamps) == 9, new=[f"l-{number}" for number in range(2, 10)])
    state.unlink()
    if lost != "deleted":
        state.write_bytes(backup)
    many = [f"m-{number}" for number in range(40)]  # after these, its changes are as many as before
    run_until(lambda store: all(world.lamps.get(id) for id in many), new=many)
    run_until(lambda store: not store.rows(Lamp, want="gone"), gone=many)
    assert {"l-2", "l-9"} < world.lamps.keys()
    told = []
    run_until(lambda store: told.append(store.get(Problem, "state")) or len(told) > 30)
    assert "older than what there is" in told[-1].text
    assert {"l-2", "l-9"} < world.lamps.keys()
    witness.unlink()
    run_until(lambda store: "l-9" not in world.lamps and not store.rows(Problem))


def test_sweeping_goes_on_after_each_ordinary_start(tmp_path):
    witness = Witness(tmp_path / "witness")
    for seq in (0, 5, 5, 9):
        assert witness.contradicts(seq) is None
        witness.note(seq)
    assert str(tmp_path / "witness") in witness.contradicts(8)
    assert witness.contradicts(10) is not None
