"""Interfaces whose addresses are the router's own: what listens and asks there is under their groups and routes."""

import contextlib
import socket

import pytest
from tests.contracts.network_worlds import (
    OPEN_S_MAX,
    SHUT_S,
    allow,
    group,
    instance,
    interface,
    network,
    packets,
    subnet,
    to,
)

pytestmark = pytest.mark.root

ONE, TWO, THREE = instance(1), instance(2), instance(3)
NAMES = group(
    "sg-0names", allow("udp", 53, 53, cidr="10.0.0.10/32"), allow("tcp", 53, 53, cidr="10.0.0.10/32")
)


def endpoint(n, subnet, address, *groups, **more):
    return interface(n, subnet, address, *groups, instance=None, ours=True, **more)


def answering(wire, where, port, family=socket.AF_INET):
    def bound():
        server = socket.socket(family, socket.SOCK_DGRAM)
        server.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
        server.settimeout(OPEN_S_MAX)
        return server

    return contextlib.closing(wire.inside(where, bound))


def asked(driver, wire, id, origin, where, target, *, wait_s=OPEN_S_MAX):
    """The address that an instance sees a question of ours come from; None if it never comes."""
    family = socket.AF_INET6 if ":" in origin else socket.AF_INET
    with (
        answering(wire, where, 5353, family) as server,
        contextlib.closing(driver.open_socket(id, "udp", origin, 0, listen=False)) as sock,
    ):
        sock.settimeout(wait_s)
        server.settimeout(wait_s)
        try:
            sock.connect((target, 5353))
            sock.sendall(b"ask")
            _, peer = server.recvfrom(100)
            server.sendto(b"answer", peer)
            assert sock.recv(100) == b"answer"
        except OSError:
            return None
        return peer[0]


@packets
async def test_its_groups_say_who_comes_in_and_the_sender_s_what_goes_out(driver, wire):
    mute = group("sg-0mute", egress=())
    spec = network(
        interface(1, "subnet-0a", "10.0.0.10"),
        interface(2, "subnet-0a", "10.0.0.11"),
        interface(3, "subnet-0a", "10.0.0.12", "sg-0mute"),
        endpoint(9, "subnet-0a", "10.0.0.20", "sg-0names"),
        groups=(NAMES, mute),
    )
    await driver.ensure(spec)
    with contextlib.closing(driver.open_socket(spec.id, "tcp", "10.0.0.20", 53)):
        assert wire.connects(ONE, "10.0.0.20", 53)
        assert not wire.connects(TWO, "10.0.0.20", 53, wait_s=SHUT_S)
        assert not wire.connects(THREE, "10.0.0.20", 53, wait_s=SHUT_S)
    with contextlib.closing(driver.open_socket(spec.id, "tcp", "10.0.0.20", 80)):
        assert not wire.connects(ONE, "10.0.0.20", 80, wait_s=SHUT_S)


@packets
async def test_it_asks_within_the_network_by_its_groups_and_the_asked_one_s(driver, wire):
    deaf = group("sg-0deaf", allow("udp", 5353, 5353, group="sg-0names"))
    mute = group("sg-0mute", egress=())
    spec = network(
        interface(1, "subnet-0a", "10.0.0.10"),
        interface(2, "subnet-0a", "10.0.0.11", "sg-0closed"),
        interface(3, "subnet-0a", "10.0.0.12", "sg-0deaf"),
        endpoint(9, "subnet-0a", "10.0.0.20", "sg-0names"),
        endpoint(8, "subnet-0a", "10.0.0.21", "sg-0mute"),
        groups=(NAMES, deaf, mute),
    )
    await driver.ensure(spec)
    assert asked(driver, wire, spec.id, "10.0.0.20", ONE, "10.0.0.10") == "10.0.0.20"
    assert asked(driver, wire, spec.id, "10.0.0.20", TWO, "10.0.0.11", wait_s=SHUT_S) is None
    assert asked(driver, wire, spec.id, "10.0.0.20", THREE, "10.0.0.12") == "10.0.0.20"
    assert asked(driver, wire, spec.id, "10.0.0.21", ONE, "10.0.0.10", wait_s=SHUT_S) is None


@packets
async def test_it_reaches_the_outside_where_its_subnet_has_a_nat_gateway_and_nowhere_else(driver, wire):
    gateway = interface(7, "subnet-0a", "10.0.0.9", public="198.18.0.9", instance=None, nat_gateway="nat-09")
    spec = network(
        gateway,
        endpoint(8, "subnet-0b", "10.0.1.20"),
        endpoint(9, "subnet-0a", "10.0.0.20"),
        subnets=(
            subnet("subnet-0a", "10.0.0.0/24", to("0.0.0.0/0", "internet")),
            subnet("subnet-0b", "10.0.1.0/24", to("0.0.0.0/0", "nat", "nat-09")),
        ),
    )
    outside = network(interface(3, "subnet-0a", "10.0.0.10", public="198.18.0.3"), id="vpc-0000000000000000b")
    await driver.ensure(spec)
    await driver.ensure(outside)
    assert asked(driver, wire, spec.id, "10.0.1.20", THREE, "198.18.0.3") == "198.18.0.9"
    assert asked(driver, wire, spec.id, "10.0.0.20", THREE, "198.18.0.3", wait_s=SHUT_S) is None


@packets
async def test_it_goes_with_its_address(driver, wire):
    with_it = network(
        interface(1, "subnet-0a", "10.0.0.10"), endpoint(9, "subnet-0a", "10.0.0.20", "sg-0open")
    )
    await driver.ensure(with_it)
    assert "10.0.0.20" in wire.said(with_it.id, "ip", "address", "show", "lo")
    await driver.ensure(network(interface(1, "subnet-0a", "10.0.0.10")))
    assert "10.0.0.20" not in wire.said(with_it.id, "ip", "address", "show", "lo")


@packets
async def test_ipv6_is_its_own_too(driver, wire):
    names = group("sg-0six", allow("tcp", 53, 53, cidr="2001:db8:a::10/128"))
    spec = network(
        interface(1, "subnet-0a", "10.0.0.10", ipv6_addresses=("2001:db8:a::10",)),
        interface(2, "subnet-0a", "10.0.0.11", ipv6_addresses=("2001:db8:a::11",)),
        endpoint(9, "subnet-0a", "10.0.0.20", "sg-0six", ipv6_addresses=("2001:db8:a::20",)),
        groups=(names,),
        ipv6_cidrs=("2001:db8:a::/56",),
        subnets=(subnet("subnet-0a", "10.0.0.0/24", ipv6="2001:db8:a::/64"),),
    )
    await driver.ensure(spec)
    with contextlib.closing(driver.open_socket(spec.id, "tcp", "2001:db8:a::20", 53)):
        assert _connects6(wire, ONE, "2001:db8:a::20", OPEN_S_MAX)
        assert not _connects6(wire, TWO, "2001:db8:a::20", SHUT_S)
    assert asked(driver, wire, spec.id, "2001:db8:a::20", TWO, "2001:db8:a::11") == "2001:db8:a::20"


def _connects6(wire, source, to, wait_s):
    with contextlib.closing(wire.inside(source, lambda: socket.socket(socket.AF_INET6))) as client:
        client.settimeout(wait_s)
        try:
            client.connect((to, 53))
        except OSError:
            return False
        return True
