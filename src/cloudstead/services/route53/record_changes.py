"""ChangeResourceRecordSets: a batch is made whole or not at all, and all that is wrong with it is told at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53 import limits, record_rules, record_sets
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.errors import InvalidInput, bad_batch
from cloudstead.services.route53.feed import FindPlace
from cloudstead.services.route53.health_checks import find as find_health_check
from cloudstead.services.route53.rows import CidrCollection, HostedZone, RecordSet, Touched, owner
from cloudstead.store import Store

#: Of one batch. An UPSERT counts twice.
RECORDS_MAX = 1000
CHARACTERS_MAX = 32_000


class RecordChanges:
    def __init__(
        self, directory: Directory, find_target: record_rules.FindTarget, find_place: FindPlace
    ) -> None:
        self._find_place = find_place
        self._directory = directory
        self._store = directory.store
        self._find_target = find_target

    def change_resource_record_sets(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        given = request["ChangeBatch"]["Changes"]
        comment = request["ChangeBatch"].get("Comment")
        if not given:
            raise InvalidInput("1 validation error detected: Value '[]' at 'changeBatch.changes' failed to satisfy "
                               "constraint: Member must have length greater than or equal to 1")  # fmt: skip
        _check_size(given)
        with self._store.transaction():
            zone = self._directory.zone(caller, request["HostedZoneId"])
            batch = Batch(self._store, zone, self._find_target)
            for change in given:
                wanted = record_sets.wanted(zone.id, change)
                if change["Action"] != "DELETE":
                    self._check_references(caller, wanted)
                batch.take(change["Action"], wanted)
            batch.check()
            batch.write()
            change = self._directory.changed(caller.account, batch.touched(), comment)
        return {"ChangeInfo": self._directory.change_info(change)}

    def _check_references(self, caller: Caller, wanted: RecordSet) -> None:
        """What a set names must be there: its health check, its collection and its place."""
        if wanted.health_check is not None:
            find_health_check(self._directory, caller, wanted.health_check)
        if wanted.traffic_policy_instance is not None:
            raise NotBuilt("Traffic policy instances are not built")
        if (cidr := wanted.cidr) is not None:
            found = self._store.get(CidrCollection, cidr.collection)
            if found is None or found.account != caller.account:
                raise bad_batch(["The CIDR collection you specified, doesn't exist."])
            if cidr.location != "*" and cidr.location not in found.locations:
                raise bad_batch(
                    [f"The CIDR location {cidr.location} doesn't exist in the collection {found.id}."]
                )
        if (at := wanted.geoproximity) is not None and at.latitude is None:
            place = at.region or at.local_zone_group
            if place is None or self._find_place(place) is None:
                raise bad_batch([f"The location {place} of a geoproximity record set is not known."])


class Batch:
    """The record sets of a zone as they would be after the changes taken so far."""

    def __init__(self, store: Store, zone: HostedZone, find_target: record_rules.FindTarget) -> None:
        self._store = store
        self._zone = zone
        self._find_target = find_target
        self._deleted: dict[str, RecordSet] = {}
        self._new: dict[str, RecordSet] = {}
        self._upserted: set[str] = set()
        self._names: dict[str, dict[str, RecordSet]] = {}
        self._wrong: list[str] = []

    def take(self, action: str, wanted: RecordSet) -> None:
        if action == "DELETE":
            self._take_deletion(wanted)
            return
        if wanted.id in self._new or (action == "UPSERT" and wanted.id in self._deleted):
            self._twice(wanted)
            return
        self._new[wanted.id] = wanted
        if action == "UPSERT":
            self._upserted.add(wanted.id)

    def check(self) -> None:
        """Raise InvalidChangeBatch with everything that is wrong."""
        for id, new in self._new.items():
            if id not in self._upserted and id not in self._deleted and self._store.get(RecordSet, id):
                self._wrong.append(f"Tried to create resource record set {_which(new)} but it already exists")
        self._build()
        self._wrong += [said for new in self._new.values() for said in record_rules.of_new(self._zone, new)]
        self._wrong = self._wrong or list(self._wrong_together())
        if wrong := list(dict.fromkeys(self._wrong)):
            raise bad_batch(wrong)
        if self._count() > limits.RECORD_SETS_OF_A_ZONE:
            raise bad_batch([f"Number of records limit of {limits.RECORD_SETS_OF_A_ZONE} exceeded."])

    def write(self) -> None:
        count = self._count()
        for id, gone in self._deleted.items():
            if id not in self._new:
                self._store.delete(gone)
        for id, new in self._new.items():
            old = self._store.get(RecordSet, id)
            if old is None:
                self._store.insert(new)
            else:
                self._store.update(old, **_fields(new))
        self._store.update(self._zone, record_count=count)

    def touched(self) -> list[Touched]:
        """Every name and type once."""
        pairs = {(each.name, each.type): None for each in (*self._deleted.values(), *self._new.values())}
        return [Touched(zone=self._zone.id, name=name, type=type) for name, type in pairs]

    # --- inside

    def _take_deletion(self, wanted: RecordSet) -> None:
        found = self._store.get(RecordSet, wanted.id)
        if wanted.id in self._deleted or wanted.id in self._upserted:
            self._twice(wanted)
        elif found is None:
            self._wrong.append(f"Tried to delete resource record set {_which(wanted)} but it was not found")
        elif not _same(found, wanted):
            self._wrong.append(
                f"Tried to delete resource record set {_which(wanted)} but the values provided do not match the "
                "current values"
            )
        else:
            self._deleted[wanted.id] = found

    def _twice(self, wanted: RecordSet) -> None:
        self._wrong.append(
            "The request contains an invalid set of changes for a resource record set "
            f"'{wanted.type} {wanted.name}'"
        )

    def _build(self) -> None:
        for each in (*self._deleted.values(), *self._new.values()):
            self._at(each.name)
        for each in self._deleted.values():
            self._names[each.name].pop(each.id, None)
        for each in self._new.values():
            self._names[each.name][each.id] = each

    def _at(self, name: str) -> Sequence[RecordSet]:
        """All sets that there would be at a name."""
        if name not in self._names:
            found = self._store.rows(RecordSet, owner=owner(self._zone.id, name))
            self._names[name] = {each.id: each for each in found}
        return list(self._names[name].values())

    def _wrong_together(self) -> Iterator[str]:
        by_name: dict[str, list[RecordSet]] = {}
        for each in self._new.values():
            by_name.setdefault(each.name, []).append(each)
        for name, new in by_name.items():
            yield from record_rules.of_name(self._zone, self._at(name), new)
        for each in self._new.values():
            yield from record_rules.of_alias(self._zone, each, self._at, self._find_target)
        if self._zone.name in self._names:
            yield from record_rules.of_apex(self._zone, self._at(self._zone.name))

    def _count(self) -> int:
        new = sum(1 for id in self._new if self._store.get(RecordSet, id) is None)
        return self._zone.record_count + new - sum(1 for id in self._deleted if id not in self._new)


def _check_size(given: Sequence[Mapping[str, Any]]) -> None:
    records = characters = 0
    for change in given:
        times = 2 if change["Action"] == "UPSERT" else 1
        values = change["ResourceRecordSet"].get("ResourceRecords", ())
        records += times * max(len(values), 1)
        characters += times * sum(len(value["Value"]) for value in values)
    if records > RECORDS_MAX:
        raise bad_batch([f"Number of records limit of {RECORDS_MAX} exceeded."])
    if characters > CHARACTERS_MAX:
        raise bad_batch([f"Number of characters limit of {CHARACTERS_MAX} exceeded."])


def _which(wanted: RecordSet) -> str:
    identifier = "" if wanted.set_identifier is None else f", set-identifier='{wanted.set_identifier}'"
    return f"[name='{wanted.name}', type='{wanted.type}'{identifier}]"


def _same(found: RecordSet, wanted: RecordSet) -> bool:
    """Whether a set is what somebody says it is; values have no order."""
    as_found = {**_fields(found), "values": sorted(found.values)}
    return as_found == {**_fields(wanted), "values": sorted(wanted.values)}


def _fields(of: RecordSet) -> dict[str, Any]:
    fields = msgspec.structs.asdict(of)
    del fields["id"], fields["version"]
    return fields
