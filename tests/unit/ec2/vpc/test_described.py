"""What every Describe call of the VPC side promises: all filters AWS documents, and pages."""

import re

import botocore.session
import pytest
from tests.unit.ec2.vpc.world import World, refusal

from cloudstead.app.operations import snake_case

_MODEL = botocore.session.get_session().get_service_model("ec2")
_CALLS = (
    "DescribeAddresses",
    "DescribeDhcpOptions",
    "DescribeEgressOnlyInternetGateways",
    "DescribeInternetGateways",
    "DescribeManagedPrefixLists",
    "DescribeNatGateways",
    "DescribeNetworkAcls",
    "DescribeNetworkInterfaces",
    "DescribeRouteTables",
    "DescribeSecurityGroupRules",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcs",
)


def _filters(call):
    """The name of the member, and those of all filters that its documentation lists."""
    members = _MODEL.operation_model(call).input_shape.members
    member = "Filter" if "Filter" in members else "Filters"
    names = re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>", members[member].documentation)
    return member, [name for name in names if name != "tag"]


@pytest.mark.parametrize("call", _CALLS)
def test_every_documented_filter_is_taken_and_no_other(call):
    world = World(opened=True)
    describe = getattr(world, snake_case(call))
    member, names = _filters(call)
    assert "tag-key" in names or call == "DescribeSecurityGroupRules" or len(names) > 1
    for name in [*names, "tag:Name"]:
        describe(**{member: [{"Name": name, "Values": ["nothing-has-this"]}]})
    code, text = refusal(describe, **{member: [{"Name": "no-such-filter", "Values": ["x"]}]})
    assert (code, text) == ("InvalidParameterValue", "The filter 'no-such-filter' is invalid")


@pytest.mark.parametrize(
    ("call", "member", "prefix", "missing", "malformed"),
    [
        ("describe_vpcs", "VpcIds", "vpc", "InvalidVpcID", "InvalidVpcID"),
        ("describe_subnets", "SubnetIds", "subnet", "InvalidSubnetID", "InvalidSubnetID"),
        ("describe_route_tables", "RouteTableIds", "rtb", "InvalidRouteTableID", "InvalidRouteTableId"),
        (
            "describe_internet_gateways",
            "InternetGatewayIds",
            "igw",
            "InvalidInternetGatewayID",
            "InvalidInternetGatewayId",
        ),
        (
            "describe_egress_only_internet_gateways",
            "EgressOnlyInternetGatewayIds",
            "eigw",
            "InvalidEgressOnlyInternetGatewayId",
            "InvalidEgressOnlyInternetGatewayId",
        ),
        ("describe_dhcp_options", "DhcpOptionsIds", "dopt", "InvalidDhcpOptionID", "InvalidDhcpOptionsId"),
        ("describe_network_acls", "NetworkAclIds", "acl", "InvalidNetworkAclID", "InvalidNetworkAclId"),
        (
            "describe_network_interfaces",
            "NetworkInterfaceIds",
            "eni",
            "InvalidNetworkInterfaceID",
            "InvalidNetworkInterfaceId",
        ),
    ],
)
def test_unknown_and_malformed_ids_are_told_apart_in_the_letters_of_aws(
    call, member, prefix, missing, malformed
):
    describe = getattr(World(opened=True), call)
    code, text = refusal(describe, **{member: [f"{prefix}-0123456789abcdef0"]})
    assert code == f"{missing}.NotFound"
    assert text.endswith(f"ID '{prefix}-0123456789abcdef0' does not exist")
    code, text = refusal(describe, **{member: ["x"]})
    assert (code, text) == (f"{malformed}.Malformed", f'Invalid id: "x" (expecting "{prefix}-...")')


def test_a_nat_gateway_that_is_not_there_has_its_own_words():
    world = World()
    id = "nat-0123456789abcdef0"
    assert refusal(world.describe_nat_gateways, NatGatewayIds=[id]) == (
        "NatGatewayNotFound",
        f"NAT gateway {id} was not found",
    )
    assert refusal(world.delete_nat_gateway, NatGatewayId="nat-x")[0] == "NatGatewayMalformed"
