"""Whose address a name has: our own name server's word first."""

import asyncio
import socket

import dns.message
import dns.rcode
import dns.rrset
import pytest
from tests.unit.dns.test_serving_zones import Nothing
from tests.unit.dns.zoned import World, plain, zone_of

from cloudstead.dataplane.checks import Names
from cloudstead.dataplane.dns import Forwarder, serve


class Server:
    """Knows these; refuses others, or says that they are not there."""

    def __init__(self, *records, otherwise=dns.rcode.REFUSED, only=None):
        self.records = [dns.rrset.from_text(*one) for one in records]
        self.otherwise, self.only, self.asked = otherwise, only, []

    async def ask(self, query):
        name = query.question[0].name
        self.asked.append(name.to_text())
        answer = dns.message.make_response(query)
        known = any(each.name == name for each in self.records)
        answer.set_rcode(dns.rcode.NOERROR if known else self.otherwise)
        if known:
            answer.answer = self.records
        return answer


def address(name, ours, others):
    return asyncio.run(Names(ours, others).address(name))


def test_a_name_of_ours_is_asked_of_nobody_else():
    ours, others = Server(("www.a.test.", 60, "IN", "A", "198.18.0.9")), Server()
    assert address("www.a.test", ours, others) == "198.18.0.9"
    assert others.asked == []


@pytest.mark.parametrize("failure", [dns.rcode.REFUSED, dns.rcode.SERVFAIL])
def test_a_name_that_ours_does_not_tell_is_asked_of_the_others(failure):
    others = Server(("www.b.test.", 60, "IN", "A", "192.0.2.9"))
    assert address("www.b.test", Server(otherwise=failure), others) == "192.0.2.9"
    assert address("www.b.test", None, others) == "192.0.2.9"


def test_a_name_that_is_ours_and_not_there_is_nowhere():
    others = Server(("no.a.test.", 60, "IN", "A", "192.0.2.9"))
    assert address("no.a.test", Server(otherwise=dns.rcode.NXDOMAIN), others) is None
    assert others.asked == []


def test_a_chain_is_followed_within_one_answer_and_out_of_our_zones():
    ours = Server(
        ("www.a.test.", 60, "IN", "CNAME", "web.a.test."), ("web.a.test.", 60, "IN", "CNAME", "cdn.b.test.")
    )
    others = Server(("cdn.b.test.", 60, "IN", "A", "192.0.2.9"))
    assert address("www.a.test", ours, others) == "192.0.2.9"
    assert others.asked == ["cdn.b.test."]


def test_a_circle_ends():
    ours = Server(("a.test.", 60, "IN", "CNAME", "b.test."), ("b.test.", 60, "IN", "CNAME", "a.test."))
    assert address("a.test", ours, Server()) is None
    assert len(ours.asked) <= 8


def test_a_name_without_an_ipv4_address_has_none():
    assert address("a.test", Server(("a.test.", 60, "IN", "AAAA", "2001:db8::1")), Server()) is None


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".test", "." * 300])
def test_what_is_no_name_has_no_address(name):
    assert address(name, Server(), Server(otherwise=dns.rcode.NXDOMAIN)) is None


@pytest.mark.parametrize("name", ["localhost", "web.localhost", "Web.LocalHost."])
def test_localhost_is_the_loopback(name):
    assert address(name, Server(), Server()) == "127.0.0.1"


def test_it_is_asked_over_sockets_as_in_a_running_cloud():
    zone = zone_of(
        "Z1",
        "a.test.",
        plain("www.a.test.", "CNAME", "web.a.test."),
        plain("web.a.test.", "A", "198.18.0.9"),
        plain("far.a.test.", "CNAME", "www.b.test."),
    )
    world = World(zone)

    async def drive():
        with socket.socket(type=socket.SOCK_DGRAM) as bound:
            bound.bind(("127.0.0.1", 0))
            address = bound.getsockname()
            server = await serve(Nothing(), [bound], view=None, zones=world.responder())
            names = Names(Forwarder([address]), Server(("www.b.test.", 60, "IN", "A", "192.0.2.9")))
            asked = ("www.a.test", "web.a.test.", "far.a.test", "no.a.test", "no.b.test")
            found = [await names.address(name) for name in asked]
            await server.stop()
        return found

    assert asyncio.run(drive()) == ["198.18.0.9", "198.18.0.9", "192.0.2.9", None, None]
