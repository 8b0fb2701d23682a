"""What groups, prefix lists, ACLs, interfaces and elastic addresses say by API is what packets then may do."""

import asyncio
import contextlib
import itertools
import time

import pytest
from tests.contracts.network_worlds import HOST, packets
from tests.unit.ec2.vpc.test_network_real import ONE, TWO, arrives, running, seconds_until, udp
from tests.unit.ec2.vpc.test_network_reconcile import again, attached

from cloudstead.services.ec2 import interfaces

pytestmark = pytest.mark.root

_ports = itertools.count(6000)  # a new one for each try: what was let through once is remembered
_SHUT_S = 0.25
_BECOMES_S_MAX = 10.0


async def passes(wire, source, destination, address, bind=None):
    """Whether a datagram from one namespace to another arrives."""
    port = next(_ports)
    with (
        contextlib.closing(udp(wire, source, "0.0.0.0", 0)) as sender,
        contextlib.closing(udp(wire, destination, bind or address, port)) as receiver,
    ):
        end = time.monotonic() + _SHUT_S
        while time.monotonic() < end:
            try:
                if arrives(sender, receiver, (address, port)):
                    return True
            except OSError:  # no route yet
                pass
            await asyncio.sleep(0.01)
        return False


async def becomes(wanted, *way, **more):
    """Wait until datagrams pass, or pass no more."""
    end = time.monotonic() + _BECOMES_S_MAX
    while await passes(*way, **more) is not wanted:
        assert time.monotonic() < end, f"it stays {'shut' if wanted else 'open'}"
        await asyncio.sleep(0.01)  # for the controllers, which run in this very loop


async def two_instances(world, subnet, other_subnet=None):
    one, two = attached(world, subnet, ONE), attached(world, other_subnet or subnet, TWO)
    await seconds_until(lambda: again(world, one).placed and again(world, two).placed)
    return one, two


def own_group(world, vpc, interface):
    """Put an interface into a group of its own that lets nothing in."""
    group = world.create_security_group(GroupName=interface.id, Description="one", VpcId=vpc)["GroupId"]
    world.modify_network_interface_attribute(NetworkInterfaceId=interface.id, Groups=[group])
    return group


@packets
async def test_a_group_lets_in_the_members_of_another(driver, wire):
    async with running(driver) as world:
        vpc = world.vpc()
        one, two = await two_instances(world, world.subnet(vpc))
        way = (wire, ONE, TWO, two.primary.address)
        await becomes(True, *way)
        group = own_group(world, vpc, two)
        await becomes(False, *way)
        (default,) = one.groups
        members = {
            "IpProtocol": "udp",
            "FromPort": 0,
            "ToPort": 65535,
            "UserIdGroupPairs": [{"GroupId": default}],
        }
        world.authorize_security_group_ingress(GroupId=group, IpPermissions=[members])
        await becomes(True, *way)
        own_group(world, vpc, one)
        await becomes(False, *way)


@packets
async def test_a_prefix_list_opens_and_shuts_what_names_it(driver, wire):
    async with running(driver) as world:
        vpc = world.vpc()
        one, two = await two_instances(world, world.subnet(vpc))
        way = (wire, ONE, TWO, two.primary.address)
        plist = world.create_managed_prefix_list(PrefixListName="p", AddressFamily="IPv4", MaxEntries=2)
        id = plist["PrefixList"]["PrefixListId"]
        listed = {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": id}]}
        world.authorize_security_group_ingress(GroupId=own_group(world, vpc, two), IpPermissions=[listed])
        await becomes(False, *way)
        entry = [{"Cidr": f"{one.primary.address}/32"}]
        world.modify_managed_prefix_list(PrefixListId=id, CurrentVersion=1, AddEntries=entry)
        await becomes(True, *way)
        world.modify_managed_prefix_list(PrefixListId=id, CurrentVersion=2, RemoveEntries=entry)
        await becomes(False, *way)


@packets
async def test_the_first_entry_of_an_acl_that_matches_decides(driver, wire):
    async with running(driver) as world:
        vpc = world.vpc()
        near, far = world.subnet(vpc), world.subnet(vpc, "10.0.2.0/24")
        _, two = await two_instances(world, near, far)
        way = (wire, ONE, TWO, two.primary.address)
        await becomes(True, *way)
        acl = world.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
        by_subnet = [{"Name": "association.subnet-id", "Values": [far]}]
        (before,) = world.describe_network_acls(Filters=by_subnet)["NetworkAcls"]
        (association,) = (one for one in before["Associations"] if one["SubnetId"] == far)
        world.replace_network_acl_association(
            AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl
        )
        await becomes(False, *way)
        entry = {
            "NetworkAclId": acl,
            "Egress": False,
            "Protocol": "17",
            "PortRange": {"From": 0, "To": 65535},
        }
        near_alone = {**entry, "CidrBlock": "10.0.1.0/24"}
        world.create_network_acl_entry(**near_alone, RuleNumber=200, RuleAction="allow")
        await becomes(True, *way)
        world.create_network_acl_entry(**near_alone, RuleNumber=100, RuleAction="deny")
        await becomes(False, *way)


@packets
async def test_an_interface_comes_and_goes_beside_a_running_instance(driver, wire):
    async with running(driver) as world:
        subnet = world.subnet(world.vpc())
        await two_instances(world, subnet)
        more = attached(world, subnet, ONE)
        attachment = interfaces.new_attachment(world.resources, device_index=1, delete_on_termination=False)
        more = world.store.update(more, attachment=attachment)
        await seconds_until(lambda: again(world, more).placed)
        assert more.primary.address in wire.said(ONE, "ip", "-4", "address")
        way = (wire, TWO, ONE, more.primary.address)
        await becomes(True, *way)
        world.detach_network_interface(AttachmentId=attachment.id)
        await seconds_until(lambda: again(world, more).attachment is None)
        assert more.primary.address not in wire.said(ONE, "ip", "-4", "address")


@packets
async def test_an_elastic_address_leads_to_where_it_is_associated(driver, wire):
    async with running(driver) as world:
        vpc = world.vpc()
        subnet = world.subnet(vpc)
        gateway = world.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        world.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        (table,) = world.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        world.create_route(
            RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
        )
        one, two = await two_instances(world, subnet)
        anybody = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        world.authorize_security_group_ingress(GroupId=one.groups[0], IpPermissions=[anybody])
        elastic = world.allocate_address()
        id, address = elastic["AllocationId"], elastic["PublicIp"]
        for interface, where in ((one, ONE), (two, TWO)):
            world.associate_address(AllocationId=id, NetworkInterfaceId=interface.id)
            await becomes(True, wire, HOST, where, address, bind=interface.primary.address)
        world.disassociate_address(PublicIp=address)
        await becomes(False, wire, HOST, TWO, address, bind=two.primary.address)
