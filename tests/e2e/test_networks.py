"""Rules that hold and networks that are apart, asked of the kernel with packets."""

import socket
import subprocess

import pytest
from tests.e2e.machines import instances, log_in, open_to_host
from tests.support.cloud import until


def answers(address, port=22):
    try:
        socket.create_connection((address, port), timeout=0.5).close()
    except (TimeoutError, ConnectionError):
        return False
    return True


def test_a_rule_that_is_authorized_opens_and_one_that_is_revoked_closes(cloud, tiny):
    ec2 = cloud.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    made = ec2.create_security_group(GroupName="changing", Description="changing", VpcId=vpc)["GroupId"]
    rule = {"GroupId": made, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
    with instances(cloud, tiny, SecurityGroupIds=[made]) as (instance,):
        address = instance["PublicIpAddress"]
        assert not answers(address)
        ec2.authorize_security_group_ingress(**rule)
        until(lambda: answers(address), 15)
        ec2.revoke_security_group_ingress(**rule)
        until(lambda: not answers(address), 15)
    ec2.delete_security_group(GroupId=made)


def test_members_of_a_group_may_talk_where_the_group_is_named(cloud, key, tiny, group):
    ec2 = cloud.client("ec2")
    with instances(cloud, tiny, count=2, key=key, SecurityGroupIds=[group]) as (one, other):
        ask = f"nc -w 1 {other['PrivateIpAddress']} 22 </dev/null | head -c 3"
        until(lambda: log_in(cloud, key, one, ask) == "SSH")
        default = ec2.describe_security_groups(
            Filters=[
                {"Name": "group-name", "Values": ["default"]},
                {"Name": "vpc-id", "Values": [one["VpcId"]]},
            ]
        )["SecurityGroups"][0]["GroupId"]
        ec2.modify_instance_attribute(InstanceId=other["InstanceId"], Groups=[default])
        until(lambda: log_in(cloud, key, one, ask) == "")
        ec2.modify_instance_attribute(InstanceId=one["InstanceId"], Groups=[group, default])
        until(lambda: log_in(cloud, key, one, ask) == "SSH")


def test_networks_with_the_same_addresses_never_meet(cloud, key, tiny):
    ec2 = cloud.client("ec2")
    both = [_own_network(ec2) for _ in range(2)]
    first, second = (open_to_host(cloud, vpc) for vpc, _ in both)
    fixed = {"PrivateIpAddress": "10.9.1.10"}
    with (
        instances(cloud, tiny, key=key, SubnetId=both[0][1], SecurityGroupIds=[first], **fixed) as (one,),
        instances(cloud, tiny, key=key, SubnetId=both[1][1], SecurityGroupIds=[second], **fixed) as (other,),
    ):
        assert one["PrivateIpAddress"] == other["PrivateIpAddress"] == "10.9.1.10"
        who = [
            log_in(cloud, key, each, "wget -q -O - http://169.254.169.254/latest/meta-data/instance-id")
            for each in (one, other)
        ]
        assert who == [one["InstanceId"], other["InstanceId"]]


def test_an_elastic_address_moves_from_one_instance_to_another(cloud, key, tiny, group):
    ec2 = cloud.client("ec2")
    elastic = ec2.allocate_address(Domain="vpc")
    with instances(cloud, tiny, count=2, key=key, SecurityGroupIds=[group]) as both:
        for each in both:
            ec2.associate_address(AllocationId=elastic["AllocationId"], InstanceId=each["InstanceId"])
            there = {**each, "PublicIpAddress": elastic["PublicIp"]}
            name = each["PrivateDnsName"].partition(".")[0]
            until(lambda there=there, name=name: log_in(cloud, key, there, "hostname") == name)
    ec2.release_address(AllocationId=elastic["AllocationId"])


def test_a_private_subnet_reaches_out_through_a_nat_gateway_alone(cloud, key, tiny):
    ec2 = cloud.client("ec2")
    vpc, public = _own_network(ec2)
    private = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.2.0/24")["Subnet"]["SubnetId"]
    inside = open_to_host(cloud, vpc)
    elastic = ec2.allocate_address(Domain="vpc")["AllocationId"]
    with (
        instances(cloud, tiny, key=key, SubnetId=public, SecurityGroupIds=[inside]) as (bastion,),
        instances(cloud, tiny, key=key, SubnetId=private, SecurityGroupIds=[inside]) as (hidden,),
    ):
        assert "PublicIpAddress" not in hidden
        nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=elastic)["NatGateway"]["NatGatewayId"]
        until(
            lambda: ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"] == "available"
        )
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=private)
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        log_in(cloud, key, bastion, "true")
        with pytest.raises(AssertionError):
            log_in(cloud, key, {"PublicIpAddress": hidden["PrivateIpAddress"]}, "true", timeout_s=1)
        # From the hidden one, the bastion is reached at its public address, by way of the gateway.
        script = (
            "#!/bin/sh\n"
            f"until nc -w 1 {bastion['PublicIpAddress']} 22 </dev/null 2>/dev/null | grep -q SSH; do sleep 0.2; done\n"
            "echo reached the outside\n"
        )
        with instances(cloud, tiny, SubnetId=private, SecurityGroupIds=[inside], UserData=script) as (
            speaking,
        ):
            until(
                lambda: (
                    "reached the outside"
                    in ec2.get_console_output(InstanceId=speaking["InstanceId"]).get("Output", "")
                ),
                20,
            )
        ec2.delete_nat_gateway(NatGatewayId=nat)
        until(lambda: ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"] == "deleted")


def test_pings_pass_where_icmp_is_allowed_and_nowhere_else(cloud, tiny, group):
    with (
        instances(cloud, tiny, SecurityGroupIds=[group]) as (allowed,),
        instances(cloud, tiny) as (silent,),
    ):
        until(lambda: _pings(allowed["PublicIpAddress"]))
        assert not _pings(silent["PublicIpAddress"])


def _own_network(ec2):
    """A VPC 10.9.0.0/16 with one public subnet."""
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return vpc, subnet


def _pings(address):
    words = ["busybox", "ping", "-c", "1", "-W", "1", address]
    return subprocess.run(words, capture_output=True, timeout=10).returncode == 0
