"""EC2's operations on VPCs and everything in them."""

from cloudstead.services.ec2.account_attributes import AccountAttributes
from cloudstead.services.ec2.addresses import ElasticAddresses
from cloudstead.services.ec2.default_vpc import DefaultVpcs
from cloudstead.services.ec2.dhcp_options import DhcpOptionSets
from cloudstead.services.ec2.interfaces_attributes import InterfaceAttributes
from cloudstead.services.ec2.interfaces_lifecycle import NetworkInterfaces
from cloudstead.services.ec2.internet_gateways import EgressOnlyGateways, InternetGateways
from cloudstead.services.ec2.nat_gateways import NatGateways
from cloudstead.services.ec2.network_acls import NetworkAcls
from cloudstead.services.ec2.network_rows import (
    DhcpOptions,
    EgressOnlyGateway,
    ElasticAddress,
    InternetGateway,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from cloudstead.services.ec2.prefix_lists import PrefixLists
from cloudstead.services.ec2.route_operations import RouteOperations
from cloudstead.services.ec2.route_tables import RouteTables
from cloudstead.services.ec2.rows import Ec2Row, Resources
from cloudstead.services.ec2.security_group_rules import SecurityGroupRules
from cloudstead.services.ec2.security_groups_lifecycle import SecurityGroups
from cloudstead.services.ec2.subnets import Subnets
from cloudstead.services.ec2.subnets_attributes import SubnetAttributes
from cloudstead.services.ec2.vpc_cidrs import VpcCidrs
from cloudstead.services.ec2.vpcs import Vpcs

#: The kinds of this side that can be tagged.
VPC_KINDS: tuple[type[Ec2Row], ...] = (
    Vpc,
    Subnet,
    DhcpOptions,
    RouteTable,
    InternetGateway,
    EgressOnlyGateway,
    NatGateway,
    NetworkInterface,
    ElasticAddress,
    SecurityGroup,
    SecurityGroupRule,
    NetworkAcl,
    PrefixList,
)


def vpc_parts(resources: Resources) -> list[object]:
    """The classes whose public methods are EC2's operations on VPCs."""
    return [
        AccountAttributes(resources),
        Vpcs(resources),
        VpcCidrs(resources),
        DefaultVpcs(resources),
        Subnets(resources),
        SubnetAttributes(resources),
        DhcpOptionSets(resources),
        RouteTables(resources),
        RouteOperations(resources),
        InternetGateways(resources),
        EgressOnlyGateways(resources),
        NatGateways(resources),
        NetworkInterfaces(resources),
        InterfaceAttributes(resources),
        ElasticAddresses(resources),
        SecurityGroups(resources),
        SecurityGroupRules(resources),
        NetworkAcls(resources),
        PrefixLists(resources),
    ]
