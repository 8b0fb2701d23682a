"""Elastic addresses: allocated from the public pool, put in front of interfaces, released.

What associating means for an interface and its automatic address is `public_addresses`'s affair.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import filters, public_addresses, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import ElasticAddress, InternetGateway, NetworkInterface
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources
from cloudstead.store import Store

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AllocateAddressRequestTypeDef,
        AssociateAddressRequestTypeDef,
        DescribeAddressesAttributeRequestTypeDef,
        DescribeAddressesRequestTypeDef,
        DisassociateAddressRequestTypeDef,
        ReleaseAddressRequestTypeDef,
    )

_UNBUILT = ("CustomerOwnedIpv4Pool", "IpamPoolId")
_POOL = "amazon"


class ElasticAddresses:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def allocate_address(self, caller: Caller, request: "AllocateAddressRequestTypeDef") -> dict[str, Any]:
        _refuse_unbuilt(caller, request)
        wanted = tags.wanted(request, ElasticAddress.resource_type)
        with self._resources.store.transaction():
            most = self._resources.settings.elastic_addresses_max
            if len(self._resources.mine(ElasticAddress, caller)) >= most:
                raise ServiceError(
                    "The maximum number of addresses has been reached.", code="AddressLimitExceeded"
                )
            elastic = self._insert(caller, request.get("Address"), wanted)
        return {
            "AllocationId": elastic.id,
            "PublicIp": elastic.address,
            "PublicIpv4Pool": _POOL,
            "NetworkBorderGroup": caller.region,
            "Domain": "vpc",
        }

    def release_address(self, caller: Caller, request: "ReleaseAddressRequestTypeDef") -> None:
        _check_border_group(caller, request)
        with self._resources.store.transaction():
            elastic = self._find(caller, request)
            if elastic.association_id:
                raise ServiceError(f"Address {elastic.address} is in use.", code="InvalidIPAddress.InUse")
            public_addresses.give_back(self._resources, elastic.address)
            self._resources.store.delete(elastic)

    def associate_address(self, caller: Caller, request: "AssociateAddressRequestTypeDef") -> dict[str, Any]:
        with self._resources.store.transaction():
            elastic = self._find(caller, request)
            interface = self._interface(caller, request)
            private_ip = self._private_ip(interface, request.get("PrivateIpAddress"))
            if (elastic.interface_id, elastic.private_ip) == (interface.id, private_ip):
                return {"AssociationId": elastic.association_id}
            self._check_reachable(interface)
            elastic = self._freed(elastic, allowed=request.get("AllowReassociation", True))
            interface = self._cleared(
                interface.id, private_ip, allowed=request.get("AllowReassociation", True)
            )
            elastic = public_addresses.associate(self._resources, elastic, interface, private_ip)
        return {"AssociationId": elastic.association_id}

    def disassociate_address(self, caller: Caller, request: "DisassociateAddressRequestTypeDef") -> None:
        with self._resources.store.transaction():
            elastic = self._associated(caller, request)
            self._check_not_of_nat(elastic)
            public_addresses.disassociate(self._resources, elastic)

    def describe_addresses(
        self, caller: Caller, request: "DescribeAddressesRequestTypeDef"
    ) -> dict[str, Any]:
        store = self._resources.store
        with store.reading():
            found = self._resources.find_all(ElasticAddress, caller, list(request.get("AllocationIds") or ()))
            if wanted := request.get("PublicIps"):
                by_ip = {self._find(caller, {"PublicIp": address}).id for address in wanted}
                found = [elastic for elastic in found if elastic.id in by_ip]
            found = filters.select(found, request.get("Filters"), _fields(store))
            return {"Addresses": [_shown(store, elastic) for elastic in found]}

    def describe_addresses_attribute(
        self, caller: Caller, request: "DescribeAddressesAttributeRequestTypeDef"
    ) -> dict[str, Any]:
        """Names for looking addresses up backwards; giving them one of one's own is not built."""
        found = self._resources.find_all(ElasticAddress, caller, list(request.get("AllocationIds") or ()))
        some, token = page(found, request, key=lambda elastic: elastic.id, least=1)
        shown = [
            {"AllocationId": elastic.id, "PublicIp": elastic.address}
            | ({"PtrRecord": elastic.ptr_record} if elastic.ptr_record else {})
            for elastic in some
        ]
        return {"Addresses": shown, "NextToken": token}

    # --- inside

    def _insert(self, caller: Caller, wanted: str | None, its_tags: Mapping[str, str]) -> ElasticAddress:
        id = self._resources.new_id(ElasticAddress)
        address = (
            public_addresses.claim(self._resources, id, wanted)
            if wanted
            else public_addresses.take(self._resources, id)
        )
        return self._resources.store.insert(
            ElasticAddress(
                id=id, account=caller.account, region=caller.region, tags=dict(its_tags), address=address
            )
        )

    def _find(self, caller: Caller, request: Mapping[str, Any]) -> ElasticAddress:
        """By AllocationId or PublicIp."""
        id, address = request.get("AllocationId"), request.get("PublicIp")
        if bool(id) == bool(address):
            raise ServiceError(
                "Either 'AllocationId' or 'PublicIp' must be specified, and not both"
                if id
                else "Either 'AllocationId' or 'PublicIp' must be specified",
                code="InvalidParameterCombination" if id else "MissingParameter",
            )
        if id:
            return self._resources.find(ElasticAddress, caller, id)
        for elastic in self._resources.store.rows(ElasticAddress, address=address):
            if (elastic.account, elastic.region) == (caller.account, caller.region):
                return elastic
        raise ServiceError(f"Address '{address}' not found.", code="InvalidAddress.NotFound")

    def _associated(self, caller: Caller, request: Mapping[str, Any]) -> ElasticAddress:
        """By AssociationId or PublicIp."""
        id = request.get("AssociationId")
        if id is None:
            elastic = self._find(caller, request)
            if not elastic.association_id:
                raise ServiceError(
                    f"The address '{elastic.address}' is not associated.",
                    code="InvalidAssociationID.NotFound",
                )
            return elastic
        found = self._resources.store.rows(ElasticAddress, association_id=id) if id else []
        for elastic in found:
            if (elastic.account, elastic.region) == (caller.account, caller.region):
                return elastic
        raise ServiceError(f"The association ID '{id}' does not exist", code="InvalidAssociationID.NotFound")

    def _interface(self, caller: Caller, request: Mapping[str, Any]) -> NetworkInterface:
        """The one named, or the only one of the instance named."""
        id, instance_id = request.get("NetworkInterfaceId"), request.get("InstanceId")
        if bool(id) == bool(instance_id):
            raise ServiceError(
                "Either 'NetworkInterfaceId' or 'InstanceId' must be specified, and not both",
                code="InvalidParameterCombination" if id else "MissingParameter",
            )
        if id:
            return self._resources.find(NetworkInterface, caller, id)
        instance = self._resources.find(Instance, caller, instance_id or "")
        if not instance.alive:
            raise ServiceError(
                f"The pending-instance-running or stopped instance '{instance.id}' is required.",
                code="InvalidInstanceID",
            )
        found = self._resources.store.rows(NetworkInterface, instance_id=instance.id)
        if len(found) != 1:
            raise ServiceError(
                f"There are multiple interfaces attached to instance '{instance.id}'. Please specify an interface ID for "
                "the operation instead.",
                code="InvalidInstanceID",
            )
        return found[0]

    def _private_ip(self, interface: NetworkInterface, wanted: str | None) -> str:
        if wanted is None:
            return interface.primary.address
        if all(each.address != wanted for each in interface.addresses):
            raise ServiceError(
                f"Private address {wanted} is not assigned to network interface {interface.id}.",
                code="InvalidParameterValue",
            )
        return wanted

    def _check_reachable(self, interface: NetworkInterface) -> None:
        if interface.type != "interface":
            raise ServiceError(
                "You do not have permission to access the specified resource.", code="AuthFailure", status=403
            )
        if not self._resources.store.rows(InternetGateway, vpc_id=interface.vpc_id):
            raise ServiceError(
                f"Network {interface.vpc_id} is not attached to any internet gateway",
                code="Gateway.NotAttached",
            )

    def _freed(self, elastic: ElasticAddress, *, allowed: bool) -> ElasticAddress:
        """The address away from where it is now, if that may be."""
        if not elastic.association_id:
            return elastic
        if not allowed:
            raise _already(elastic.id, elastic.association_id)
        self._check_not_of_nat(elastic)
        return public_addresses.disassociate(self._resources, elastic)

    def _cleared(self, interface_id: str, private_ip: str, *, allowed: bool) -> NetworkInterface:
        """The interface without the elastic address that stands before this private one."""
        for other in self._resources.store.rows(ElasticAddress, interface_id=interface_id):
            if other.private_ip == private_ip:
                if not allowed:
                    raise _already(interface_id, other.association_id)
                public_addresses.disassociate(self._resources, other)
        interface = self._resources.store.get(NetworkInterface, interface_id)
        assert interface is not None
        return interface

    def _check_not_of_nat(self, elastic: ElasticAddress) -> None:
        interface = self._resources.store.get(NetworkInterface, elastic.interface_id)
        if interface is not None and interface.type != "interface":
            raise ServiceError(
                "You do not have permission to access the specified resource.", code="AuthFailure", status=403
            )


def _refuse_unbuilt(caller: Caller, request: Mapping[str, Any]) -> None:
    for name in _UNBUILT:
        if request.get(name):
            raise NotBuilt(f"ec2: AllocateAddress with {name} is not built in Cloudstead yet.")
    if request.get("Domain") == "standard":
        raise ServiceError("EC2-Classic has been retired.", code="InvalidParameterValue")
    if (pool := request.get("PublicIpv4Pool")) not in (None, "", _POOL):
        raise ServiceError(f"The pool ID '{pool}' does not exist.", code="InvalidPublicIpv4PoolID.NotFound")
    _check_border_group(caller, request)


def _check_border_group(caller: Caller, request: Mapping[str, Any]) -> None:
    if (group := request.get("NetworkBorderGroup")) not in (None, "", caller.region):
        raise ServiceError(
            f"Value ({group}) for parameter networkBorderGroup is invalid.", code="InvalidParameterValue"
        )


def _already(resource: str, association_id: str) -> ServiceError:
    return ServiceError(
        f"resource {resource} is already associated with associate-id {association_id}",
        code="Resource.AlreadyAssociated",
    )


# --- as answers show them


def _shown(store: Store, elastic: ElasticAddress) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "AllocationId": elastic.id,
        "PublicIp": elastic.address,
        "PublicIpv4Pool": _POOL,
        "NetworkBorderGroup": elastic.region,
        "Domain": "vpc",
        "Tags": tags.shown(elastic.tags),
    }
    interface = store.get(NetworkInterface, elastic.interface_id) if elastic.association_id else None
    if interface is not None:
        answer |= {
            "AssociationId": elastic.association_id,
            "NetworkInterfaceId": interface.id,
            "NetworkInterfaceOwnerId": interface.account,
            "PrivateIpAddress": elastic.private_ip,
            "SubnetId": interface.subnet_id,
        }
        if interface.instance_id:
            answer["InstanceId"] = interface.instance_id
    return answer


def _fields(store: Store) -> Fields[ElasticAddress]:
    def instance(elastic: ElasticAddress) -> str | None:
        interface = store.get(NetworkInterface, elastic.interface_id)
        return interface.instance_id or None if interface is not None else None

    return {
        "allocation-id": lambda elastic: elastic.id,
        "association-id": lambda elastic: elastic.association_id or None,
        "domain": lambda _: "vpc",
        "instance-id": instance,
        "network-border-group": lambda elastic: elastic.region,
        "network-interface-id": lambda elastic: elastic.interface_id or None,
        "network-interface-owner-id": lambda elastic: elastic.account if elastic.interface_id else None,
        "private-ip-address": lambda elastic: elastic.private_ip or None,
        "public-ip": lambda elastic: elastic.address,
    }
