"""A network's whole ruleset for nftables, rendered from its spec. Pure.

It is loaded in one transaction, so packets meet either the old rules or the new ones. A packet from an instance
passes: is the source its own (raw), which way is it going (mangle), may it cross the subnets' borders (ACLs,
stateless), may it leave its sender and enter its receiver (security groups, stateful). Connections that are
tracked go on after the rule that let them in is revoked, as in EC2; ACLs and routes act on every packet.
"""

from collections.abc import Iterable

from cloudstead.dataplane.network import naming, permits, routing
from cloudstead.dataplane.network.driver import Interface, NetworkSpec, Subnet

TABLE = "cloudstead"


def ruleset(spec: NetworkSpec, *, transit: str, pool: naming.Pool, gateway_port: int) -> str:
    """The input of `nft -f -` that replaces all rules of the network's router by the spec's.

    `transit` is the router's own public-side address: what private instances show to the API gateway.
    """
    lines = [f"add table inet {TABLE}", f"delete table inet {TABLE}", f"table inet {TABLE} {{"]
    for block in (
        _members(spec),
        _facts(spec),
        _sources(spec),
        _ways(spec, pool, gateway_port),
        _borders(spec),
        _groups(spec),
        _forward(spec),
        _router_itself(spec),
        _translation(spec, transit, pool, gateway_port),
    ):
        lines += block
    return "\n".join([*lines, "}", ""])


def _members(spec: NetworkSpec) -> list[str]:
    """Two sets for each group that rules name: the addresses of its members."""
    named = {rule.group for group in spec.groups for rule in (*group.ingress, *group.egress) if rule.group}
    lines = []
    for id in sorted(named):
        here = [each for each in spec.interfaces if id in each.groups]
        addresses = {address for each in here for address in (*each.addresses, *each.ipv6_addresses)}
        addresses.update(spec.members.get(id, ()))
        lines += _set(permits.members4(id), "ipv4_addr", {a for a in addresses if ":" not in a})
        lines += _set(permits.members6(id), "ipv6_addr", {a for a in addresses if ":" in a})
    return lines


def _facts(spec: NetworkSpec) -> list[str]:
    """Who owns which address."""
    own4: set[str] = set()
    own6: set[str] = set()
    exposed: set[str] = set()
    pairs: set[str] = set()
    for each in routing.attached(spec):
        own4.update(f'"{naming.veth(each.id)}" . {address}' for address in each.addresses)
        own6.update(f'"{naming.veth(each.id)}" . {address}' for address in each.ipv6_addresses)
    for each, private, public in routing.exposed(spec):
        exposed.add(f'"{naming.veth(each.id)}" . {private}')
        pairs.add(f"{public} . {private}")
    return [
        *_set("own4", "ifname . ipv4_addr", own4),
        *_set("own6", "ifname . ipv6_addr", own6),
        *_set("exposed", "ifname . ipv4_addr", exposed),
        *_set("public", "ipv4_addr . ipv4_addr", pairs),
    ]


def _sources(spec: NetworkSpec) -> list[str]:
    """Nobody sends from an address that is not its own, but where the source/destination check is off."""
    unchecked = [each for each in routing.attached(spec) if not each.source_dest_check]
    return _chain(
        "sources",
        "type filter hook prerouting priority raw; policy drop;",
        f'iifname "{naming.EDGE}" ip saddr {{ {", ".join(spec.cidrs)} }} drop',
        *_if_any(f'iifname "{naming.EDGE}" ip6 saddr {{{{ {{}} }}}} drop', spec.ipv6_cidrs),
        f'iifname {{ "lo", "{naming.EDGE}" }} accept',
        *_if_any("iifname {{ {} }} accept", (f'"{naming.veth(each.id)}"' for each in unchecked)),
        "iifname . ip saddr @own4 accept",
        "iifname . ip6 saddr @own6 accept",
        "ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept",
        "ip6 saddr { ::, fe80::/10 } meta l4proto 58 accept",
    )


def _ways(spec: NetworkSpec, pool: naming.Pool, gateway_port: int) -> list[str]:
    """Mark each packet from an instance with its next hop, by its subnet's route table."""
    lines = []
    for subnet in spec.subnets:
        rules = [
            f"ip daddr {pool.host} tcp dport {{ {_gateway_ports(gateway_port)} }} meta mark set {naming.API} return"
        ]
        for version, family in ((4, "ip"), (6, "ip6")):
            intervals = routing.next_hops(spec, subnet, version)
            if len(intervals) == 1:
                rules.append(f"meta nfproto ipv{version} meta mark set {intervals[0][2]}")
            else:
                text = ", ".join(
                    f"{a}-{b} : {mark:#x}" if a != b else f"{a} : {mark:#x}" for a, b, mark in intervals
                )
                rules.append(f"meta mark set {family} daddr map {{ {text} }}")
        lines += _chain(f"way-{subnet.id}", None, *rules)
    lines += _verdicts("ways", ((each, f"goto way-{each.subnet}") for each in routing.attached(spec)))
    return [
        *lines,
        *_chain("ways", "type filter hook prerouting priority mangle; policy accept;", "iifname vmap @ways"),
        *_own_ways(spec),
    ]


def _own_ways(spec: NetworkSpec) -> list[str]:
    """The same for what is sent from addresses of ours."""
    rules = _of_ours(spec, "saddr", "goto way-{0.subnet}")
    return (
        _chain("own-ways", "type route hook output priority mangle; policy accept;", *rules) if rules else []
    )


def _of_ours(spec: NetworkSpec, side: str, verdict: str) -> list[str]:
    """A rule for the addresses, of each version, of each interface that is the router's own."""
    return [
        f"{family} {side} {address} {verdict.format(each)}"
        for each in routing.ours(spec)
        for family, addresses in (("ip", each.addresses), ("ip6", each.ipv6_addresses))
        for address in addresses
    ]


def _borders(spec: NetworkSpec) -> list[str]:
    """Network ACLs: every packet that leaves a subnet and every packet that enters one, never those within."""
    acls = {acl.id: acl for acl in spec.acls}
    ipv6 = bool(spec.ipv6_cidrs)
    lines, leaving, entering = [], {}, {}
    for subnet in spec.subnets:
        if not subnet.acl:
            continue
        acl = acls[subnet.acl]
        inside = _if_any("{{ {} }}", (f'"{naming.veth(each.id)}"' for each in _in(spec, subnet)))
        if not permits.allows_all(acl, egress=True, ipv6=ipv6):
            leaving[subnet.id] = f"jump leave-{subnet.id}"
            lines += _chain(
                f"leave-{subnet.id}",
                None,
                *(f"oifname {names} return" for names in inside),
                f"goto egress-{acl.id}",
            )
        if not permits.allows_all(acl, egress=False, ipv6=ipv6):
            entering[subnet.id] = f"jump enter-{subnet.id}"
            lines += _chain(
                f"enter-{subnet.id}",
                None,
                *(f"iifname {names} return" for names in inside),
                f"goto ingress-{acl.id}",
            )
    chains = []
    for acl in spec.acls:
        chains += _chain(f"egress-{acl.id}", None, *permits.acl_chain(acl, egress=True))
        chains += _chain(f"ingress-{acl.id}", None, *permits.acl_chain(acl, egress=False))
    here = routing.attached(spec)
    return [
        *chains,
        *lines,
        *_verdicts("leaving", ((e, leaving[e.subnet]) for e in here if e.subnet in leaving)),
        *_verdicts("entering", ((e, entering[e.subnet]) for e in here if e.subnet in entering)),
        *_chain(
            "borders",
            None,
            "iifname vmap @leaving",
            *_nat_borders(spec, leaving, entering),
            "oifname vmap @entering",
        ),
    ]


def _nat_borders(spec: NetworkSpec, leaving: dict[str, str], entering: dict[str, str]) -> list[str]:
    """What goes through a NAT gateway enters its subnet and leaves it again."""
    return [
        f"meta mark {naming.mark_of_nat(id):#x} {jump}"
        for id, (interface, _) in sorted(routing.nat_gateways(spec).items())
        for jump in (entering.get(interface.subnet), leaving.get(interface.subnet))
        if jump is not None
    ]


def _groups(spec: NetworkSpec) -> list[str]:
    """Per group its rules, per interface its groups. What leaves one instance may still not enter the other."""
    here = routing.attached(spec)
    rules = []
    for group in spec.groups:
        rules += _chain(f"ingress-{group.id}", None, *permits.accepts(group.ingress, "saddr", "accept"))
        rules += _chain(f"egress-{group.id}", None, *permits.accepts(group.egress, "daddr", "goto inward"))
    inward = _chain(
        "inward",
        None,
        *_of_ours(spec, "daddr", "goto to-{0.id}"),
        f'oifname "{naming.EDGE}" goto outward',
        "oifname vmap @receivers",
        "drop",
    )
    outward = _chain(
        "outward",
        None,
        "ct state invalid drop",
        f"meta mark {naming.API} accept",
        f"meta mark {naming.INTERNET} iifname . ip saddr @exposed accept",
        *_if_any(f"meta mark {naming.INTERNET} ip6 saddr {{{{ {{}} }}}} accept", routing.public6(spec)),
        f"meta mark and {naming.KIND_MASK:#x} == {naming.TO_NAT:#x} accept",
        "drop",
    )
    for each in (*here, *routing.ours(spec)):
        rules += _chain(f"to-{each.id}", None, *(f"jump ingress-{id}" for id in each.groups), "drop")
        rules += _chain(f"from-{each.id}", None, *(f"jump egress-{id}" for id in each.groups), "drop")
    receivers = _verdicts("receivers", ((each, f"goto to-{each.id}") for each in here))
    senders = _verdicts("senders", ((each, f"goto from-{each.id}") for each in here))
    return [*receivers, *inward, *outward, *rules, *senders]


def _forward(spec: NetworkSpec) -> list[str]:
    edge = f'iifname "{naming.EDGE}"'
    return _chain(
        "forward",
        "type filter hook forward priority filter; policy drop;",
        f"meta mark {naming.NOWHERE} drop",
        "jump borders",
        # An address that was taken away stops at once, also for what is tracked.
        f"{edge} ct direction original ct status dnat ct original ip daddr . ip daddr != @public drop",
        "ct state established,related accept",
        f"{edge} meta nfproto ipv4 ct status dnat goto inward",
        *(f"{edge} {only_answers} drop" for only_answers in _answers_alone(spec)),
        f"{edge} meta nfproto ipv6 goto inward",
        f"{edge} drop",
        "iifname vmap @senders",
    )


def _answers_alone(spec: NetworkSpec) -> list[str]:
    """Packets of IPv6 from outside that may only answer: what they match, in words of nftables."""
    return [
        " ".join([f"ip6 daddr {inside}", *_if_any("ip6 saddr != {{ {} }}", beginners)])
        for inside, beginners in sorted(routing.answered6(spec).items())
    ]


def _router_itself(spec: NetworkSpec) -> list[str]:
    """Metadata, DNS and DHCP answer whatever the security groups say. What else listens or asks here has groups."""
    discovery = (
        "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept"
    )
    return [
        *_chain(
            "input",
            "type filter hook input priority filter; policy drop;",
            "ct state established,related accept",
            'iifname "lo" accept',
            discovery,
            f'iifname "{naming.EDGE}" drop',
            f"ip daddr {naming.METADATA} tcp dport 80 accept",
            f"ip6 daddr {naming.METADATA6} tcp dport 80 accept",
            f"ip daddr {{ {routing.resolver(spec)}, {naming.RESOLVER} }} meta l4proto {{ 6, 17 }} th dport 53 accept",
            f"ip6 daddr {naming.RESOLVER6} meta l4proto {{ 6, 17 }} th dport 53 accept",
            "udp sport 68 udp dport 67 accept",
            *_of_ours(spec, "daddr", "iifname vmap @senders"),
        ),
        *_chain(
            "output",
            "type filter hook output priority filter; policy drop;",
            "ct state established,related accept",
            'oifname "lo" accept',
            discovery,
            "udp sport 67 udp dport 68 accept",
            *_of_ours(spec, "saddr", "accept"),
            "oifname vmap @receivers",
        ),
        *_askers(spec),
    ]


def _askers(spec: NetworkSpec) -> list[str]:
    """What goes out from addresses of ours. Only here is it known which way, after `own-ways` has marked it."""
    if not routing.ours(spec):
        return []
    return _chain(
        "askers",
        "type filter hook postrouting priority filter; policy accept;",
        'oifname "lo" accept',
        "ct state established,related accept",
        *_of_ours(spec, "saddr", f"meta mark {naming.NOWHERE} drop"),
        *_of_ours(spec, "saddr", "goto from-{0.id}"),
    )


def _translation(spec: NetworkSpec, transit: str, pool: naming.Pool, gateway_port: int) -> list[str]:
    exposed = routing.exposed(spec)
    edge = f'"{naming.EDGE}"'
    return [
        *_chain(
            "arrivals",
            "type nat hook prerouting priority dstnat; policy accept;",
            *_if_any(
                f"iifname {edge} dnat ip to ip daddr map {{{{ {{}} }}}}",
                (f"{public} : {private}" for _, private, public in exposed),
            ),
            f"ip daddr {pool.host} tcp dport {{ {_gateway_ports(gateway_port)} }} "
            f"meta mark {naming.API} dnat ip to {pool.host}:{gateway_port}",
        ),
        *_chain(
            "departures",
            "type nat hook postrouting priority srcnat; policy accept;",
            *_if_any(
                f"oifname {edge} meta mark {{{{ {naming.INTERNET}, {naming.API} }}}} "
                "snat ip to ip saddr map {{ {} }}",
                (f"{private} : {public}" for _, private, public in exposed),
            ),
            f"oifname {edge} meta mark {naming.API} snat ip to {transit}",
            *(
                f"oifname {edge} meta mark {naming.mark_of_nat(id):#x} snat ip to {public}"
                for id, (_, public) in sorted(routing.nat_gateways(spec).items())
            ),
        ),
    ]


def _gateway_ports(port: int) -> str:
    return ", ".join(str(each) for each in sorted({80, 443, port}))


def _in(spec: NetworkSpec, subnet: Subnet) -> list[Interface]:
    return [each for each in routing.attached(spec) if each.subnet == subnet.id]


def _set(name: str, type: str, elements: Iterable[str]) -> list[str]:
    return [f"  set {name} {{", f"    type {type};", *_elements(elements), "  }"]


def _verdicts(name: str, verdicts: Iterable[tuple[Interface, str]]) -> list[str]:
    elements = (f'"{naming.veth(each.id)}" : {verdict}' for each, verdict in verdicts)
    return [f"  map {name} {{", "    type ifname : verdict;", *_elements(elements), "  }"]


def _elements(elements: Iterable[str]) -> list[str]:
    return _if_any("    elements = {{ {} }}", elements)


def _if_any(text: str, elements: Iterable[str]) -> list[str]:
    """`text` with the elements put in, or nothing: nftables has no empty set literal."""
    found = sorted(elements)
    return [text.format(", ".join(found))] if found else []


def _chain(name: str, hook: str | None, *rules: str) -> list[str]:
    heads = [] if hook is None else [hook]
    return [f"  chain {name} {{", *(f"    {line}" for line in (*heads, *rules)), "  }"]
