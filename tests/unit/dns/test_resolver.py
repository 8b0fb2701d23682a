"""A network's resolver beyond its zones: who is asked by a rule, and where answers may lead to."""

import asyncio
import contextlib
import functools
import socket

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import uvloop

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.dns import Found, Image
from cloudstead.dataplane.dns.outbound import Outbound
from cloudstead.dataplane.dns.resolver import Resolver
from cloudstead.dataplane.dns.zones import FirewallRule, Network, Origin, Rule, Target

QUERY = dns.message.make_query("www.corp.example", "A")
ORIGIN = Origin("vpc-1", "127.0.0.1")


class Names:
    """EC2's names, as far as they matter here."""

    def serves(self, view):
        return True

    def lookup(self, view, name, type):
        if name.endswith(".10.in-addr.arpa"):
            return Found(zone=name.partition(".")[2], records=("ip-10-0-0-5.ec2.internal.",))
        return None


class Says:
    """Somebody who always gives the same answer, and counts."""

    def __init__(self, *records):
        self.records, self.asked = records, 0

    async def ask(self, query):
        self.asked += 1
        answer = dns.message.make_response(query)
        for name, type, value in self.records or ((query.question[0].name.to_text(), "A", "203.0.113.9"),):
            answer.answer.append(dns.rrset.from_text(name, 5, "IN", type, value))
        return answer


class Target53(asyncio.DatagramProtocol):
    """A name server on loopback that answers, or cuts off over UDP, or sends something else first."""

    def __init__(self, *, truncates=False, noise=b""):
        self.asked, self.truncates, self.noise = [], truncates, noise

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        self.asked.append("UDP")
        if self.noise:
            self.transport.sendto(self.noise, peer)
            other = dns.message.make_response(dns.message.make_query("other.example", "A"))
            self.transport.sendto(other.to_wire(), peer)
        answer = self.answer(data)
        if self.truncates:
            answer.flags |= dns.flags.TC
        self.transport.sendto(answer.to_wire(), peer)

    def answer(self, data):
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        answer.answer.append(dns.rrset.from_text(query.question[0].name, 5, "IN", "A", "203.0.113.7"))
        return answer

    async def conversation(self, reader, writer):
        length = int.from_bytes(await reader.readexactly(2))
        self.asked.append("TCP")
        writer.write(self.answer(await reader.readexactly(length)).to_wire(prepend_length=True))
        await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def target(**how):
    made, loop = Target53(**how), asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: made, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    server = await asyncio.start_server(made.conversation, "127.0.0.1", port)
    try:
        yield made, Target("127.0.0.1", port)
    finally:
        transport.close()
        server.close()


def in_both_loops(test):
    """Run in asyncio's own loop and in uvloop's, which is what the controller has."""

    @functools.wraps(test)
    def run():
        for new_loop in (asyncio.new_event_loop, uvloop.new_event_loop):
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(test())

    return run


def silent():
    """A target that never answers."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock, Target("127.0.0.1", sock.getsockname()[1])


def opened(network, kind, address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    sock.bind((address, 0))
    sock.setblocking(False)
    return sock


def asked(*targets, origins=(ORIGIN,), open_socket=opened):
    rule = Rule(domain="corp.example", targets=targets, origins=origins)
    return Outbound(open_socket, try_timeout_s=0.2).ask(QUERY, rule)


def address(answer):
    return answer.answer[0][0].to_text()


@in_both_loops
async def test_a_target_s_answer_is_the_answer():
    async with target() as (_, there):
        answer = await asked(there)
    assert address(answer) == "203.0.113.7"
    assert answer.id == QUERY.id
    assert answer.flags & dns.flags.RA


@in_both_loops
async def test_what_does_not_fit_is_asked_again_over_tcp():
    async with target(truncates=True) as (server, there):
        assert address(await asked(there)) == "203.0.113.7"
    assert server.asked == ["UDP", "TCP"]


@in_both_loops
async def test_a_target_that_is_silent_is_left_for_the_next():
    sock, nowhere = silent()
    with contextlib.closing(sock):
        async with target() as (_, there):
            assert address(await asked(nowhere, there)) == "203.0.113.7"


@in_both_loops
async def test_answers_to_other_questions_and_noise_are_passed_over():
    async with target(noise=b"noise") as (_, there):
        assert address(await asked(there)) == "203.0.113.7"


@in_both_loops
async def test_when_nobody_answers_it_says_so_in_time():
    sock, nowhere = silent()
    with contextlib.closing(sock):
        async with asyncio.timeout(5):
            assert (await asked(nowhere)).rcode() == dns.rcode.SERVFAIL


@in_both_loops
async def test_without_an_endpoint_or_its_network_nobody_is_asked():
    def refused(network, kind, address):
        raise DriverError("no such network")

    async with target() as (server, there):
        assert (await asked(there, origins=())).rcode() == dns.rcode.SERVFAIL
        assert (await asked(there, origins=(Origin("vpc-1", "fd00::1"),))).rcode() == dns.rcode.SERVFAIL
        assert (await asked(there, open_socket=refused)).rcode() == dns.rcode.SERVFAIL
    assert server.asked == []


def resolver(network, others):
    made = Resolver(Names(), lambda _: network, Image(), Outbound(opened), others)
    assert made.serves("vpc-1")
    return made


def ask(network, others, name="www.corp.example"):
    query = dns.message.make_query(name, "A")
    return asyncio.run(resolver(network, others).beyond("vpc-1").ask(query))


def blocking(*domains, **more):
    rule = FirewallRule(priority=0, domains=domains, action="BLOCK", block_response="NXDOMAIN")
    trusted = (
        [FirewallRule(priority=-1, domains=("www.corp.example",), action="ALLOW", **more)] if more else []
    )
    return Network(id="vpc-1", firewall=(*trusted, rule))


ALIAS = (
    ("www.corp.example.", "CNAME", "cdn.example."),
    ("cdn.example.", "CNAME", "evil.example."),
    ("evil.example.", "A", "203.0.113.66"),
)


def test_an_answer_that_leads_to_a_blocked_name_is_blocked_unless_its_rule_trusts_redirections():
    assert ask(blocking("evil.example"), Says(*ALIAS)).rcode() == dns.rcode.NXDOMAIN
    inspected = blocking("evil.example", trusts_redirection=False)
    assert ask(inspected, Says(*ALIAS)).rcode() == dns.rcode.NXDOMAIN
    trusted = blocking("evil.example", trusts_redirection=True)
    assert len(ask(trusted, Says(*ALIAS)).answer) == 3
    assert len(ask(blocking("elsewhere.example"), Says(*ALIAS)).answer) == 3


def test_a_blocked_name_that_a_chain_leads_to_is_not_even_asked():
    others = Says()
    assert ask(blocking("*.example"), others).rcode() == dns.rcode.NXDOMAIN
    assert others.asked == 0


@pytest.mark.parametrize("response", ["NODATA", "NXDOMAIN", "OVERRIDE"])
def test_a_block_answers_as_its_rule_says(response):
    rule = FirewallRule(
        priority=0,
        domains=("evil.example",),
        action="BLOCK",
        block_response=response,
        override_domain="safe.example.",
        override_ttl_s=7,
    )
    answer = ask(Network(id="vpc-1", firewall=(rule,)), Says(*ALIAS))
    said = answer.rcode(), [rrset.to_text() for rrset in answer.answer]
    assert (
        said
        == {
            "NODATA": (dns.rcode.NOERROR, []),
            "NXDOMAIN": (dns.rcode.NXDOMAIN, []),
            "OVERRIDE": (dns.rcode.NOERROR, ["www.corp.example. 7 IN CNAME safe.example."]),
        }[response]
    )


def test_reverse_names_are_a_network_s_own_in_aws_s_zones_until_they_are_switched_off():
    name = "5.0.0.10.in-addr.arpa"
    found = resolver(Network(id="vpc-1"), Says()).lookup("vpc-1", name, "PTR")
    assert found.zone == "10.in-addr.arpa"
    off = Network(id="vpc-1", autodefined_reverse=False)
    assert resolver(off, Says()).lookup("vpc-1", name, "PTR") is None
