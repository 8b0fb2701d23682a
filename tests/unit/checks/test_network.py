"""Looks at real endpoints: HTTP, HTTPS and TCP servers on the loopback, well behaved and not."""

import asyncio
import socket
import ssl

import pytest
import uvloop
from tests.support.endpoints import Server, answer, certificate, listening, run, settled

from cloudstead.core.clock import SystemClock
from cloudstead.dataplane.checks import Endpoint, NetworkProber

CHECK = "abcdef11-2222-3333-4444-555555fedcba"


async def nowhere(name):
    return None


async def loopback(name):
    return "127.0.0.1"


def endpoint(protocol, port, **more):
    return Endpoint(check=CHECK, protocol=protocol, port=port, **({"address": "127.0.0.1"} | more))


async def look(endpoint, resolve=nowhere):
    return await NetworkProber(resolve, SystemClock()).probe(endpoint, "us-east-1")


async def looked(server, protocol="http", *, tls=None, resolve=nowhere, host="127.0.0.1", **more):
    async with server.at(host, tls) as port:
        return await look(endpoint(protocol, port, **more), resolve)


def test_an_endpoint_is_asked_as_route_53_asks():
    server = Server(answer())
    outcome = run(looked(server, name="www.example.com", path="health?a=b"))
    assert (outcome.result, outcome.status, outcome.address) == ("answered", 200, "127.0.0.1")
    assert outcome.source == "127.0.0.1"
    first, *headers = server.requests[0].decode().split("\r\n")
    assert first == "GET /health?a=b HTTP/1.1"
    agent = f"Amazon-Route53-Health-Check-Service (ref {CHECK}; report http://amzn.to/1vsZADi)"
    assert f"User-Agent: {agent}" in headers
    assert "Connection: close" in headers


@pytest.mark.parametrize(
    ("protocol", "port", "name", "address", "host"),
    [
        ("http", 80, "a.test", "127.0.0.1", "a.test"),
        ("https", 443, "a.test", "127.0.0.1", "a.test"),
        ("https", 80, "a.test", "127.0.0.1", "a.test:80"),
        ("http", 8080, "", "127.0.0.1", "127.0.0.1:8080"),
        ("http", 80, "", "::1", "[::1]"),
    ],
)
def test_the_host_header_has_the_port_unless_it_is_the_usual_one(protocol, port, name, address, host):
    from cloudstead.dataplane.checks.network import request_of

    asked = request_of(endpoint(protocol, port, name=name, address=address)).decode()
    assert f"\r\nHost: {host}\r\n" in asked


@pytest.mark.parametrize("status", ["204 No Content", "301 Moved Permanently", "404 Not Found", "503 Busy"])
def test_the_status_is_told_and_no_redirection_followed(status):
    server = Server(answer(status, b"", ["Location: http://192.0.2.1/"]))
    outcome = run(looked(server))
    assert (outcome.result, outcome.status) == ("answered", int(status[:3]))
    assert server.connections == 1


def test_what_is_announced_before_a_response_is_not_the_response():
    server = Server(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", answer("500 Oh", b""))
    assert run(looked(server)).status == 500


@pytest.mark.parametrize("protocol", ["http", "https", "tcp"])
def test_nobody_listens(protocol):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        outcome = run(look(endpoint(protocol, held.getsockname()[1])))
    assert (outcome.result, outcome.source) == ("refused", "127.0.0.1")


def test_a_tcp_endpoint_is_asked_nothing():
    server = Server()
    outcome = run(looked(server, "tcp"))
    assert (outcome.result, outcome.status) == ("answered", 0)
    assert server.requests == []


def test_an_ipv6_endpoint():
    outcome = run(looked(Server(answer()), host="::1", address="::1"))
    assert (outcome.result, outcome.address, outcome.source) == ("answered", "::1", "::1")


def test_a_name_is_resolved_at_each_look():
    asked = []

    async def resolve(name):
        asked.append(name)
        return "127.0.0.1"

    async def twice():
        async with Server(answer()).at() as port:
            given = endpoint("http", port, address="", name="www.example.com")
            return [await look(given, resolve) for _ in range(2)]

    assert [outcome.address for outcome in run(twice())] == ["127.0.0.1"] * 2
    assert asked == ["www.example.com"] * 2


def test_a_name_that_has_no_address():
    assert run(look(endpoint("http", 80, address="", name="no.test"))).result == "unresolved"


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "255.255.255.255"])
def test_nothing_is_sent_to_addresses_of_one_link_or_of_nobody(address):
    assert run(look(endpoint("http", 80, address=address))).result == "forbidden"


@pytest.mark.parametrize(
    ("pieces", "result"),
    [
        ((b"",), "closed"),
        ((b"HTTP/1.1 200 OK\r\nA: b\r\n",), "closed"),
        ((b"SSH-2.0-OpenSSH\r\n",), "malformed"),
        ((b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",), "malformed"),
        ((b"HTTP/1.1 200 OK\r\n" + b"A: " + b"b" * 70_000 + b"\r\n\r\n",), "malformed"),
    ],
)
def test_what_is_no_http_is_an_outcome_too(pieces, result):
    assert run(looked(Server(*pieces))).result == result


def test_headers_without_an_end_are_not_read_without_an_end():
    async def serve(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.transport.is_closing():
            writer.write(b"A: b\r\n" * 1000)
            await writer.drain()

    async def drive():
        async with listening(serve) as port:
            return await look(endpoint("http", port))

    assert run(drive()).result == "malformed"


# --- the string


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (b"all is well", "answered"),
        (b"All is Well", "unmatched"),
        (b"x" * (5120 - 4) + b"well", "answered"),
        (b"x" * (5120 - 3) + b"well", "unmatched"),
        (b"", "unmatched"),
    ],
)
def test_the_string_must_lie_within_the_first_5120_bytes(body, result):
    outcome = run(looked(Server(answer(body=body)), search="well"))
    assert (outcome.result, outcome.status) == (result, 200)


def test_a_chunked_body_is_searched_without_its_frames():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n2\r\nll\r\n0\r\n\r\n"
    assert run(looked(Server(chunked), search="well")).result == "answered"


def test_a_body_that_ends_with_the_connection_is_searched():
    assert run(looked(Server(b"HTTP/1.0 200 OK\r\n\r\n", b"we", b"ll"), search="well")).result == "answered"


def test_a_bad_status_is_not_searched():
    assert run(looked(Server(answer("404 No", b"well")), search="well")).result == "answered"


def test_of_a_huge_body_no_more_is_read_than_is_searched():
    sent = 0

    async def serve(reader, writer):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
                sent += 65536
        except ConnectionError:
            pass

    async def drive():
        async with listening(serve) as port:
            return await look(endpoint("http", port, search="well"))

    assert run(drive()).result == "unmatched"
    assert sent < 20_000_000, "the rest lies in the kernel's buffers"


# --- TLS


def test_no_certificate_is_held_against_an_endpoint(tmp_path):
    outcome = run(looked(Server(answer()), "https", tls=certificate(tmp_path, "www.example.com")))
    assert (outcome.result, outcome.status) == ("answered", 200)


@pytest.mark.parametrize(
    ("sni", "name", "told"), [(True, "a.test", "a.test"), (False, "a.test", None), (True, "", None)]
)
def test_the_name_is_told_in_the_handshake_if_there_is_one_and_it_is_wanted(tmp_path, sni, name, told):
    heard, context = [], certificate(tmp_path, "a.test")
    context.sni_callback = lambda _socket, name, _context: heard.append(name)
    assert run(looked(Server(answer()), "https", tls=context, sni=sni, name=name)).status == 200
    assert heard == [told]


def test_with_a_certificate_of_others_the_handshake_is_tried_again_without_the_name(tmp_path):
    heard, context = [], certificate(tmp_path, "other.test")
    context.sni_callback = lambda _socket, name, _context: heard.append(name)
    assert run(looked(Server(answer()), "https", tls=context, name="a.test")).status == 200
    assert heard == ["a.test", None]


def test_a_star_in_a_certificate_stands_for_one_label(tmp_path):
    heard, context = [], certificate(tmp_path, "*.a.test")
    context.sni_callback = lambda _socket, name, _context: heard.append(name)
    assert run(looked(Server(answer()), "https", tls=context, name="www.a.test")).status == 200
    assert heard == ["www.a.test"]


def test_the_alert_of_an_endpoint_that_wants_no_handshake_is_told():
    async def serve(reader, writer):
        await reader.read(1)
        writer.write(bytes.fromhex("15 0301 0002 02 28"))  # a fatal alert: handshake_failure
        await reader.read()

    async def drive():
        async with listening(serve) as port:
            return await look(endpoint("https", port, name="a.test"))

    outcome = run(drive())
    assert (outcome.result, outcome.detail) == ("tls", "handshake_failure")


def test_a_server_that_speaks_no_tls():
    async def serve(reader, writer):
        await reader.read(1)
        writer.write(answer("400 Bad Request", b""))
        writer.close()

    async def drive():
        async with listening(serve) as port:
            return await look(endpoint("https", port))

    outcome = run(drive())
    assert (outcome.result, outcome.detail) == ("tls", "")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_any_version_of_tls_will_do(tmp_path, version):
    context = certificate(tmp_path, "a.test")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion[version]
    assert run(looked(Server(answer()), "https", tls=context)).status == 200


def test_how_long_it_took_is_told_step_by_step(tmp_path):
    latency = run(looked(Server(answer()), "https", tls=certificate(tmp_path, "a.test"))).latency
    steps = (latency.connect_ms, latency.handshake_ms, latency.first_byte_ms)
    assert all(step is not None and step > 0 for step in steps)
    plain = run(looked(Server(answer()))).latency
    assert plain.handshake_ms is None
    assert run(looked(Server(), "tcp")).latency.first_byte_ms is None


# --- AWS's limits, to the tenth of a second, on a loop whose time is moved on


async def turns():
    """Enough of the loop for whatever lies in sockets to be read."""
    for _ in range(30):
        await asyncio.sleep(0)


async def ends_after(limit_s, server, reached, **more):
    """The outcome, after it was seen that it does not come a tenth of a second too early."""
    loop = asyncio.get_running_loop()
    async with server.at() as port:
        task = asyncio.create_task(look(endpoint("http", port, **more)))
        await settled(reached)
        await turns()
        loop.advance(limit_s - 0.1)
        await turns()
        assert not task.done()
        loop.advance(0.2)
        return await task


def test_an_endpoint_has_two_seconds_for_its_status():
    async def drive():
        server = Server(b"HTTP/1.1 200 OK\r\n", stays=True)
        return await ends_after(2.0, server, server.asked.is_set)

    assert run(drive()).result == "slow"


def test_an_endpoint_has_two_more_seconds_for_its_body():
    async def drive():
        server = Server(answer(body=b"a" * 9)[:-1], stays=True)
        return await ends_after(2.0, server, server.asked.is_set, search="well")

    outcome = run(drive())
    assert outcome.result == "slow"


@pytest.mark.parametrize(("protocol", "limit_s"), [("http", 4.0), ("https", 4.0), ("tcp", 10.0)])
def test_an_endpoint_has_four_seconds_for_a_connection_and_for_tcp_alone_ten(protocol, limit_s):
    async def drive():
        loop = asyncio.get_running_loop()
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            held = [socket.socket() for _ in range(4)]
            for one in held:  # beyond the backlog nobody is answered
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            task = asyncio.create_task(look(endpoint(protocol, port)))
            await turns()
            loop.advance(limit_s - 0.1)
            await turns()
            assert not task.done()
            loop.advance(0.2)
            outcome = await task
            for one in held:
                one.close()
            return outcome

    assert run(drive()).result == "unreachable"


def test_on_the_loop_of_a_running_cloud_it_is_the_same(tmp_path):
    async def drive():
        secure = certificate(tmp_path, "a.test")
        return [
            await looked(Server(answer(body=b"x" * 100_000 + b"well")), search="well"),
            await looked(Server(answer()), "https", tls=secure, name="b.test"),
            await looked(Server(b""), "https", tls=secure),
            await looked(Server(), "tcp", address="", name="a.test", resolve=loopback),
        ]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcomes = runner.run(drive())
    assert [outcome.result for outcome in outcomes] == ["unmatched", "answered", "closed", "answered"]
