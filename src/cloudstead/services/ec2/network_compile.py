"""From the rows of a VPC to what its network is to carry. Reads the store and decides; touches nothing.

A network says only what its working interfaces need: the subnets they are in, the ACLs and routes in force there, the
groups they have. So nothing that is merely there, an empty subnet or an unused group, ever disturbs the world. A
thousand interfaces take a millisecond, so nobody keeps a compiled network.
"""

from collections.abc import Iterable, Iterator

from cloudstead.dataplane.network import driver
from cloudstead.dataplane.network.driver import NetworkSpec
from cloudstead.services.ec2 import routes
from cloudstead.services.ec2.network_rows import (
    AclEntry,
    NetworkAcl,
    NetworkInterface,
    PrefixList,
    RouteTable,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from cloudstead.store import Store

_ICMP = ("icmp", "icmpv6", "1", "58")


def compiled(store: Store, vpc: Vpc) -> NetworkSpec | None:
    """The network of a VPC, from the rows as they are now; None if nothing works in it."""
    working = [each for each in store.rows(NetworkInterface, vpc_id=vpc.id) if each.working]
    if not working:
        return None
    settled = {each.subnet_id for each in working}
    subnets = [subnet for subnet in store.rows(Subnet, vpc_id=vpc.id) if subnet.id in settled]
    tables = store.rows(RouteTable, vpc_id=vpc.id)
    acls = {each.subnet_id: acl for acl in store.rows(NetworkAcl, vpc_id=vpc.id) for each in acl.associations}
    return NetworkSpec(
        id=vpc.id,
        cidrs=tuple(each.cidr for each in vpc.cidrs),
        ipv6_cidrs=tuple(each.cidr for each in vpc.ipv6_cidrs),
        subnets=tuple(
            driver.Subnet(
                id=subnet.id,
                cidr=subnet.cidr,
                ipv6_cidr=subnet.ipv6_cidr,
                routes=tuple(_routes(store, vpc, routes.table_of(tables, subnet.id))),
                acl=acls[subnet.id].id,
            )
            for subnet in subnets
        ),
        interfaces=tuple(map(_interface, working)),
        groups=tuple(
            _group(store, id) for id in sorted({group for each in working for group in each.groups})
        ),
        acls=tuple(map(_acl, {acls[subnet.id].id: acls[subnet.id] for subnet in subnets}.values())),
    )


# --- interfaces


def _interface(row: NetworkInterface) -> driver.Interface:
    return driver.Interface(
        id=row.id,
        mac=row.mac,
        subnet=row.subnet_id,
        addresses=tuple(each.address for each in row.addresses),
        ipv6_addresses=row.ipv6_addresses,
        public=tuple((each.address, each.public.address) for each in row.addresses if each.public),
        groups=row.groups,
        source_dest_check=row.source_dest_check,
        instance=row.instance_id or None,
        device=row.attachment.device_index if row.attachment is not None else 0,
        nat_gateway=row.nat_gateway_id or None,
        ours=row.type == "service",
    )


# --- routes


def _routes(store: Store, vpc: Vpc, table: RouteTable) -> Iterator[driver.Route]:
    """The routes that callers made, ranges spelt out. Of two for one range the later counts: prefix lists yield."""
    made = sorted(table.routes, key=lambda route: not routes.is_prefix_list(route.destination))
    for route in made:
        via = route.target if routes.active(store, vpc.id, route) else "blackhole"
        target = route.target_id if via in ("nat", "interface") else ""
        for destination in _spelt_out(store, route.destination):
            yield driver.Route(destination=destination, via=via, target=target)


def _spelt_out(store: Store, destination: str) -> Iterable[str]:
    if not routes.is_prefix_list(destination):
        return (destination,)
    found = store.get(PrefixList, destination)
    return () if found is None else (entry.cidr for entry in found.entries)


# --- groups and ACLs


def _group(store: Store, id: str) -> driver.SecurityGroup:
    rules = store.rows(SecurityGroupRule, group_id=id)
    return driver.SecurityGroup(
        id=id,
        ingress=tuple(_port_rules(store, (rule for rule in rules if not rule.egress))),
        egress=tuple(_port_rules(store, (rule for rule in rules if rule.egress))),
    )


def _port_rules(store: Store, rules: Iterable[SecurityGroupRule]) -> Iterator[driver.PortRule]:
    for rule in rules:
        permits = rule.permission
        first, last = _ports(permits.protocol, permits.from_port, permits.to_port)
        for cidr in _peers(store, rule):
            yield driver.PortRule(
                protocol=permits.protocol,
                from_port=first,
                to_port=last,
                cidr=cidr,
                group=permits.group or None,
            )


def _peers(store: Store, rule: SecurityGroupRule) -> Iterable[str | None]:
    """The ranges a rule speaks of, each by itself; one None if it speaks of a group."""
    permits = rule.permission
    if permits.prefix_list:
        return _spelt_out(store, permits.prefix_list)
    return (permits.cidr or permits.cidr6 or None,)


def _ports(protocol: str, first: int | None, last: int | None) -> tuple[int | None, int | None]:
    """As the driver has them: for ICMP type and code, and None for all."""
    if protocol == "-1":
        return None, None
    if protocol in _ICMP:
        return (None if first == -1 else first), (None if last == -1 else last)
    return first, last


def _acl(row: NetworkAcl) -> driver.NetworkAcl:
    return driver.NetworkAcl(id=row.id, entries=tuple(map(_entry, row.entries)))


def _entry(entry: AclEntry) -> driver.AclEntry:
    if entry.protocol in _ICMP:
        first, last = _ports(entry.protocol, entry.icmp_type, entry.icmp_code)
    else:
        first, last = _ports(entry.protocol, entry.from_port, entry.to_port)
    return driver.AclEntry(
        number=entry.number,
        allow=entry.allow,
        egress=entry.egress,
        protocol=entry.protocol,
        cidr=entry.cidr or entry.cidr6,
        from_port=first,
        to_port=last,
    )
