"""Hosted zones, from their first two record sets until they are empty again."""

from collections.abc import Mapping
from typing import Any

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53 import limits, name_servers, names
from cloudstead.services.route53.directory import Directory, bare
from cloudstead.services.route53.errors import (
    HostedZoneAlreadyExists,
    HostedZoneNotEmpty,
    InvalidDomainName,
    InvalidInput,
    TooManyHostedZones,
    no_such_delegation_set,
)
from cloudstead.services.route53.networks import check_no_conflict, checked_network, shown_network
from cloudstead.services.route53.rows import DelegationSet, HostedZone, RecordSet, Touched

#: Record sets that every zone has: a zone with no others can be deleted.
REQUIRED = 2

_TRIES = 50


class HostedZones:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_hosted_zone(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        _check_built(request)
        with self._store.transaction():
            zone = self._store.insert(self._wanted(caller, request))
            touched = [Touched(zone=zone.id)]
            for each in name_servers.first_record_sets(
                zone.id, zone.name, zone.name_servers or name_servers.PRIVATE
            ):
                self._store.insert(each)
                touched.append(Touched(zone=zone.id, name=each.name, type=each.type))
            change = self._directory.changed(caller.account, touched)
        return {
            "HostedZone": shown(zone),
            "ChangeInfo": self._directory.change_info(change),
            "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone.id}",
            **({"VPC": shown_network(zone.networks[0])} if zone.private else {}),
            **({} if zone.private else {"DelegationSet": shown_delegation(zone)}),
        }

    def get_hosted_zone(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        zone = self._directory.zone(caller, request["Id"])
        if zone.private:
            return {"HostedZone": shown(zone), "VPCs": [shown_network(each) for each in zone.networks]}
        return {"HostedZone": shown(zone), "DelegationSet": shown_delegation(zone)}

    def get_hosted_zone_count(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        del request
        return {"HostedZoneCount": len(self._directory.zones(caller))}

    def delete_hosted_zone(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            zone = self._directory.zone(caller, request["Id"])
            if zone.record_count > REQUIRED:
                raise HostedZoneNotEmpty(
                    "The specified hosted zone contains non-required resource record sets  and so cannot be deleted."
                )
            for each in self._store.rows(RecordSet, zone=zone.id):
                self._store.delete(each)
            self._store.delete(zone)
            change = self._directory.changed(caller.account, [Touched(zone=zone.id)])
        return {"ChangeInfo": self._directory.change_info(change)}

    def update_hosted_zone_comment(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            zone = self._directory.zone(caller, request["Id"])
            zone = self._store.update(zone, comment=request.get("Comment") or None)
        return {"HostedZone": shown(zone)}

    def update_hosted_zone_features(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """What none of the zones has can be switched off."""
        self._directory.zone(caller, request["HostedZoneId"])
        if request.get("EnableAcceleratedRecovery"):
            raise NotBuilt("Accelerated recovery of hosted zones is not built")
        _check_built(request)
        return {}

    # --- inside

    def _wanted(self, caller: Caller, request: Mapping[str, Any]) -> HostedZone:
        zone = HostedZone(
            id=self._directory.new_id("Z"),
            account=caller.account,
            name=_checked_name(request["Name"]),
            caller_reference=request["CallerReference"],
            created_at=self._directory.tools.clock.now(),
            comment=request.get("HostedZoneConfig", {}).get("Comment") or None,
            record_count=REQUIRED,
        )
        self._check_new(caller, zone)
        if "VPC" in request:
            return self._private(caller, zone, request)
        if request.get("HostedZoneConfig", {}).get("PrivateZone"):
            raise InvalidInput(
                "When you're creating a private hosted zone (when you specify true for PrivateZone), you must also "
                "specify values for VPCId and VPCRegion."
            )
        return self._public(caller, zone, request.get("DelegationSetId"))

    def _check_new(self, caller: Caller, zone: HostedZone) -> None:
        mine = self._directory.zones(caller)
        if any(each.caller_reference == zone.caller_reference for each in mine):
            raise HostedZoneAlreadyExists(
                "A hosted zone has already been created with the specified caller reference."
            )
        if len(mine) >= limits.ZONES_OF_AN_ACCOUNT:
            raise TooManyHostedZones(
                "This operation can't be completed because the current account has reached the limit on the number "
                "of hosted zones."
            )

    def _private(self, caller: Caller, zone: HostedZone, request: Mapping[str, Any]) -> HostedZone:
        if request.get("DelegationSetId"):
            raise InvalidInput("A private hosted zone cannot be created with a reusable delegation set.")
        network = checked_network(self._directory, request["VPC"], owner=caller.account)
        check_no_conflict(self._directory, zone, network)
        return msgspec.structs.replace(zone, private=True, networks=(network,))

    def _public(self, caller: Caller, zone: HostedZone, delegation_set: str | None) -> HostedZone:
        if delegation_set:
            found = self._store.get(DelegationSet, bare(delegation_set))
            if found is None or found.account != caller.account:
                raise no_such_delegation_set(bare(delegation_set))
            return msgspec.structs.replace(zone, delegation_set=found.id, name_servers=found.name_servers)
        return msgspec.structs.replace(zone, name_servers=self._own_name_servers(zone.name))

    def _own_name_servers(self, name: str) -> tuple[str, ...]:
        """Four that no other zone of this name has: else nobody could tell which is meant."""
        taken = {server for each in self._store.rows(HostedZone, name=name) for server in each.name_servers}
        for _ in range(_TRIES):
            chosen = name_servers.choose(self._directory.tools.random)
            if taken.isdisjoint(chosen):
                break
        return chosen


def shown(zone: HostedZone) -> dict[str, Any]:
    config: dict[str, Any] = {"PrivateZone": zone.private}
    if zone.comment is not None:
        config["Comment"] = zone.comment
    return {
        "Id": f"/hostedzone/{zone.id}",
        "Name": zone.name,
        "CallerReference": zone.caller_reference,
        "Config": config,
        "ResourceRecordSetCount": zone.record_count,
    }


def shown_delegation(zone: HostedZone) -> dict[str, Any]:
    answer: dict[str, Any] = {"NameServers": list(zone.name_servers)}
    return answer if not zone.delegation_set else {"Id": f"/delegationset/{zone.delegation_set}", **answer}


def _checked_name(text: str) -> str:
    try:
        name = names.normal(text)
    except names.BadName as e:
        raise InvalidDomainName(f"The domain name {text} is not valid: {e}") from None
    if name == ".":
        raise InvalidDomainName("The domain name . is not valid: the root cannot be a hosted zone")
    return name


def _check_built(request: Mapping[str, Any]) -> None:
    if request.get("HostedZoneConfig", {}).get("HostedZoneTier", "STANDARD") != "STANDARD":
        raise NotBuilt("Hosted zones of the tier ADVANCED are not built")
    if request.get("EnablePublicDNSFallback"):
        raise NotBuilt("Public DNS fallback of private hosted zones is not built")
    if any(each["Status"] == "ENABLED" for each in request.get("ChangeGuardrails", ())):
        raise NotBuilt("Change guardrails of hosted zones are not built")
