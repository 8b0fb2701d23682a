"""What the answer to a question is. Pure: it is given all it depends on, and notes what that was.

RFC 1034 as read by 2308 (negative answers), 4592 (wildcards), 6604 (the code after a chain), 8482 (ANY).
Negative answers live as long as the SOA record says, or the record itself if that is shorter, as on AWS.
A chain of CNAMEs is followed through all zones of the view; where it leaves them `onward` says which name is next.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from cloudstead.dataplane.dns.blocks import Asker
from cloudstead.dataplane.dns.compiled import AAAA, ANY, CNAME, DS, HINFO, NS, SOA, A
from cloudstead.dataplane.dns.health import IsHealthy
from cloudstead.dataplane.dns.image import Image, Node, ZoneImage
from cloudstead.dataplane.dns.policies import Chooser, Use
from cloudstead.dataplane.dns.wirenames import ROOT, is_below, parent, wildcard_of

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16

_CHAIN_MAX = 16
_ANY_TTL_S = 3600
_ANY_VALUE = b"\x07RFC8482\x00"


class RRset(NamedTuple):
    owner: bytes
    type: int
    ttl_s: int
    values: tuple[bytes, ...]


@dataclass(slots=True)
class Answer:
    zone: ZoneImage
    use: Use
    code: int = NOERROR
    authoritative: bool = True
    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)
    additional: list[RRset] = field(default_factory=list)
    #: The last name of a chain that leads out of all zones of the view: the question goes on there.
    onward: bytes | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that an answer may depend on beside the zones."""

    asker: Asker
    is_healthy: IsHealthy
    random: Random


def resolve(image: Image, view: str | None, name: bytes, type: int, around: Circumstances) -> Answer | None:
    """The answer in a view (a network's id; None for the public); None if no zone of it has the name."""

    def zone_of(name: bytes) -> ZoneImage | None:
        return _zone_for(image, view, name, type)

    zone = zone_of(name)
    return None if zone is None else _Resolution(zone, type, _chooser(image, around), zone_of).run(name)


def resolve_in(image: Image, zone: ZoneImage, name: bytes, type: int, around: Circumstances) -> Answer:
    """The answer of one zone, whoever can hear it: what TestDNSAnswer shows."""

    def zone_of(name: bytes) -> ZoneImage | None:
        return zone if is_below(name, zone.apex) else None

    return _Resolution(zone, type, _chooser(image, around), zone_of).run(name)


def _chooser(image: Image, around: Circumstances) -> Chooser:
    return Chooser(image, around.asker, around.is_healthy, around.random, Use())


def _zone_for(image: Image, view: str | None, name: bytes, type: int) -> ZoneImage | None:
    """At a cut between two zones a DS belongs to the upper one (RFC 4035, 3.1.4.1)."""
    zone = image.zone_of(view, name)
    if type == DS and zone is not None and name == zone.apex and name != ROOT:
        return image.zone_of(view, parent(name)) or zone
    return zone


class _Resolution:
    """One question on its way through the zones."""

    def __init__(
        self, zone: ZoneImage, type: int, chooser: Chooser, zone_of: Callable[[bytes], ZoneImage | None]
    ) -> None:
        self._zone = zone
        self._type = type
        self._chooser = chooser
        self._zone_of = zone_of
        self._answer = Answer(zone, chooser.use)

    def run(self, name: bytes) -> Answer:
        answer = self._answer
        for _ in range(_CHAIN_MAX):
            following = self._step(name)
            if following is None:
                return answer
            name = following
            zone = self._zone_of(name)
            if zone is None:
                answer.onward = name
                return answer
            self._zone = zone
        return answer

    def _step(self, name: bytes) -> bytes | None:
        """Add what one name of a chain has to say. The name that follows, if it is a CNAME."""
        zone = self._zone
        if SOA not in zone.nodes[zone.apex].sets:
            self._answer.code = SERVFAIL
            return None
        if zone.cuts and self._refer(name):
            return None
        node = zone.nodes.get(name) or _wildcard(zone, name)
        if node is None:
            self._deny(NXDOMAIN)
            return None
        return self._tell(name, node)

    def _tell(self, name: bytes, node: Node) -> bytes | None:
        answer, leaves = self._answer, node.sets.get(self._type)
        if self._type == ANY:
            answer.answer.append(RRset(name, HINFO, _ANY_TTL_S, (_ANY_VALUE,)))
            return None
        found = self._chooser.values(leaves, self._type) if leaves else None
        if found is not None and found[1]:
            answer.answer.append(RRset(name, self._type, *found))
            return None
        if not leaves and CNAME in node.sets:
            return self._follow(name, node)
        self._deny(NOERROR)
        return None

    def _follow(self, name: bytes, node: Node) -> bytes | None:
        found = self._chooser.values(node.sets[CNAME], CNAME)
        if found is None or not found[1]:
            self._deny(NOERROR)
            return None
        self._answer.answer.append(RRset(name, CNAME, *found))
        return found[1][0].lower()

    def _deny(self, code: int) -> None:
        self._answer.code = code
        self._answer.authority.append(negative_soa(self._zone))

    def _refer(self, name: bytes) -> bool:
        """Refer to another zone's servers at or below a cut. The highest cut is the one that counts."""
        zone, cut = self._zone, None
        for above in _up(name, zone.apex):
            node = zone.nodes.get(above)
            if node is not None and NS in node.sets and not (self._type == DS and above == name):
                cut = above
        if cut is None:
            return False
        servers = zone.nodes[cut].sets[NS][0]
        self._answer.authoritative = bool(self._answer.answer)
        self._answer.authority.append(RRset(cut, NS, servers.ttl_s, servers.values))
        self._answer.additional.extend(_glue(zone, servers.values))
        return True


def negative_soa(zone: ZoneImage) -> RRset:
    leaf = zone.nodes[zone.apex].sets[SOA][0]
    minimum_s = int.from_bytes(leaf.values[0][-4:])
    return RRset(zone.apex, SOA, min(leaf.ttl_s, minimum_s), leaf.values)


def _wildcard(zone: ZoneImage, name: bytes) -> Node | None:
    """The star below the closest name that exists (RFC 4592): a star further up covers nothing."""
    while name != zone.apex:
        name = parent(name)
        if name in zone.nodes:
            return zone.nodes.get(wildcard_of(name))
    return None


def _glue(zone: ZoneImage, servers: tuple[bytes, ...]) -> Iterator[RRset]:
    """Addresses of servers of this zone. Those below the cut cannot be had in any other way."""
    for server in servers:
        name = server.lower()
        node = zone.nodes.get(name)
        if node is None:
            continue
        for type in (A, AAAA):
            for leaf in node.sets.get(type, ()):
                if leaf.values:
                    yield RRset(name, type, leaf.ttl_s, leaf.values)


def _up(name: bytes, apex: bytes) -> Iterator[bytes]:
    while name != apex:
        yield name
        name = parent(name)
