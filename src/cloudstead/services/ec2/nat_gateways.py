"""NAT gateways: each works through a network interface of its own, and a public one through an elastic address too.

What stands in the way of one that was asked for correctly is told by its state, as on AWS: see `network_reconcile`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import client_tokens, filters, interfaces, public_addresses, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.network_rows import ElasticAddress, NatGateway, NetworkInterface, Subnet
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateNatGatewayRequestTypeDef,
        DeleteNatGatewayRequestTypeDef,
        DescribeNatGatewaysRequestTypeDef,
    )

_PER_SUBNET_MAX = 50
_NOT_BUILT = (
    "VpcId",
    "AvailabilityZoneAddresses",
    "SecondaryAllocationIds",
    "SecondaryPrivateIpAddresses",
    "SecondaryPrivateIpAddressCount",
)

_FIELDS: Fields[NatGateway] = {
    "nat-gateway-id": lambda nat: nat.id,
    "state": lambda nat: nat.shown_state,
    "subnet-id": lambda nat: nat.subnet_id,
    "vpc-id": lambda nat: nat.vpc_id,
}


class NatGateways:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_nat_gateway(self, caller: Caller, request: "CreateNatGatewayRequestTypeDef") -> dict[str, Any]:
        _check(request)
        wanted_tags = tags.wanted(request, NatGateway.resource_type)
        with self._resources.store.transaction():
            nat = client_tokens.made_before(self._resources, caller, NatGateway, request)
            if nat is None:
                nat = self._create(caller, request, wanted_tags)
                client_tokens.remember(self._resources, caller, nat, request)
        return {"NatGateway": _shown(nat), "ClientToken": request.get("ClientToken")}

    def describe_nat_gateways(
        self, caller: Caller, request: "DescribeNatGatewaysRequestTypeDef"
    ) -> dict[str, Any]:
        found = self._resources.find_all(NatGateway, caller, list(request.get("NatGatewayIds") or ()))
        asked: Mapping[str, Any] = request  # the member has another name than the types know
        found = filters.select(found, asked.get("Filter"), _FIELDS)
        some, token = page(found, request, key=lambda nat: nat.id, ids="NatGatewayIds")
        return {"NatGateways": [_shown(nat) for nat in some], "NextToken": token}

    def delete_nat_gateway(self, caller: Caller, request: "DeleteNatGatewayRequestTypeDef") -> dict[str, Any]:
        with self._resources.store.transaction():
            nat = self._resources.find(NatGateway, caller, request["NatGatewayId"])
            client_tokens.forget(self._resources, nat)
            self._resources.store.update(nat, want="absent")
        return {"NatGatewayId": nat.id}

    def _create(self, caller: Caller, request: Mapping[str, Any], wanted_tags: dict[str, str]) -> NatGateway:
        resources = self._resources
        subnet = resources.find(Subnet, caller, request["SubnetId"])
        elastic = None
        if request.get("AllocationId"):
            elastic = resources.find(ElasticAddress, caller, request["AllocationId"])
        self._check_room(subnet)
        id = resources.new_id(NatGateway)
        interface = interfaces.insert(
            resources,
            caller,
            subnet,
            description=f"Interface for NAT Gateway {id}",
            private_ip=request.get("PrivateIpAddress"),
            ipv6_count=0,
            type="nat_gateway",
            nat_gateway_id=id,
        )
        return resources.store.insert(
            NatGateway(
                id=id,
                account=caller.account,
                region=caller.region,
                tags=wanted_tags,
                vpc_id=subnet.vpc_id,
                subnet_id=subnet.id,
                interface_id=interface.id,
                private_ip=interface.primary.address,
                public_ip=elastic.address if elastic is not None else "",
                allocation_id=elastic.id if elastic is not None else "",
                association_id=self._associated(elastic, interface),
                connectivity="public" if elastic is not None else "private",
                created_at=resources.tools.clock.now(),
            )
        )

    def _associated(self, elastic: ElasticAddress | None, interface: NetworkInterface) -> str:
        """The association made, or none: if the address is taken, it is the gateway that will have failed."""
        if elastic is None or elastic.association_id:
            return ""
        private_ip = interface.primary.address
        return public_addresses.associate(self._resources, elastic, interface, private_ip).association_id

    def _check_room(self, subnet: Subnet) -> None:
        others = self._resources.store.rows(NatGateway, subnet_id=subnet.id)
        if len([nat for nat in others if nat.state in ("pending", "available")]) >= _PER_SUBNET_MAX:
            raise ServiceError(
                "The maximum number of NAT Gateways has been reached.", code="NatGatewayLimitExceeded"
            )


def _check(request: "CreateNatGatewayRequestTypeDef") -> None:
    values: Mapping[str, Any] = request
    if request.get("AvailabilityMode") not in (None, "zonal"):
        raise NotBuilt("ec2: CreateNatGateway with AvailabilityMode regional is not built in Cloudstead yet.")
    for name in _NOT_BUILT:
        if values.get(name):
            raise NotBuilt(f"ec2: CreateNatGateway with {name} is not built in Cloudstead yet.")
    if not request.get("SubnetId"):
        raise ServiceError("The request must contain the parameter subnetId", code="MissingParameter")
    private = request.get("ConnectivityType") == "private"
    if private and request.get("AllocationId"):
        raise ServiceError(
            "The AllocationId parameter cannot be used with a private NAT gateway. Remove it and retry the request.",
            code="InvalidParameterCombination",
        )
    if not private and not request.get("AllocationId"):
        raise ServiceError(
            "The request must include the AllocationId parameter. Add the required parameter and retry the request.",
            code="MissingParameter",
        )


_ADDRESS_STATUS = {
    "pending": "associating",
    "available": "succeeded",
    "deleting": "disassociating",
    "deleted": "succeeded",
    "failed": "failed",
}


def _shown(nat: NatGateway) -> dict[str, Any]:
    address: dict[str, Any] = {
        "NetworkInterfaceId": nat.interface_id,
        "PrivateIp": nat.private_ip,
        "IsPrimary": True,
        "Status": _ADDRESS_STATUS[nat.shown_state],
    }
    optional = {
        "AllocationId": nat.allocation_id,
        "AssociationId": nat.association_id,
        "PublicIp": nat.public_ip,
    }
    address.update({name: value for name, value in optional.items() if value})
    answer: dict[str, Any] = {
        "NatGatewayId": nat.id,
        "VpcId": nat.vpc_id,
        "SubnetId": nat.subnet_id,
        "State": nat.shown_state,
        "ConnectivityType": nat.connectivity,
        "AvailabilityMode": "zonal",
        "CreateTime": nat.created_at,
        "NatGatewayAddresses": [address],
        "Tags": tags.shown(nat.tags),
    }
    if nat.deleted_at is not None:
        answer["DeleteTime"] = nat.deleted_at
    if nat.failure_code:
        answer |= {"FailureCode": nat.failure_code, "FailureMessage": nat.failure}
    return answer
