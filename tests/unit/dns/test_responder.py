"""The name server on loopback: what is said of names that are ours, of others, and to bytes that are no question."""

import asyncio
import contextlib
import shutil
import socket
import struct

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudstead.dataplane.dns import Forwarder, Found, address_of_reverse, host_upstreams, serve
from cloudstead.dataplane.dns.respond import NotOurs, respond

ZONE = "compute-1.amazonaws.com"
NAME = f"ec2-198-18-0-5.{ZONE}"


class Names:
    """One name, other addresses in the one network's view, and a name with more records than UDP carries."""

    def __init__(self, serving=True) -> None:
        self.serving = serving

    def serves(self, view):
        return self.serving

    def lookup(self, view, name, type):
        if name == NAME:
            return Found(
                zone=ZONE, records=({None: "198.18.0.5", "vpc-1": "172.31.0.5"}[view],) if type == "A" else ()
            )
        if name == f"many.{ZONE}":
            return Found(zone=ZONE, records=tuple(f"198.18.1.{n}" for n in range(200)) if type == "A" else ())
        if name == ZONE:
            return Found(zone=ZONE, records=())
        if name.endswith(f".{ZONE}"):
            return Found(zone=ZONE, records=None)
        if view and name == "5.0.31.172.in-addr.arpa":
            assert address_of_reverse(name) == "172.31.0.5"
            return Found(
                zone="31.172.in-addr.arpa", records=("ip-172-31-0-5.ec2.internal.",) if type == "PTR" else ()
            )
        return None


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request):
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


def sockets():
    """A UDP and a TCP socket on one port. The kernel picks it for one; the other may have to try again."""
    while True:
        tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp.bind(("127.0.0.1", 0))
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
            continue
        tcp.listen(16)
        return udp, tcp


@contextlib.asynccontextmanager
async def served(view=None, forwarder=None, names=None):
    udp, tcp = sockets()
    port = udp.getsockname()[1]
    server = await serve(names or Names(), [udp, tcp], view=view, forwarder=forwarder)
    try:
        yield port
    finally:
        await server.stop()


async def ask(port, name, type="A", *, tcp=False, **options):
    query = dns.message.make_query(name, type, **options)
    send = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await send(query, "127.0.0.1", port=port, timeout=5)


@pytest.mark.parametrize("tcp", [False, True])
def test_a_name_of_ours_is_answered_with_authority(runner, tcp):
    async def run():
        async with served() as port:
            answer = await ask(port, NAME, tcp=tcp)
            assert answer.rcode() == dns.rcode.NOERROR
            assert answer.flags & dns.flags.AA
            assert not answer.flags & dns.flags.RA
            assert [record.to_text() for record in answer.answer[0]] == ["198.18.0.5"]
            assert answer.answer[0].ttl == 60

    runner.run(run())


def test_the_socket_is_the_view(runner):
    async def run():
        async with served() as outside, served(view="vpc-1") as inside:
            assert (await ask(outside, NAME)).answer[0][0].to_text() == "198.18.0.5"
            assert (await ask(inside, NAME)).answer[0][0].to_text() == "172.31.0.5"
            pointer = await ask(inside, "5.0.31.172.in-addr.arpa", "PTR")
            assert pointer.answer[0][0].to_text() == "ip-172-31-0-5.ec2.internal."
            assert (await ask(outside, "5.0.31.172.in-addr.arpa", "PTR")).rcode() == dns.rcode.REFUSED

    runner.run(run())


@pytest.mark.parametrize(
    ("name", "type", "rcode"),
    [
        (NAME, "AAAA", dns.rcode.NOERROR),
        (f"no.{ZONE}", "A", dns.rcode.NXDOMAIN),
        (ZONE, "A", dns.rcode.NOERROR),
    ],
)
def test_what_is_not_there_is_said_with_the_zone(runner, name, type, rcode):
    async def run():
        async with served() as port:
            answer = await ask(port, name, type)
            assert (answer.rcode(), answer.answer) == (rcode, [])
            assert answer.authority[0].to_text().startswith(f"{ZONE}. 60 IN SOA")

    runner.run(run())


def test_the_zone_tells_of_itself(runner):
    async def run():
        async with served() as port:
            assert (await ask(port, ZONE, "SOA")).answer[0].rdtype.name == "SOA"
            assert (await ask(port, ZONE, "NS")).answer[0][0].to_text() == f"ns-0.{ZONE}."
            assert (await ask(port, NAME, "ANY")).answer[0].rdtype.name == "HINFO"

    runner.run(run())


def test_the_case_of_the_question_is_kept(runner):
    async def run():
        async with served() as port:
            answer = await ask(port, NAME.upper())
            assert answer.answer[0].name.to_text() == NAME.upper() + "."

    runner.run(run())


def test_an_answer_too_large_for_udp_is_truncated_and_whole_over_tcp(runner):
    async def run():
        async with served() as port:
            for options, size in (({}, 512), ({"use_edns": 0, "payload": 4096}, 1232)):
                answer = await ask(port, f"many.{ZONE}", **options)
                assert answer.flags & dns.flags.TC
                assert len(answer.to_wire()) <= size
            whole = await ask(port, f"many.{ZONE}", tcp=True)
            assert len(whole.answer[0]) == 200

    runner.run(run())


def test_edns_is_answered_in_kind(runner):
    async def run():
        async with served() as port:
            assert (await ask(port, NAME, use_edns=0)).edns == 0
            assert (await ask(port, NAME)).edns == -1
            assert (await ask(port, NAME, use_edns=1)).rcode() == dns.rcode.BADVERS

    runner.run(run())


def test_other_names_are_refused_outside_and_forwarded_inside(runner):
    class Elsewhere(Names):
        def lookup(self, view, name, type):
            return Found(zone="example", records=("192.0.2.1",) if type == "A" else ())

    async def run():
        async with served(names=Elsewhere()) as upstream:
            dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            dead.bind(("127.0.0.1", 0))
            with dead:
                ways = [("127.0.0.1", dead.getsockname()[1]), ("127.0.0.1", upstream)]
                async with served() as outside, served("vpc-1", Forwarder(ways, try_timeout_s=0.1)) as inside:
                    assert (await ask(outside, "www.example")).rcode() == dns.rcode.REFUSED
                    for tcp in (False, True):
                        answer = await ask(inside, "www.example", tcp=tcp)
                        assert answer.answer[0][0].to_text() == "192.0.2.1"
                        assert answer.flags & dns.flags.RA
                        assert not answer.flags & dns.flags.AA

    runner.run(run())


def test_without_a_word_from_upstream_the_answer_is_servfail(runner):
    async def run():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
            dead.bind(("127.0.0.1", 0))
            ways = [("127.0.0.1", dead.getsockname()[1])]
            for forwarder in (Forwarder(ways, try_timeout_s=0.05), Forwarder([])):
                async with served("vpc-1", forwarder) as port:
                    answer = await ask(port, "www.example", use_edns=0)
                    assert (answer.rcode(), answer.edns) == (dns.rcode.SERVFAIL, 0)

    runner.run(run())


def test_what_is_no_question_is_dropped_and_what_cannot_be_read_is_said(runner):
    async def run():
        async with served() as port:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.setblocking(False)
                client.connect(("127.0.0.1", port))
                loop = asyncio.get_running_loop()
                good = dns.message.make_query(NAME, "A")
                answer = dns.message.make_response(good)
                for wire in (b"", b"short", answer.to_wire()):
                    client.send(wire)
                client.send(b"\x12\x34" + good.to_wire()[2:-3])
                said = await asyncio.wait_for(loop.sock_recv(client, 1000), 5)
                assert said == struct.pack("!HHHHHH", 0x1234, 0x8001, 0, 0, 0, 0), (
                    "the first reply is to the fourth"
                )

    runner.run(run())


def test_an_idle_or_broken_connection_takes_nothing_down(runner):
    async def run():
        async with served() as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\x00")
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            assert (await ask(port, NAME, tcp=True)).answer

    runner.run(run())


def test_who_is_not_served_meets_silence_until_that_changes(runner):
    async def run():
        names = Names(serving=False)
        async with served(names=names) as port:
            loop = asyncio.get_running_loop()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.setblocking(False)
                client.connect(("127.0.0.1", port))
                unheard, heard = (dns.message.make_query(NAME, "A").to_wire() for _ in range(2))
                client.send(unheard)
                with pytest.raises(
                    EOFError
                ):  # over TCP the connection ends; by then the datagram was read, too
                    await ask(port, NAME, tcp=True)
                names.serving = True
                client.send(heard)
                said = await asyncio.wait_for(loop.sock_recv(client, 1000), 5)
                assert said[:2] == heard[:2] != unheard[:2]

    runner.run(run())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=100), st.tuples(st.integers(12, 60), st.binary(min_size=1, max_size=6))))
def test_no_bytes_break_it(given):
    wire = given
    if isinstance(given, tuple):
        at, change = given
        sound = dns.message.make_query(NAME, "A", use_edns=0).to_wire()
        wire = sound[:at] + change + sound[at + len(change) :]
    outcome = respond(wire, Names(), None)
    if outcome is not None and not isinstance(outcome, NotOurs):
        dns.message.from_wire(outcome.over_udp())


@pytest.mark.skipif(shutil.which("dig") is None, reason="needs dig")
def test_dig_understands_it(runner):
    async def run():
        async with served() as port:
            words = ["dig", "@127.0.0.1", "-p", str(port), "+time=3", "+tries=1"]
            for more, expected in (
                ([NAME, "+short"], "198.18.0.5\n"),
                ([NAME, "+short", "+tcp"], "198.18.0.5\n"),
                ([f"no.{ZONE}"], "status: NXDOMAIN"),
                ([f"many.{ZONE}", "+short"], "198.18.1.199"),
                ([NAME, "+opcode=notify"], "status: NOTIMP"),
                ([NAME, "-c", "CH"], "status: REFUSED"),
            ):
                process = await asyncio.create_subprocess_exec(*words, *more, stdout=asyncio.subprocess.PIPE)
                out, _ = await asyncio.wait_for(process.communicate(), 10)
                assert expected in out.decode(), more

    runner.run(run())


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("5.0.31.172.in-addr.arpa", "172.31.0.5"),
        ("31.172.in-addr.arpa", None),
        ("5.0.31.999.in-addr.arpa", None),
        ("www.example", None),
        ("1." + "0." * 31 + "ip6.arpa", "::1"),
        ("0." * 30 + "ip6.arpa", None),
    ],
)
def test_a_reverse_name_stands_for_its_address(name, address):
    assert address_of_reverse(name) == address


def test_upstreams_are_the_hosts_without_ourselves(tmp_path):
    path = tmp_path / "resolv.conf"
    path.write_text(
        "# us first\nnameserver 127.0.0.53\nsearch x\nnameserver 192.0.2.1\nnameserver nonsense\nnameserver\n"
    )
    assert host_upstreams(path, excluding=["127.0.0.53"]) == [("192.0.2.1", 53)]
    assert host_upstreams(tmp_path / "none") == []
