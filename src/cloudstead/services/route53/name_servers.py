"""The four name servers of a delegation set, and the record sets that every zone begins with.

AWS has 2048 of them in four domains, and eight in a row share a number: `ns-1941.awsdns-50.co.uk`.
"""

import random
from collections.abc import Sequence

from cloudstead.services.route53.rows import RecordSet, owner, record_set_id

_DOMAINS = ("com", "net", "org", "co.uk")
_IN_EACH, _IN_A_ROW = 512, 8
_NS_TTL_S, _SOA_TTL_S = 172800, 900

#: What stands in every private zone, and nobody can ask.
PRIVATE = (
    "ns-1536.awsdns-00.co.uk",
    "ns-0.awsdns-00.com",
    "ns-1024.awsdns-00.org",
    "ns-512.awsdns-00.net",
)


def choose(chance: random.Random) -> tuple[str, ...]:
    """One of each domain, in any order."""
    chosen = [_name(at, chance.randrange(_IN_EACH)) for at in range(len(_DOMAINS))]
    chance.shuffle(chosen)
    return tuple(chosen)


def first_record_sets(zone: str, name: str, name_servers: Sequence[str]) -> tuple[RecordSet, RecordSet]:
    """A new zone's NS and SOA."""
    soa = f"{name_servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    return (
        _record_set(zone, name, "NS", _NS_TTL_S, tuple(f"{server}." for server in name_servers)),
        _record_set(zone, name, "SOA", _SOA_TTL_S, (soa,)),
    )


def _name(domain: int, number: int) -> str:
    return f"ns-{domain * _IN_EACH + number}.awsdns-{number // _IN_A_ROW:02d}.{_DOMAINS[domain]}"


def _record_set(zone: str, name: str, type: str, ttl_s: int, values: tuple[str, ...]) -> RecordSet:
    return RecordSet(
        id=record_set_id(zone, name, type, None),
        zone=zone,
        name=name,
        type=type,
        owner=owner(zone, name),
        ttl_s=ttl_s,
        values=values,
    )
