"""Record sets in AWS's order: by the labels of the name from the last to the first, then by type and identifier."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53 import names, paging
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.errors import InvalidInput
from cloudstead.services.route53.record_sets import shown
from cloudstead.services.route53.rows import RecordSet

SIZE_MAX = 300

Place = tuple[tuple[bytes, ...], str, str]


class RecordLists:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def list_resource_record_sets(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        zone = self._directory.zone(caller, request["HostedZoneId"])
        start, most = _start(request), paging.size(request, SIZE_MAX)
        found = self._directory.store.rows(RecordSet, zone=zone.id)
        placed = sorted((place, each) for each in found if (place := _place(each)) >= start)
        answer = {
            "ResourceRecordSets": [shown(each) for _, each in placed[:most]],
            "IsTruncated": len(placed) > most,
            "MaxItems": str(most),
        }
        return answer if len(placed) <= most else {**answer, **_next(placed[most][1])}


def _place(found: RecordSet) -> Place:
    return names.order(found.name), found.type, found.set_identifier or ""


def _start(request: Mapping[str, Any]) -> Place:
    name, type, identifier = (
        request.get(f"StartRecord{member}", "") for member in ("Name", "Type", "Identifier")
    )
    if type and not name:
        raise InvalidInput(
            "The input is not valid: StartRecordType cannot be specified without StartRecordName."
        )
    if identifier and not type:
        raise InvalidInput(
            "The input is not valid: StartRecordIdentifier cannot be specified without StartRecordType."
        )
    try:
        return (names.order(name) if name else ()), type, identifier
    except names.BadName as e:
        raise InvalidInput(f"FATAL problem: {e} encountered with '{name}'") from None


def _next(following: RecordSet) -> dict[str, str]:
    answer = {"NextRecordName": following.name, "NextRecordType": following.type}
    if following.set_identifier is not None:
        answer["NextRecordIdentifier"] = following.set_identifier
    return answer
