"""Subnets: their ranges, zones, attributes and addresses."""

import pytest
from tests.unit.ec2.vpc.test_network_reconcile import attached
from tests.unit.ec2.vpc.world import World, refusal

from cloudstead.core.errors import NotBuilt
from cloudstead.services.ec2.network_rows import NetworkAcl


def shown(world, id):
    return world.describe_subnets(SubnetIds=[id])["Subnets"][0]


@pytest.mark.parametrize(
    ("cidr", "code", "text"),
    [
        ("10.1.0.0/24", "InvalidSubnet.Range", "The CIDR '10.1.0.0/24' is invalid."),
        ("10.0.0.0/15", "InvalidSubnet.Range", "The CIDR '10.0.0.0/15' is invalid."),
        ("10.0.2.0/29", "InvalidSubnet.Range", "The CIDR '10.0.2.0/29' is invalid."),
        ("10.0.1.128/25", "InvalidSubnet.Conflict", "The CIDR '10.0.1.128/25' conflicts with another subnet"),
        ("10.0.0.0/16", "InvalidSubnet.Conflict", "The CIDR '10.0.0.0/16' conflicts with another subnet"),
        ("", "MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided."),
    ],
)
def test_a_range_that_the_subnet_cannot_have_is_refused(cidr, code, text):
    world = World()
    vpc = world.vpc()
    world.subnet(vpc, "10.0.1.0/24")
    assert refusal(world.create_subnet, VpcId=vpc, CidrBlock=cidr) == (code, text)


def test_equal_ranges_in_two_vpcs_do_not_conflict():
    world = World()
    assert world.subnet(world.vpc()) != world.subnet(world.vpc())


def test_a_zone_is_named_or_numbered_or_left_to_choice():
    world = World()
    vpc = world.vpc()
    named = world.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1c")["Subnet"]
    numbered = world.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/24", AvailabilityZoneId="use1-az4")
    assert named["AvailabilityZoneId"] == "use1-az2"
    assert numbered["Subnet"]["AvailabilityZone"] == "us-east-1d"
    assert shown(world, world.subnet(vpc, "10.0.3.0/24"))["AvailabilityZone"] == "us-east-1a"
    code, text = refusal(
        world.create_subnet, VpcId=vpc, CidrBlock="10.0.4.0/24", AvailabilityZone="us-east-1z"
    )
    assert code == "InvalidParameterValue"
    assert text == (
        "Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be created in the "
        "following availability zones: us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1e, us-east-1f."
    )


def test_free_addresses_are_those_that_no_interface_has_but_five():
    world = World()
    subnet = world.subnet(world.vpc(), "10.0.1.0/28")
    assert shown(world, subnet)["AvailableIpAddressCount"] == 11
    attached(world, subnet, more_private_ip_count=2)
    assert shown(world, subnet)["AvailableIpAddressCount"] == 8
    found = world.describe_subnets(Filters=[{"Name": "available-ip-address-count", "Values": ["8"]}])
    assert [each["SubnetId"] for each in found["Subnets"]] == [subnet]


def test_an_interface_keeps_its_subnet():
    world = World()
    subnet = world.subnet(world.vpc())
    attached(world, subnet)
    assert refusal(world.delete_subnet, SubnetId=subnet) == (
        "DependencyViolation",
        f"The subnet '{subnet}' has dependencies and cannot be deleted.",
    )


def test_a_deleted_subnet_leaves_its_acl_and_its_route_table():
    world = World()
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    table = world.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    world.associate_route_table(RouteTableId=table, SubnetId=subnet)
    (acl,) = world.store.rows(NetworkAcl)
    assert [each.subnet_id for each in acl.associations] == [subnet]
    world.delete_subnet(SubnetId=subnet)
    (acl,) = world.store.rows(NetworkAcl)
    assert acl.associations == ()
    world.delete_route_table(RouteTableId=table)
    assert refusal(world.describe_subnets, SubnetIds=[subnet])[0] == "InvalidSubnetID.NotFound"


def test_an_ipv6_range_is_of_the_vpcs_own_and_nobody_elses():
    world = World()
    vpc = world.vpc(AmazonProvidedIpv6CidrBlock=True)
    one = world.subnet(vpc, "10.0.1.0/24", Ipv6CidrBlock="2001:db8:c612:1::/64")
    two = world.subnet(vpc, "10.0.2.0/24")
    for wrong in ("2001:db8:c613::/64", "2001:db8:c612:2::/62", "2001:db8:c612:2::/80"):
        code = refusal(world.associate_subnet_cidr_block, SubnetId=two, Ipv6CidrBlock=wrong)[0]
        assert code == "InvalidSubnet.Range"
    taken = {"SubnetId": two, "Ipv6CidrBlock": "2001:db8:c612:1::/64"}
    assert refusal(world.associate_subnet_cidr_block, **taken)[0] == "InvalidSubnet.Conflict"
    world.associate_subnet_cidr_block(SubnetId=two, Ipv6CidrBlock="2001:db8:c612:2::/64")
    again = {"SubnetId": two, "Ipv6CidrBlock": "2001:db8:c612:3::/64"}
    assert refusal(world.associate_subnet_cidr_block, **again)[0] == "SubnetCidrLimitExceeded"
    (association,) = shown(world, one)["Ipv6CidrBlockAssociationSet"]
    gone = world.disassociate_subnet_cidr_block(AssociationId=association["AssociationId"])
    assert gone["Ipv6CidrBlockAssociation"]["Ipv6CidrBlockState"] == {"State": "disassociating"}
    assert shown(world, one)["Ipv6CidrBlockAssociationSet"] == []


def test_an_address_in_use_keeps_its_ipv6_range():
    world = World()
    vpc = world.vpc(AmazonProvidedIpv6CidrBlock=True)
    subnet = world.subnet(vpc, Ipv6CidrBlock="2001:db8:c612:1::/64")
    attached(world, subnet, ipv6_count=1)
    (association,) = shown(world, subnet)["Ipv6CidrBlockAssociationSet"]
    code = refusal(world.disassociate_subnet_cidr_block, AssociationId=association["AssociationId"])[0]
    assert code == "InvalidCidrBlock.InUse"


@pytest.mark.parametrize(
    ("asked", "member", "value"),
    [
        ({"MapPublicIpOnLaunch": {"Value": True}}, "MapPublicIpOnLaunch", True),
        (
            {"PrivateDnsHostnameTypeOnLaunch": "resource-name"},
            "PrivateDnsNameOptionsOnLaunch",
            {
                "HostnameType": "resource-name",
                "EnableResourceNameDnsARecord": False,
                "EnableResourceNameDnsAAAARecord": False,
            },
        ),
        ({"AssignIpv6AddressOnCreation": {"Value": False}}, "AssignIpv6AddressOnCreation", False),
    ],
)
def test_attributes_are_changed_one_by_one(asked, member, value):
    world = World()
    subnet = world.subnet(world.vpc())
    world.modify_subnet_attribute(SubnetId=subnet, **asked)
    assert shown(world, subnet)[member] == value


def test_attributes_that_mean_nothing_here_are_refused():
    world = World()
    subnet = world.subnet(world.vpc())
    no_range = {"SubnetId": subnet, "AssignIpv6AddressOnCreation": {"Value": True}}
    assert refusal(world.modify_subnet_attribute, **no_range)[0] == "InvalidParameterValue"
    assert refusal(world.modify_subnet_attribute, SubnetId=subnet)[0] == "MissingParameter"
    two = {"MapPublicIpOnLaunch": {"Value": True}, "PrivateDnsHostnameTypeOnLaunch": "ip-name"}
    assert refusal(world.modify_subnet_attribute, SubnetId=subnet, **two)[0] == "InvalidParameterCombination"
    with pytest.raises(NotBuilt, match="EnableDns64"):
        world.modify_subnet_attribute(SubnetId=subnet, EnableDns64={"Value": True})
