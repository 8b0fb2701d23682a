"""When which checker looks at which endpoint."""

import asyncio
import random
from collections import Counter

import msgspec

from cloudstead.core.clock import ManualClock, SystemClock
from cloudstead.dataplane.checks.driver import Endpoint, Work
from cloudstead.dataplane.checks.fake import FakeEndpoint, FakeProber
from cloudstead.dataplane.checks.rounds import Rounds

REGIONS = tuple(f"region-{n}" for n in range(8))


def work(check="c", *, regions=REGIONS, interval_s=30, port=80):
    endpoint = Endpoint(check=check, protocol="http", port=port, address="192.0.2.7")
    return Work(endpoint=endpoint, regions=regions, interval_s=interval_s)


class World:
    def __init__(self, seed=1, **more):
        self.clock, self.prober, self.told = ManualClock(), FakeProber(), []
        self.prober.endpoints["192.0.2.7", 80] = FakeEndpoint()
        self.rounds = Rounds(
            self.prober, self.clock, random.Random(seed), lambda *one: self.told.append(one), **more
        )

    async def go(self, seconds, step_s=0.5):
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            self.rounds.start_due()
            await self.rounds.idle()


def test_each_region_looks_once_an_interval():
    async def drive():
        world = World()
        world.rounds.set([work()])
        await world.go(30)
        first = Counter(region for _, region, _ in world.told)
        await world.go(300)
        return first, Counter(region for _, region, _ in world.told)

    first, later = asyncio.run(drive())
    assert first == dict.fromkeys(REGIONS, 1)
    assert all(10 <= later[region] <= 11 for region in REGIONS)


def test_they_begin_at_moments_of_their_own_which_a_seed_repeats():
    async def moments(seed):
        world, found = World(seed), []
        world.rounds.set([work(interval_s=10)])
        for _ in range(100):
            await world.go(0.1, 0.1)
            found.append(len(world.told))
        return found

    one = asyncio.run(moments(3))
    assert len(set(one)) >= 6, "spread over the interval"
    assert one == asyncio.run(moments(3))
    assert one != asyncio.run(moments(4))


def test_an_interval_is_counted_from_the_end_of_a_look():
    async def drive():
        world = World()
        world.rounds.set([work(regions=("a",), interval_s=10)])
        world.prober.answering.clear()
        world.clock.advance(10)
        assert world.rounds.start_due() == 1
        world.clock.advance(6)
        world.prober.answering.set()
        await world.rounds.idle()
        assert world.rounds.next_due_s() == 10

    asyncio.run(drive())


def test_a_region_never_has_two_looks_at_one_endpoint_under_way():
    async def drive():
        world = World()
        world.prober.answering.clear()
        for n in range(50):
            world.rounds.set([work(interval_s=10, port=80 + n % 2), work("d", interval_s=10)])
            world.clock.advance(7)
            world.rounds.start_due()
            await asyncio.sleep(0)
            assert max(Counter(world.prober.under_way).values(), default=0) <= 1
        assert len(world.prober.under_way) == 16
        await world.rounds.close()

    asyncio.run(drive())


def test_all_together_they_never_have_more_under_way_than_the_bound_and_nobody_starves():
    async def drive():
        world = World(in_flight_max=5)
        world.rounds.set([work(f"c{n}", interval_s=10) for n in range(10)])
        world.prober.answering.clear()
        world.clock.advance(10)
        assert world.rounds.start_due() == 5
        await asyncio.sleep(0)
        assert (world.rounds.start_due(), len(world.prober.under_way)) == (0, 5)
        assert world.rounds.next_due_s() is None, "an end of one of them makes room, not time"
        world.prober.answering.set()
        await world.rounds.idle()
        while world.rounds.start_due():
            await world.rounds.idle()
        return Counter((check, region) for check, region, _ in world.told)

    told = asyncio.run(drive())
    assert (len(told), set(told.values())) == (80, {1})


def test_what_is_no_longer_wanted_is_no_longer_looked_at():
    async def drive():
        world = World()
        world.rounds.set([work(), work("gone")])
        await world.go(30)
        world.told.clear()
        world.rounds.set([work(regions=REGIONS[:3])])
        await world.go(60)
        return {(check, region) for check, region, _ in world.told}

    assert asyncio.run(drive()) == {("c", region) for region in REGIONS[:3]}


def test_what_comes_of_an_endpoint_that_was_changed_meanwhile_is_not_told():
    async def drive():
        world = World()
        world.rounds.set([work(regions=("a",), interval_s=10)])
        world.prober.answering.clear()
        world.clock.advance(10)
        world.rounds.start_due()
        await asyncio.sleep(0)
        world.rounds.set([work(regions=("a",), interval_s=10, port=81)])
        world.prober.answering.set()
        await world.rounds.idle()
        assert world.told == []
        await world.go(11)
        return [outcome.result for _, _, outcome in world.told]

    assert asyncio.run(drive()) == ["refused"]


def test_a_look_that_crashes_is_taken_again_and_harms_no_other(caplog):
    class Crashing(FakeProber):
        async def probe(self, endpoint, region):
            if region == "bad" and not self.looked:
                self.looked.append(region)
                raise RuntimeError("a mistake of ours")
            return await super().probe(endpoint, region)

    async def drive():
        world = World()
        prober = Crashing()
        rounds = Rounds(prober, world.clock, random.Random(1), lambda *one: world.told.append(one))
        world.rounds = rounds
        rounds.set([work(regions=("bad", "good"), interval_s=10)])
        await world.go(30)
        return Counter(region for _, region, _ in world.told)

    told = asyncio.run(drive())
    assert told["bad"] >= 1
    assert told["good"] >= 2
    assert "a mistake of ours" in caplog.text


def test_it_runs_by_itself():
    async def drive():
        world = World()
        done = asyncio.Event()

        def told(*one):
            world.told.append(one)
            if len(world.told) == 20:
                done.set()

        rounds = Rounds(world.prober, SystemClock(), random.Random(1), told)
        running = asyncio.create_task(rounds.run())
        await asyncio.sleep(0)
        rounds.set([work(interval_s=0.01)])
        async with asyncio.timeout(20):
            await done.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(drive())


def test_a_work_is_only_what_it_says():
    """Frozen and compared by value: that is how a changed endpoint is told from the same one."""
    assert work() == msgspec.structs.replace(work())
    assert work() != work(port=81)
