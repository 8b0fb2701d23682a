"""The entries of network ACLs: read from requests, checked, shown."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import cidrs
from cloudstead.services.ec2.network_rows import AclEntry

_ALL = "-1"
_ICMP = ("1", "58")
_WITH_PORTS = ("6", "17")
_NUMBERS = {"all": _ALL, "tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}
_NUMBER_MAX = 32766

EVERYTHING = tuple(
    AclEntry(number=100, egress=egress, allow=True, protocol=_ALL, cidr="0.0.0.0/0")
    for egress in (True, False)
)
EVERYTHING6 = tuple(
    AclEntry(number=101, egress=egress, allow=True, protocol=_ALL, cidr6="::/0") for egress in (True, False)
)


def last(*, ipv6: bool) -> tuple[AclEntry, ...]:
    """What AWS shows as the last entries of every ACL."""
    denied = [{"number": 32767, "cidr": "0.0.0.0/0"}, *([{"number": 32768, "cidr6": "::/0"}] if ipv6 else [])]
    return tuple(
        AclEntry(egress=egress, allow=False, protocol=_ALL, **what)  # type: ignore[arg-type]
        for what in denied
        for egress in (True, False)
    )


def read(request: Mapping[str, Any]) -> AclEntry:
    """The entry that CreateNetworkAclEntry or ReplaceNetworkAclEntry asks for."""
    number = request["RuleNumber"]
    if not 1 <= number <= _NUMBER_MAX:
        raise _invalid(number, "ruleNumber", f"It must be from 1 to {_NUMBER_MAX}.")
    cidr, cidr6 = request.get("CidrBlock") or "", request.get("Ipv6CidrBlock") or ""
    if bool(cidr) == bool(cidr6):
        code, text = (
            ("InvalidParameterCombination", "may not both be") if cidr else ("MissingParameter", "must be")
        )
        raise ServiceError(f"One of the parameters cidrBlock and ipv6CidrBlock {text} specified", code=code)
    protocol = _protocol(request["Protocol"])
    first_port, last_port = _ports(request.get("PortRange"), protocol)
    icmp_type, icmp_code = _icmp(request.get("IcmpTypeCode"), protocol, bool(cidr6))
    return AclEntry(
        number=number,
        egress=request["Egress"],
        allow=request["RuleAction"] == "allow",
        protocol=protocol,
        cidr=str(cidrs.read4(cidr)) if cidr else "",
        cidr6=str(cidrs.read6(cidr6)) if cidr6 else "",
        from_port=first_port,
        to_port=last_port,
        icmp_type=icmp_type,
        icmp_code=icmp_code,
    )


def shown(entry: AclEntry) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "RuleNumber": entry.number,
        "Egress": entry.egress,
        "RuleAction": "allow" if entry.allow else "deny",
        "Protocol": entry.protocol,
    }
    if entry.cidr:
        answer["CidrBlock"] = entry.cidr
    if entry.cidr6:
        answer["Ipv6CidrBlock"] = entry.cidr6
    if entry.from_port is not None:
        answer["PortRange"] = {"From": entry.from_port, "To": entry.to_port}
    if entry.icmp_type is not None:
        answer["IcmpTypeCode"] = {"Type": entry.icmp_type, "Code": entry.icmp_code}
    return answer


#: The filters `entry.…` of DescribeNetworkAcls, and what of an entry each compares.
FILTERED: Mapping[str, str] = {
    "cidr": "cidr",
    "egress": "egress",
    "icmp.code": "icmp_code",
    "icmp.type": "icmp_type",
    "ipv6-cidr": "cidr6",
    "port-range.from": "from_port",
    "port-range.to": "to_port",
    "protocol": "protocol",
    "rule-action": "allow",
    "rule-number": "number",
}


def text(entry: AclEntry, member: str) -> str | None:
    value = getattr(entry, FILTERED[member])
    if member == "rule-action":
        return "allow" if value else "deny"
    if isinstance(value, bool):
        return str(value).lower()
    return None if value in (None, "") else str(value)


def _protocol(asked: str) -> str:
    protocol = _NUMBERS.get(asked.lower(), asked)
    if protocol == _ALL or (protocol.isascii() and protocol.isdecimal() and int(protocol) <= 255):
        return str(int(protocol))
    raise _invalid(asked, "protocol", "It must be -1 or a protocol number from 0 to 255.")


def _ports(asked: Mapping[str, Any] | None, protocol: str) -> tuple[int | None, int | None]:
    if protocol not in _WITH_PORTS:
        return None, None
    if asked is None or "From" not in asked or "To" not in asked:
        raise _missing("portRange")
    first, last = asked["From"], asked["To"]
    if not 0 <= first <= last <= 65535:
        raise _invalid(
            f"{first}-{last}", "portRange", "Ports are from 0 to 65535, the first not above the last."
        )
    return first, last


def _icmp(asked: Mapping[str, Any] | None, protocol: str, ipv6: bool) -> tuple[int | None, int | None]:
    if protocol not in _ICMP:
        return None, None
    if asked is None:
        if protocol == "1" or ipv6:
            raise _missing("icmpTypeCode")
        return -1, -1
    type, code = asked.get("Type", -1), asked.get("Code", -1)
    if not (-1 <= type <= 255 and -1 <= code <= 255):
        raise _invalid(f"{type}/{code}", "icmpTypeCode", "Types and codes are from -1, for all, to 255.")
    return type, code


def _invalid(value: object, parameter: str, why: str) -> ServiceError:
    return ServiceError(
        f"Value ({value}) for parameter {parameter} is invalid. {why}", code="InvalidParameterValue"
    )


def _missing(parameter: str) -> ServiceError:
    return ServiceError(f"The request must contain the parameter {parameter}", code="MissingParameter")
