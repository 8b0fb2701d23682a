"""VPCs and their ranges: what comes with one, what may be asked of one, and when it goes."""

import pytest
from tests.unit.ec2.vpc.world import CALLER, World, refusal

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.ec2.network_rows import DhcpOptions, NetworkAcl, RouteTable, SecurityGroup, Vpc
from cloudstead.services.ec2.rows import Settings

OTHER = Caller(
    account="210987654321", region="us-east-1", arn="arn:aws:iam::210987654321:root", user_id="210987654321"
)


def shown(world, id):
    return world.describe_vpcs(VpcIds=[id])["Vpcs"][0]


def test_a_vpc_comes_with_a_main_route_table_a_default_group_and_a_default_acl():
    world = World()
    vpc = world.vpc()
    (table,) = world.store.rows(RouteTable, vpc_id=vpc)
    (group,) = world.store.rows(SecurityGroup, vpc_id=vpc)
    (acl,) = world.store.rows(NetworkAcl, vpc_id=vpc)
    assert (table.main, group.name, acl.is_default) == (True, "default", True)
    (options,) = world.store.rows(DhcpOptions)
    assert shown(world, vpc)["DhcpOptionsId"] == options.id


def test_it_is_answered_pending_and_shown_available():
    world = World()
    made = world.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]
    assert made["State"] == "pending"
    assert shown(world, made["VpcId"])["State"] == "available"


def test_a_range_is_kept_without_the_bits_behind_its_prefix():
    world = World()
    assert shown(world, world.vpc("100.68.0.18/18"))["CidrBlock"] == "100.68.0.0/18"


@pytest.mark.parametrize(
    ("cidr", "code", "text"),
    [
        ("10.0.0.0/15", "InvalidVpc.Range", "The CIDR '10.0.0.0/15' is invalid."),
        ("10.0.0.0/29", "InvalidVpc.Range", "The CIDR '10.0.0.0/29' is invalid."),
        (
            "10.0.0.0",
            "InvalidParameterValue",
            "Value (10.0.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
        ),
        (
            "fd00::/56",
            "InvalidParameterValue",
            "Value (fd00::/56) for parameter cidrBlock is invalid. This is not a valid IPv4 CIDR block.",
        ),
        ("", "MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided."),
    ],
)
def test_a_range_that_no_vpc_can_have_is_refused(cidr, code, text):
    assert refusal(World().create_vpc, CidrBlock=cidr) == (code, text)


def test_the_quota_of_vpcs_is_kept_for_each_account():
    world = World(settings=Settings(vpcs_max=2))
    world.vpc()
    world.vpc()
    assert refusal(world.vpc) == ("VpcLimitExceeded", "The maximum number of VPCs has been reached.")
    assert world.create_vpc(caller=OTHER, CidrBlock="10.0.0.0/16")


def test_no_other_account_and_no_other_region_sees_it():
    world = World()
    vpc = world.vpc()
    elsewhere = Caller(account=CALLER.account, region="eu-west-1", arn=CALLER.arn, user_id=CALLER.user_id)
    for stranger in (OTHER, elsewhere):
        assert world.describe_vpcs(caller=stranger)["Vpcs"] == []
        assert refusal(world.describe_vpcs, caller=stranger, VpcIds=[vpc]) == (
            "InvalidVpcID.NotFound",
            f"The vpc ID '{vpc}' does not exist",
        )


def test_what_is_in_a_vpc_keeps_it():
    world = World()
    vpc = world.vpc()
    text = f"The vpc '{vpc}' has dependencies and cannot be deleted."
    subnet = world.subnet(vpc)
    table = world.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = world.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    world.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    egress = world.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    group = world.create_security_group(VpcId=vpc, GroupName="web", Description="web")["GroupId"]
    acl = world.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for go in (
        lambda: world.delete_subnet(SubnetId=subnet),
        lambda: world.delete_route_table(RouteTableId=table),
        lambda: world.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc),
        lambda: world.delete_egress_only_internet_gateway(
            EgressOnlyInternetGatewayId=egress["EgressOnlyInternetGatewayId"]
        ),
        lambda: world.delete_security_group(GroupId=group),
        lambda: world.delete_network_acl(NetworkAclId=acl),
    ):
        assert refusal(world.delete_vpc, VpcId=vpc) == ("DependencyViolation", text)
        go()
    world.delete_vpc(VpcId=vpc)
    assert world.describe_vpcs()["Vpcs"] == []
    assert [world.store.rows(kind) for kind in (RouteTable, SecurityGroup, NetworkAcl)] == [[], [], []]


def test_each_attribute_is_changed_by_itself():
    world = World()
    vpc = world.vpc()
    assert world.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames") == {
        "VpcId": vpc,
        "EnableDnsHostnames": {"Value": False},
    }
    world.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    world.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    for attribute, value in (("enableDnsHostnames", True), ("enableDnsSupport", False)):
        answer = world.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        assert answer[attribute[0].upper() + attribute[1:]] == {"Value": value}
    both = {"EnableDnsHostnames": {"Value": True}, "EnableDnsSupport": {"Value": True}}
    assert refusal(world.modify_vpc_attribute, VpcId=vpc, **both)[0] == "InvalidParameterCombination"
    assert refusal(world.modify_vpc_attribute, VpcId=vpc)[0] == "MissingParameter"


def test_there_is_no_dedicated_hardware():
    world = World()
    with pytest.raises(NotBuilt, match="InstanceTenancy"):
        world.create_vpc(CidrBlock="10.0.0.0/16", InstanceTenancy="dedicated")
    assert world.modify_vpc_tenancy(VpcId=world.vpc(), InstanceTenancy="default") == {"ReturnValue": True}


# --- further ranges


def test_ranges_are_added_and_taken_away_but_for_the_first():
    world = World()
    vpc = world.vpc()
    added = world.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")["CidrBlockAssociation"]
    assert added["CidrBlockState"] == {"State": "associating"}
    first, second = shown(world, vpc)["CidrBlockAssociationSet"]
    assert (first["CidrBlock"], second["CidrBlock"]) == ("10.0.0.0/16", "10.1.0.0/16")
    subnet = world.subnet(vpc, "10.1.2.0/24")
    assert refusal(world.disassociate_vpc_cidr_block, AssociationId=added["AssociationId"]) == (
        "InvalidCidrBlock.InUse",
        f"The vpc {vpc} currently has a subnet within CIDR block 10.1.0.0/16",
    )
    world.delete_subnet(SubnetId=subnet)
    world.disassociate_vpc_cidr_block(AssociationId=added["AssociationId"])
    assert len(shown(world, vpc)["CidrBlockAssociationSet"]) == 1
    assert (
        refusal(world.disassociate_vpc_cidr_block, AssociationId=first["AssociationId"])[0]
        == "OperationNotPermitted"
    )
    assert refusal(world.disassociate_vpc_cidr_block, AssociationId=added["AssociationId"])[0] == (
        "InvalidVpcCidrBlockAssociationIdError.NotFound"
    )


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ("10.0.0.0/16", "10.0.128.0/17", False),
        ("10.0.0.0/16", "10.1.0.0/16", True),
        ("10.0.0.0/16", "172.16.0.0/16", False),
        ("10.0.0.0/16", "192.168.0.0/24", False),
        ("10.0.0.0/16", "100.64.0.0/16", True),
        ("10.0.0.0/16", "198.19.0.0/24", False),
        ("172.31.0.0/16", "172.30.0.0/16", True),
        ("192.168.0.0/24", "10.0.0.0/16", False),
        ("100.64.0.0/16", "10.0.0.0/16", False),
        ("100.64.0.0/16", "54.0.0.0/24", True),
    ],
)
def test_private_ranges_keep_to_their_own_block(first, second, allowed):
    world = World()
    vpc = world.vpc(first)
    if allowed:
        world.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=second)
    else:
        assert refusal(world.associate_vpc_cidr_block, VpcId=vpc, CidrBlock=second)[0] == "InvalidVpc.Range"


def test_a_vpc_has_five_ranges_at_most():
    world = World()
    vpc = world.vpc()
    for number in range(1, 5):
        world.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=f"10.{number}.0.0/16")
    assert refusal(world.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.9.0.0/16") == (
        "CidrLimitExceeded",
        f"This network '{vpc}' has met its maximum number of allowed CIDRs: 5",
    )


def test_no_two_vpcs_of_the_cloud_share_an_ipv6_range_and_a_range_given_back_is_given_again():
    world = World()
    one = world.vpc(AmazonProvidedIpv6CidrBlock=True)
    two = world.create_vpc(caller=OTHER, CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    (first,) = shown(world, one)["Ipv6CidrBlockAssociationSet"]
    (second,) = two["Ipv6CidrBlockAssociationSet"]
    assert (first["Ipv6CidrBlock"], second["Ipv6CidrBlock"]) == (
        "2001:db8:c612::/56",
        "2001:db8:c612:100::/56",
    )
    world.disassociate_vpc_cidr_block(AssociationId=first["AssociationId"])
    again = world.associate_vpc_cidr_block(VpcId=one, AmazonProvidedIpv6CidrBlock=True)
    assert again["Ipv6CidrBlockAssociation"]["Ipv6CidrBlock"] == first["Ipv6CidrBlock"]


def test_the_range_of_a_deleted_vpc_is_taken_while_its_network_is_there():
    world = World()
    world.delete_vpc(VpcId=world.vpc(AmazonProvidedIpv6CidrBlock=True))
    (second,) = shown(world, world.vpc(AmazonProvidedIpv6CidrBlock=True))["Ipv6CidrBlockAssociationSet"]
    assert second["Ipv6CidrBlock"] == "2001:db8:c612:100::/56"
    world.settle()
    (third,) = shown(world, world.vpc(AmazonProvidedIpv6CidrBlock=True))["Ipv6CidrBlockAssociationSet"]
    assert third["Ipv6CidrBlock"] == "2001:db8:c612::/56"


def test_the_cloud_keeps_the_last_ipv6_range_for_itself():
    world = World(settings=Settings(vpcs_max=1000))
    with world.store.transaction():
        ranges = [
            shown(world, world.vpc(AmazonProvidedIpv6CidrBlock=True))["Ipv6CidrBlockAssociationSet"][0][
                "Ipv6CidrBlock"
            ]
            for _ in range(255)
        ]
    assert ranges[-1] == "2001:db8:c612:fe00::/56"
    assert refusal(world.vpc, AmazonProvidedIpv6CidrBlock=True)[0] == "InsufficientCidrBlocks"


def test_with_its_first_ipv6_range_a_vpc_lets_ipv6_out_as_it_does_ipv4():
    world = World()
    vpc = world.vpc()
    world.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    (group,) = world.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    (out,) = group["IpPermissionsEgress"]
    assert (out["IpRanges"], out["Ipv6Ranges"]) == ([{"CidrIp": "0.0.0.0/0"}], [{"CidrIpv6": "::/0"}])
    (acl,) = world.describe_network_acls()["NetworkAcls"]
    assert {entry["Ipv6CidrBlock"] for entry in acl["Entries"] if "Ipv6CidrBlock" in entry} == {"::/0"}


def test_tags_are_for_what_is_made():
    world = World()
    for asked, text in (
        ({"ResourceType": "subnet"}, "'subnet' is not a valid taggable resource type for this operation."),
        ({}, "Tag specification resource type must have a value"),
    ):
        wrong = [{**asked, "Tags": [{"Key": "a", "Value": "b"}]}]
        found = refusal(world.create_vpc, CidrBlock="10.0.0.0/16", TagSpecifications=wrong)
        assert found == ("InvalidParameterValue", text)


def test_vpcs_are_found_by_tag_and_come_in_pages():
    world = World()
    made = [
        world.vpc(
            TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "n", "Value": str(number % 2)}]}]
        )
        for number in range(12)
    ]
    odd = world.describe_vpcs(Filters=[{"Name": "tag:n", "Values": ["1"]}])["Vpcs"]
    assert [vpc["VpcId"] for vpc in odd] == made[1::2]
    first = world.describe_vpcs(MaxResults=10)
    second = world.describe_vpcs(MaxResults=10, NextToken=first["NextToken"])
    assert [vpc["VpcId"] for vpc in (*first["Vpcs"], *second["Vpcs"])] == made
    assert second["NextToken"] is None
    world.create_tags(Resources=[made[0]], Tags=[{"Key": "Name", "Value": "main"}])
    assert world.store.get(Vpc, made[0]).tags == {"n": "0", "Name": "main"}
