"""What security group rules permit: read from requests in each of EC2's ways of saying it, shown in each of them.

A request's permission may name many peers; each is a rule of its own. Here a `Permission` has one peer.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2.network_rows import Permission, SecurityGroupRule

_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
_WITH_PORTS = ("tcp", "udp")
_ICMP = ("icmp", "icmpv6")
_TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
_SET = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"


@dataclass(frozen=True)
class Asked:
    """A rule as a request describes it."""

    permission: Permission
    description: str = ""


@dataclass(frozen=True)
class Peers:
    """How the peers that requests name are found; both raise AWS's error for one that cannot be a peer."""

    group: Callable[[Mapping[str, Any]], str]  # a UserIdGroupPair's id of a group
    prefix_list: Callable[[str], str]


# --- reading


def read(permissions: Iterable[Mapping[str, Any]], peers: Peers) -> list[Asked]:
    """The rules that IpPermissions ask for."""
    found = [asked for each in permissions for asked in _read_one(each, peers)]
    if len({asked.permission for asked in found}) < len(found):
        raise _invalid("The same permission must not appear multiple times")
    return found


def read_rule(rule: Mapping[str, Any], peers: Peers) -> Asked:
    """The rule that an entry of ModifySecurityGroupRules asks for."""
    given = [name for name in ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId") if rule.get(name)]
    if len(given) != 1:
        raise ServiceError(
            "A security group rule must have exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId.",
            code="InvalidParameterCombination" if given else "MissingParameter",
        )
    named = {
        "CidrIpv4": {"IpRanges": [{"CidrIp": rule.get("CidrIpv4")}]},
        "CidrIpv6": {"Ipv6Ranges": [{"CidrIpv6": rule.get("CidrIpv6")}]},
        "PrefixListId": {"PrefixListIds": [{"PrefixListId": rule.get("PrefixListId")}]},
        "ReferencedGroupId": {"UserIdGroupPairs": [{"GroupId": rule.get("ReferencedGroupId")}]},
    }[given[0]]
    (asked,) = _read_one({**rule, **named}, peers)
    return Asked(asked.permission, description(rule.get("Description")))


def legacy(request: Mapping[str, Any], owner: str) -> list[dict[str, Any]]:
    """The members of a request that says its one permission without IpPermissions, in their form."""
    source = request.get("SourceSecurityGroupName")
    given = [name for name in ("IpProtocol", "FromPort", "ToPort", "CidrIp") if name in request]
    if source is None:
        if not given:
            return []
        ports = {name: request[name] for name in ("FromPort", "ToPort") if name in request}
        ranges = [{"CidrIp": request["CidrIp"]}] if "CidrIp" in request else []
        if "IpProtocol" not in request:
            raise ServiceError("The request must contain the parameter ipProtocol", code="MissingParameter")
        return [{"IpProtocol": request["IpProtocol"], **ports, "IpRanges": ranges}]
    if given:
        raise ServiceError(
            f"The parameter SourceSecurityGroupName cannot be used with the parameter {given[0]}",
            code="InvalidParameterCombination",
        )
    pairs = [{"GroupName": source, "UserId": request.get("SourceSecurityGroupOwnerId") or owner}]
    whole = (("tcp", 0, 65535), ("udp", 0, 65535), ("icmp", -1, -1))
    return [
        {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "UserIdGroupPairs": pairs}
        for protocol, first, last in whole
    ]


def description(text: str | None, what: str = "rule") -> str:
    """A description as it came, if it may be one."""
    if not _TEXT.fullmatch(text or ""):
        raise _invalid(
            f"Invalid {what} description. Valid descriptions are strings less than 256 characters from the following set:  {_SET}"
        )
    return text or ""


def _read_one(asked: Mapping[str, Any], peers: Peers) -> list[Asked]:
    protocol = _protocol(asked.get("IpProtocol"))
    first, last = _ports(protocol, asked.get("FromPort"), asked.get("ToPort"))

    def rule(given: Mapping[str, Any], **peer: str) -> Asked:
        permission = Permission(protocol=protocol, from_port=first, to_port=last, **peer)
        return Asked(permission, description(given.get("Description")))

    found = [
        *(rule(each, cidr=_cidr(each.get("CidrIp"), 4)) for each in asked.get("IpRanges") or ()),
        *(rule(each, cidr6=_cidr(each.get("CidrIpv6"), 6)) for each in asked.get("Ipv6Ranges") or ()),
        *(
            rule(each, prefix_list=peers.prefix_list(each.get("PrefixListId", "")))
            for each in asked.get("PrefixListIds") or ()
        ),
        *(rule(each, group=peers.group(each)) for each in asked.get("UserIdGroupPairs") or ()),
    ]
    if not found:
        raise ServiceError(
            "The request must contain at least one CIDR block, prefix list or security group for each permission",
            code="MissingParameter",
        )
    return found


def _protocol(asked: str | None) -> str:
    if asked is None:
        raise ServiceError("The request must contain the parameter ipProtocol", code="MissingParameter")
    protocol = _NAMES.get(asked.lower(), asked.lower())
    known = protocol in _NAMES.values()
    if not known and not (protocol.isascii() and protocol.isdecimal() and int(protocol) <= 255):
        raise _invalid(f"Invalid value '{asked}' for IP protocol. Unknown protocol.")
    return protocol if known else str(int(protocol))


def _ports(protocol: str, first: int | None, last: int | None) -> tuple[int | None, int | None]:
    """The range of ports, or ICMP's type and code, -1 for all; nothing for other protocols, which have none."""
    if protocol in _WITH_PORTS:
        if first is None or last is None:
            raise _invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
        for port in (first, last):
            if not 0 <= port <= 65535:
                raise _invalid(f"TCP/UDP port ({port}) out of range")
        if first > last:
            raise _invalid(f"Invalid TCP/UDP port range ({first}:{last})")
        return first, last
    if protocol not in _ICMP:
        return None, None
    if protocol == "icmp" and (first is None or last is None):
        raise _invalid("Invalid value 'Must specify both type and code with ICMP.' for portRange.")
    type, code = (-1 if each is None else each for each in (first, last))
    for name, value in (("type", type), ("code", code)):
        if not -1 <= value <= 255:
            raise _invalid(f"ICMP {name} ({value}) out of range")
    if type == -1 and code != -1:
        raise _invalid(f"ICMP code ({code}) is not allowed with all ICMP types")
    return type, code


def _cidr(asked: str | None, family: int) -> str:
    try:
        if asked is None or "/" not in asked:
            raise ValueError(asked)
        network = ipaddress.ip_network(asked, strict=False)
        if network.version != family:
            raise ValueError(asked)
    except ValueError:
        raise _invalid(f"CIDR block {asked or ''} is malformed") from None
    return str(network)


def _invalid(text: str) -> ServiceError:
    return ServiceError(text, code="InvalidParameterValue")


# --- showing


def words(permission: Permission) -> str:
    """A permission as EC2's errors spell it."""
    peer = permission.cidr or permission.cidr6 or permission.prefix_list or permission.group
    match permission.protocol:
        case "-1":
            what = "ALL"
        case "tcp" | "udp":
            what = f"{permission.protocol.upper()}, from port: {permission.from_port}, to port: {permission.to_port}"
        case "icmp" | "icmpv6":
            type, code = (
                "ALL" if each == -1 else each for each in (permission.from_port, permission.to_port)
            )
            what = f"{permission.protocol.upper()}, type: {type}, code: {code}"
        case number:
            what = f"protocol: {number}"
    return f"peer: {peer}, {what}, ALLOW"


def together(rules: Iterable[SecurityGroupRule]) -> list[dict[str, Any]]:
    """Rules as IpPermissions: those that differ in their peers alone are one."""
    found: dict[tuple[object, ...], dict[str, Any]] = {}
    for rule in rules:
        permission = rule.permission
        what = (permission.protocol, permission.from_port, permission.to_port)
        if what not in found:
            lists: dict[str, list[Any]] = {
                name: [] for name in ("UserIdGroupPairs", "IpRanges", "Ipv6Ranges", "PrefixListIds")
            }
            found[what] = {"IpProtocol": permission.protocol, **_shown_ports(permission), **lists}
        member, element = _peer(permission, rule.account)
        found[what][member].append(element | ({"Description": rule.description} if rule.description else {}))
    return list(found.values())


def unknown(asked: Sequence[Asked], owner: str) -> list[dict[str, Any]]:
    """Permissions that no rule has, as IpPermissions."""
    return [
        {
            "IpProtocol": each.permission.protocol,
            **_shown_ports(each.permission),
            **_one_peer(each.permission, owner),
        }
        for each in asked
    ]


def shown(rule: SecurityGroupRule) -> dict[str, Any]:
    """The members that a rule has wherever it is shown as one; all ports are -1 here."""
    permission = rule.permission
    answer: dict[str, Any] = {
        "SecurityGroupRuleId": rule.id,
        "GroupId": rule.group_id,
        "IsEgress": rule.egress,
        "IpProtocol": permission.protocol,
        "FromPort": -1 if permission.from_port is None else permission.from_port,
        "ToPort": -1 if permission.to_port is None else permission.to_port,
    }
    optional = {
        "CidrIpv4": permission.cidr,
        "CidrIpv6": permission.cidr6,
        "PrefixListId": permission.prefix_list,
        "Description": rule.description,
    }
    return answer | {name: value for name, value in optional.items() if value}


def _shown_ports(permission: Permission) -> dict[str, int]:
    ports = {"FromPort": permission.from_port, "ToPort": permission.to_port}
    return {name: value for name, value in ports.items() if value is not None}


def _one_peer(permission: Permission, owner: str) -> dict[str, Any]:
    member, element = _peer(permission, owner)
    return {member: [element]}


def _peer(permission: Permission, owner: str) -> tuple[str, dict[str, str]]:
    if permission.cidr:
        return "IpRanges", {"CidrIp": permission.cidr}
    if permission.cidr6:
        return "Ipv6Ranges", {"CidrIpv6": permission.cidr6}
    if permission.prefix_list:
        return "PrefixListIds", {"PrefixListId": permission.prefix_list}
    return "UserIdGroupPairs", {"UserId": owner, "GroupId": permission.group}
