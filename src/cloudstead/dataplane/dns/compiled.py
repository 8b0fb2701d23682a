"""A record set made ready for answering: values as they go on the wire, names in wire form."""

import functools
import socket
from dataclasses import dataclass

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from cloudstead.dataplane.dns.wirenames import to_wire
from cloudstead.dataplane.dns.zones import RecordSet, Routing

A, NS, CNAME, SOA, PTR, HINFO, MX, AAAA, OPT, DS, ANY = 1, 2, 5, 6, 12, 13, 15, 28, 41, 43, 255
IN = 1

_FAMILIES = {A: socket.AF_INET, AAAA: socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One of the sets that a name has of a type."""

    routing: Routing
    ttl_s: int
    values: tuple[bytes, ...]
    check: str
    #: An alias's zone id and name; the values of that are the answer.
    target: tuple[str, bytes] | None
    evaluates_target: bool


@functools.lru_cache(1024)
def type_number(type: str) -> int:
    return int(dns.rdatatype.from_text(type))


def type_text(type: int) -> str:
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(type))


def compile_set(given: RecordSet) -> Leaf:
    type = type_number(given.type)
    alias = given.alias
    return Leaf(
        routing=given.routing,
        ttl_s=given.ttl_s,
        values=tuple(_value(type, text) for text in given.values),
        check=given.health_check,
        target=(alias.zone, to_wire(alias.name)) if alias is not None else None,
        evaluates_target=alias is not None and alias.evaluate_target_health,
    )


def _value(type: int, text: str) -> bytes:
    family = _FAMILIES.get(type)
    if family is not None:
        return socket.inet_pton(family, text)
    rdata = dns.rdata.from_text(
        dns.rdataclass.IN, dns.rdatatype.RdataType.make(type), text, origin=dns.name.root, relativize=False
    )
    return rdata.to_wire() or b""
