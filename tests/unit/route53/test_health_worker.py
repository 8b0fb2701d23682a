"""Health checks from their creation to what is told of them."""

import asyncio
import logging
from contextlib import contextmanager

import pytest
from tests.support.api import ROOT, refusal
from tests.unit.route53.health_world import ADDRESS, HealthWorld

from cloudstead.app.tables import Means, tables
from cloudstead.core.tools import Tools
from cloudstead.dataplane.checks.fake import SOURCE, FakeEndpoint
from cloudstead.dataplane.dns.health import Health
from cloudstead.services.ec2.rows import Settings as Ec2Settings
from cloudstead.services.route53.health_decision import REGIONS, NoSignals
from cloudstead.services.route53.health_reports import is_healthy
from cloudstead.services.route53.health_rows import HealthStanding
from cloudstead.services.route53.rows import HealthCheck
from cloudstead.store import Store
from cloudstead.store.sqlite import Busy


def test_what_each_region_saw_is_told():
    async def drive():
        world = HealthWorld()
        check = world.create()
        world.worker.look()
        assert world.statuses(check) == {}
        await world.go(15)
        assert world.statuses(check) == dict.fromkeys(REGIONS, "Success: HTTP Status Code 200, OK")
        told = world.api.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        assert {each["IPAddress"] for each in told} == {SOURCE}
        age = [world.tools.clock.now() - each["StatusReport"]["CheckedTime"] for each in told]
        assert max(age).total_seconds() <= 25

    asyncio.run(drive())


def test_the_last_failure_is_told_of_who_had_one_and_of_the_others_that_they_had_none():
    async def drive():
        world = HealthWorld()
        check = world.create(Regions=["us-east-1", "eu-west-1", "sa-east-1"])
        world.web.cut_off.add("sa-east-1")
        await world.go(15)
        world.web.cut_off.clear()
        await world.go(60)
        failures = world.failures(check)
        assert failures["sa-east-1"].startswith("Failure: Connection timed out.")
        assert failures["us-east-1"].startswith("The health check endpoint has not failed since")
        assert set(world.statuses(check).values()) == {"Success: HTTP Status Code 200, OK"}

    asyncio.run(drive())


def test_it_becomes_unhealthy_when_the_threshold_is_reached_and_healthy_again():
    async def drive():
        world = HealthWorld()
        check = world.create(FailureThreshold=3)
        await world.go(30)
        world.web.status = 500
        await world.go(19)
        assert world.board.of(check), "nobody has looked three times"
        await world.go(12)
        assert not world.board.of(check)
        assert not is_healthy(world.store)(check)
        world.web.status = 200
        await world.go(31)
        assert world.board.of(check)
        assert is_healthy(world.store)(check)

    asyncio.run(drive())


@pytest.mark.parametrize(("reached_by", "healthy"), [(0, False), (1, False), (2, True), (8, True)])
def test_it_is_healthy_as_long_as_more_than_18_percent_reach_it(reached_by, healthy):
    async def drive():
        world = HealthWorld()
        check = world.create(FailureThreshold=2)
        world.web.cut_off.update(REGIONS[reached_by:])
        await world.go(45)
        assert world.board.of(check) is healthy

    asyncio.run(drive())


def test_all_kinds_of_endpoints_are_looked_at():
    async def drive():
        world = HealthWorld()
        world.prober.endpoints[ADDRESS, 443] = FakeEndpoint(body=b"all is well")
        world.prober.endpoints[ADDRESS, 22] = FakeEndpoint()
        world.prober.names["www.example.com"] = ADDRESS
        checks = {
            world.create("1", Type="HTTPS"): "Success: HTTP Status Code 200, OK",
            world.create(
                "2", Type="HTTPS_STR_MATCH", SearchString="well"
            ): "Success: HTTP Status Code 200, OK",
            world.create(
                "3", Type="HTTP_STR_MATCH", SearchString="well"
            ): "Failure: HTTP Status Code 200, OK. "
            "The search string is not in the first 5,120 bytes of the response body.",
            world.create("4", Type="TCP", Port=22): "Success: The TCP connection was established.",
            world.create("5", Type="TCP", Port=23): "Failure: Connection refused.",
            world.create("6", IPAddress="192.0.2.8", Port=81): "Failure: Connection refused.",
        }
        named = world.api.create_health_check(
            CallerReference="7",
            HealthCheckConfig={"Type": "HTTP", "FullyQualifiedDomainName": "www.example.com"},
        )["HealthCheck"]["Id"]
        checks[named] = f"Success: HTTP Status Code: 200. Resolved IP: {ADDRESS}. OK"
        await world.go(35)
        for check, text in checks.items():
            assert world.statuses(check) == dict.fromkeys(REGIONS, text)

    asyncio.run(drive())


def test_what_is_inverted_or_disabled_is_told_with_the_next_look_at_rows():
    async def drive():
        world = HealthWorld()
        check = world.create()
        await world.go(12)
        world.update(check, Inverted=True)
        world.worker.look()
        assert not world.board.of(check)
        world.update(check, Inverted=False, Disabled=True)
        world.web.fails = "refused"
        world.prober.looked.clear()
        await world.go(60)
        assert world.board.of(check)
        assert world.prober.looked == [], "nobody looks at what is disabled"
        world.update(check, Disabled=False)
        await world.go(35)
        assert not world.board.of(check)

    asyncio.run(drive())


def test_a_calculated_check_follows_its_children_in_the_same_moment():
    async def drive():
        world = HealthWorld()
        one, two = world.create("1", FailureThreshold=1), world.create("2", IPAddress="192.0.2.8")
        world.prober.endpoints["192.0.2.8", 80] = FakeEndpoint()
        both = world.create("3", Type="CALCULATED", ChildHealthChecks=[one, two], HealthThreshold=2)
        any_of = world.create("4", Type="CALCULATED", ChildHealthChecks=[one, two], HealthThreshold=1)
        await world.go(12)
        told = []
        tell = world.board.tell
        world.board.tell = lambda check, healthy: (
            told.append((check, healthy, world.tools.clock.monotonic())),
            tell(check, healthy),
        )
        world.web.fails = "refused"
        await world.go(12)
        assert [(check, healthy) for check, healthy, _ in told] == [(one, False), (both, False)]
        assert len({at for *_, at in told}) == 1
        assert world.board.of(any_of)

    asyncio.run(drive())


def test_of_a_calculated_check_no_status_is_told():
    world = HealthWorld()
    parent = world.create(Type="CALCULATED", ChildHealthChecks=[], HealthThreshold=0)
    for operation in (
        world.api.get_health_check_status,
        world.api.get_health_check_last_failure_reason,
    ):
        assert refusal(operation, HealthCheckId=parent)[0] == "InvalidInput"


def test_a_deleted_check_is_looked_at_no_more_and_leaves_nothing():
    async def drive():
        world = HealthWorld()
        check = world.create(FailureThreshold=1)
        world.web.fails = "refused"
        await world.go(12)
        assert not world.board.of(check)
        world.api.delete_health_check(HealthCheckId=check)
        world.prober.looked.clear()
        await world.go(30)
        assert world.board.of(check)
        assert world.store.rows(HealthStanding) == []
        assert world.prober.looked == []

    asyncio.run(drive())


def test_a_check_that_is_deleted_while_no_checker_is_there_leaves_nothing_either():
    async def drive():
        world = HealthWorld()
        check = world.create(FailureThreshold=1)
        world.web.fails = "refused"
        await world.go(12)
        world.api.delete_health_check(HealthCheckId=check)
        world.start()
        await world.go(1)
        assert world.board.of(check)
        assert world.store.rows(HealthStanding) == []

    asyncio.run(drive())


def test_a_check_that_is_deleted_while_it_is_looked_at_harms_nobody():
    async def drive():
        world = HealthWorld()
        check = world.create()
        world.worker.look()
        world.prober.answering.clear()
        world.tools.clock.advance(10)
        world.worker.rounds.start_due()
        await asyncio.sleep(0)
        world.api.delete_health_check(HealthCheckId=check)
        world.worker.look()
        world.prober.answering.set()
        await world.worker.rounds.idle()
        await world.go(1)
        assert world.store.rows(HealthStanding) == []

    asyncio.run(drive())


def test_a_restart_goes_on_and_flips_nothing():
    async def drive():
        world = HealthWorld()
        bad, well = world.create("1", FailureThreshold=5), world.create("2", IPAddress="192.0.2.8")
        world.prober.endpoints["192.0.2.8", 80] = FakeEndpoint()
        world.web.fails = "refused"
        await world.go(65)
        before = {check: world.board.of(check) for check in (bad, well)}
        assert before == {bad: False, well: True}
        statuses = world.statuses(bad)
        generation = world.board.generation
        world.start()
        world.worker.look()
        assert {check: world.board.of(check) for check in (bad, well)} == before
        assert world.board.generation == generation, "name servers have nothing to learn"
        assert world.statuses(bad) == statuses
        await world.go(12)
        assert not world.board.of(bad)

    asyncio.run(drive())


def test_a_board_that_is_new_is_told_all_that_is_unhealthy():
    async def drive():
        world = HealthWorld()
        check = world.create(FailureThreshold=1)
        world.web.fails = "refused"
        await world.go(12)
        world.board = Health()
        world.start()
        world.worker.look()
        assert not world.board.of(check)

    asyncio.run(drive())


def test_what_says_nothing_new_is_seldom_written():
    async def drive():
        world = HealthWorld()
        checks = [world.create(str(n)) for n in range(20)]
        await world.go(30)
        before = {row.id: row.version for row in world.store.rows(HealthStanding)}
        await world.go(100)
        writes = [row.version - before[row.id] for row in world.store.rows(HealthStanding)]
        assert len(writes) == len(checks)
        assert max(writes) <= 11, "80 looks each"

    asyncio.run(drive())


def test_name_servers_hear_of_a_flip_even_if_it_cannot_be_written_which_is_made_up_for(caplog):
    async def drive():
        world = HealthWorld()
        check = world.create(FailureThreshold=1)
        await world.go(12)
        world.web.fails = "refused"
        transaction = world.store.transaction

        @contextmanager
        def locked():
            raise Busy("locked")
            yield

        world.store.transaction = locked
        for _ in range(24):
            world.tools.clock.advance(0.5)
            world.worker.rounds.start_due()
            await world.worker.rounds.idle()
        assert not world.board.of(check)
        assert is_healthy(world.store)(check)
        world.store.transaction = transaction
        world.worker.write_due()
        assert not is_healthy(world.store)(check)

    with caplog.at_level(logging.WARNING):
        asyncio.run(drive())
    assert "a flip is not yet written" in caplog.text


def test_other_regions_take_over_without_a_flip():
    async def drive():
        world = HealthWorld()
        check = world.create(Regions=list(REGIONS[:3]))
        world.web.fails = "refused"
        await world.go(45)
        assert not world.board.of(check)
        generation = world.board.generation
        world.update(check, Regions=list(REGIONS[3:8]))
        await world.go(60)
        assert (world.board.of(check), world.board.generation) == (False, generation)
        assert set(world.statuses(check)) == set(REGIONS[3:8])

    asyncio.run(drive())


def test_how_long_it_took_is_kept():
    async def drive():
        world = HealthWorld()
        check = world.create(MeasureLatency=True)
        await world.go(12)
        report = world.store.get(HealthStanding, check).reports[0]
        assert (report.connect_ms, report.handshake_ms, report.first_byte_ms) == (1.0, None, 3.0)

    asyncio.run(drive())


def test_a_reset_is_taken_up():
    async def drive():
        world = HealthWorld()
        check = world.create(FailureThreshold=1)
        world.web.fails = "refused"
        await world.go(12)
        world.store.wipe()
        await world.go(30)
        assert world.board.of(check)
        assert world.store.rows(HealthStanding) == []

    asyncio.run(drive())


class Alarms(NoSignals):
    state = "INSUFFICIENT_DATA"

    def alarm(self, account, region, name):
        return self.state


def test_a_check_of_an_alarm_says_what_the_alarm_says():
    """None can be created while there is no CloudWatch; what decides is here, and takes its word from an interface."""

    async def drive():
        world = HealthWorld(signals=Alarms())
        config = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "eu-west-1", "Name": "busy"}}
        check = HealthCheck(
            id="c",
            account="123456789012",
            caller_reference="r",
            created_at=world.tools.clock.now(),
            config=config,
        )
        world.store.insert(check)
        await world.go(3)
        assert world.board.of("c")
        assert world.statuses("c") == {
            "us-east-1": "Success: CloudWatch has insufficient data to determine the state of the alarm."
        }
        world.signals.state = "ALARM"
        await world.go(3)
        assert not world.board.of("c")
        world.signals.state = "INSUFFICIENT_DATA"
        await world.go(3)
        assert not world.board.of("c"), "the last known state"
        assert world.failures("c")["us-east-1"].startswith("Failure: ")

    asyncio.run(drive())


def test_the_worker_runs_by_itself_and_is_woken():
    async def drive():
        world = HealthWorld()
        running = asyncio.create_task(world.worker.run())
        await asyncio.sleep(0)
        check = world.create(Inverted=True)
        world.worker.wake()
        async with asyncio.timeout(10):
            while world.board.of(check):
                await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(drive())


@pytest.mark.parametrize(
    ("machines", "first"), [("oci", "198.18.255.1/32"), ("docker", "127.0.0.1/32"), ("fake", "127.0.0.1/32")]
)
def test_where_checkers_come_from_is_told(machines, first):
    means = Means(store=Store(None), tools=Tools(), ec2=Ec2Settings(machines=machines))
    told = tables(means)["route53"]["GetCheckerIpRanges"](ROOT, {})
    assert told["CheckerIpRanges"][0] == first


def test_a_check_that_the_board_has_no_room_for_is_said_to_be_and_harms_no_other(caplog):
    async def drive():
        world = HealthWorld()
        world.board = Health(room=1)
        world.start()
        first = world.create("1", FailureThreshold=1)
        await world.go(1)
        second = world.create("2", FailureThreshold=1)
        world.web.fails = "refused"
        await world.go(12)
        assert (world.board.of(first), world.board.of(second)) == (False, True)
        assert not is_healthy(world.store)(second)

    asyncio.run(drive())
    assert "name servers take it to be healthy" in caplog.text
