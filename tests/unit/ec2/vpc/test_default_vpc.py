"""The default VPC is there before anybody asks, once, and stays away when it was deleted."""

import msgspec
from tests.unit.ec2.vpc.world import ACCOUNT, CALLER, World, refusal

from cloudstead.services.ec2.default_vpc import open_region, opening
from cloudstead.services.ec2.network_rows import Vpc
from cloudstead.services.ec2.rows import Settings
from cloudstead.services.ec2.vpcs import Vpcs


def opened(world):
    """DescribeVpcs as the gateway calls it."""
    return opening(world.resources, Vpcs(world.resources).describe_vpcs)


def test_the_first_call_in_a_region_finds_a_default_vpc_as_aws_makes_it():
    world = World()
    (vpc,) = opened(world)(CALLER, {})["Vpcs"]
    assert (vpc["CidrBlock"], vpc["IsDefault"]) == ("172.31.0.0/16", True)
    subnets = world.describe_subnets()["Subnets"]
    assert [subnet["CidrBlock"] for subnet in subnets] == [f"172.31.{16 * n}.0/20" for n in range(6)]
    assert {subnet["AvailabilityZone"] for subnet in subnets} == {f"us-east-1{z}" for z in "abcdef"}
    assert all(subnet["DefaultForAz"] and subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert {subnet["AvailableIpAddressCount"] for subnet in subnets} == {4091}
    (gateway,) = world.describe_internet_gateways()["InternetGateways"]
    assert gateway["Attachments"] == [{"State": "available", "VpcId": vpc["VpcId"]}]
    (table,) = world.describe_route_tables()["RouteTables"]
    assert [(route["DestinationCidrBlock"], route["GatewayId"]) for route in table["Routes"]] == [
        ("172.31.0.0/16", "local"),
        ("0.0.0.0/0", gateway["InternetGatewayId"]),
    ]
    names = world.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")
    assert names["EnableDnsHostnames"] == {"Value": True}


def test_every_region_and_account_has_its_own():
    world = World()
    call = opened(world)
    strangers = [
        CALLER,
        msgspec.structs.replace(CALLER, region="eu-west-1"),
        msgspec.structs.replace(CALLER, account="210987654321"),
    ]
    ids = [call(stranger, {})["Vpcs"][0]["VpcId"] for stranger in strangers for _ in range(2)]
    assert len(set(ids)) == 3
    assert len(world.store.rows(Vpc)) == 3


def test_a_deleted_default_vpc_stays_away_until_it_is_asked_for():
    world = World()
    call = opened(world)
    vpc = call(CALLER, {})["Vpcs"][0]["VpcId"]
    for subnet in world.describe_subnets()["Subnets"]:
        world.delete_subnet(SubnetId=subnet["SubnetId"])
    (gateway,) = world.describe_internet_gateways()["InternetGateways"]
    world.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    world.delete_vpc(VpcId=vpc)
    assert call(CALLER, {})["Vpcs"] == []
    open_region(world.resources, ACCOUNT, "us-east-1")
    assert world.describe_vpcs()["Vpcs"] == []
    assert refusal(world.create_default_subnet, AvailabilityZone="us-east-1a")[0] == "DefaultVpcDoesNotExist"
    assert world.create_default_vpc()["Vpc"]["IsDefault"]
    assert refusal(world.create_default_vpc) == (
        "DefaultVpcAlreadyExists",
        "A Default VPC already exists for this account in this region.",
    )
    assert len(world.describe_subnets()["Subnets"]) == 6


def test_a_default_subnet_that_was_deleted_can_be_made_again():
    world = World(opened=True)
    subnet = world.describe_subnets()["Subnets"][2]
    zone = subnet["AvailabilityZone"]
    assert refusal(world.create_default_subnet, AvailabilityZone=zone) == (
        "DefaultSubnetAlreadyExistsInAvailabilityZone",
        f"'{subnet['SubnetId']}' is already the default subnet in {zone}.",
    )
    world.delete_subnet(SubnetId=subnet["SubnetId"])
    made = world.create_default_subnet(AvailabilityZone=zone)["Subnet"]
    assert (made["CidrBlock"], made["DefaultForAz"], made["MapPublicIpOnLaunch"]) == (
        subnet["CidrBlock"],
        True,
        True,
    )


def test_new_vpcs_get_the_dhcp_options_of_the_default_one():
    world = World(opened=True)
    world.vpc()
    assert len({vpc["DhcpOptionsId"] for vpc in world.describe_vpcs()["Vpcs"]}) == 1
    (options,) = world.describe_dhcp_options()["DhcpOptions"]
    assert options["DhcpConfigurations"] == [
        {"Key": "domain-name", "Values": [{"Value": "ec2.internal"}]},
        {"Key": "domain-name-servers", "Values": [{"Value": "AmazonProvidedDNS"}]},
    ]


def test_the_account_is_told_its_default_vpc():
    def told(world, *names):
        found = world.describe_account_attributes(AttributeNames=list(names))["AccountAttributes"]
        return {one["AttributeName"]: one["AttributeValues"] for one in found}

    world = World()
    assert told(world, "default-vpc") == {"default-vpc": [{"AttributeValue": "none"}]}
    open_region(world.resources, ACCOUNT, "us-east-1")
    (vpc,) = world.describe_vpcs()["Vpcs"]
    assert told(world, "default-vpc") == {"default-vpc": [{"AttributeValue": vpc["VpcId"]}]}
    assert told(world)["supported-platforms"] == [{"AttributeValue": "VPC"}]
    assert refusal(world.describe_account_attributes, AttributeNames=["x"])[0] == "InvalidParameterValue"


def test_ssh_from_this_machine_is_a_rule_like_any_other_where_it_is_wanted():
    world = World(settings=Settings(ssh_from="198.19.255.1/32"), opened=True)
    (group,) = world.describe_security_groups()["SecurityGroups"]
    (ssh,) = [one for one in group["IpPermissions"] if one["IpProtocol"] == "tcp"]
    assert (ssh["FromPort"], ssh["ToPort"], [one["CidrIp"] for one in ssh["IpRanges"]]) == (
        22,
        22,
        ["198.19.255.1/32"],
    )
    world.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[ssh])
    (group,) = world.describe_security_groups()["SecurityGroups"]
    assert [one["IpProtocol"] for one in group["IpPermissions"]] == ["-1"]
    other = world.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    (plain,) = world.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [other]}])[
        "SecurityGroups"
    ]
    assert [one["IpProtocol"] for one in plain["IpPermissions"]] == ["-1"]
