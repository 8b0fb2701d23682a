"""Security group rules and network ACL entries in the words of nftables. Pure.

A group's rules become a few nft rules: one for each protocol and port range, its peers collapsed into sets.
"""

import ipaddress
from collections.abc import Iterable
from typing import Literal

from cloudstead.dataplane.network.driver import AclEntry, NetworkAcl, PortRule

Side = Literal["saddr", "daddr"]

_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_NUMBERS = {
    name: number for number, name in _NAMES.items()
}  # nft asks /etc/protocols for names; not all have it


def accepts(rules: Iterable[PortRule], side: Side, verdict: str) -> list[str]:
    """The nft rules that end in `verdict` for what any of these rules permits."""
    peers: dict[str, tuple[list[str], list[str]]] = {}
    for rule in rules:
        cidrs, groups = peers.setdefault(_what(rule), ([], []))
        if rule.cidr is not None:
            cidrs.append(rule.cidr)
        if rule.group is not None:
            groups.append(rule.group)
    return [
        " ".join(filter(None, (who, what, verdict)))
        for what, (cidrs, groups) in peers.items()
        for who in _who(cidrs, groups, side)
    ]


def acl_chain(acl: NetworkAcl, *, egress: bool) -> list[str]:
    """`return` for what the ACL allows, `drop` for the rest; the lowest number that matches decides."""
    side: Side = "daddr" if egress else "saddr"
    lines = []
    for entry in sorted((e for e in acl.entries if e.egress == egress), key=lambda e: e.number):
        (who,) = _who([entry.cidr], [], side)
        lines.append(" ".join(filter(None, (who, _what(entry), "return" if entry.allow else "drop"))))
    return [*lines, "drop"]


def allows_all(acl: NetworkAcl, *, egress: bool, ipv6: bool) -> bool:
    """Whether the ACL drops nothing: it allows everything before it denies anything."""
    needed = {"0.0.0.0/0", "::/0"} if ipv6 else {"0.0.0.0/0"}
    for entry in sorted((e for e in acl.entries if e.egress == egress), key=lambda e: e.number):
        if not entry.allow:
            return False
        if entry.protocol == "-1":
            needed.discard(str(ipaddress.ip_network(entry.cidr, strict=False)))
        if not needed:
            return True
    return False


def members4(group: str) -> str:
    return f"members4-{group}"


def members6(group: str) -> str:
    return f"members6-{group}"


def _what(rule: PortRule | AclEntry) -> str:
    protocol = _NAMES.get(rule.protocol, rule.protocol)
    first, last = (None if port == -1 else port for port in (rule.from_port, rule.to_port))
    match protocol:
        case "-1":
            return ""
        case "tcp" | "udp" if first is not None:
            last = first if last is None else last
            return f"{protocol} dport {first}" if first == last else f"{protocol} dport {first}-{last}"
        case "icmp" | "icmpv6" if first is not None:
            return f"{protocol} type {first}" + ("" if last is None else f" {protocol} code {last}")
        case _:
            return f"meta l4proto {_NUMBERS.get(protocol, protocol)}"


def _who(cidrs: list[str], groups: list[str], side: Side) -> list[str]:
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]
    found = []
    for family, name, collapsed in (
        ("ip", "ipv4", [*ipaddress.collapse_addresses(n for n in networks if n.version == 4)]),
        ("ip6", "ipv6", [*ipaddress.collapse_addresses(n for n in networks if n.version == 6)]),
    ):
        if any(network.prefixlen == 0 for network in collapsed):
            found.append(f"meta nfproto {name}")
        elif len(collapsed) == 1:
            found.append(f"{family} {side} {collapsed[0]}")
        elif collapsed:
            found.append(f"{family} {side} {{ {', '.join(map(str, collapsed))} }}")
    for group in sorted(set(groups)):
        found += [f"ip {side} @{members4(group)}", f"ip6 {side} @{members6(group)}"]
    return found
