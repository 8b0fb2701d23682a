"""Instances are told by DHCP what the options of their VPC say at that moment."""

import asyncio
import contextlib
import socket

import pytest
from tests.contracts.network_worlds import packets
from tests.unit.dhcp.test_messages import DISCOVER, MAC, OFFER, question
from tests.unit.ec2.vpc.test_network_reconcile import attached
from tests.unit.ec2.vpc.world import World

from cloudstead.dataplane import dhcp
from cloudstead.services.ec2.dhcp_answers import find_lease
from cloudstead.services.ec2.network_compile import compiled
from cloudstead.services.ec2.network_rows import Vpc

INSTANCE = "i-0000000000000000a"
_WAIT_S_MAX = 5.0
_ASK_AGAIN_S = 0.2


def take(world, vpc, **configurations):
    asked = [{"Key": key.replace("_", "-"), "Values": values} for key, values in configurations.items()]
    id = world.create_dhcp_options(DhcpConfigurations=asked)["DhcpOptions"]["DhcpOptionsId"]
    world.associate_dhcp_options(VpcId=vpc, DhcpOptionsId=id)


def test_by_default_amazons_names_and_the_vpcs_resolver():
    world = World()
    vpc = world.vpc()
    interface = attached(world, world.subnet(vpc), private_ip="10.0.1.20")
    lease = find_lease(world.store, vpc)(interface.mac)
    assert (lease.address, lease.subnet, lease.hostname) == ("10.0.1.20", "10.0.1.0/24", "ip-10-0-1-20")
    assert (lease.domain, lease.name_servers) == ("ec2.internal", ("10.0.0.2",))
    world.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    assert find_lease(world.store, vpc)(interface.mac).name_servers == ()


def test_another_set_or_none_counts_at_once():
    world = World()
    vpc = world.vpc()
    find, mac = find_lease(world.store, vpc), attached(world, world.subnet(vpc)).mac
    take(
        world,
        vpc,
        domain_name=["example.com"],
        domain_name_servers=["192.0.2.53", "AmazonProvidedDNS"],
        ntp_servers=["192.0.2.123", "fd00::123"],
        netbios_name_servers=["192.0.2.137"],
        netbios_node_type=["2"],
    )
    lease = find(mac)
    assert (lease.domain, lease.name_servers) == ("example.com", ("192.0.2.53", "10.0.0.2"))
    assert lease.ntp_servers == ("192.0.2.123",)
    assert (lease.netbios_name_servers, lease.netbios_node_type) == (("192.0.2.137",), 2)
    world.associate_dhcp_options(VpcId=vpc, DhcpOptionsId="default")
    assert (find(mac).domain, find(mac).name_servers) == ("", ())


def test_each_network_knows_its_own():
    world = World()
    vpc = world.vpc()
    mac = attached(world, world.subnet(vpc)).mac
    assert find_lease(world.store, world.vpc())(mac) is None
    assert find_lease(world.store, vpc)(MAC) is None


@pytest.mark.root
@packets
async def test_a_client_in_an_instance_is_answered(driver, wire):
    world = World()
    vpc = world.vpc()
    interface = attached(world, world.subnet(vpc), private_ip="10.0.1.20")
    take(world, vpc, domain_name=["example.com"], domain_name_servers=["192.0.2.53"])
    await driver.ensure(compiled(world.store, world.store.get(Vpc, vpc)))
    server = dhcp.serve(driver.open_socket(vpc, "udp", "0.0.0.0", 67), find_lease(world.store, vpc))
    try:
        answer = await _asked(wire, interface.mac)
    finally:
        await server.stop()
    assert answer[16:20] == bytes([10, 0, 1, 20])
    assert bytes([53, 1, OFFER]) in answer
    assert b"example.com" in answer


async def _asked(wire, mac):
    """What a client without an address hears when it asks everybody on its link."""

    def bound():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        made.bind(("0.0.0.0", 68))
        made.setblocking(False)
        return made

    asks = question(DISCOVER).replace(
        bytes.fromhex(MAC.replace(":", "")), bytes.fromhex(mac.replace(":", ""))
    )
    loop = asyncio.get_running_loop()
    with contextlib.closing(wire.inside(INSTANCE, bound)) as client:
        async with asyncio.timeout(_WAIT_S_MAX):
            while True:  # as clients do: the first question may come before the link carries anything
                client.sendto(asks, ("255.255.255.255", 67))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_ASK_AGAIN_S):
                        return await loop.sock_recv(client, 1500)
