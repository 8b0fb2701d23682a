"""What everybody promises who looks at endpoints, tried on the fake and on the loopback."""

import asyncio
import contextlib
import socket

import pytest
from tests.support.endpoints import Server, answer, certificate

from cloudstead.core.clock import SystemClock
from cloudstead.dataplane.checks import Endpoint, NetworkProber
from cloudstead.dataplane.checks.fake import FakeEndpoint, FakeProber

_HOST = "127.0.0.1"
#: What is there, and the same for the fake.
_THERE = {
    "well": (answer("200 OK", b"all is well"), FakeEndpoint(200, b"all is well")),
    "moved": (answer("302 Found", b""), FakeEndpoint(302, b"")),
    "broken": (answer("500 Oh", b"well"), FakeEndpoint(500, b"well")),
    "long": (answer(body=b"x" * 6000 + b"well"), FakeEndpoint(200, b"x" * 6000 + b"well")),
    "closing": (b"", FakeEndpoint(fails="closed")),
}


class Loopback:
    def __init__(self, folder):
        self.tls = certificate(folder, "www.example.com")
        self.prober = NetworkProber(self._resolve, SystemClock())

    async def _resolve(self, name):
        return _HOST if name == "www.example.com" else None

    @contextlib.asynccontextmanager
    async def serving(self, what, protocol):
        async with Server(_THERE[what][0]).at(tls=self.tls if protocol == "https" else None) as port:
            yield port

    @contextlib.asynccontextmanager
    async def nobody(self):
        with socket.socket() as held:
            held.bind((_HOST, 0))
            yield held.getsockname()[1]


class Fake:
    def __init__(self, folder):
        self.prober = FakeProber()
        self.prober.names["www.example.com"] = _HOST

    @contextlib.asynccontextmanager
    async def serving(self, what, protocol):
        self.prober.endpoints[_HOST, 80] = _THERE[what][1]
        yield 80

    @contextlib.asynccontextmanager
    async def nobody(self):
        yield 81


@pytest.fixture(params=[Fake, Loopback])
def network(request, tmp_path):
    return request.param(tmp_path)


def look(network, where, protocol="http", **more):
    async def drive():
        async with where as port:
            given = Endpoint(check="c", protocol=protocol, port=port, **({"address": _HOST} | more))
            return [await network.prober.probe(given, "us-east-1") for _ in range(2)]

    first, second = asyncio.run(drive())
    assert (first.result, first.status) == (second.result, second.status), "nothing is kept from a look"
    return first


@pytest.mark.parametrize("protocol", ["http", "https"])
@pytest.mark.parametrize(("what", "status"), [("well", 200), ("moved", 302), ("broken", 500)])
def test_a_status_is_told_whatever_it_is(network, protocol, what, status):
    outcome = look(network, network.serving(what, protocol), protocol)
    assert (outcome.result, outcome.status, outcome.address) == ("answered", status, _HOST)
    assert (outcome.latency.handshake_ms is not None) == (protocol == "https")
    assert None not in (outcome.latency.connect_ms, outcome.latency.first_byte_ms)


@pytest.mark.parametrize(
    ("what", "search", "result", "status"),
    [
        ("well", "is well", "answered", 200),
        ("well", "is bad", "unmatched", 200),
        ("long", "well", "unmatched", 200),
        ("broken", "no", "answered", 500),
    ],
)
def test_a_string_is_looked_for_in_what_is_good(network, what, search, result, status):
    outcome = look(network, network.serving(what, "http"), search=search)
    assert (outcome.result, outcome.status) == (result, status)


def test_tcp_has_no_status(network):
    outcome = look(network, network.serving("well", "tcp"), "tcp")
    assert (outcome.result, outcome.status, outcome.latency.first_byte_ms) == ("answered", 0, None)


@pytest.mark.parametrize("protocol", ["http", "https", "tcp"])
def test_where_nobody_listens_a_connection_is_refused(network, protocol):
    outcome = look(network, network.nobody(), protocol)
    assert (outcome.result, outcome.status) == ("refused", 0)


def test_an_endpoint_that_closes(network):
    assert look(network, network.serving("closing", "http")).result == "closed"


def test_a_name_is_resolved(network):
    assert look(network, network.serving("well", "http"), address="", name="www.example.com").status == 200
    assert look(network, network.nobody(), address="", name="no.example.com").result == "unresolved"
