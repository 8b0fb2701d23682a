"""Answers over UDP are limited for each part of the net, so that a forged address is no weapon."""

import dns.flags
import dns.message
import pytest
from tests.unit.dns.zoned import World, plain, zone_of

from cloudstead.dataplane.dns.desk import Desk
from cloudstead.dataplane.dns.limits import Limits


class Silence:
    def serves(self, view):
        return True

    def lookup(self, view, name, type):
        return None


class Clock:
    now_s = 100.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def desk(clock):
    world = World(zone_of("Z1", "example.", plain("example.", "A", "192.0.2.1")))
    return Desk(Silence(), None, zones=world.responder(), limits=Limits(5, lambda: clock.now_s))


def ask(desk, peer, tcp=False, name="example"):
    quick = desk.refresh()
    message = dns.message.make_query(name, "A").to_wire()
    assert quick(message, lambda: peer) is None, "nothing goes round the limit"
    said = (desk.over_tcp if tcp else desk.over_udp)(message, lambda: peer)
    if said is None:
        return "nothing"
    return "cut" if dns.message.from_wire(said[2:] if tcp else said).flags & dns.flags.TC else "answer"


@pytest.mark.parametrize(
    ("peer", "neighbour"), [("203.0.113.1", "203.0.113.9"), ("2001:db8::1", "2001:db8:0:2::9")]
)
def test_who_asks_too_much_hears_nothing_and_every_second_time_to_come_by_tcp(desk, clock, peer, neighbour):
    assert [ask(desk, peer) for _ in range(9)] == ["answer"] * 5 + ["nothing", "cut", "nothing", "cut"]
    assert ask(desk, neighbour) == "nothing", "it is of the same block"
    assert ask(desk, "198.51.100.1") == "answer"
    assert ask(desk, peer, tcp=True) == "answer"
    clock.now_s += 0.4
    assert [ask(desk, neighbour) for _ in range(3)] == ["answer", "answer", "nothing"]


def test_names_that_are_not_there_count_too(desk):
    assert [ask(desk, "203.0.113.1", name=f"n{n}.example") for n in range(6)] == ["answer"] * 5 + ["nothing"]


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "::1", "10.0.0.7", "172.31.0.9", "fd00::1", "::ffff:127.0.0.1"]
)
def test_this_machine_and_private_networks_are_not_limited(desk, peer):
    assert {ask(desk, peer) for _ in range(50)} == {"answer"}
