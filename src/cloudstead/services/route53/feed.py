"""The zones as name servers are told of them: a `Source` over the rows, whole or by what changed.

Each change names what it touched, and here is only looked what is there now. So a batch never tells what a later
change has made void, and told twice it does no harm.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from cloudstead.dataplane.dns import zones as told
from cloudstead.services.route53 import names
from cloudstead.services.route53.record_values import zone_text
from cloudstead.services.route53.rows import (
    Change,
    CidrCollection,
    FeedEnd,
    Geoproximity,
    HostedZone,
    RecordSet,
    Touched,
    owner,
)
from cloudstead.store import Store

#: Where a region or a local zone is: latitude and longitude. None if nobody knows.
FindPlace = Callable[[str], tuple[float, float] | None]


class Feed:
    """What a name server has not heard yet."""

    def __init__(self, store: Store, find_place: FindPlace) -> None:
        self._store = store
        self._find_place = find_place

    def since(self, number: int) -> told.Batch | None:
        with self._store.reading():
            end = self._store.get(FeedEnd, "feed")
            if end is None or number == end.number:
                return None
            touched = None if number == 0 else self._touched(number, end.number)
            changes = self._everything() if touched is None else self._now(touched)
            return told.Batch(end.number, tuple(changes), anew=touched is None)

    def zone(self, zone: HostedZone) -> told.Batch:
        """All that one zone's answers depend on."""
        return told.Batch(0, (*self._collections(), *self._whole(zone)))

    def _touched(self, number: int, end: int) -> Iterable[Touched] | None:
        """What the changes after this number touched, each once; None if not all of them are remembered."""
        found: dict[Touched, None] = {}
        for at in range(number + 1, end + 1):
            changes = self._store.rows(Change, number=at)
            if not changes:
                return None
            found |= dict.fromkeys(changes[0].touched)
        return found if number < end else None

    def _now(self, touched: Iterable[Touched]) -> Iterator[told.Change]:
        for each in touched:
            if each.collection:
                found = self._store.get(CidrCollection, each.collection)
                yield told.DropCollection(each.collection) if found is None else _collection(found)
            elif each.name:
                if self._store.get(HostedZone, each.zone) is not None:
                    yield self._records(each.zone, each.name, each.type)
            else:
                zone = self._store.get(HostedZone, each.zone)
                yield told.DropZone(each.zone) if zone is None else told.PutZone(_zone(zone))

    def _everything(self) -> Iterator[told.Change]:
        yield from self._collections()
        for zone in self._store.rows(HostedZone):
            yield from self._whole(zone)

    def _collections(self) -> Iterator[told.Change]:
        for collection in self._store.rows(CidrCollection):
            yield _collection(collection)

    def _whole(self, zone: HostedZone) -> Iterator[told.Change]:
        yield told.PutZone(_zone(zone))
        pairs = dict.fromkeys((each.name, each.type) for each in self._store.rows(RecordSet, zone=zone.id))
        for name, type in pairs:
            yield self._records(zone.id, name, type)

    def _records(self, zone: str, name: str, type: str) -> told.PutRecords:
        found = self._store.rows(RecordSet, owner=owner(zone, name), type=type)
        sets = tuple(record_set(each, self._find_place) for each in found)
        return told.PutRecords(zone, names.zone_text(name), type, sets)


def servers_of(store: Store, zone: str) -> tuple[str, ...]:
    """The names of the servers that a zone was given; none for one that is private, or gone."""
    found = store.get(HostedZone, zone)
    return found.name_servers if found is not None else ()


def forgotten(store: Store) -> list[FeedEnd]:
    """What is to be kept when all rows are wiped, so that name servers are told that nothing is left."""
    return [msgspec.structs.replace(end, number=end.number + 1) for end in store.rows(FeedEnd)]


def record_set(row: RecordSet, find_place: FindPlace) -> told.RecordSet:
    alias = row.alias
    return told.RecordSet(
        name=names.zone_text(row.name),
        type=row.type,
        ttl_s=row.ttl_s or 0,
        values=tuple(zone_text(row.type, value) for value in row.values),
        set_identifier=row.set_identifier or "",
        routing=_routing(row, find_place),
        alias=None
        if alias is None
        else told.Alias(
            zone=alias.zone,
            name=names.zone_text(alias.name),
            evaluate_target_health=alias.evaluate_target_health,
        ),
        health_check=row.health_check or "",
    )


def _zone(row: HostedZone) -> told.Zone:
    networks = tuple(network.id for network in row.networks) if row.private else None
    return told.Zone(id=row.id, name=names.zone_text(row.name), networks=networks)


def _collection(row: CidrCollection) -> told.PutCollection:
    return told.PutCollection(told.Collection(id=row.id, locations=row.locations))


def _routing(row: RecordSet, find_place: FindPlace) -> told.Routing:
    if row.weight is not None:
        return told.Weighted(row.weight)
    if row.region is not None:
        return told.Latency(row.region)
    if row.failover is not None:
        return told.Failover(row.failover)
    if row.geolocation is not None:
        at = row.geolocation
        return told.Geolocation(
            continent=at.continent or "", country=at.country or "", subdivision=at.subdivision or ""
        )
    if row.geoproximity is not None:
        return _geoproximity(row.geoproximity, find_place)
    if row.cidr is not None:
        return told.Cidr(row.cidr.collection, row.cidr.location)
    return told.Multivalue() if row.multivalue else told.Simple()


def _geoproximity(at: Geoproximity, find_place: FindPlace) -> told.Geoproximity:
    if at.latitude is not None and at.longitude is not None:
        place = float(at.latitude), float(at.longitude)
    else:
        found = find_place(at.region or at.local_zone_group or "")
        assert found is not None, "checked when it was written"
        place = found
    return told.Geoproximity(latitude=place[0], longitude=place[1], bias=at.bias or 0)
