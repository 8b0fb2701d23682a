"""Route tables, what they lead to, and who chose them; and the gateways they lead to."""

import pytest
from tests.unit.ec2.vpc.test_network_reconcile import attached
from tests.unit.ec2.vpc.world import World, refusal

from cloudstead.core.errors import NotBuilt
from cloudstead.services.ec2 import interfaces
from cloudstead.services.ec2.network_rows import NetworkInterface


class Place:
    """A VPC with a table of its own and an internet gateway."""

    def __init__(self, world, **more):
        self.world = world
        self.vpc = world.vpc(**more)
        self.table = world.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.gateway = world.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        world.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)

    def route(self, destination="0.0.0.0/0", **target):
        member = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
        return self.world.create_route(RouteTableId=self.table, **{member: destination}, **target)

    def shown(self):
        return self.world.describe_route_tables(RouteTableIds=[self.table])["RouteTables"][0]

    def routes(self):
        """(destination, target, state) of each route."""
        return [
            (
                route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock"),
                next(route[name] for name in route if name.endswith("Id") and not name.startswith("Dest")),
                route["State"],
            )
            for route in self.shown()["Routes"]
        ]


@pytest.fixture
def world():
    return World()


@pytest.fixture
def place(world):
    return Place(world)


def test_local_routes_follow_the_ranges_of_the_vpc(world, place):
    added = world.associate_vpc_cidr_block(VpcId=place.vpc, CidrBlock="10.1.0.0/16")
    world.associate_vpc_cidr_block(VpcId=place.vpc, AmazonProvidedIpv6CidrBlock=True)
    assert place.routes() == [
        ("10.0.0.0/16", "local", "active"),
        ("10.1.0.0/16", "local", "active"),
        ("2001:db8:c612::/56", "local", "active"),
    ]
    world.disassociate_vpc_cidr_block(AssociationId=added["CidrBlockAssociation"]["AssociationId"])
    assert len(place.routes()) == 2


def test_a_route_to_a_gateway_is_made_replaced_and_deleted(world, place):
    assert place.route(GatewayId=place.gateway) == {"Return": True}
    assert place.routes()[1] == ("0.0.0.0/0", place.gateway, "active")
    assert refusal(place.route, GatewayId=place.gateway) == (
        "RouteAlreadyExists",
        "The route identified by 0.0.0.0/0 already exists.",
    )
    interface = attached(world, world.subnet(place.vpc))
    asked = {"RouteTableId": place.table, "DestinationCidrBlock": "0.0.0.0/0"}
    world.replace_route(**asked, NetworkInterfaceId=interface.id)
    assert place.routes()[1] == ("0.0.0.0/0", interface.id, "active")
    world.delete_route(**asked)
    assert len(place.routes()) == 1
    assert refusal(world.delete_route, **asked) == (
        "InvalidRoute.NotFound",
        f"no route with destination-cidr-block 0.0.0.0/0 in route table {place.table}",
    )
    assert refusal(world.replace_route, **asked, GatewayId=place.gateway) == (
        "InvalidParameterValue",
        "There is no route defined for '0.0.0.0/0' in the route table. Use CreateRoute instead.",
    )


def test_what_a_route_leads_to_is_of_its_own_network(world, place):
    other = Place(world)
    assert refusal(place.route, GatewayId=other.gateway) == (
        "InvalidParameterValue",
        f"route table {place.table} and network gateway {other.gateway} belong to different networks",
    )
    interface = attached(world, world.subnet(other.vpc))
    assert refusal(place.route, NetworkInterfaceId=interface.id)[0] == "InvalidParameterValue"
    assert refusal(place.route, GatewayId="igw-00000000000000000") == (
        "InvalidGatewayID.NotFound",
        "The gateway ID 'igw-00000000000000000' does not exist",
    )
    assert refusal(place.route, NatGatewayId="nat-00000000000000000")[0] == "InvalidNatGatewayID.NotFound"
    assert refusal(place.route)[0] == "MissingParameter"
    both = {"GatewayId": place.gateway, "NetworkInterfaceId": interface.id}
    assert refusal(place.route, **both)[0] == "InvalidParameterCombination"
    with pytest.raises(NotBuilt, match="TransitGatewayId"):
        place.route(TransitGatewayId="tgw-00000000000000000")


def test_the_vpcs_own_ranges_lead_to_no_gateway_but_may_lead_to_an_interface(world, place):
    assert (
        refusal(place.route, destination="10.0.0.0/16", GatewayId=place.gateway)[0] == "InvalidParameterValue"
    )
    assert (
        refusal(place.route, destination="10.0.2.0/24", GatewayId=place.gateway)[0] == "InvalidParameterValue"
    )
    interface = attached(world, world.subnet(place.vpc))
    place.route("10.0.2.0/24", NetworkInterfaceId=interface.id)
    local = {"RouteTableId": place.table, "DestinationCidrBlock": "10.0.0.0/16"}
    assert refusal(world.delete_route, **local) == (
        "InvalidParameterValue",
        f"cannot remove local route 10.0.0.0/16 in route table {place.table}",
    )
    world.replace_route(**local, NetworkInterfaceId=interface.id)
    assert [target for _, target, _ in place.routes()] == [interface.id, interface.id]
    world.replace_route(**local, LocalTarget=True)
    assert [target for _, target, _ in place.routes()] == ["local", interface.id]


def test_a_route_whose_target_cannot_take_packets_is_a_black_hole(world, place):
    place.route(GatewayId=place.gateway)
    world.detach_internet_gateway(InternetGatewayId=place.gateway, VpcId=place.vpc)
    assert place.routes()[1][2] == "blackhole"
    world.attach_internet_gateway(InternetGatewayId=place.gateway, VpcId=place.vpc)
    assert place.routes()[1][2] == "active"

    interface = attached(world, world.subnet(place.vpc))
    place.route("192.0.2.0/24", NetworkInterfaceId=interface.id)
    assert place.routes()[2][2] == "active"
    shown = place.shown()["Routes"][2]
    assert shown["InstanceId"] == interface.instance_id
    stopped = world.store.update(interface, instance_up=False)
    assert place.routes()[2][2] == "blackhole"
    interfaces.delete(world.resources, stopped)
    assert place.routes()[2][2] == "blackhole"


def test_a_route_to_a_nat_gateway_dies_with_it(world, place):
    subnet = world.subnet(place.vpc)
    elastic = world.allocate_address()["AllocationId"]
    nat = world.create_nat_gateway(SubnetId=subnet, AllocationId=elastic)["NatGateway"]["NatGatewayId"]
    place.route(NatGatewayId=nat)
    assert place.routes()[1] == ("0.0.0.0/0", nat, "active")
    world.settle()
    assert place.routes()[1][2] == "active"
    world.delete_nat_gateway(NatGatewayId=nat)
    assert place.routes()[1][2] == "blackhole"
    world.settle()
    world.clock.advance(3600)
    world.settle()
    assert place.routes()[1] == ("0.0.0.0/0", nat, "blackhole")


def test_an_egress_only_gateway_takes_ipv6_alone(world):
    place = Place(world, AmazonProvidedIpv6CidrBlock=True)
    made = world.create_egress_only_internet_gateway(VpcId=place.vpc)["EgressOnlyInternetGateway"]
    id = made["EgressOnlyInternetGatewayId"]
    assert made["Attachments"] == [{"State": "attached", "VpcId": place.vpc}]
    assert refusal(place.route, EgressOnlyInternetGatewayId=id)[0] == "InvalidParameterValue"
    place.route("::/0", EgressOnlyInternetGatewayId=id)
    assert place.routes()[2] == ("::/0", id, "active")
    world.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=id)
    assert place.routes()[2] == ("::/0", id, "blackhole")


# --- associations


def test_a_subnet_has_one_table_and_gives_it_up_for_the_main_one(world, place):
    subnet = world.subnet(place.vpc)
    made = world.associate_route_table(RouteTableId=place.table, SubnetId=subnet)
    assert made["AssociationState"] == {"State": "associated"}
    again = world.associate_route_table(RouteTableId=place.table, SubnetId=subnet)
    assert again["AssociationId"] == made["AssociationId"]
    second = world.create_route_table(VpcId=place.vpc)["RouteTable"]["RouteTableId"]
    assert refusal(world.associate_route_table, RouteTableId=second, SubnetId=subnet) == (
        "Resource.AlreadyAssociated",
        f"the specified association for route table {second} conflicts with an existing association",
    )
    assert refusal(world.delete_route_table, RouteTableId=place.table) == (
        "DependencyViolation",
        f"The routeTable '{place.table}' has dependencies and cannot be deleted.",
    )
    moved = world.replace_route_table_association(AssociationId=made["AssociationId"], RouteTableId=second)
    assert moved["NewAssociationId"] != made["AssociationId"]
    world.delete_route_table(RouteTableId=place.table)
    world.disassociate_route_table(AssociationId=moved["NewAssociationId"])
    gone = {"AssociationId": moved["NewAssociationId"]}
    assert refusal(world.disassociate_route_table, **gone)[0] == "InvalidAssociationID.NotFound"


def test_another_table_can_be_made_the_main_one(world, place):
    tables = world.describe_route_tables(Filters=[{"Name": "association.main", "Values": ["true"]}])
    (before,) = tables["RouteTables"]
    (main,) = before["Associations"]
    id = main["RouteTableAssociationId"]
    assert refusal(world.disassociate_route_table, AssociationId=id) == (
        "InvalidParameterValue",
        f"cannot disassociate the main route table association {id}",
    )
    world.replace_route_table_association(AssociationId=id, RouteTableId=place.table)
    assert [each["Main"] for each in place.shown()["Associations"]] == [True]
    world.delete_route_table(RouteTableId=before["RouteTableId"])


def test_a_table_serves_its_own_vpc(world, place):
    elsewhere = world.subnet(world.vpc())
    assert refusal(world.associate_route_table, RouteTableId=place.table, SubnetId=elsewhere) == (
        "InvalidParameterValue",
        f"Route table {place.table} and subnet {elsewhere} belong to different networks",
    )


def test_tables_are_found_by_their_routes(world, place):
    place.route(GatewayId=place.gateway)
    for name, value in (
        ("route.gateway-id", place.gateway),
        ("route.destination-cidr-block", "0.0.0.0/0"),
        ("route.origin", "CreateRoute"),
    ):
        found = world.describe_route_tables(Filters=[{"Name": name, "Values": [value]}])["RouteTables"]
        assert [table["RouteTableId"] for table in found] == [place.table]
    assert (
        world.describe_route_tables(Filters=[{"Name": "route.state", "Values": ["blackhole"]}])["RouteTables"]
        == []
    )


def test_the_same_token_makes_one_table(world, place):
    one = world.create_route_table(VpcId=place.vpc, ClientToken="t")["RouteTable"]["RouteTableId"]
    two = world.create_route_table(VpcId=place.vpc, ClientToken="t")["RouteTable"]["RouteTableId"]
    assert one == two
    other = {"VpcId": world.vpc(), "ClientToken": "t"}
    assert refusal(world.create_route_table, **other)[0] == "IdempotentParameterMismatch"
    world.delete_route_table(RouteTableId=one)
    assert world.create_route_table(VpcId=place.vpc, ClientToken="t")["RouteTable"]["RouteTableId"] != one


# --- internet gateways


def test_a_vpc_has_one_internet_gateway_and_a_gateway_one_vpc(world, place):
    second = world.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert refusal(world.attach_internet_gateway, InternetGatewayId=second, VpcId=place.vpc) == (
        "InvalidParameterValue",
        f"Network {place.vpc} already has an internet gateway attached",
    )
    other = world.vpc()
    assert refusal(world.attach_internet_gateway, InternetGatewayId=place.gateway, VpcId=other) == (
        "Resource.AlreadyAssociated",
        f"resource {place.gateway} is already attached to network {place.vpc}",
    )
    assert refusal(world.detach_internet_gateway, InternetGatewayId=second, VpcId=other) == (
        "Gateway.NotAttached",
        f"resource {second} is not attached to network {other}",
    )
    assert refusal(world.delete_internet_gateway, InternetGatewayId=place.gateway) == (
        "DependencyViolation",
        f"The internetGateway '{place.gateway}' has dependencies and cannot be deleted.",
    )


def test_a_gateway_stays_while_somebody_is_reached_through_it(world, place):
    interface = attached(world, world.subnet(place.vpc), public=True)
    detach = {"InternetGatewayId": place.gateway, "VpcId": place.vpc}
    assert refusal(world.detach_internet_gateway, **detach)[0] == "DependencyViolation"
    interfaces.delete(world.resources, world.store.get(NetworkInterface, interface.id))
    world.detach_internet_gateway(**detach)
    world.delete_internet_gateway(InternetGatewayId=place.gateway)
    assert world.describe_internet_gateways()["InternetGateways"] == []
