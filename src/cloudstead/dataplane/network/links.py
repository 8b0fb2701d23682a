"""What `ip` must be told so that a router and its instances are wired as the spec says. Pure.

Each interface is a veth from the router to the instance, with a route to each of its addresses: no bridge, so
the router sees, and filters, also what stays within a subnet. Neighbours are entered by hand: the addresses are
known, and no instance can claim another's.
"""

import ipaddress
import json
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from cloudstead.dataplane.network import naming, routing
from cloudstead.dataplane.network.driver import Interface, NetworkSpec, Subnet

READ = "address show\nroute show table all\nrule show\n"

_MTU = 9001  # EC2's jumbo frames; the way out has 1500
_MAIN = 254
_RULE_PREFERENCE = 1000
_DOOMED = 4242  # a group of links; the kernel deletes a group at once


class Hop(NamedTuple):
    """One route of the router."""

    destination: str
    table: int = _MAIN
    via: str | None = None
    device: str | None = None  # None: a black hole


class Rule(NamedTuple):
    """Packets of this mark look into this table."""

    mark: int
    mask: int
    table: int


class Seen(msgspec.Struct, frozen=True):
    """A router as it is."""

    links: dict[str, bool]  # name: whether it is up
    services: frozenset[str]  # addresses on lo
    hops: frozenset[Hop]
    rules: frozenset[Rule]


class Placed(msgspec.Struct, frozen=True):
    """Where an interface was put, as the journal remembers it."""

    instance: str
    device: int
    mac: str
    addresses: tuple[str, ...] = ()  # ours in there
    settled: bool = True  # or else some of the addresses may be there and some not


def seen(said: bytes) -> Seen:
    """What `ip -j -batch` said to READ."""
    links, routes, rules = (json.loads(line) for line in said.splitlines())
    return Seen(
        links={each["ifname"]: "UP" in each["flags"] for each in links if each["ifname"] != "lo"},
        services=frozenset(
            each["local"]
            for link in links
            if link["ifname"] == "lo"
            for each in link["addr_info"]
            if each["local"] not in ("127.0.0.1", "::1") and not each["local"].startswith("fe80:")
        ),
        hops=frozenset(_hop(each) for each in routes if _ours(each)),
        rules=rules_seen(rules),
    )


def rules_seen(rules: list[dict[str, str]]) -> frozenset[Rule]:
    return frozenset(
        Rule(int(each["fwmark"], 16), int(each.get("fwmask", "0xffffffff"), 16), int(each["table"]))
        for each in rules
        if "fwmark" in each
    )


def services(spec: NetworkSpec) -> set[str]:
    """The router's own addresses: gateways, DNS, metadata, and those of services that listen and ask here."""
    return {
        naming.METADATA,
        naming.METADATA6,
        naming.RESOLVER,
        naming.RESOLVER6,
        routing.resolver(spec),
        *(routing.gateway(subnet) for subnet in spec.subnets),
        *(
            address
            for each in routing.ours(spec)
            for address in (*each.addresses, *map(_plain, each.ipv6_addresses))
        ),
    }


def hops(spec: NetworkSpec, pool: naming.Pool) -> set[Hop]:
    wanted = {
        Hop("0.0.0.0/0"),
        Hop("::/0"),
        Hop("0.0.0.0/0", naming.INTERNET, pool.edge, naming.EDGE),
        Hop("::/0", naming.INTERNET, naming.GATEWAY6, naming.EDGE),
    }
    for each in routing.attached(spec):
        name = naming.veth(each.id)
        wanted.update(Hop(f"{address}/32", device=name) for address in each.addresses)
        wanted.update(Hop(f"{_plain(address)}/128", device=name) for address in each.ipv6_addresses)
    for each in routing.forwarders(spec):
        table, name = naming.mark_of_interface(each.id), naming.veth(each.id)
        wanted.add(Hop("0.0.0.0/0", table, each.addresses[0], name))
        if each.ipv6_addresses:
            wanted.add(Hop("::/0", table, _plain(each.ipv6_addresses[0]), name))
    return wanted


def rules(spec: NetworkSpec) -> set[Rule]:
    whole = 0xFFFF_FFFF
    return {
        Rule(naming.INTERNET, whole, naming.INTERNET),
        Rule(naming.API, whole, naming.INTERNET),
        Rule(naming.TO_NAT, naming.KIND_MASK, naming.INTERNET),
        *(
            Rule(naming.mark_of_interface(each.id), whole, naming.mark_of_interface(each.id))
            for each in routing.forwarders(spec)
        ),
    }


def rule_commands(wanted: set[Rule], present: frozenset[Rule]) -> list[str]:
    return [
        f"rule {verb} fwmark {rule.mark:#x}/{rule.mask:#x} lookup {rule.table} pref {_RULE_PREFERENCE}"
        for verb, some in (("del", present - wanted), ("add", wanted - present))
        for rule in sorted(some)
    ]


def router_commands(
    spec: NetworkSpec,
    pool: naming.Pool,
    transit: str,
    now: Seen,
    *,
    placed: dict[str, Placed],
    files: dict[str, str],
) -> list[str]:
    """The lines of `ip -batch` that take the router from `now` to the spec.

    `placed` are the interfaces that are known to be where they belong; `files` has each instance's namespace.
    """
    wanted = {naming.veth(each.id): each for each in routing.attached(spec)}
    kept = {naming.veth(id) for id in placed} & now.links.keys() & wanted.keys()
    lines = ["link set lo up"]
    lines += removal(now.links.keys() - kept - {naming.EDGE})
    if not now.links.get(naming.EDGE, False):
        lines += [
            f"address replace {transit}/32 dev {naming.EDGE}",
            f"address replace {naming.ROUTER6}/64 dev {naming.EDGE} nodad",
            f"link set {naming.EDGE} up",
        ]
    for name in sorted(wanted.keys() - kept):
        lines += _link(wanted[name], files)
    lines += [f"address add {_host(address)} dev lo" for address in sorted(services(spec) - now.services)]
    lines += [f"address del {_host(address)} dev lo" for address in sorted(now.services - services(spec))]
    lines += _hop_commands(hops(spec, pool), {h for h in now.hops if h.device in {None, naming.EDGE, *kept}})
    for name in sorted(wanted):
        each = wanted[name]
        if each.id not in placed or not placed[each.id].settled:
            lines += [
                f"neigh replace {address} lladdr {each.mac} dev {name} nud permanent"
                for address in (*each.addresses, *each.ipv6_addresses)
            ]
    return [*lines, *rule_commands(rules(spec), now.rules)]


def removal(names: Iterable[str]) -> list[str]:
    """The lines that delete these links. As a group: one after the other each waits for the kernel, 40 ms."""
    lines = [f"link set {name} group {_DOOMED}" for name in sorted(names)]
    return [*lines, f"link del group {_DOOMED}"] if lines else []


def addresses(interface: Interface, spec: NetworkSpec) -> tuple[str, ...]:
    """The addresses of an interface as its instance has them: IPv4 with the subnet's length."""
    length = ipaddress.IPv4Network(_subnet(interface, spec).cidr).prefixlen
    return (
        *(f"{address}/{length}" for address in interface.addresses),
        *(f"{_plain(address)}/128" for address in interface.ipv6_addresses),
    )


def instance_commands(
    interface: Interface, spec: NetworkSpec, present: set[str], ours: tuple[str, ...]
) -> list[str]:
    """The lines of `ip -batch` inside the instance; `present` and `ours` are addresses there and of our making."""
    name = f"eth{interface.device}"
    wanted = addresses(interface, spec)
    stale = [each for each in ours if each in present and each not in wanted]
    lines = ["link set lo up", f"link set {name} up"]
    lines += [f"address del {each} dev {name}" for each in stale]
    lines += [
        f"address add {each} dev {name}" + (" nodad" if ":" in each else "")
        for each in wanted
        if each not in present
    ]
    if interface.device == 0:
        lines += _defaults(interface, spec, "")
    return lines


def source_commands(
    interfaces: list[Interface], spec: NetworkSpec, family: int, present: set[tuple[str, str]]
) -> list[str]:
    """Inside an instance of several interfaces: what it sends from an address leaves by that address's interface.

    EC2's images do the same; otherwise answers would leave by the first one and be dropped as forged. `present`
    has the (source, table) of the rules that are there.
    """
    wanted = {
        (_plain(address), str(_source_table(each)))
        for each in interfaces
        for address in (each.addresses if family == 4 else each.ipv6_addresses)
    }
    stale = {(source, to) for source, to in present if to.isdecimal() and (source, to) not in wanted}
    routes = [
        line for each in interfaces for line in _defaults(each, spec, f" table {_source_table(each)}", family)
    ]
    return [
        *(f"rule del from {source} lookup {table}" for source, table in sorted(stale)),
        *routes,
        *(f"rule add from {source} lookup {table}" for source, table in sorted(wanted - present)),
    ]


def _source_table(interface: Interface) -> int:
    return 10000 + interface.device


def _defaults(interface: Interface, spec: NetworkSpec, table: str, family: int = 0) -> list[str]:
    name, lines = f"eth{interface.device}", []
    if family in (0, 4):
        lines.append(
            f"route replace default via {routing.gateway(_subnet(interface, spec))} dev {name}{table}"
        )
    if family in (0, 6) and interface.ipv6_addresses:
        lines.append(f"route replace ::/0 via {naming.GATEWAY6} dev {name}{table}")
    return lines


def _link(interface: Interface, files: dict[str, str]) -> list[str]:
    name = naming.veth(interface.id)
    assert interface.instance is not None
    file = files[interface.instance]
    peer = f'name eth{interface.device} address {interface.mac} mtu {_MTU} netns "{file}"'
    return [
        f"link add {name} mtu {_MTU} type veth peer {peer}",
        f"link set {name} addrgenmode none up",
        f"address add {naming.GATEWAY6}/64 dev {name} nodad",
    ]


def _hop_commands(wanted: set[Hop], present: set[Hop]) -> list[str]:
    return [
        f"route {verb} {_said(hop)}"
        for verb, some in (("del", present - wanted), ("add", wanted - present))
        for hop in sorted(some, key=str)
    ]


def _said(hop: Hop) -> str:
    if hop.device is None:
        return f"blackhole {hop.destination} table {hop.table}"
    via = "" if hop.via is None else f" via {hop.via}"
    onlink = "" if hop.via is None else " onlink"
    return f"{hop.destination}{via} dev {hop.device}{onlink} table {hop.table}"


def _ours(route: dict[str, str]) -> bool:
    return (
        route.get("table") != "local"
        and route.get("protocol", "boot") == "boot"
        and route.get("type", "unicast") in ("unicast", "blackhole")
    )


def _hop(route: dict[str, str]) -> Hop:
    six = "pref" in route or ":" in route["dst"]
    destination = {True: "::/0", False: "0.0.0.0/0"}[six] if route["dst"] == "default" else route["dst"]
    if "/" not in destination:
        destination += "/128" if six else "/32"
    hole = route.get("type") == "blackhole"
    table = route.get("table", "main")
    return Hop(
        destination,
        _MAIN if table == "main" else int(table),
        route.get("gateway"),
        None if hole else route["dev"],
    )


def _subnet(interface: Interface, spec: NetworkSpec) -> Subnet:
    return next(each for each in spec.subnets if each.id == interface.subnet)


def _plain(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _host(address: str) -> str:
    return address + ("/128" if ":" in address else "/32")
