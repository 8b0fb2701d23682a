"""All zones as one name server holds them, and how they change.

A zone is a table from names to what they have. A name that has nothing itself, but others below it, is there too
(an empty non-terminal): it exists, and no wildcard covers it. So whether a name exists is one look.

Only `apply` changes an image; it is called between two questions.
"""

from cloudstead.dataplane.dns import zones as told
from cloudstead.dataplane.dns.blocks import Asker, Blocks
from cloudstead.dataplane.dns.compiled import NS, Leaf, compile_set, type_number
from cloudstead.dataplane.dns.places import UNKNOWN
from cloudstead.dataplane.dns.wirenames import ROOT, parent, to_wire


class Node:
    """What a name has: for each type the sets to choose from. `below` counts the names below it that have any."""

    __slots__ = ("below", "sets")

    def __init__(self) -> None:
        self.sets: dict[int, tuple[Leaf, ...]] = {}
        self.below = 0


class ZoneImage:
    """A zone's names. `cuts` counts those below the apex that are delegated, which most zones have none of."""

    def __init__(self, zone: told.Zone) -> None:
        self.zone = zone
        self.apex = to_wire(zone.name)
        self.nodes: dict[bytes, Node] = {self.apex: Node()}
        self.cuts = 0

    def put(self, name: bytes, type: int, leaves: tuple[Leaf, ...]) -> None:
        node = self.nodes.get(name) or self.nodes.setdefault(name, Node())
        held, had = bool(node.sets), type in node.sets
        if leaves:
            node.sets[type] = leaves
        else:
            node.sets.pop(type, None)
        if type == NS and name != self.apex:
            self.cuts += bool(leaves) - had
        if bool(node.sets) != held:
            self._count(name, 1 if node.sets else -1)
        self._prune(name)

    def _count(self, name: bytes, more: int) -> None:
        for above in self._above(name):
            self.nodes.setdefault(above, Node()).below += more

    def _prune(self, name: bytes) -> None:
        """Take out a name that has nothing, neither itself nor below. Names above it that were there for it go too."""
        for each in (name, *self._above(name)):
            node = self.nodes[each]
            if node.sets or node.below or each == self.apex:
                return
            del self.nodes[each]

    def _above(self, name: bytes) -> list[bytes]:
        names = []
        while name != self.apex:
            name = parent(name)
            names.append(name)
        return names


#: Of one view: for each apex the zones that have it, the one that answers first.
Apexes = dict[bytes, list[ZoneImage]]


class Image:
    def __init__(self) -> None:
        self.number = 0
        #: Moves with every batch: what was worked out under an older one may be wrong.
        self.generation = 0
        self.networks: dict[str, told.Network] = {}
        self._zones: dict[str, ZoneImage] = {}
        self._public: Apexes = {}
        self._private: dict[str, Apexes] = {}
        self._collections: dict[str, Blocks[str]] = {}
        self._places: Blocks[told.Place] = Blocks()

    def apply(self, batch: told.Batch) -> None:
        """Make it so. Costs what the changes cost, however large the zones are."""
        if batch.anew:
            for known in (self._zones, self._public, self._private, self._collections):
                known.clear()
        for change in batch.changes:
            self._apply(change)
        self.number = batch.number
        self.generation += 1

    def zone(self, id: str) -> ZoneImage | None:
        return self._zones.get(id)

    def zone_of(self, view: str | None, name: bytes) -> ZoneImage | None:
        """The zone that answers for a name: in a network its private zones come before all public ones."""
        return self.private_zone_of(view, name) or _closest(self._public, name)

    def private_zone_of(self, view: str | None, name: bytes) -> ZoneImage | None:
        private = self._private.get(view) if view is not None else None
        return _closest(private, name) if private else None

    def leaves(self, zone: str, name: bytes, type: int) -> tuple[Leaf, ...]:
        """What an alias leads to. A wildcard is there only under its own name."""
        found = self._zones.get(zone)
        node = found.nodes.get(name) if found is not None else None
        return node.sets.get(type, ()) if node is not None else ()

    def place(self, asker: Asker) -> told.Place:
        return next(self._places.matching(asker), UNKNOWN)

    def cidr_locations(self, collection: str, asker: Asker) -> list[str]:
        """The locations of a collection that an address is in, of the longest block first."""
        blocks = self._collections.get(collection)
        return list(blocks.matching(asker)) if blocks is not None else []

    # --- changes

    def _apply(self, change: told.Change) -> None:
        match change:
            case told.PutRecords(zone, name, type, sets):
                self._zones[zone].put(to_wire(name), type_number(type), tuple(map(compile_set, sets)))
            case told.PutZone(zone):
                self._put_zone(zone)
            case told.DropZone(id):
                self._unlist(self._zones.pop(id, None))
            case told.PutCollection(collection):
                self._collections[collection.id] = _blocks_of(collection)
            case told.DropCollection(id):
                self._collections.pop(id, None)
            case told.PutClientLocations(locations):
                self._places = Blocks()
                for each in locations:
                    self._places.put(each.block, each.place)
            case told.PutNetwork(network):
                self.networks[network.id] = network
            case told.DropNetwork(id):
                self.networks.pop(id, None)

    def _put_zone(self, zone: told.Zone) -> None:
        found = self._zones.get(zone.id)
        if found is None:
            found = self._zones[zone.id] = ZoneImage(zone)
        else:
            self._unlist(found)
            found.zone = zone
        for apexes in self._views(zone):
            listed = apexes.setdefault(found.apex, [])
            listed.append(found)
            listed.sort(key=lambda each: (each.zone.rank, each.zone.id))

    def _unlist(self, found: ZoneImage | None) -> None:
        if found is None:
            return
        for apexes in self._views(found.zone):
            apexes[found.apex].remove(found)
            if not apexes[found.apex]:
                del apexes[found.apex]

    def _views(self, zone: told.Zone) -> list[Apexes]:
        if zone.networks is None:
            return [self._public]
        return [self._private.setdefault(network, {}) for network in zone.networks]


def _closest(apexes: Apexes, name: bytes) -> ZoneImage | None:
    while True:
        listed = apexes.get(name)
        if listed is not None:
            return listed[0]
        if name == ROOT:
            return None
        name = parent(name)


def _blocks_of(collection: told.Collection) -> Blocks[str]:
    blocks: Blocks[str] = Blocks()
    for location, members in collection.locations.items():
        for block in members:
            blocks.put(block, location)
    return blocks
