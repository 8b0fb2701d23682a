"""What must be true of all that a zone has at one name, told as AWS tells it.

Nothing is written here: each rule looks at the sets that there would be and names what is wrong.
"""

from collections.abc import Callable, Iterator, Sequence

from cloudstead.services.route53 import names
from cloudstead.services.route53.record_sets import policy
from cloudstead.services.route53.record_values import problem
from cloudstead.services.route53.rows import HostedZone, RecordSet

VALUES_MAX = 400

#: Whether a zone that is nobody's but a service's has this name; None if there is no such zone.
FindTarget = Callable[[str, str, str], bool | None]
#: All sets that there would be at a name of the zone.
At = Callable[[str], Sequence[RecordSet]]

_DIFFERING = {
    "Region": "latency",
    "Failover": "failover",
    "GeoLocation": "geolocation",
    "GeoProximityLocation": "geoproximity",
    "CidrRoutingConfig": "cidr routing",
}
_KINDS = {"Weight": "weighted", "MultiValueAnswer": "multivalue answer", **_DIFFERING}


def of_new(zone: HostedZone, new: RecordSet) -> Iterator[str]:
    """What is wrong with a set wherever it would stand."""
    if not names.within(new.name, zone.name):
        yield f"RRSet with DNS name {new.name} is not permitted in zone {zone.name}"
    if new.type == "CNAME" and new.name == zone.name:
        yield f"RRSet of type CNAME with DNS name {new.name} is not permitted at apex in zone {zone.name}"
    if new.type == "DS" and new.name == zone.name:
        yield f"RRSet of type DS with DNS name {new.name} is not permitted at apex in zone {zone.name}"
    if new.type == "SOA" and new.name != zone.name:
        yield f"RRSet of type SOA with DNS name {new.name} is not permitted in zone {zone.name}"
    if new.type in ("SOA", "NS") and (new.set_identifier is not None or new.alias is not None):
        yield f"RRSet with DNS name {new.name}, type {new.type} must be simple and no alias."
    yield from _of_values(new)


def of_name(zone: HostedZone, sets: Sequence[RecordSet], new: Sequence[RecordSet]) -> Iterator[str]:
    """What is wrong with all sets of one name, of which these are new."""
    types = {each.type for each in sets}
    if "CNAME" in types and len(types) > 1:
        for type in sorted({each.type for each in new}):
            yield (
                f"RRSet of type {type} with DNS name {new[0].name} is not permitted as it conflicts with other "
                f"records with the same DNS name in zone {zone.name}"
            )
    for each in new:
        yield from _beside(each, [other for other in sets if other.type == each.type and other.id != each.id])


def of_alias(zone: HostedZone, new: RecordSet, at: At, find_target: FindTarget) -> Iterator[str]:
    """An alias leads to a set of its own type in its own zone, or to a name of a service."""
    alias = new.alias
    if alias is None:
        return
    says = f"Tried to create an alias that targets {alias.name}, type {new.type} in zone {alias.zone}"
    if alias.zone != zone.id:
        found = find_target(alias.zone, alias.name, new.type)
        if found is None:
            yield f"{says}, but the alias target name does not lie within the target zone"
        if not found:
            yield f"{says}, but that target was not found"
        return
    if not names.within(alias.name, zone.name):
        yield f"{says}, but the alias target name does not lie within the target zone"
    targets = [each for each in at(alias.name) if each.type == new.type]
    if not targets:
        yield f"{says}, but that target was not found"
    elif _loops(zone, new, at):
        yield f"{says}, but it would lead back to itself"


def of_apex(zone: HostedZone, sets: Sequence[RecordSet]) -> Iterator[str]:
    """Every zone has its SOA and its NS."""
    soa = [each for each in sets if each.type == "SOA"]
    if len(soa) != 1 or len(soa[0].values) != 1:
        yield "A HostedZone must contain exactly one SOA record."
    if not any(each.type == "NS" and each.name == zone.name for each in sets):
        yield "A HostedZone must contain at least one NS record for the zone itself."


def _of_values(new: RecordSet) -> Iterator[str]:
    if len(new.values) > VALUES_MAX:
        yield f"RRSet with DNS name {new.name}, type {new.type} has more than {VALUES_MAX} values."
    if new.type == "CNAME" and len(new.values) > 1:
        yield f"RRSet of type CNAME with DNS name {new.name} may have one value alone."
    seen = set()
    for value in new.values:
        if (found := problem(new.type, value)) is not None:
            yield found
        elif value in seen:
            yield f"Duplicate Resource Record: '{value}'"
        seen.add(value)


def _beside(new: RecordSet, others: Sequence[RecordSet]) -> Iterator[str]:
    """A set and the others of its name and type: all of one policy, and none twice where that would not tell them apart."""
    if not others:
        return
    own, which = policy(new), f"RRSet with DNS name {new.name}, type {new.type}"
    if own is None:
        yield f"{which} cannot be created as other RRSets exist with the same name and type."
        return
    kind, which = _KINDS[own], f"{which}, SetIdentifier {new.set_identifier}"
    if any(policy(other) != own for other in others):
        yield f"{which} cannot be created as a non-{kind} set exists with the same name and type."
        return
    if own == "Weight" and any(other.ttl_s != new.ttl_s for other in others):
        yield (
            f"RRSet with DNS name {new.name} and type {new.type}, SetIdentifier {new.set_identifier} cannot be created "
            "as weighted sets must contain the same TTL."
        )
    if own in _DIFFERING and any(_choice(other) == _choice(new) for other in others):
        member = f", and Region Name={new.region}" if own == "Region" else ""
        same = {"Region": "region", "Failover": "failover type"}.get(own, "location")
        yield f"{which}{member} cannot be created because a {kind} RRSet with the same name, type and {same} already exists."


def _choice(found: RecordSet) -> tuple[object, ...]:
    return found.region, found.failover, found.geolocation, found.geoproximity, found.cidr


def _loops(zone: HostedZone, new: RecordSet, at: At) -> bool:
    """Whether whoever follows the aliases from here comes by here again."""
    open_names, seen = [new.name], set[str]()
    while open_names:
        name = open_names.pop()
        for each in at(name):
            if each.type == new.type and each.alias is not None and each.alias.zone == zone.id:
                if each.alias.name == new.name:
                    return True
                if each.alias.name not in seen:
                    seen.add(each.alias.name)
                    open_names.append(each.alias.name)
    return False
