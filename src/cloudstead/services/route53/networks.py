"""VPCs of private zones: which may be associated, and which zones they have already."""

from collections.abc import Mapping
from typing import Any

from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.errors import ConflictingDomainExists, InvalidInput, InvalidVPCId
from cloudstead.services.route53.rows import HostedZone, Network


def checked_network(directory: Directory, given: Mapping[str, Any], *, owner: str | None) -> Network:
    """A VPC that there is, and that is this account's unless it may be anybody's."""
    if not given.get("VPCId") or not given.get("VPCRegion"):
        raise InvalidInput("Both VPCId and VPCRegion must be specified.")
    network = named(given)
    found = directory.network_owner(network.region, network.id)
    if found is None or owner not in (None, found):
        raise InvalidVPCId(
            "The VPC ID that you specified either isn't a valid ID or the current account is not authorized to "
            "access this VPC."
        )
    return network


def named(given: Mapping[str, Any]) -> Network:
    return Network(id=given.get("VPCId", ""), region=given.get("VPCRegion", ""))


def zones_of(directory: Directory, network: Network) -> list[HostedZone]:
    """The private zones, of whatever account, that a VPC hears."""
    return [zone for zone in directory.store.rows(HostedZone, private=True) if network in zone.networks]


def check_no_conflict(directory: Directory, zone: HostedZone, network: Network) -> None:
    """One VPC cannot hear two zones of one name."""
    for other in zones_of(directory, network):
        if other.name == zone.name:
            raise ConflictingDomainExists(
                f"The VPC {network.id} in region {network.region} has already been associated with the hosted zone "
                f"{other.id} with the same domain name."
            )


def shown_network(network: Network) -> dict[str, str]:
    return {"VPCRegion": network.region, "VPCId": network.id}
