"""Which of several record sets answers: Route 53's routing policies with health, nested through aliases.

Every policy but multivalue comes down to the same: it sorts the sets into tiers, the one it would rather answer with
first. The first tier with a healthy set in it answers, with one of its healthy sets by weight. If none is healthy
anywhere, all are taken to be: the first tier answers as if nothing were wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from cloudstead.dataplane.dns.blocks import Asker
from cloudstead.dataplane.dns.compiled import Leaf
from cloudstead.dataplane.dns.health import IsHealthy
from cloudstead.dataplane.dns.image import Image
from cloudstead.dataplane.dns.places import REGIONS, biased_km, coordinates, distance_km
from cloudstead.dataplane.dns.zones import (
    Cidr,
    Failover,
    Geolocation,
    Geoproximity,
    Latency,
    Multivalue,
    Place,
    Simple,
    Weighted,
)

_MULTIVALUE_MAX = 8
#: More aliases in a row than this lead nowhere. A circle ends so, too.
_ALIASES_MAX = 16
_ANYWHERE = 40_000.0

Tiers = list[list[Leaf]]


@dataclass(slots=True)
class Use:
    """What an answer depended on, beside the image. What depended on nothing can be given to everybody."""

    client: bool = False
    chance: bool = False
    health: bool = False


class Chooser:
    """Chooses for one question."""

    def __init__(self, image: Image, asker: Asker, is_healthy: IsHealthy, random: Random, use: Use) -> None:
        self._image = image
        self._asker = asker
        self._is_healthy = is_healthy
        self._random = random
        self.use = use

    def values(self, leaves: Sequence[Leaf], type: int) -> tuple[int, tuple[bytes, ...]] | None:
        """The time to live and the values that answer; None if nobody shall be answered with any of these."""
        for _ in range(_ALIASES_MAX):
            if not leaves:
                return None
            if type_of(leaves) is Multivalue:
                return self._several(leaves, type)
            chosen = self._one(leaves, type)
            if chosen is None:
                return None
            if chosen.target is None:
                return chosen.ttl_s, chosen.values
            leaves = self._image.leaves(*chosen.target, type)
        return None

    def _one(self, leaves: Sequence[Leaf], type: int) -> Leaf | None:
        tier = self.tier(leaves, type)
        if len(tier) <= 1:
            return tier[0] if tier else None
        self.use.chance = True
        return self._random.choices(tier, weights(tier))[0]

    def tier(self, leaves: Sequence[Leaf], type: int) -> list[Leaf]:
        """Those of the sets that chance may now choose from; none if nobody shall be answered with any of these."""
        if len(leaves) == 1 and type_of(leaves) in _FOR_EVERYBODY:
            return [leaves[0]]  # healthy or not, there is no other
        tiers = self._tiers(leaves)
        for tier in tiers:
            healthy = [leaf for leaf in tier if self._healthy(leaf, type)]
            if healthy:
                return healthy
        return tiers[0] if tiers else []

    def _several(self, leaves: Sequence[Leaf], type: int) -> tuple[int, tuple[bytes, ...]]:
        answering = [leaf for leaf in leaves if self._healthy(leaf, type)] or list(leaves)
        if len(answering) > 1:
            self.use.chance = True
            answering = self._random.sample(answering, min(len(answering), _MULTIVALUE_MAX))
        values = dict.fromkeys(value for leaf in answering for value in leaf.values)
        return min(leaf.ttl_s for leaf in answering), tuple(values)

    def _healthy(self, leaf: Leaf, type: int, depth: int = 0) -> bool:
        """By its own check, and an alias that says so by whether anything it leads to is healthy."""
        if leaf.check:
            self.use.health = True
            if not self._is_healthy(leaf.check):
                return False
        if leaf.target is None or not leaf.evaluates_target:
            return True
        if depth >= _ALIASES_MAX:
            return False
        return any(self._healthy(each, type, depth + 1) for each in self._image.leaves(*leaf.target, type))

    # --- tiers

    def _tiers(self, leaves: Sequence[Leaf]) -> Tiers:
        policy = type_of(leaves)
        if policy is Weighted:
            return _by_weight(leaves)
        if policy is Failover:
            return _by(leaves, lambda leaf: leaf.routing != Failover("PRIMARY"))
        if policy not in _BY_CLIENT:
            return [list(leaves)]
        self.use.client = True
        if policy is Cidr:
            return self._by_cidr(leaves)
        place = self._image.place(self._asker)
        if policy is Geolocation:
            return _by_geolocation(leaves, place)
        at = coordinates(place)
        return _by(leaves, lambda leaf: _away_km(leaf, at))

    def _by_cidr(self, leaves: Sequence[Leaf]) -> Tiers:
        """From the longest block that the client is in to the default."""
        routings = {leaf.routing: leaf for leaf in leaves}
        collection = next(routing.collection for routing in routings if isinstance(routing, Cidr))
        locations = [*self._image.cidr_locations(collection, self._asker), "*"]
        wanted = [Cidr(collection, location) for location in dict.fromkeys(locations)]
        return [[routings[each]] for each in wanted if each in routings]


#: What depends on nothing of a client but its place.
BY_PLACE = (Geolocation, Geoproximity, Latency)
_BY_CLIENT = (Cidr, *BY_PLACE)
#: Alone these answer everybody; the others still have to be where the client is.
_FOR_EVERYBODY = (Simple, Weighted, Failover, Geoproximity, Latency)


def weights(tier: Sequence[Leaf]) -> list[int]:
    """How often each of a tier is chosen, against the others. If all have the weight zero they are equals."""
    given = [leaf.routing.weight if isinstance(leaf.routing, Weighted) else 1 for leaf in tier]
    return given if any(given) else [1] * len(tier)


def type_of(leaves: Sequence[Leaf]) -> type:
    """The policy: sets of one name and type all have the same."""
    return leaves[0].routing.__class__


def _by(leaves: Sequence[Leaf], key: Callable[[Leaf], float]) -> Tiers:
    return [[leaf] for leaf in sorted(leaves, key=key)]


def _by_weight(leaves: Sequence[Leaf]) -> Tiers:
    """Those of weight zero are for when no other is healthy; among themselves they are equals."""
    some = [leaf for leaf in leaves if isinstance(leaf.routing, Weighted) and leaf.routing.weight]
    none = [leaf for leaf in leaves if leaf not in some]
    return [tier for tier in (some, none) if tier]


def _by_geolocation(leaves: Sequence[Leaf], place: Place) -> Tiers:
    """From the closest description of where the client is to the default."""
    wanted = [Geolocation(country="*")]
    if place.continent:
        wanted.insert(0, Geolocation(continent=place.continent))
    if place.country:
        wanted.insert(0, Geolocation(country=place.country))
    if place.subdivision:
        wanted.insert(0, Geolocation(country=place.country, subdivision=place.subdivision))
    routings = {leaf.routing: leaf for leaf in leaves}
    return [[routings[each]] for each in wanted if each in routings]


def _away_km(leaf: Leaf, at: tuple[float, float]) -> float:
    routing = leaf.routing
    if isinstance(routing, Geoproximity):
        return biased_km(distance_km(at, (routing.latitude, routing.longitude)), routing.bias)
    if isinstance(routing, Latency):
        region = REGIONS.get(routing.region)
        return distance_km(at, region) if region is not None else _ANYWHERE
    return _ANYWHERE
