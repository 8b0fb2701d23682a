"""Which VPCs hear a private zone, those of other accounts included.

Whose the zone is says by an authorization which VPC may be associated; whose the VPC is then associates it. Once
associated it stays so, even when the authorization goes.
"""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53 import limits
from cloudstead.services.route53.directory import Directory, bare
from cloudstead.services.route53.errors import (
    InvalidInput,
    LastVPCAssociation,
    LimitsExceeded,
    NotAuthorizedException,
    PublicZoneVPCAssociation,
    TooManyVPCAssociationAuthorizations,
    VPCAssociationAuthorizationNotFound,
    VPCAssociationNotFound,
    no_such_zone,
)
from cloudstead.services.route53.networks import check_no_conflict, checked_network, named, shown_network
from cloudstead.services.route53.paging import tokened
from cloudstead.services.route53.rows import HostedZone, Network, Touched


class VpcAssociations:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def associate_vpc_with_hosted_zone(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            zone = self._private_zone(request["HostedZoneId"])
            network = checked_network(self._directory, request["VPC"], owner=caller.account)
            if zone.account != caller.account and network not in zone.authorized:
                raise NotAuthorizedException(
                    f"The VPC: {network.id} has not authorized to associate with your hosted zone."
                )
            check_no_conflict(self._directory, zone, network)
            if len(zone.networks) >= limits.NETWORKS_OF_A_ZONE:
                raise LimitsExceeded(
                    f"The hosted zone {zone.id} cannot be associated with more than {limits.NETWORKS_OF_A_ZONE} VPCs."
                )
            return self._associate(caller, zone, (*zone.networks, network), request.get("Comment"))

    def disassociate_vpc_from_hosted_zone(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            zone = self._private_zone(request["HostedZoneId"])
            network = named(request["VPC"])
            if caller.account not in (
                zone.account,
                self._directory.network_owner(network.region, network.id),
            ):
                raise no_such_zone(zone.id)
            if network not in zone.networks:
                raise VPCAssociationNotFound(
                    "The specified VPC and hosted zone are not currently associated."
                )
            if len(zone.networks) == 1:
                raise LastVPCAssociation("Cannot remove last VPC association for the private zone")
            left = tuple(each for each in zone.networks if each != network)
            return self._associate(caller, zone, left, request.get("Comment"))

    def create_vpc_association_authorization(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            zone = self._own_private_zone(caller, request["HostedZoneId"])
            network = checked_network(self._directory, request["VPC"], owner=None)
            if network not in zone.authorized:
                if len(zone.authorized) >= limits.AUTHORIZATIONS_OF_A_ZONE:
                    raise TooManyVPCAssociationAuthorizations(
                        f"The hosted zone {zone.id} cannot have more than {limits.AUTHORIZATIONS_OF_A_ZONE} VPC "
                        "association authorizations."
                    )
                self._store.update(zone, authorized=(*zone.authorized, network))
        return {"HostedZoneId": zone.id, "VPC": shown_network(network)}

    def delete_vpc_association_authorization(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            zone = self._directory.zone(caller, request["HostedZoneId"])
            network = named(request["VPC"])
            if network not in zone.authorized:
                raise VPCAssociationAuthorizationNotFound(
                    "The VPC that you specified is not authorized to be associated with the hosted zone."
                )
            self._store.update(zone, authorized=tuple(each for each in zone.authorized if each != network))
        return {}

    def list_vpc_association_authorizations(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        zone = self._directory.zone(caller, request["HostedZoneId"])
        page = tokened(
            "VPCs",
            zone.authorized,
            request,
            key=lambda network: f"{network.region}/{network.id}",
            shown=shown_network,
        )
        return {"HostedZoneId": zone.id, **page}

    # --- inside

    def _associate(
        self, caller: Caller, zone: HostedZone, networks: tuple[Network, ...], comment: str | None
    ) -> dict[str, Any]:
        self._store.update(zone, networks=networks)
        change = self._directory.changed(caller.account, [Touched(zone=zone.id)], comment)
        return {"ChangeInfo": self._directory.change_info(change)}

    def _private_zone(self, id: str) -> HostedZone:
        """A zone of whatever account: whose VPC it is may know its id."""
        zone = self._directory.any_zone(id)
        if zone is None:
            raise no_such_zone(bare(id))
        if not zone.private:
            raise PublicZoneVPCAssociation(
                "You're trying to associate a VPC with a public hosted zone. Amazon Route 53 doesn't support "
                "associating a VPC with a public hosted zone."
            )
        return zone

    def _own_private_zone(self, caller: Caller, id: str) -> HostedZone:
        zone = self._directory.zone(caller, id)
        if not zone.private:
            raise InvalidInput(f"The hosted zone {zone.id} is not a private hosted zone.")
        return zone
