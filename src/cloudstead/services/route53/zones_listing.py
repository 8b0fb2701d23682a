"""Lists of hosted zones: by id, by name, by VPC."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53 import names, paging
from cloudstead.services.route53.directory import Directory, bare
from cloudstead.services.route53.errors import InvalidDomainName, InvalidInput, no_such_delegation_set
from cloudstead.services.route53.networks import zones_of
from cloudstead.services.route53.rows import DelegationSet, HostedZone, Network
from cloudstead.services.route53.zones import shown


class HostedZoneLists:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def list_hosted_zones(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        found = self._directory.zones(caller)
        if request.get("DelegationSetId"):
            of = self._delegation_set(caller, request["DelegationSetId"])
            found = [zone for zone in found if zone.delegation_set == of]
        if request.get("HostedZoneType") == "PrivateHostedZone":
            found = [zone for zone in found if zone.private]
        return paging.marked("HostedZones", found, request, key=lambda zone: zone.id, shown=shown)

    def list_hosted_zones_by_name(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """In the order of the reversed labels, from the name and id that are asked for on."""
        if request.get("HostedZoneId") and not request.get("DNSName"):
            raise InvalidInput("HostedZoneId can only be specified together with DNSName.")
        start = _start(request)
        left = sorted((zone for zone in self._directory.zones(caller) if _place(zone) >= start), key=_place)
        most = paging.size(request)
        answer = {
            "HostedZones": [shown(zone) for zone in left[:most]],
            "IsTruncated": len(left) > most,
            "MaxItems": str(most),
            **{name: request[name] for name in ("DNSName", "HostedZoneId") if request.get(name)},
        }
        if len(left) > most:
            answer |= {"NextDNSName": left[most].name, "NextHostedZoneId": left[most].id}
        return answer

    def list_hosted_zones_by_vpc(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        network = Network(id=request["VPCId"], region=request["VPCRegion"])
        if self._directory.network_owner(network.region, network.id) != caller.account:
            raise InvalidInput(
                f"The VPC {network.id} in region {network.region} does not exist in this account."
            )
        page = paging.tokened(
            "HostedZoneSummaries",
            zones_of(self._directory, network),
            request,
            key=lambda zone: zone.id,
            shown=_summary,
            size_member="MaxItems",
        )
        return {**page, "MaxItems": str(paging.size(request))}

    def _delegation_set(self, caller: Caller, id: str) -> str:
        found = self._directory.store.get(DelegationSet, bare(id))
        if found is None or found.account != caller.account:
            raise no_such_delegation_set(bare(id))
        return found.id


def _place(zone: HostedZone) -> tuple[tuple[bytes, ...], str]:
    return names.order(zone.name), zone.id


def _start(request: Mapping[str, Any]) -> tuple[tuple[bytes, ...], str]:
    text = request.get("DNSName", "")
    try:
        return names.order(text) if text else (), bare(request.get("HostedZoneId", ""))
    except names.BadName as e:
        raise InvalidDomainName(f"The domain name {text} is not valid: {e}") from None


def _summary(zone: HostedZone) -> dict[str, Any]:
    return {"HostedZoneId": zone.id, "Name": zone.name, "Owner": {"OwningAccount": zone.account}}
