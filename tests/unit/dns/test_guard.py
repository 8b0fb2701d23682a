"""What a network's firewall and forwarding rules do with names, before anybody looks for them."""

import asyncio

import dns.message
import pytest
from tests.unit.dns.zoned import World, code, lines, plain, zone_of

from cloudstead.dataplane.dns import Forwarder, Found
from cloudstead.dataplane.dns.desk import Desk, Later
from cloudstead.dataplane.dns.zones import DropNetwork, FirewallRule, Network, PutNetwork, Rule, Target


class Computed:
    def serves(self, view):
        return True

    def lookup(self, view, name, type):
        return Found(zone="ec2.internal", records=("172.31.0.5",)) if name.endswith("ec2.internal") else None


class There(Forwarder):
    """Remembers who would have been asked; nobody is."""

    def __init__(self, rule):
        super().__init__([])
        self.targets = rule.targets


@pytest.fixture
def world():
    return World(
        zone_of("Z1", "corp.test.", plain("a.corp.test.", "A", "10.0.0.1"), networks=("vpc-1",)),
        zone_of("Z2", "in.other.test.", plain("a.in.other.test.", "A", "10.0.0.2"), networks=("vpc-1",)),
    )


@pytest.fixture
def desk(world):
    return Desk(Computed(), "vpc-1", zones=world.responder("vpc-1"), outbound=There)


def ask(desk, name, type="A"):
    quick = desk.refresh()
    message = dns.message.make_query(name, type).to_wire()
    said = quick(message, lambda: "10.0.0.9") or desk.over_udp(message, lambda: "10.0.0.9")
    if isinstance(said, Later):
        return said._forwarder.targets[0].address
    return dns.message.from_wire(said)


def guarded(world, **more):
    world.apply(PutNetwork(Network(id="vpc-1", **more)))


def value(answer):
    return answer.answer[0][0].to_text()


def test_the_most_specific_of_rules_zones_and_computed_names_wins_and_at_a_tie_the_rule(world, desk):
    targets = {
        domain: (Target(f"192.0.2.{n}"),) for n, domain in enumerate((".", "other.test.", "deep.corp.test."))
    }
    guarded(world, rules=tuple(Rule(domain=domain, targets=to) for domain, to in targets.items()))
    assert value(ask(desk, "a.corp.test")) == "10.0.0.1"
    assert ask(desk, "x.deep.corp.test") == "192.0.2.2"
    assert value(ask(desk, "a.in.other.test")) == "10.0.0.2"
    assert ask(desk, "a.other.test") == "192.0.2.1"
    assert ask(desk, "www.example") == "192.0.2.0"
    assert value(ask(desk, "i-1.ec2.internal")) == "172.31.0.5"
    guarded(world, rules=(Rule(domain="corp.test", targets=(Target("192.0.2.9"),)),))
    assert ask(desk, "a.corp.test") == "192.0.2.9"


def test_a_system_rule_takes_its_domain_out_of_a_wider_one(world, desk):
    guarded(world, rules=(Rule(domain="test.", targets=(Target("192.0.2.9"),)), Rule(domain="not.test.")))
    assert ask(desk, "x.test") == "192.0.2.9"
    assert code(ask(desk, "x.not.test")) == "REFUSED", "there is nobody upstream"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ("NOERROR", [])),
        ({"block_response": "NXDOMAIN"}, ("NXDOMAIN", [])),
        (
            {"block_response": "OVERRIDE", "override_domain": "safe.test.", "override_ttl_s": 30},
            ("NOERROR", ["a.corp.test. 30 IN CNAME safe.test."]),
        ),
    ],
)
def test_a_blocked_name_is_answered_as_the_rule_says(world, desk, more, expected):
    assert value(ask(desk, "a.corp.test")) == "10.0.0.1"
    guarded(world, firewall=(FirewallRule(priority=1, domains=("a.corp.test.",), action="BLOCK", **more),))
    for _ in range(2):
        answer = ask(desk, "a.corp.test")
        assert (code(answer), lines(answer.answer)) == expected
    world.apply(DropNetwork("vpc-1"))
    assert value(ask(desk, "a.corp.test")) == "10.0.0.1"


def test_the_lowest_priority_that_knows_the_name_and_type_decides(world, desk):
    guarded(
        world,
        firewall=(
            FirewallRule(priority=30, domains=("*",), action="BLOCK", block_response="NXDOMAIN"),
            FirewallRule(priority=20, domains=("*.corp.test",), action="ALLOW", type="A"),
            FirewallRule(priority=10, domains=("b.corp.test",), action="BLOCK"),
        ),
    )
    assert value(ask(desk, "a.corp.test")) == "10.0.0.1"
    assert code(ask(desk, "a.corp.test", "TXT")) == "NXDOMAIN"
    assert code(ask(desk, "corp.test", "SOA")) == "NXDOMAIN", "it is not below itself"
    assert (code(ask(desk, "b.corp.test")), ask(desk, "b.corp.test").answer) == ("NOERROR", [])
    assert code(ask(desk, "i-1.ec2.internal")) == "NXDOMAIN"


def test_an_alert_lets_the_question_through(world, desk):
    guarded(world, firewall=(FirewallRule(priority=1, domains=("*",), action="ALERT"),))
    assert value(ask(desk, "a.corp.test")) == "10.0.0.1"


def test_a_rules_question_is_answered_by_its_forwarder(world, desk):
    guarded(world, rules=(Rule(domain="x.test", targets=(Target("192.0.2.1"),)),))
    desk.refresh()
    later = desk.over_udp(dns.message.make_query("a.x.test", "A").to_wire(), lambda: "10.0.0.9")
    answer = dns.message.from_wire(asyncio.run(later.reply()).over_udp())
    assert code(answer) == "SERVFAIL", "nobody is there"
