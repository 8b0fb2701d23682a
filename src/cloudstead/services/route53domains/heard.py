"""Which of several hosted zones with one name is heard: the one whose name servers the registry leads to.

On AWS each zone has servers of its own, so the delegation alone decides. Here one server answers for all of them and
must be told. Where nobody registered the name, or the registry leads elsewhere, the zones are equal.
"""

from collections.abc import Callable, Collection, Iterator

import msgspec

from cloudstead.dataplane.dns import Source
from cloudstead.dataplane.dns import zones as told

#: The name servers that the registry leads to for a name; those of the zone with an id.
DelegatedTo = Callable[[str], Collection[str]]
ServersOf = Callable[[str], Collection[str]]


class Heard:
    """A `dns.Source` of zones with their ranks. Only names that several zones have are looked at again and again."""

    def __init__(self, source: Source, delegated_to: DelegatedTo, servers_of: ServersOf) -> None:
        self._source = source
        self._delegated_to = delegated_to
        self._servers_of = servers_of
        self._zones: dict[str, told.Zone] = {}
        self._ids: dict[str, set[str]] = {}
        self._shared: set[str] = set()

    def since(self, number: int) -> told.Batch | None:
        batch = self._source.since(number)
        if batch is not None and (batch.anew or number == 0):
            for known in (self._zones, self._ids, self._shared):
                known.clear()
        changes = [self._noted(change) for change in batch.changes] if batch is not None else []
        changes += self._moved()
        if batch is None and not changes:
            return None
        if batch is None:
            return told.Batch(number, tuple(changes))
        return told.Batch(batch.number, tuple(changes), anew=batch.anew)

    def _noted(self, change: told.Change) -> told.Change:
        if isinstance(change, told.DropZone):
            self._forget(change.id)
        if not isinstance(change, told.PutZone):
            return change
        self._forget(change.zone.id)
        if change.zone.networks is not None:
            return change
        return told.PutZone(self._keep(change.zone))

    def _moved(self) -> Iterator[told.Change]:
        for id in [id for name in self._shared for id in self._ids[name]]:
            before = self._zones[id]
            if self._keep(before) != before:
                yield told.PutZone(self._zones[id])

    def _keep(self, zone: told.Zone) -> told.Zone:
        name = zone.name.removesuffix(".")
        ids = self._ids.setdefault(name, set())
        ids.add(zone.id)
        if len(ids) > 1:
            self._shared.add(name)
        zone = self._zones[zone.id] = msgspec.structs.replace(zone, rank=self._rank(name, zone.id))
        return zone

    def _rank(self, name: str, id: str) -> int:
        servers = set(self._delegated_to(name))
        return int(bool(servers) and servers != set(self._servers_of(id)))

    def _forget(self, id: str) -> None:
        zone = self._zones.pop(id, None)
        if zone is None:
            return
        name = zone.name.removesuffix(".")
        self._ids[name].discard(id)
        if len(self._ids[name]) < 2:
            self._shared.discard(name)
        if not self._ids[name]:
            del self._ids[name]
