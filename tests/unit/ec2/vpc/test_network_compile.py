"""What a network is to carry follows from the rows of its VPC, and from nothing else."""

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ec2.vpc.test_network_reconcile import attached, public_nat
from tests.unit.ec2.vpc.world import World

from cloudstead.dataplane.network import firewall
from cloudstead.dataplane.network.driver import AclEntry, PortRule, Route, revision
from cloudstead.dataplane.network.naming import Pool
from cloudstead.services.ec2 import interfaces
from cloudstead.services.ec2.network_compile import compiled
from cloudstead.services.ec2.network_rows import NetworkInterface, Vpc

ANYWHERE = "0.0.0.0/0"


def spec_of(world, vpc):
    return compiled(world.store, world.store.get(Vpc, vpc))


def subnet_of(world, vpc, id):
    return next(subnet for subnet in spec_of(world, vpc).subnets if subnet.id == id)


def gateway(world, vpc):
    id = world.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    world.attach_internet_gateway(InternetGatewayId=id, VpcId=vpc)
    return id


def main_table(world, vpc):
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    return world.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]


def prefix_list(world, *cidrs):
    entries = [{"Cidr": cidr} for cidr in cidrs]
    made = world.create_managed_prefix_list(
        PrefixListName="some", MaxEntries=10, AddressFamily="IPv4", Entries=entries
    )
    return made["PrefixList"]["PrefixListId"]


def test_a_vpc_without_working_interfaces_has_nothing_to_carry():
    world = World()
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    assert spec_of(world, vpc) is None
    interface = attached(world, subnet)
    assert spec_of(world, vpc) is not None
    interfaces.detach(world.resources, interface)
    assert spec_of(world, vpc) is None


def test_an_interface_is_carried_with_its_addresses_into_its_instance():
    world = World()
    vpc = world.vpc()
    row = attached(world, world.subnet(vpc), more_private_ip_count=1, public=True)
    (interface,) = spec_of(world, vpc).interfaces
    first, second = (each.address for each in row.addresses)
    assert interface.addresses == (first, second)
    assert interface.public == ((first, row.primary.public.address),)
    assert (interface.instance, interface.device, interface.mac) == (row.instance_id, 0, row.mac)
    assert interface.groups == row.groups
    assert interface.source_dest_check


def test_a_subnet_is_routed_by_the_table_it_chose_or_by_the_main_one():
    world = World()
    vpc = world.vpc()
    chosen, unchosen = world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24")
    attached(world, chosen)
    attached(world, unchosen, "i-0000000000000000b")
    world.create_route(
        RouteTableId=main_table(world, vpc), DestinationCidrBlock=ANYWHERE, GatewayId=gateway(world, vpc)
    )
    table = world.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    world.associate_route_table(RouteTableId=table, SubnetId=chosen)
    assert subnet_of(world, vpc, chosen).routes == ()
    assert subnet_of(world, vpc, unchosen).routes == (Route(destination=ANYWHERE, via="internet"),)


def test_a_route_without_its_target_is_a_black_hole():
    world = World()
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    attached(world, subnet)
    igw = gateway(world, vpc)
    world.create_route(RouteTableId=main_table(world, vpc), DestinationCidrBlock=ANYWHERE, GatewayId=igw)
    world.detach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    assert subnet_of(world, vpc, subnet).routes == (Route(destination=ANYWHERE, via="blackhole"),)


def test_nat_gateways_interfaces_and_egress_are_led_to():
    world = World()
    vpc, subnet, _, nat = public_nat(world)
    world.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    egress = world.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    interface = attached(world, subnet)
    table = main_table(world, vpc)
    world.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, NatGatewayId=nat)
    world.create_route(
        RouteTableId=table, DestinationCidrBlock="192.0.2.0/24", NetworkInterfaceId=interface.id
    )
    world.create_route(
        RouteTableId=table,
        DestinationIpv6CidrBlock="::/0",
        EgressOnlyInternetGatewayId=egress["EgressOnlyInternetGatewayId"],
    )
    assert subnet_of(world, vpc, subnet).routes == (
        Route(destination=ANYWHERE, via="nat", target=nat),
        Route(destination="192.0.2.0/24", via="interface", target=interface.id),
        Route(destination="::/0", via="egress"),
    )


def test_a_prefix_list_is_spelt_out_in_routes_and_rules_and_yields_to_a_route_of_its_own():
    world = World()
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    row = attached(world, subnet)
    list_id = prefix_list(world, "192.0.2.0/24", "198.51.100.0/24")
    table, igw = main_table(world, vpc), gateway(world, vpc)
    world.create_route(RouteTableId=table, DestinationCidrBlock="192.0.2.0/24", NetworkInterfaceId=row.id)
    world.create_route(RouteTableId=table, DestinationPrefixListId=list_id, GatewayId=igw)
    assert [(route.destination, route.via) for route in subnet_of(world, vpc, subnet).routes] == [
        ("192.0.2.0/24", "internet"),
        ("198.51.100.0/24", "internet"),
        ("192.0.2.0/24", "interface"),
    ]
    (group,) = row.groups
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    world.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**permission, "PrefixListIds": [{"PrefixListId": list_id}]}]
    )
    rules = spec_of(world, vpc).groups[0].ingress
    assert {rule.cidr for rule in rules if rule.protocol == "tcp"} == {"192.0.2.0/24", "198.51.100.0/24"}


def test_rules_are_said_in_the_drivers_words():
    world = World()
    vpc = world.vpc()
    row = attached(world, world.subnet(vpc))
    (group,) = row.groups
    world.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": ANYWHERE}]},
            {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": ANYWHERE}]},
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        ],
    )
    (compiled_group,) = spec_of(world, vpc).groups
    assert set(compiled_group.ingress) == {
        PortRule(protocol="-1", group=group),
        PortRule(protocol="tcp", from_port=22, to_port=22, cidr=ANYWHERE),
        PortRule(protocol="icmp", cidr=ANYWHERE),
        PortRule(protocol="icmp", from_port=8, cidr="::/0"),
    }
    assert compiled_group.egress == (PortRule(protocol="-1", cidr=ANYWHERE),)


def test_acl_entries_are_said_in_the_drivers_words():
    world = World()
    vpc = world.vpc()
    attached(world, world.subnet(vpc))
    (acl,) = world.describe_network_acls()["NetworkAcls"]
    base = {"NetworkAclId": acl["NetworkAclId"], "Egress": False, "RuleAction": "deny"}
    ports, icmp = {"From": 23, "To": 25}, {"Type": 8, "Code": -1}
    world.create_network_acl_entry(**base, RuleNumber=10, Protocol="6", CidrBlock=ANYWHERE, PortRange=ports)
    world.create_network_acl_entry(
        **base, RuleNumber=11, Protocol="1", CidrBlock="10.0.0.0/8", IcmpTypeCode=icmp
    )
    (compiled_acl,) = spec_of(world, vpc).acls
    added = {entry for entry in compiled_acl.entries if not entry.allow}
    assert added == {
        AclEntry(number=10, allow=False, egress=False, protocol="6", cidr=ANYWHERE, from_port=23, to_port=25),
        AclEntry(number=11, allow=False, egress=False, protocol="1", cidr="10.0.0.0/8", from_port=8),
    }


def test_what_no_working_interface_needs_changes_nothing():
    world = World()
    vpc = world.vpc()
    attached(world, world.subnet(vpc))
    before = revision(spec_of(world, vpc))
    other = world.subnet(vpc, "10.0.9.0/24")
    group = world.create_security_group(VpcId=vpc, GroupName="web", Description="web")["GroupId"]
    world.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp=ANYWHERE
    )
    world.create_tags(Resources=[vpc, other], Tags=[{"Key": "a", "Value": "b"}])
    world.create_route_table(VpcId=vpc)
    world.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    attached(world, world.subnet(world.vpc()), "i-0000000000000000b")
    (interface,) = world.store.rows(NetworkInterface, vpc_id=vpc)
    world.store.update(interface, placed=True, description="x")
    assert revision(spec_of(world, vpc)) == before


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_whatever_is_made_compiles_to_a_network_that_a_driver_can_carry(chance):
    world = World()
    with world.store.transaction():
        vpc = world.vpc(AmazonProvidedIpv6CidrBlock=True)
        subnets = _subnets(world, vpc, chance)
        for number in range(chance.randrange(1, 6)):
            attached(world, chance.choice(subnets), f"i-{number:017x}", public=chance.random() < 0.5)
        _routes(world, vpc, subnets, chance)
        _rules(world, vpc, chance)
    spec = spec_of(world, vpc)
    here = {subnet.id: subnet for subnet in spec.subnets}
    groups = {group.id for group in spec.groups}
    for interface in spec.interfaces:
        assert groups >= set(interface.groups)
        cidr = ipaddress.ip_network(here[interface.subnet].cidr)
        assert all(ipaddress.ip_address(address) in cidr for address in interface.addresses)
    assert {subnet.acl for subnet in spec.subnets} == {acl.id for acl in spec.acls}
    rules = [rule for group in spec.groups for rule in (*group.ingress, *group.egress)]
    assert all((rule.cidr is None) != (rule.group is None) for rule in rules)
    assert firewall.ruleset(spec, transit="198.19.252.1", pool=Pool(), gateway_port=4566)
    assert revision(spec_of(world, vpc)) == revision(spec)


def _subnets(world, vpc, chance):
    return [
        world.subnet(
            vpc,
            f"10.0.{number}.0/{chance.randint(24, 28)}",
            **({"Ipv6CidrBlock": f"2001:db8:c612:{number:x}::/64"} if chance.random() < 0.5 else {}),
        )
        for number in range(chance.randrange(1, 5))
    ]


def _routes(world, vpc, subnets, chance):
    tables = [main_table(world, vpc)]
    for subnet in subnets:
        if chance.random() < 0.4:
            tables.append(world.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
            world.associate_route_table(RouteTableId=tables[-1], SubnetId=subnet)
    igw = gateway(world, vpc)
    row = chance.choice(world.store.rows(NetworkInterface))
    list_id = prefix_list(world, "198.51.100.0/24")
    egress = world.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    for table in tables:
        for route in (
            {"DestinationCidrBlock": ANYWHERE, "GatewayId": igw},
            {"DestinationIpv6CidrBlock": "::/0", "GatewayId": igw},
            {"DestinationCidrBlock": "192.0.2.0/24", "NetworkInterfaceId": row.id},
            {"DestinationPrefixListId": list_id, "GatewayId": igw},
            {
                "DestinationIpv6CidrBlock": "2001:db8:1::/48",
                "EgressOnlyInternetGatewayId": egress["EgressOnlyInternetGatewayId"],
            },
        ):
            if chance.random() < 0.5:
                world.create_route(RouteTableId=table, **route)


def _rules(world, vpc, chance):
    (row,) = [group for group in world.describe_security_groups()["SecurityGroups"] if group["VpcId"] == vpc]
    for number in range(chance.randrange(4)):
        world.authorize_security_group_ingress(
            GroupId=row["GroupId"],
            IpProtocol=chance.choice(["tcp", "udp"]),
            FromPort=number,
            ToPort=chance.randint(number, 65535),
            CidrIp=chance.choice([ANYWHERE, "10.0.0.0/8", "192.0.2.1/32"]),
        )
