"""What lies outside the networks, tried with packets: the host, other networks, other clouds, the world."""

import asyncio
import contextlib
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from tests.contracts.network_worlds import (
    HOST,
    OPEN_S_MAX,
    SHUT_S,
    Wire,
    instance,
    interface,
    left_behind,
    network,
    packets,
    subnet,
    to,
)
from tests.support.netns import apart

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.network import namespaces
from cloudstead.dataplane.network.driver import NetworkSeen, revision
from cloudstead.dataplane.network.linux import LinuxNetworks
from cloudstead.dataplane.network.naming import EDGE, Pool

pytestmark = pytest.mark.root

ONE, TWO, THREE = instance(1), instance(2), instance(3)
VPC_B = "vpc-0000000000000000b"
INTERNET = to("0.0.0.0/0", "internet")


@packets
async def test_ipv6_leads_in_and_out_where_it_is_routed(driver, wire):
    def world(n, six, id):
        return network(
            interface(n, "subnet-0a", "10.0.0.10", ipv6_addresses=(f"{six}::10",)),
            interface(n + 1, "subnet-0b", "10.0.1.10", ipv6_addresses=(f"{six}:1::10",)),
            id=id,
            ipv6_cidrs=(f"{six}::/56",),
            subnets=(
                subnet("subnet-0a", "10.0.0.0/24", to("::/0", "internet"), ipv6=f"{six}::/64"),
                subnet("subnet-0b", "10.0.1.0/24", ipv6=f"{six}:1::/64"),
            ),
        )

    await driver.ensure(world(1, "2001:db8:c612:0", "vpc-0000000000000000a"))
    await driver.ensure(world(3, "2001:db8:c612:100", VPC_B))
    assert wire.tcp(HOST, ONE, 22, to="2001:db8:c612:0::10") == "2001:db8:c612:ffff::1"
    assert wire.tcp(THREE, ONE, 22, to="2001:db8:c612:0::10") == "2001:db8:c612:100::10"
    assert wire.ping(ONE, "2001:db8:c612:100::10")
    assert wire.tcp(ONE, TWO, 22, to="2001:db8:c612:0:1::10") == "2001:db8:c612::10"
    assert wire.shut(HOST, TWO, 22, to="2001:db8:c612:0:1::10")
    assert wire.shut(ONE, instance(4), 22, to="2001:db8:c612:100:1::10")
    assert wire.shut(ONE, HOST, 4566, to="2001:db8:c612:ffff::1")


@packets
async def test_behind_an_egress_only_gateway_only_answers_come_in(driver, wire):
    await driver.ensure(
        network(
            interface(1, "subnet-0a", "10.0.0.10", ipv6_addresses=("2001:db8:c612::10",)),
            interface(2, "subnet-0b", "10.0.1.10", ipv6_addresses=("2001:db8:c612:1::10",)),
            ipv6_cidrs=("2001:db8:c612::/56",),
            subnets=(
                subnet("subnet-0a", "10.0.0.0/24", to("::/0", "egress"), ipv6="2001:db8:c612::/64"),
                subnet("subnet-0b", "10.0.1.0/24", to("::/0", "internet"), ipv6="2001:db8:c612:1::/64"),
            ),
        )
    )
    other = network(
        interface(3, "subnet-0a", "10.0.0.10", ipv6_addresses=("2001:db8:c612:100::10",)),
        id=VPC_B,
        ipv6_cidrs=("2001:db8:c612:100::/56",),
        subnets=(subnet("subnet-0a", "10.0.0.0/24", to("::/0", "internet"), ipv6="2001:db8:c612:100::/64"),),
    )
    await driver.ensure(other)
    assert wire.tcp(ONE, THREE, 80, to="2001:db8:c612:100::10") == "2001:db8:c612::10"
    assert wire.shut(THREE, ONE, 80, to="2001:db8:c612::10")
    assert wire.shut(HOST, ONE, 80, to="2001:db8:c612::10")
    assert wire.tcp(THREE, TWO, 80, to="2001:db8:c612:1::10") == "2001:db8:c612:100::10"
    assert wire.tcp(TWO, ONE, 80, to="2001:db8:c612::10")  # within the VPC nothing changes


@packets
async def test_a_host_that_wants_no_ipv6_gets_none(driver, wire):
    wire.said(HOST, "sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=1")
    await driver.ensure(network(interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1")))
    assert wire.tcp(HOST, ONE, 22, to="198.18.0.1")
    assert "2001:db8" not in wire.said(HOST, "ip", "-6", "route")


@packets
async def test_every_instance_reaches_the_api(driver, wire):
    world = network(
        interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"),
        interface(2, "subnet-0b", "10.0.1.10"),
        subnets=(subnet("subnet-0a", "10.0.0.0/24", INTERNET), subnet("subnet-0b", "10.0.1.0/24")),
    )
    await driver.ensure(world)
    await driver.ensure(network(interface(3, "subnet-0a", "10.0.0.10"), id=VPC_B))
    with contextlib.closing(wire.listen(HOST, 4566)) as gateway:
        gateway.settimeout(OPEN_S_MAX)
        sources = []
        for where, port in ((ONE, 4566), (TWO, 443), (THREE, 80)):
            assert wire.connects(where, "198.19.255.1", port), where
            accepted, source = gateway.accept()
            accepted.close()
            sources.append(source[0])
    assert sources == ["198.18.0.1", "198.19.240.1", "198.19.240.2"]
    with contextlib.closing(wire.listen(HOST, 8080)):
        assert not wire.connects(ONE, "198.19.255.1", 8080, wait_s=SHUT_S)


def _uplink(wire):
    """Give the host a neighbour that stands for the world outside; the name of its namespace's holder."""
    world = subprocess.Popen(["unshare", "-n", "sleep", "60"])
    deadline = time.monotonic() + OPEN_S_MAX
    ours = Path("/proc/thread-self/ns/net").stat().st_ino
    while Path(f"/proc/{world.pid}/ns/net").stat().st_ino == ours:
        assert time.monotonic() < deadline
    wire.said(
        HOST, "ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", str(world.pid)
    )
    inside = ("nsenter", f"--net=/proc/{world.pid}/ns/net", "ip")
    for command in (
        ("ip", "address", "add", "203.0.113.1/24", "dev", "up0"),
        ("ip", "link", "set", "up0", "up"),
        (*inside, "address", "add", "203.0.113.2/24", "dev", "eth0"),
        (*inside, "link", "set", "eth0", "up"),
        (*inside, "route", "add", "default", "via", "203.0.113.1"),
    ):
        wire.said(HOST, *command)
    return world


@pytest.mark.parametrize("egress", [False, True])
@apart
def test_the_way_out_by_the_host_is_the_operator_s_choice(egress, tmp_path):
    async def scenario():
        driver = LinuxNetworks(tmp_path, "00c0de", egress=egress)
        wire = Wire(driver)
        world = _uplink(wire)
        try:
            before = left_behind(tmp_path)
            await driver.ensure(
                network(
                    interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"),
                    interface(2, "subnet-0a", "10.0.0.11"),
                )
            )
            outside = Path(f"/proc/{world.pid}/ns/net")
            with contextlib.closing(
                namespaces.inside(outside, lambda: socket.create_server(("", 80)))
            ) as server:
                server.settimeout(OPEN_S_MAX)
                assert (
                    wire.connects(ONE, "203.0.113.2", 80, wait_s=OPEN_S_MAX if egress else SHUT_S) == egress
                )
                if egress:
                    accepted, source = server.accept()
                    accepted.close()
                    assert source[0] == "203.0.113.1"
                assert not wire.connects(TWO, "203.0.113.2", 80, wait_s=SHUT_S)
            # The host's own ports stay shut, and so does the way in from outside.
            with contextlib.closing(wire.listen(HOST, 8080)), contextlib.closing(wire.listen(ONE, 22)):
                for address in ("198.19.255.1", "203.0.113.1"):
                    assert not wire.connects(ONE, address, 8080, wait_s=SHUT_S)
                with contextlib.closing(namespaces.inside(outside, socket.socket)) as client:
                    client.settimeout(SHUT_S)
                    with pytest.raises(OSError):
                        client.connect(("198.18.0.1", 22))
            await LinuxNetworks(tmp_path, "00c0de").ensure_edge()
            assert left_behind(tmp_path)["tables"] == before["tables"]
            await LinuxNetworks(tmp_path, "00c0de", egress=egress).ensure_edge()
            await driver.teardown()
            assert left_behind(tmp_path) == before
        finally:
            world.kill()
            world.wait()

    asyncio.run(scenario())


@packets
async def test_a_pool_that_is_in_use_is_refused(driver, wire):
    wire.said(HOST, "ip", "route", "add", "198.18.7.0/24", "dev", "lo")
    with pytest.raises(DriverError, match="another pool"):
        await driver.ensure(network())
    wire.said(HOST, "ip", "route", "del", "198.18.7.0/24")


@packets
async def test_two_clouds_on_one_host_never_meet(driver, wire):
    spec = network(interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"))
    await driver.ensure(spec)
    with tempfile.TemporaryDirectory() as folder:
        other = LinuxNetworks(Path(folder), "0ther1", pool=Pool("198.16.0.0/15"))
        there = network(interface(1, "subnet-0a", "10.0.0.10", public="198.16.0.1"))
        await other.ensure(there)
        assert wire.tcp(HOST, ONE, 22, to="198.18.0.1") == "198.19.255.1"
        assert Wire(other).tcp(HOST, ONE, 22, to="198.16.0.1") == "198.17.255.1"
        await other.remove(there.id)
        assert wire.tcp(HOST, ONE, 22, to="198.18.0.1")
        assert await driver.observe() == [NetworkSeen(id=spec.id, revision=revision(spec))]


@packets
async def test_one_removed_leaves_nothing_with_the_others(driver, wire):
    await driver.ensure(network(interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1")))
    before = [wire.said(EDGE, "ip", "-o", *what.split()) for what in ("-br link", "-4 route", "-6 route")]
    other = network(interface(2, "subnet-0a", "10.0.0.10", public="198.18.0.2"), id=VPC_B)
    await driver.ensure(other)
    assert wire.tcp(HOST, TWO, 22, to="198.18.0.2")
    with contextlib.closing(driver.open_socket(VPC_B, "tcp", "169.254.169.254", 80)):
        await driver.remove(VPC_B)
        assert before == [
            wire.said(EDGE, "ip", "-o", *what.split()) for what in ("-br link", "-4 route", "-6 route")
        ]
