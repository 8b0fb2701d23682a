"""What a network's spec means for the path of a packet. Pure.

A route table is flattened into intervals that cover every address once, so that the kernel looks a packet's next
hop up in one step and the longest prefix has already won.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from cloudstead.dataplane.network import naming
from cloudstead.dataplane.network.driver import Interface, NetworkSpec, Route, Subnet

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def attached(spec: NetworkSpec) -> list[Interface]:
    """The interfaces that are in some instance."""
    return [each for each in spec.interfaces if each.instance is not None]


def ours(spec: NetworkSpec) -> list[Interface]:
    """The interfaces whose addresses are the router's own."""
    return [each for each in spec.interfaces if each.ours]


def exposed(spec: NetworkSpec) -> list[tuple[Interface, str, str]]:
    """(interface, private, public) of every public address that works: its subnet routes to an internet gateway."""
    open_subnets = {subnet.id for subnet in spec.subnets if _internet(subnet)}
    return [
        (each, private, public)
        for each in attached(spec)
        if each.subnet in open_subnets
        for private, public in each.public
    ]


def nat_gateways(spec: NetworkSpec) -> dict[str, tuple[Interface, str]]:
    """The NAT gateways that work, by id: their interface and public address."""
    open_subnets = {subnet.id for subnet in spec.subnets if _internet(subnet)}
    return {
        each.nat_gateway: (each, each.public[0][1])
        for each in spec.interfaces
        if each.nat_gateway is not None and each.public and each.subnet in open_subnets
    }


def public_addresses(spec: NetworkSpec) -> list[str]:
    """Every public address that leads to this network."""
    addresses = {public for _, _, public in exposed(spec)}
    addresses.update(public for _, public in nat_gateways(spec).values())
    return sorted(addresses)


def public6(spec: NetworkSpec) -> list[str]:
    """The IPv6 ranges that packets from outside are led to: of subnets that route IPv6 to the internet."""
    return sorted(str(IPv6Network(s.ipv6_cidr)) for s in spec.subnets if s.ipv6_cidr and _outward6(s))


def answered6(spec: NetworkSpec) -> dict[str, list[str]]:
    """The IPv6 ranges that the outside may only answer, each with those parts of the outside that may begin too."""
    return {
        str(IPv6Network(subnet.ipv6_cidr)): [str(each) for each in _beginners6(subnet)]
        for subnet in spec.subnets
        if subnet.ipv6_cidr and any(route.via == "egress" for route in subnet.routes)
    }


def next_hops(spec: NetworkSpec, subnet: Subnet, version: int) -> list[tuple[Address, Address, int]]:
    """(first, last, mark) intervals, in order, that cover all addresses of the IP version."""
    everything = ipaddress.ip_network("0.0.0.0/0" if version == 4 else "::/0")
    marks: dict[Network, int] = {everything: naming.NOWHERE}
    for route in subnet.routes:
        network = ipaddress.ip_network(route.destination)
        if network.version == version:
            marks[network] = _mark(spec, route, version)
    for cidr in spec.cidrs if version == 4 else spec.ipv6_cidrs:
        marks.setdefault(ipaddress.ip_network(cidr), naming.LOCAL)
    kind = IPv4Address if version == 4 else IPv6Address
    return [(kind(first), kind(last), mark) for first, last, mark in flatten(marks)]


def flatten(marks: Mapping[Network, int]) -> list[tuple[int, int, int]]:
    """Disjoint intervals of nested prefixes; where several cover an address, the longest one's mark counts."""
    painted: list[tuple[int, int, int]] = []
    at = 0

    def paint(last: int, mark: int) -> None:
        nonlocal at
        if at > last:
            return
        if painted and painted[-1][2] == mark and painted[-1][1] + 1 == at:
            painted[-1] = (painted[-1][0], last, mark)
        else:
            painted.append((at, last, mark))
        at = last + 1

    around: list[tuple[int, int]] = []  # (last, mark) of the prefixes that the sweep is inside of
    for network in sorted(marks, key=lambda n: (int(n.network_address), n.prefixlen)):
        first, last = int(network.network_address), int(network.broadcast_address)
        while around and around[-1][0] < first:
            paint(*around.pop())
        if around:
            paint(first - 1, around[-1][1])
        at = max(at, first)
        around.append((last, marks[network]))
    while around:
        paint(*around.pop())
    return painted


def forwarders(spec: NetworkSpec) -> list[Interface]:
    """Interfaces that some route names as its target and that may forward."""
    named = {r.target for s in spec.subnets for r in s.routes if r.via == "interface"}
    return [each for each in attached(spec) if each.id in named and not each.source_dest_check]


def gateway(subnet: Subnet) -> str:
    """The router's address in a subnet: the first after the base."""
    return str(IPv4Network(subnet.cidr).network_address + 1)


def resolver(spec: NetworkSpec) -> str:
    """The VPC's DNS server: the base of its first range plus two."""
    return str(IPv4Network(spec.cidrs[0]).network_address + 2)


def _mark(spec: NetworkSpec, route: Route, version: int) -> int:
    match route.via:
        case "local":
            return naming.LOCAL
        case "internet":
            return naming.INTERNET
        case "egress" if version == 6:
            return naming.INTERNET
        case "nat" if version == 4 and route.target in nat_gateways(spec):
            return naming.mark_of_nat(route.target)
        case "interface" if any(each.id == route.target for each in forwarders(spec)):
            return naming.mark_of_interface(route.target)
        case _:
            return naming.NOWHERE  # blackhole, or its target cannot carry it now


def _internet(subnet: Subnet) -> bool:
    return any(route.via == "internet" and ":" not in route.destination for route in subnet.routes)


def _outward6(subnet: Subnet) -> bool:
    return any(route.via in ("internet", "egress") and ":" in route.destination for route in subnet.routes)


def _beginners6(subnet: Subnet) -> Iterator[IPv6Network]:
    outside = (route.destination for route in subnet.routes if route.via == "internet")
    return ipaddress.collapse_addresses(IPv6Network(each) for each in outside if ":" in each)
