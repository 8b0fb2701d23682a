"""Seeded walks: endpoints flap, regions are cut off, callers change checks, the checker's process falls and comes back.

A model beside it keeps what every checker has met as a line of signs, and reads the verdict off that line. At each step
name servers must be told just that; whenever it falls quiet, every check must say how its endpoint really is.
"""

import asyncio
import random

import pytest
from tests.unit.route53.health_world import HealthWorld

from cloudstead.dataplane.checks.fake import FakeEndpoint, FakeProber
from cloudstead.services.route53.health_decision import REGIONS
from cloudstead.services.route53.health_reports import is_healthy
from cloudstead.services.route53.health_rows import HealthStanding
from cloudstead.services.route53.rows import HealthCheck

PORTS = range(80, 84)
ADDRESS = "192.0.2.7"


class Watched(FakeProber):
    """Tells the model of each outcome."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    async def probe(self, endpoint, region):
        outcome = await super().probe(endpoint, region)
        self.model.saw(endpoint.check, region, outcome.result == "answered" and outcome.status in (0, 200))
        return outcome


class Model:
    """What each region of each check has met, and what it concluded."""

    def __init__(self, store):
        self.store = store
        self.signs, self.minds, self.bases = {}, {}, {}

    def config(self, check):
        return self.store.get(HealthCheck, check).config

    def regions(self, check):
        return self.config(check).get("Regions", REGIONS)

    def saw(self, check, region, good):
        key = check, region
        base = self.bases.setdefault(check, True)
        mind = self.minds.setdefault(key, base)
        self.signs[key] = self.signs.get(key, "") + ("+" if good else "-")
        threshold = self.config(check)["FailureThreshold"]
        if self.signs[key].endswith(("-" if mind else "+") * threshold):
            self.minds[key] = not mind
            self.signs[key] = ""
        votes = [self.minds.get((check, one), base) for one in self.regions(check)]
        self.bases[check] = votes.count(True) / len(votes) > 0.18

    def restarted(self):
        """Looks that nobody wrote down are forgotten; what was concluded never is."""
        for row in self.store.rows(HealthStanding):
            for report in row.reports:
                key = row.id, report.region
                assert report.healthy in (self.minds.get(key), None), "a mind was lost"
                if report.healthy is None:
                    self.minds.pop(key, None)
                mind = self.minds.get(key, self.bases.get(row.id, True))
                self.signs[key] = ("-" if mind else "+") * report.contrary

    def changed_regions(self, check, regions):
        for key in [key for key in self.minds if key[0] == check and key[1] not in regions]:
            self.minds.pop(key)
            self.signs.pop(key, None)

    def healthy(self, check):
        config = self.config(check)
        if config["Type"] == "CALCULATED":
            well = sum(self.healthy(child) for child in config["ChildHealthChecks"] if self.exists(child))
            base = well >= config["HealthThreshold"]
        else:
            base = self.bases.get(check, True)
        return (config["Disabled"] or base) != config["Inverted"]

    def exists(self, check):
        return self.store.get(HealthCheck, check) is not None


class Walk:
    def __init__(self, seed):
        self.chance, self.world = random.Random(seed), HealthWorld(seed)
        self.model = Model(self.world.store)
        self.world.prober = Watched(self.model)
        self.world.start()
        self.endpoints = {}
        for port in PORTS:
            self.endpoints[port] = self.world.prober.endpoints[ADDRESS, port] = FakeEndpoint()
        self.count = 0

    def checks(self, *, calculated):
        rows = self.world.store.rows(HealthCheck)
        return [row.id for row in rows if (row.config["Type"] == "CALCULATED") == calculated]

    # --- what may happen

    def fail(self):
        endpoint = self.endpoints[self.chance.choice(PORTS)]
        endpoint.fails = self.chance.choice([None, "refused", "unreachable", "closed", "slow"])
        endpoint.status = self.chance.choice([200, 200, 503])

    def cut_off(self):
        endpoint = self.endpoints[self.chance.choice(PORTS)]
        endpoint.cut_off = set(self.chance.sample(REGIONS, self.chance.randrange(len(REGIONS) + 1)))

    def create(self):
        if len(self.checks(calculated=False)) >= 6:
            return
        self.count += 1
        more = {}
        if self.chance.random() < 0.5:
            more["Regions"] = self.chance.sample(REGIONS, self.chance.randrange(3, 9))
        self.world.create(
            str(self.count),
            Type=self.chance.choice(["HTTP", "HTTPS", "TCP"]),
            Port=self.chance.choice(PORTS),
            FailureThreshold=self.chance.randrange(1, 5),
            RequestInterval=self.chance.choice([10, 30]),
            Inverted=self.chance.random() < 0.2,
            **more,
        )

    def calculate(self):
        children = self.checks(calculated=False)
        if children and len(self.checks(calculated=True)) < 3:
            self.count += 1
            chosen = self.chance.sample(children, self.chance.randrange(1, len(children) + 1))
            threshold = self.chance.randrange(len(chosen) + 2)
            self.world.create(
                str(self.count), Type="CALCULATED", ChildHealthChecks=chosen, HealthThreshold=threshold
            )

    def update(self):
        if checks := self.checks(calculated=False):
            check = self.chance.choice(checks)
            flag = self.chance.choice(["Inverted", "Disabled"])
            self.world.update(check, **{flag: self.chance.random() < 0.3})

    def move_regions(self):
        if checks := self.checks(calculated=False):
            check = self.chance.choice(checks)
            regions = self.chance.sample(REGIONS, self.chance.randrange(3, 9))
            self.world.update(check, Regions=regions)
            self.model.changed_regions(check, regions)

    def delete(self):
        if checks := self.checks(calculated=self.chance.random() < 0.5):
            self.world.api.delete_health_check(HealthCheckId=self.chance.choice(checks))

    def restart(self):
        self.world.start()
        self.model.restarted()

    # --- the walk

    async def run(self, steps=120):
        happenings = [self.fail] * 4 + [self.cut_off] * 2 + [self.create] * 3
        happenings += [self.calculate, self.update, self.move_regions, self.delete, self.restart]
        for _ in range(steps):
            self.chance.choice(happenings)()
            self.world.worker.look()
            self.holds()
            for _ in range(self.chance.randrange(1, 30)):
                await self.world.go(1, 1)
                self.holds()
        for endpoint in self.endpoints.values():
            endpoint.cut_off = set()
        await self.world.go(200, 1)
        self.quiet()

    def holds(self):
        """Name servers and callers are told what the model says."""
        rows = self.world.store.rows(HealthCheck)
        told = {row.id: self.world.board.of(row.id) for row in rows}
        assert told == {row.id: self.model.healthy(row.id) for row in rows}
        written = {row.id: row.healthy for row in self.world.store.rows(HealthStanding)}
        assert {id: written[id] for id in written if id in told} == {
            id: told[id] for id in written if id in told
        }
        assert {id: is_healthy(self.world.store)(id) for id in told} == told

    def quiet(self):
        """All say how it is, for a while now."""
        for row in self.world.store.rows(HealthCheck):
            config = row.config
            if config["Type"] == "CALCULATED" or config["Disabled"]:
                continue
            endpoint = self.endpoints[config["Port"]]
            well = endpoint.fails is None and (endpoint.status == 200 or config["Type"] == "TCP")
            assert self.world.board.of(row.id) is (well != config["Inverted"])
            texts = self.world.statuses(row.id)
            assert set(texts) == set(config.get("Regions", REGIONS))
            assert {text.startswith("Success") for text in texts.values()} == {well}


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_name_servers_are_told_what_checkers_met(seed):
    asyncio.run(Walk(seed).run())
