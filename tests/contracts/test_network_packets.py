"""What packets may do in the kernel's networks, tried with packets."""

import asyncio
import contextlib
import socket
import time

import pytest
from tests.contracts.network_worlds import (
    HOST,
    OPEN_S_MAX,
    SHUT_S,
    AclEntry,
    NetworkAcl,
    allow,
    changed,
    group,
    instance,
    interface,
    network,
    packets,
    subnet,
    to,
)

from cloudstead.dataplane import host
from cloudstead.dataplane.network import namespaces
from cloudstead.dataplane.network.naming import EDGE

pytestmark = pytest.mark.root

ONE, TWO, THREE = instance(1), instance(2), instance(3)
VPC_B = "vpc-0000000000000000b"
INTERNET = to("0.0.0.0/0", "internet")


@packets
async def test_an_instance_is_set_up_as_in_ec2(driver, wire):
    await driver.ensure(network(interface(1, "subnet-0a", "10.0.0.10")))
    assert "10.0.0.10/24" in wire.said(ONE, "ip", "address", "show", "eth0")
    assert "02:00:00:00:00:01" in wire.said(ONE, "ip", "link", "show", "eth0")
    assert "default via 10.0.0.1 dev eth0" in wire.said(ONE, "ip", "route")


@packets
async def test_an_open_group_lets_everything_through(driver, wire):
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10"),
            interface(2, "subnet-0a", "10.0.0.11"),
            interface(3, "subnet-0b", "10.0.1.10"),
            subnets=(subnet("subnet-0a", "10.0.0.0/24"), subnet("subnet-0b", "10.0.1.0/24")),
        )
    )
    assert wire.tcp(ONE, TWO, 80, to="10.0.0.11") == "10.0.0.10"
    assert wire.tcp(ONE, THREE, 80, to="10.0.1.10") == "10.0.0.10"
    assert wire.udp(ONE, TWO, 5353, to="10.0.0.11") == "10.0.0.10"
    assert wire.udp(THREE, ONE, 5353, to="10.0.0.10") == "10.0.1.10"
    assert wire.ping(ONE, "10.0.0.11")
    assert wire.ping(ONE, "10.0.1.10")


@packets
async def test_a_group_without_rules_lets_nothing_in_but_answers(driver, wire):
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"),
            interface(2, "subnet-0a", "10.0.0.11", "sg-0closed", public="198.18.0.2"),
        )
    )
    assert wire.shut(ONE, TWO, 80, to="10.0.0.11")
    assert wire.shut(HOST, TWO, 80, to="198.18.0.2")
    assert wire.udp(ONE, TWO, 53, to="10.0.0.11", wait_s=SHUT_S) is None
    assert not wire.ping(ONE, "10.0.0.11", wait_s=SHUT_S)
    assert wire.tcp(TWO, ONE, 80, to="10.0.0.10") == "10.0.0.11"
    assert wire.udp(TWO, ONE, 53, to="10.0.0.10") == "10.0.0.11"
    assert wire.ping(TWO, "10.0.0.10")


@packets
async def test_rules_open_just_their_ports_and_peers(driver, wire):
    rules = group(
        "sg-0some",
        allow("tcp", 20, 30, cidr="10.0.0.10/32"),
        allow("6", 443, 443, cidr="0.0.0.0/0"),
        allow("udp", 53, 53, cidr="10.0.0.0/25"),
    )
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10"),
            interface(2, "subnet-0a", "10.0.0.200"),
            interface(3, "subnet-0a", "10.0.0.30", "sg-0some"),
            groups=(rules,),
        )
    )
    for port in (20, 25, 30, 443):
        assert wire.tcp(ONE, THREE, port, to="10.0.0.30"), port
    for port in (19, 31, 442, 53):
        assert wire.shut(ONE, THREE, port, to="10.0.0.30"), port
    assert wire.shut(TWO, THREE, 25, to="10.0.0.30")
    assert wire.tcp(TWO, THREE, 443, to="10.0.0.30")
    assert wire.udp(ONE, THREE, 53, to="10.0.0.30")
    assert wire.udp(TWO, THREE, 53, to="10.0.0.30", wait_s=SHUT_S) is None
    assert not wire.ping(ONE, "10.0.0.30", wait_s=SHUT_S)


@packets
async def test_icmp_is_let_in_by_type(driver, wire):
    echo = group("sg-0echo", allow("icmp", 8, -1, cidr="0.0.0.0/0"))
    other = group("sg-0other", allow("icmp", 3, -1, cidr="0.0.0.0/0"))
    every = group("sg-0every", allow("1", -1, -1, cidr="0.0.0.0/0"))
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10"),
            interface(2, "subnet-0a", "10.0.0.11", "sg-0echo"),
            interface(3, "subnet-0a", "10.0.0.12", "sg-0other"),
            interface(4, "subnet-0a", "10.0.0.13", "sg-0every"),
            groups=(echo, other, every),
        )
    )
    assert wire.ping(ONE, "10.0.0.11")
    assert not wire.ping(ONE, "10.0.0.12", wait_s=SHUT_S)
    assert wire.ping(ONE, "10.0.0.13")
    assert wire.shut(ONE, TWO, 80, to="10.0.0.11")


@packets
async def test_a_group_reference_means_its_members(driver, wire):
    members = group("sg-0in", allow("tcp", 80, 80, group="sg-0friend"))
    friend = group("sg-0friend")
    spec = network(
        interface(1, "subnet-0a", "10.0.0.10", "sg-0friend", "sg-0closed"),
        interface(2, "subnet-0a", "10.0.0.11"),
        interface(3, "subnet-0a", "10.0.0.12", "sg-0in"),
        groups=(members, friend),
    )
    await driver.ensure(spec)
    assert wire.tcp(ONE, THREE, 80, to="10.0.0.12")
    assert wire.shut(TWO, THREE, 80, to="10.0.0.12")
    await driver.ensure(changed(spec, members={"sg-0friend": ("10.0.0.11",)}))
    assert wire.tcp(TWO, THREE, 80, to="10.0.0.12")


@packets
async def test_egress_rules_hold_what_is_sent(driver, wire):
    mute = group("sg-0mute", egress=())
    web = group("sg-0web", egress=(allow("tcp", 80, 80, cidr="10.0.0.12/32"),))
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10", "sg-0mute"),
            interface(2, "subnet-0a", "10.0.0.11", "sg-0web"),
            interface(3, "subnet-0a", "10.0.0.12"),
            groups=(mute, web),
        )
    )
    assert wire.shut(ONE, THREE, 80, to="10.0.0.12")
    assert wire.tcp(TWO, THREE, 80, to="10.0.0.12")
    assert wire.shut(TWO, THREE, 81, to="10.0.0.12")
    assert wire.shut(TWO, ONE, 80, to="10.0.0.10")


@packets
async def test_several_groups_add_up(driver, wire):
    web, ssh = (
        group("sg-0web", allow("tcp", 80, 80, cidr="0.0.0.0/0")),
        group("sg-0ssh", allow("tcp", 22, 22, cidr="0.0.0.0/0")),
    )
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10"),
            interface(2, "subnet-0a", "10.0.0.11", "sg-0web", "sg-0ssh"),
            groups=(web, ssh),
        )
    )
    assert wire.tcp(ONE, TWO, 80, to="10.0.0.11")
    assert wire.tcp(ONE, TWO, 22, to="10.0.0.11")
    assert wire.shut(ONE, TWO, 23, to="10.0.0.11")


@packets
async def test_ipv6_has_its_own_rules(driver, wire):
    four = group("sg-0four", allow("tcp", 80, 80, cidr="0.0.0.0/0"))
    six = group("sg-0six", allow("tcp", 80, 80, cidr="fd00:1::/64"), allow("icmpv6", cidr="::/0"))
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10", ipv6_addresses=("fd00:1::10",)),
            interface(2, "subnet-0a", "10.0.0.11", "sg-0four", ipv6_addresses=("fd00:1::11",)),
            interface(3, "subnet-0b", "10.0.1.10", "sg-0six", ipv6_addresses=("fd00:1:0:1::10",)),
            ipv6_cidrs=("fd00:1::/56",),
            subnets=(
                subnet("subnet-0a", "10.0.0.0/24", ipv6="fd00:1::/64"),
                subnet("subnet-0b", "10.0.1.0/24", ipv6="fd00:1:0:1::/64"),
            ),
            groups=(four, six),
        )
    )
    assert wire.tcp(ONE, TWO, 80, to="10.0.0.11")
    assert wire.shut(ONE, TWO, 80, to="fd00:1::11")
    assert wire.tcp(ONE, THREE, 80, to="fd00:1:0:1::10") == "fd00:1::10"
    assert wire.shut(ONE, THREE, 80, to="10.0.1.10")
    assert wire.ping(ONE, "fd00:1:0:1::10")
    assert not wire.ping(ONE, "fd00:1::11", wait_s=SHUT_S)


@packets
async def test_networks_with_equal_ranges_are_apart(driver, wire):
    await driver.ensure(
        network(interface(1, "subnet-0a", "10.0.0.10"), interface(2, "subnet-0a", "10.0.0.11"))
    )
    await driver.ensure(network(interface(3, "subnet-0a", "10.0.0.11"), id=VPC_B))
    assert wire.tcp(ONE, TWO, 80, to="10.0.0.11")
    assert wire.shut(ONE, THREE, 80, to="10.0.0.11")
    assert wire.shut(ONE, THREE, 80, to="10.0.0.99")


@packets
async def test_public_addresses_lead_in_with_real_sources(driver, wire):
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"),
            interface(2, "subnet-0a", "10.0.0.11", public="198.18.0.2"),
            interface(3, "subnet-0a", "10.0.0.12"),
        )
    )
    await driver.ensure(network(interface(4, "subnet-0a", "10.0.0.10", public="198.18.0.4"), id=VPC_B))
    assert wire.tcp(HOST, ONE, 22, to="198.18.0.1") == "198.19.255.1"
    assert wire.tcp(TWO, ONE, 22, to="198.18.0.1") == "198.18.0.2"
    assert wire.tcp(ONE, ONE, 22, to="198.18.0.1") == "198.18.0.1"
    assert wire.tcp(instance(4), ONE, 22, to="198.18.0.1") == "198.18.0.4"
    assert wire.udp(HOST, ONE, 5000, to="198.18.0.1") == "198.19.255.1"
    assert wire.ping(HOST, "198.18.0.1")
    assert wire.shut(THREE, ONE, 22, to="198.18.0.1")  # no public address, no way out


@packets
async def test_large_packets_find_their_size(driver, wire):
    """Instances have frames of 9001 bytes, the way out 1500: the router must say so."""
    await driver.ensure(network(interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1")))
    size = 4_000_000
    with contextlib.closing(wire.listen(ONE, 80)) as server, contextlib.closing(socket.socket()) as client:
        client.settimeout(OPEN_S_MAX)
        client.connect(("198.18.0.1", 80))
        accepted, _ = server.accept()
        with contextlib.closing(accepted):
            accepted.settimeout(OPEN_S_MAX)
            sender = asyncio.to_thread(accepted.sendall, bytes(size))
            receiver = asyncio.to_thread(_receive, client, size)
            assert (await asyncio.gather(sender, receiver))[1] == size
            sender = asyncio.to_thread(client.sendall, bytes(size))
            receiver = asyncio.to_thread(_receive, accepted, size)
            assert (await asyncio.gather(sender, receiver))[1] == size
    with (
        contextlib.closing(
            wire.inside(ONE, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        ) as asks,
        contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as answers,
    ):
        answers.bind(("0.0.0.0", 0))
        answers.settimeout(OPEN_S_MAX)
        asks.bind(("0.0.0.0", 7000))
        answers.sendto(b"hello", ("198.18.0.1", 7000))
        _, client = asks.recvfrom(100)
        deadline = time.monotonic() + OPEN_S_MAX
        while time.monotonic() < deadline:
            try:
                asks.sendto(
                    bytes(4000), client
                )  # the kernel learns the path's size from the router's refusal
                asks.sendto(bytes(1000), client)
            except OSError:
                continue
            if len(answers.recv(9000)) == 4000:
                break
        else:
            pytest.fail("4000 bytes never came")


@packets
async def test_without_an_internet_route_nothing_goes_in_or_out(driver, wire):
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"),
            interface(2, "subnet-0b", "10.0.1.10", public="198.18.0.2"),
            subnets=(subnet("subnet-0a", "10.0.0.0/24", INTERNET), subnet("subnet-0b", "10.0.1.0/24")),
        )
    )
    assert wire.tcp(HOST, ONE, 22, to="198.18.0.1")
    assert wire.shut(HOST, TWO, 22, to="198.18.0.2")
    assert wire.shut(TWO, ONE, 22, to="198.18.0.1")
    assert wire.tcp(TWO, ONE, 22, to="10.0.0.10") == "10.0.1.10"


@packets
async def test_a_nat_gateway_lets_out_and_not_in(driver, wire):
    gateway = interface(
        9,
        "subnet-0a",
        "10.0.0.9",
        public="198.18.0.9",
        instance=None,
        nat_gateway="nat-09",
        groups=("sg-0closed",),
    )
    await driver.ensure(
        network(
            gateway,
            interface(1, "subnet-0b", "10.0.1.10"),
            interface(2, "subnet-0b", "10.0.1.11", public="198.18.0.2"),
            subnets=(
                subnet("subnet-0a", "10.0.0.0/24", INTERNET),
                subnet("subnet-0b", "10.0.1.0/24", to("0.0.0.0/0", "nat", "nat-09")),
            ),
        )
    )
    await driver.ensure(network(interface(3, "subnet-0a", "10.0.0.10", public="198.18.0.3"), id=VPC_B))
    assert wire.tcp(ONE, THREE, 80, to="198.18.0.3") == "198.18.0.9"
    assert wire.tcp(TWO, THREE, 80, to="198.18.0.3") == "198.18.0.9"
    assert wire.udp(ONE, THREE, 80, to="198.18.0.3") == "198.18.0.9"
    assert wire.ping(ONE, "198.18.0.3")
    assert wire.shut(THREE, ONE, 80, to="198.18.0.9")
    assert wire.shut(HOST, TWO, 80, to="198.18.0.2")


@packets
async def test_network_acls_are_stateless_and_stand_at_the_border(driver, wire):
    acl = NetworkAcl(
        id="acl-0some",
        entries=(
            AclEntry(
                number=90, allow=False, egress=False, protocol="6", cidr="0.0.0.0/0", from_port=23, to_port=23
            ),
            AclEntry(
                number=100,
                allow=True,
                egress=False,
                protocol="6",
                cidr="0.0.0.0/0",
                from_port=1,
                to_port=1023,
            ),
            AclEntry(number=100, allow=True, egress=True, protocol="-1", cidr="10.0.0.0/16"),
        ),
    )
    world = network(
        interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"),
        interface(2, "subnet-0b", "10.0.1.10", public="198.18.0.2"),
        interface(3, "subnet-0b", "10.0.1.11"),
        subnets=(
            subnet("subnet-0a", "10.0.0.0/24", INTERNET),
            subnet("subnet-0b", "10.0.1.0/24", INTERNET, acl="acl-0some"),
        ),
        acls=(acl,),
    )
    await driver.ensure(world)
    assert wire.tcp(ONE, TWO, 80, to="10.0.1.10")
    assert wire.shut(ONE, TWO, 23, to="10.0.1.10")  # the lower number denies
    assert wire.shut(ONE, TWO, 2000, to="10.0.1.10")
    assert wire.shut(TWO, ONE, 80, to="10.0.0.10")  # the answer comes to a high port
    assert wire.shut(HOST, TWO, 80, to="198.18.0.2")  # the answer may not leave
    assert wire.tcp(THREE, TWO, 23, to="10.0.1.10")  # within the subnet nobody asks
    assert not wire.ping(ONE, "10.0.1.10", wait_s=SHUT_S)
    with contextlib.closing(driver.open_socket(world.id, "tcp", "169.254.169.254", 80)):
        assert wire.connects(TWO, "169.254.169.254", 80)


@packets
async def test_an_acl_cuts_what_is_established_and_a_group_does_not(driver, wire):
    open_world = network(
        interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1", groups=("sg-0web",)),
        groups=(group("sg-0web", allow("tcp", 80, 80, cidr="0.0.0.0/0")),),
    )
    revoked = changed(open_world, groups=(*open_world.groups[:2], group("sg-0web")))
    denied = changed(open_world, acls=(NetworkAcl(id="acl-0open", entries=()),))
    await driver.ensure(open_world)
    with contextlib.closing(wire.listen(ONE, 80)) as server, contextlib.closing(socket.socket()) as client:
        client.settimeout(OPEN_S_MAX)
        client.connect(("198.18.0.1", 80))
        accepted, _ = server.accept()
        accepted.settimeout(OPEN_S_MAX)
        with contextlib.closing(accepted):
            await driver.ensure(revoked)
            client.sendall(b"still")
            assert accepted.recv(10) == b"still"
            await driver.ensure(denied)
            accepted.settimeout(SHUT_S)
            client.sendall(b"cut")
            with pytest.raises(TimeoutError):
                accepted.recv(10)
    await driver.ensure(revoked)
    assert wire.shut(HOST, ONE, 80, to="198.18.0.1")


@packets
async def test_a_public_address_that_moves_takes_its_connections_along(driver, wire):
    spec = network(
        interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"), interface(2, "subnet-0a", "10.0.0.11")
    )
    moved = network(
        interface(1, "subnet-0a", "10.0.0.10"), interface(2, "subnet-0a", "10.0.0.11", public="198.18.0.1")
    )
    await driver.ensure(spec)
    with contextlib.closing(wire.listen(ONE, 80)) as server, contextlib.closing(socket.socket()) as client:
        client.connect(("198.18.0.1", 80))
        accepted, _ = server.accept()
        with contextlib.closing(accepted):
            await driver.ensure(moved)
            accepted.settimeout(SHUT_S)
            client.sendall(b"late")
            with pytest.raises(TimeoutError):
                accepted.recv(10)
    assert wire.tcp(HOST, TWO, 80, to="198.18.0.1")
    assert wire.shut(HOST, ONE, 80, to="198.18.0.1")


@packets
async def test_nobody_sends_from_an_address_of_another(driver, wire):
    await driver.ensure(
        network(interface(1, "subnet-0a", "10.0.0.10"), interface(2, "subnet-0a", "10.0.0.11"))
    )
    wire.said(ONE, "ip", "address", "add", "10.0.0.66/32", "dev", "eth0")
    with (
        contextlib.closing(
            wire.inside(ONE, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        ) as sender,
        contextlib.closing(wire.inside(TWO, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))) as at,
    ):
        at.bind(("0.0.0.0", 9))
        at.settimeout(SHUT_S)
        sender.bind(("10.0.0.66", 9))
        sender.sendto(b"spoof", ("10.0.0.11", 9))
        with pytest.raises(TimeoutError):
            at.recv(10)


@packets
async def test_an_instance_without_source_check_can_be_a_router(driver, wire):
    """One in a private subnet gets out through two, which forwards and masquerades: a NAT instance."""
    world = network(
        interface(1, "subnet-0b", "10.0.1.10"),
        interface(2, "subnet-0a", "10.0.0.11", public="198.18.0.2", source_dest_check=False),
        subnets=(
            subnet("subnet-0a", "10.0.0.0/24", INTERNET),
            subnet("subnet-0b", "10.0.1.0/24", to("0.0.0.0/0", "interface", f"eni-0{2:016x}")),
        ),
    )
    await driver.ensure(world)
    await driver.ensure(network(interface(3, "subnet-0a", "10.0.0.10", public="198.18.0.3"), id=VPC_B))
    wire.said(TWO, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
    wire.said(
        TWO, "nft", "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }"
    )
    wire.said(TWO, "nft", "add rule ip nat post ip saddr 10.0.1.0/24 masquerade")
    assert wire.tcp(ONE, THREE, 80, to="198.18.0.3") == "198.18.0.2"
    checked = changed(
        world, interfaces=(world.interfaces[0], changed(world.interfaces[1], source_dest_check=True))
    )
    await driver.ensure(checked)
    assert wire.shut(ONE, THREE, 80, to="198.18.0.3")


@packets
async def test_a_blackhole_is_silent(driver, wire):
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"),
            subnets=(subnet("subnet-0a", "10.0.0.0/24", INTERNET, to("198.18.0.3/32", "blackhole")),),
        )
    )
    await driver.ensure(
        network(
            interface(2, "subnet-0a", "10.0.0.10", public="198.18.0.2"),
            interface(3, "subnet-0a", "10.0.0.11", public="198.18.0.3"),
            id=VPC_B,
        )
    )
    assert wire.tcp(ONE, TWO, 80, to="198.18.0.2") == "198.18.0.1"
    assert wire.shut(ONE, THREE, 80, to="198.18.0.3")
    assert wire.tcp(HOST, THREE, 80, to="198.18.0.3")


@packets
async def test_several_interfaces_in_one_instance(driver, wire):
    world = network(
        interface(1, "subnet-0a", "10.0.0.10"),
        interface(2, "subnet-0b", "10.0.1.10", "sg-0closed", instance=ONE, device=1),
        interface(3, "subnet-0b", "10.0.1.11"),
        subnets=(subnet("subnet-0a", "10.0.0.0/24"), subnet("subnet-0b", "10.0.1.0/24")),
    )
    await driver.ensure(world)
    assert wire.tcp(THREE, ONE, 80, to="10.0.0.10") == "10.0.1.11"
    assert wire.shut(THREE, ONE, 80, to="10.0.1.10")
    opened = changed(world.interfaces[1], groups=("sg-0open",))
    await driver.ensure(changed(world, interfaces=(world.interfaces[0], opened, world.interfaces[2])))
    assert wire.tcp(THREE, ONE, 80, to="10.0.1.10") == "10.0.1.11"
    await driver.ensure(changed(world, interfaces=(world.interfaces[0], world.interfaces[2])))
    assert "eth1" not in wire.said(ONE, "ip", "link")
    await driver.ensure(changed(world, interfaces=(world.interfaces[0], opened, world.interfaces[2])))
    assert wire.tcp(THREE, ONE, 80, to="10.0.1.10") == "10.0.1.11"


@packets
async def test_addresses_come_and_go_while_connections_stay(driver, wire):
    first = interface(1, "subnet-0a", "10.0.0.10")
    second = interface(2, "subnet-0a", "10.0.0.11")
    more = changed(first, addresses=("10.0.0.10", "10.0.0.20"))
    await driver.ensure(network(first, second))
    with (
        contextlib.closing(wire.listen(ONE, 80)) as server,
        contextlib.closing(wire.inside(TWO, socket.socket)) as client,
    ):
        client.settimeout(OPEN_S_MAX)
        client.connect(("10.0.0.10", 80))
        accepted, _ = server.accept()
        accepted.settimeout(OPEN_S_MAX)
        with contextlib.closing(accepted):
            await driver.ensure(network(more, second))
            assert wire.tcp(TWO, ONE, 81, to="10.0.0.20")
            await driver.ensure(network(first, second))
            assert wire.shut(TWO, ONE, 81, to="10.0.0.20")
            client.sendall(b"still")
            assert accepted.recv(10) == b"still"
    assert "10.0.0.20" not in wire.said(ONE, "ip", "address")


@packets
async def test_metadata_and_names_answer_whatever_the_groups_say(driver, wire):
    mute = group("sg-0mute", egress=())
    spec = network(interface(1, "subnet-0a", "10.0.0.10", "sg-0mute"), groups=(mute,), cidr="10.0.0.0/16")
    await driver.ensure(spec)
    for address, port in (("169.254.169.254", 80), ("10.0.0.2", 53), ("169.254.169.253", 53)):
        with contextlib.closing(driver.open_socket(spec.id, "tcp", address, port)):
            assert wire.connects(ONE, address, port), address
    with contextlib.closing(driver.open_socket(spec.id, "udp", "10.0.0.2", 53)) as resolver:
        resolver.settimeout(OPEN_S_MAX)
        with contextlib.closing(
            wire.inside(ONE, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        ) as asks:
            asks.settimeout(OPEN_S_MAX)
            asks.sendto(b"name", ("10.0.0.2", 53))
            _, source = resolver.recvfrom(10)
            assert source[0] == "10.0.0.10"
            resolver.sendto(b"address", source)
            assert asks.recvfrom(10) == (b"address", ("10.0.0.2", 53))
    with contextlib.closing(driver.open_socket(spec.id, "tcp", "10.0.0.1", 8080)):
        assert not wire.connects(ONE, "10.0.0.1", 8080, wait_s=SHUT_S)


@packets
async def test_the_host_s_tools_are_filtered_inside_a_network_too(driver, wire):
    spec = network(
        interface(1, "subnet-0a", "10.0.0.10"), interface(2, "subnet-0a", "10.0.0.11", "sg-0closed")
    )
    await driver.ensure(spec)
    assert wire.tcp(spec.id, ONE, 80, to="10.0.0.10")
    assert wire.shut(spec.id, TWO, 80, to="10.0.0.11")


@packets
async def test_a_rule_takes_effect_at_once(driver, wire):
    def world(*rules):
        return network(
            interface(1, "subnet-0a", "10.0.0.10", "sg-0web", public="198.18.0.1"),
            groups=(group("sg-0web", *rules),),
        )

    await driver.ensure(world())
    assert wire.shut(HOST, ONE, 80, to="198.18.0.1")
    took_ms = []
    for n in range(5):
        begun = time.perf_counter()
        await driver.ensure(world(allow("tcp", 80 + n, 80 + n, cidr="0.0.0.0/0")))
        took_ms.append((time.perf_counter() - begun) * 1000)
        assert wire.tcp(HOST, ONE, 80 + n, to="198.18.0.1")
        assert wire.shut(HOST, ONE, 81 + n, to="198.18.0.1")
    print("rule changes took", ", ".join(f"{each:.0f}" for each in took_ms), "ms")


@packets
async def test_a_changed_rule_is_one_command(driver, wire):
    """A link is not even looked at where only what is permitted changes."""
    commands = []
    run = host.run

    async def noted(command, **options):
        commands.append(command[2:] if command[0] == "nsenter" else command)
        return await run(command, **options)

    def world(*rules):
        return network(
            interface(1, "subnet-0a", "10.0.0.10", "sg-0web", public="198.18.0.1"),
            groups=(group("sg-0web", *rules),),
        )

    await driver.ensure(world())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host, "run", noted)
        await driver.ensure(world(allow("tcp", 80, 80, cidr="0.0.0.0/0")))
    assert [command[0] for command in commands] == ["nft"]
    assert wire.tcp(HOST, ONE, 80, to="198.18.0.1")


@packets
async def test_an_edge_that_is_lost_is_made_again_for_every_network(driver, wire):
    specs = (
        network(interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1")),
        network(interface(2, "subnet-0a", "10.0.0.10", public="198.18.0.2"), id=VPC_B),
    )
    for spec in specs:
        await driver.ensure(spec)
    namespaces.remove(driver.namespace(EDGE))
    await driver.ensure(specs[0])
    assert [one.id for one in await driver.observe() if not one.revision] == [VPC_B]
    await driver.ensure(specs[1])
    assert wire.tcp(HOST, ONE, 22, to="198.18.0.1")
    assert wire.tcp(HOST, TWO, 22, to="198.18.0.2")


@packets
async def test_fifty_instances_at_once(driver, wire):
    spec = network(
        *(interface(n, "subnet-0a", f"10.0.0.{n + 10}", public=f"198.18.1.{n}") for n in range(1, 51)),
    )
    begun = time.perf_counter()
    await driver.ensure(spec)
    print(f"50 instances took {(time.perf_counter() - begun) * 1000:.0f} ms")
    for n in (1, 25, 50):
        assert wire.tcp(HOST, instance(n), 22, to=f"198.18.1.{n}")
    begun = time.perf_counter()
    await driver.remove(spec.id)
    print(f"removing them took {(time.perf_counter() - begun) * 1000:.0f} ms")


def _receive(where, size):
    received = 0
    while received < size and (piece := where.recv(1 << 20)):
        received += len(piece)
    return received
