"""Where a route leads, and whether it gets there. For those who show routes and for those who make packets take them.

A table's routes in force are the local ones, which follow from its VPC's ranges, and what was made by callers. A
caller's route to a whole range of the VPC takes the local one's place.
"""

from collections.abc import Iterable
from ipaddress import ip_network

from cloudstead.services.ec2 import cidrs
from cloudstead.services.ec2.network_rows import (
    EgressOnlyGateway,
    InternetGateway,
    NatGateway,
    NetworkInterface,
    Route,
    RouteTable,
    Vpc,
)
from cloudstead.store import Store


def in_force(vpc: Vpc, table: RouteTable) -> list[Route]:
    """Every route of the table, the local ones first."""
    made = {route.destination for route in table.routes}
    return [*(route for route in local(vpc) if route.destination not in made), *table.routes]


def local(vpc: Vpc) -> Iterable[Route]:
    for each in (*vpc.cidrs, *vpc.ipv6_cidrs):
        yield Route(destination=each.cidr, target="local", origin="CreateRouteTable")


def active(store: Store, vpc_id: str, route: Route) -> bool:
    """Whether its target is there and can take packets; if not, they end in a black hole."""
    match route.target:
        case "local":
            return True
        case "internet":
            internet = store.get(InternetGateway, route.target_id)
            return internet is not None and internet.vpc_id == vpc_id
        case "egress":
            egress = store.get(EgressOnlyGateway, route.target_id)
            return egress is not None and egress.vpc_id == vpc_id
        case "nat":
            nat = store.get(NatGateway, route.target_id)
            return nat is not None and nat.shown_state in ("pending", "available")
        case "interface":
            interface = store.get(NetworkInterface, route.target_id)
            return interface is not None and interface.working and interface.instance_up


def table_of(tables: Iterable[RouteTable], subnet_id: str) -> RouteTable:
    """The table that the subnet chose, or the VPC's main one. `tables` are all of the VPC."""
    main: RouteTable | None = None
    for table in tables:
        for each in table.associations:
            if each.subnet_id == subnet_id:
                return table
            if not each.subnet_id:
                main = table
    assert main is not None, f"the VPC of {subnet_id} has no main route table"
    return main


def is_ipv6(destination: str) -> bool:
    return ":" in destination


def is_prefix_list(destination: str) -> bool:
    return destination.startswith("pl-")


def inside(vpc: Vpc, destination: str) -> bool:
    """Whether the destination is one of the VPC's ranges, or lies in one."""
    return cidrs.within(ip_network(destination), (each.cidr for each in (*vpc.cidrs, *vpc.ipv6_cidrs)))
