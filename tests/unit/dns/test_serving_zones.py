"""Zones over sockets on loopback: datagrams in batches, connections with many questions, chains that lead elsewhere."""

import asyncio
import contextlib
import socket
from random import Random

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import pytest
import uvloop
from tests.unit.dns.test_responder import sockets
from tests.unit.dns.zoned import World, code, lines, plain, zone_of

from cloudstead.dataplane.dns import Forwarder, Found, serve
from cloudstead.dataplane.dns.datagrams import POSSIBLE, Datagrams


class Computed:
    """One name that follows from rows, and its private look."""

    def serves(self, view):
        return True

    def lookup(self, view, name, type):
        if name.endswith("compute.test"):
            return Found(zone="compute.test", records=("172.31.0.5",) if name[0] == "i" else None)
        return None


class Nothing(Computed):
    def lookup(self, view, name, type):
        return None


class Upstream(Computed):
    def lookup(self, view, name, type):
        return Found(zone="far.test", records=("203.0.113.9",))


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request):
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


@pytest.fixture
def world():
    return World(
        zone_of(
            "Z1",
            "example.com.",
            *(plain(f"h{n}.example.com.", "A", f"192.0.2.{n}") for n in range(200)),
            plain("many.example.com.", "A", *(f"192.0.2.{n}" for n in range(100))),
            plain("inst.example.com.", "CNAME", "i-1.compute.test."),
            plain("gone.example.com.", "CNAME", "no.compute.test."),
            plain("far.example.com.", "CNAME", "www.far.test."),
        ),
        zone_of("Z2", "i-2.compute.test.", plain("i-2.compute.test.", "A", "10.0.0.2"), networks=("vpc-1",)),
    )


@contextlib.asynccontextmanager
async def served(zones=None, *, view=None, answers=None, forwarder=None):
    udp, tcp = sockets()
    port = udp.getsockname()[1]
    server = await serve(answers or Computed(), [udp, tcp], view=view, forwarder=forwarder, zones=zones)
    try:
        yield port
    finally:
        await server.stop()


async def ask(port, name, type="A", *, tcp=False, **options):
    send = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await send(dns.message.make_query(name, type, **options), "127.0.0.1", port=port, timeout=5)


@pytest.mark.parametrize("tcp", [False, True])
def test_zones_and_computed_names_are_answered_side_by_side(runner, world, tcp):
    async def run():
        async with served(world.responder()) as port:
            assert lines((await ask(port, "h7.example.com", tcp=tcp)).answer) == [
                "h7.example.com. 300 IN A 192.0.2.7"
            ]
            assert code(await ask(port, "no.example.com", tcp=tcp)) == "NXDOMAIN"
            assert (await ask(port, "i-1.compute.test", tcp=tcp)).answer[0][0].to_text() == "172.31.0.5"
            assert code(await ask(port, "elsewhere.test", tcp=tcp)) == "REFUSED"

    runner.run(run())


def test_what_is_too_large_is_cut_and_whole_over_tcp(runner, world):
    async def run():
        async with served(world.responder()) as port:
            for options, size in (({}, 512), ({"use_edns": 0, "payload": 4096}, 1232)):
                for _ in range(2):
                    cut = await ask(port, "many.example.com", **options)
                    assert cut.flags & dns.flags.TC
                    assert len(cut.to_wire()) <= size
                    assert len((await ask(port, "many.example.com", tcp=True, **options)).answer[0]) == 100

    runner.run(run())


@pytest.mark.parametrize("tcp", [False, True])
def test_in_a_network_a_chain_goes_on_where_our_zones_end(runner, world, tcp):
    async def run():
        async with served(answers=Upstream()) as upstream:
            way = Forwarder([("127.0.0.1", upstream)])
            async with served(world.responder("vpc-1"), view="vpc-1", forwarder=way) as port:
                inside = await ask(port, "inst.example.com", tcp=tcp)
                assert [line.split()[-1] for line in lines(inside.answer)] == [
                    "i-1.compute.test.",
                    "172.31.0.5",
                ]
                far = await ask(port, "far.example.com", tcp=tcp)
                assert [line.split()[-1] for line in lines(far.answer)] == ["www.far.test.", "203.0.113.9"]
                assert far.flags & dns.flags.RA
                gone = await ask(port, "gone.example.com", tcp=tcp)
                assert (code(gone), len(gone.answer)) == ("NXDOMAIN", 1)
                assert (await ask(port, "www.far.test", tcp=tcp)).answer

    runner.run(run())


def test_a_private_zone_hides_a_computed_name(runner, world):
    async def run():
        async with served(world.responder("vpc-1"), view="vpc-1") as port:
            assert (await ask(port, "i-2.compute.test")).answer[0][0].to_text() == "10.0.0.2"
        async with served(world.responder()) as port:
            assert (await ask(port, "i-2.compute.test")).answer[0][0].to_text() == "172.31.0.5"

    runner.run(run())


def test_a_change_is_in_the_next_answer(runner, world):
    async def run():
        async with served(world.responder()) as port:
            assert code(await ask(port, "new.example.com")) == "NXDOMAIN"
            world.apply(zone_of("Z3", "new.example.com.", plain("new.example.com.", "A", "192.0.2.1")))
            assert (await ask(port, "new.example.com")).answer

    runner.run(run())


def test_questions_in_one_stream_are_answered_in_order_however_they_are_cut(runner, world):
    async def run():
        async with served(world.responder()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            queries = [dns.message.make_query(f"h{n}.example.com", "A") for n in range(200)]
            framed = b"".join(len(each.to_wire()).to_bytes(2) + each.to_wire() for each in queries)
            for at in range(0, len(framed), 701):
                writer.write(framed[at : at + 701])
                await writer.drain()
            for query in queries:
                length = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), 5))
                assert query.is_response(dns.message.from_wire(await reader.readexactly(length)))
            writer.close()

    runner.run(run())


def test_a_burst_of_datagrams_from_many_clients_is_answered_to_each(runner, world):
    async def run():
        async with served(world.responder()) as port:
            with contextlib.ExitStack() as stack:
                clients = [
                    stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(150)
                ]
                for number, client in enumerate(clients):
                    client.setblocking(False)
                    query = dns.message.make_query(f"h{number}.example.com", "A", id=number)
                    client.sendto(query.to_wire(), ("127.0.0.1", port))
                loop = asyncio.get_running_loop()
                for number, client in enumerate(clients):
                    said = await asyncio.wait_for(loop.sock_recv(client, 2000), 5)
                    answer = dns.message.from_wire(said)
                    assert (answer.id, answer.answer[0][0].to_text()) == (number, f"192.0.2.{number}")

    runner.run(run())


@pytest.mark.skipif(not POSSIBLE, reason="recvmmsg is Linux's")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_batch_knows_its_peers_and_leaves_out_who_gets_silence(family):
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with (
        socket.socket(family, socket.SOCK_DGRAM) as server,
        socket.socket(family, socket.SOCK_DGRAM) as client,
    ):
        server.bind((host, 0))
        client.bind((host, 0))
        client.settimeout(5)
        batches, seen = Datagrams(server), []
        for number in range(100):
            client.sendto(bytes([number]) * (number + 1), server.getsockname())

        def answer(message, peer):
            seen.append((peer(), batches.address()))
            return None if message[0] % 2 else message

        assert batches.serve(lambda: lambda _message, _peer: None, answer) == 100
        assert set(seen) == {(host, client.getsockname())}
        got = [client.recv(2000) for _ in range(50)]
        assert got == [bytes([number]) * (number + 1) for number in range(0, 100, 2)]


def test_nothing_is_read_that_was_not_sent():
    """A short datagram in a slot where a long one was shows nothing of the long one."""
    if not POSSIBLE:
        pytest.skip("recvmmsg is Linux's")
    chance = Random(2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            batches = Datagrams(server)
            for _ in range(200):
                sent, heard = chance.randbytes(chance.randrange(0, 4096)), []
                client.sendto(sent, server.getsockname())
                batches.serve(
                    lambda: lambda _message, _peer: None,
                    lambda message, _, heard=heard: heard.append(message),
                )
                assert heard == [sent]
