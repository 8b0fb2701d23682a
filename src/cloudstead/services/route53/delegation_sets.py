"""Reusable delegation sets: four name servers that many zones may share."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53 import limits, name_servers
from cloudstead.services.route53.directory import Directory, bare
from cloudstead.services.route53.errors import (
    DelegationSetAlreadyCreated,
    DelegationSetAlreadyReusable,
    DelegationSetInUse,
    HostedZoneNotFound,
    InvalidInput,
    LimitsExceeded,
    no_such_delegation_set,
)
from cloudstead.services.route53.paging import marked
from cloudstead.services.route53.rows import DelegationSet, HostedZone


class DelegationSets:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_reusable_delegation_set(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            self._check_new(caller, request["CallerReference"])
            zone = self._zone(caller, request["HostedZoneId"]) if request.get("HostedZoneId") else None
            made = self._store.insert(
                DelegationSet(
                    id=self._directory.new_id("N"),
                    account=caller.account,
                    caller_reference=request["CallerReference"],
                    name_servers=zone.name_servers
                    if zone is not None
                    else name_servers.choose(self._directory.tools.random),
                )
            )
            if zone is not None:
                self._store.update(zone, delegation_set=made.id)
        return {
            "DelegationSet": _shown(made),
            "Location": f"https://route53.amazonaws.com/2013-04-01/delegationset/{made.id}",
        }

    def get_reusable_delegation_set(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"DelegationSet": _shown(self._find(caller, request["Id"]))}

    def list_reusable_delegation_sets(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        mine = self._store.rows(DelegationSet, account=caller.account)
        return marked("DelegationSets", mine, request, key=lambda each: each.id, shown=_shown)

    def delete_reusable_delegation_set(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            found = self._find(caller, request["Id"])
            if self._store.rows(HostedZone, delegation_set=found.id):
                raise DelegationSetInUse(
                    "The specified delegation contains associated hosted zones which must be deleted before the "
                    "reusable delegation set can be deleted."
                )
            self._store.delete(found)
        return {}

    def get_reusable_delegation_set_limit(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        found = self._find(caller, request["DelegationSetId"])
        count = len(self._store.rows(HostedZone, delegation_set=found.id))
        return {
            "Limit": {"Type": request["Type"], "Value": limits.ZONES_OF_A_DELEGATION_SET},
            "Count": count,
        }

    # --- inside

    def _find(self, caller: Caller, id: str) -> DelegationSet:
        found = self._store.get(DelegationSet, bare(id))
        if found is None or found.account != caller.account:
            raise no_such_delegation_set(bare(id))
        return found

    def _check_new(self, caller: Caller, reference: str) -> None:
        mine = self._store.rows(DelegationSet, account=caller.account)
        if any(each.caller_reference == reference for each in mine):
            raise DelegationSetAlreadyCreated(
                "A delegation set with the same owner and caller reference combination has already been created."
            )
        if len(mine) >= limits.DELEGATION_SETS_OF_AN_ACCOUNT:
            raise LimitsExceeded("The account has reached its limit of reusable delegation sets.")

    def _zone(self, caller: Caller, id: str) -> HostedZone:
        zone = self._directory.any_zone(id)
        if zone is None or zone.account != caller.account:
            raise HostedZoneNotFound("The specified HostedZone can't be found.")
        if zone.private:
            raise InvalidInput("A private hosted zone has no delegation set that could be reused.")
        if zone.delegation_set:
            raise DelegationSetAlreadyReusable(
                "The specified delegation set has already been marked as reusable."
            )
        return zone


def _shown(found: DelegationSet) -> dict[str, Any]:
    return {
        "Id": f"/delegationset/{found.id}",
        "CallerReference": found.caller_reference,
        "NameServers": list(found.name_servers),
    }
