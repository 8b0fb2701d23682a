"""Internet gateways, and those of IPv6 that only let out."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import client_tokens, filters, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.network_rows import EgressOnlyGateway, InternetGateway, NetworkInterface, Vpc
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AttachInternetGatewayRequestTypeDef,
        CreateEgressOnlyInternetGatewayRequestTypeDef,
        CreateInternetGatewayRequestTypeDef,
        DeleteEgressOnlyInternetGatewayRequestTypeDef,
        DeleteInternetGatewayRequestTypeDef,
        DescribeEgressOnlyInternetGatewaysRequestTypeDef,
        DescribeInternetGatewaysRequestTypeDef,
        DetachInternetGatewayRequestTypeDef,
    )

_FIELDS: Fields[InternetGateway] = {
    "attachment.state": lambda gateway: "available" if gateway.vpc_id else None,
    "attachment.vpc-id": lambda gateway: gateway.vpc_id or None,
    "internet-gateway-id": lambda gateway: gateway.id,
    "owner-id": lambda gateway: gateway.account,
}
_EGRESS_FIELDS: Fields[EgressOnlyGateway] = {}


class InternetGateways:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_internet_gateway(
        self, caller: Caller, request: "CreateInternetGatewayRequestTypeDef"
    ) -> dict[str, Any]:
        wanted_tags = tags.wanted(request, InternetGateway.resource_type)
        with self._resources.store.transaction():
            _check_room(self._resources, caller, InternetGateway, "internet gateways")
            gateway = self._resources.store.insert(
                InternetGateway(
                    id=self._resources.new_id(InternetGateway),
                    account=caller.account,
                    region=caller.region,
                    tags=wanted_tags,
                )
            )
        return {"InternetGateway": _shown(gateway)}

    def describe_internet_gateways(
        self, caller: Caller, request: "DescribeInternetGatewaysRequestTypeDef"
    ) -> dict[str, Any]:
        wanted = list(request.get("InternetGatewayIds") or ())
        found = self._resources.find_all(InternetGateway, caller, wanted)
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda gateway: gateway.id, ids="InternetGatewayIds")
        return {"InternetGateways": [_shown(gateway) for gateway in some], "NextToken": token}

    def attach_internet_gateway(self, caller: Caller, request: "AttachInternetGatewayRequestTypeDef") -> None:
        store = self._resources.store
        with store.transaction():
            gateway = self._resources.find(InternetGateway, caller, request["InternetGatewayId"])
            vpc = self._resources.find(Vpc, caller, request["VpcId"])
            if gateway.vpc_id:
                raise ServiceError(
                    f"resource {gateway.id} is already attached to network {gateway.vpc_id}",
                    code="Resource.AlreadyAssociated",
                )
            if store.rows(InternetGateway, vpc_id=vpc.id):
                raise ServiceError(
                    f"Network {vpc.id} already has an internet gateway attached", code="InvalidParameterValue"
                )
            store.update(gateway, vpc_id=vpc.id)

    def detach_internet_gateway(self, caller: Caller, request: "DetachInternetGatewayRequestTypeDef") -> None:
        with self._resources.store.transaction():
            gateway = self._resources.find(InternetGateway, caller, request["InternetGatewayId"])
            vpc = self._resources.find(Vpc, caller, request["VpcId"])
            if gateway.vpc_id != vpc.id:
                raise ServiceError(
                    f"resource {gateway.id} is not attached to network {vpc.id}", code="Gateway.NotAttached"
                )
            if self._reached_from_outside(vpc):
                raise ServiceError(
                    f"Network {vpc.id} has some mapped public address(es). Please unmap those public address(es) before "
                    "detaching the gateway.",
                    code="DependencyViolation",
                )
            self._resources.store.update(gateway, vpc_id="")

    def delete_internet_gateway(self, caller: Caller, request: "DeleteInternetGatewayRequestTypeDef") -> None:
        with self._resources.store.transaction():
            gateway = self._resources.find(InternetGateway, caller, request["InternetGatewayId"])
            if gateway.vpc_id:
                raise ServiceError(
                    f"The internetGateway '{gateway.id}' has dependencies and cannot be deleted.",
                    code="DependencyViolation",
                )
            self._resources.store.delete(gateway)

    def _reached_from_outside(self, vpc: Vpc) -> bool:
        interfaces = self._resources.store.rows(NetworkInterface, vpc_id=vpc.id)
        return any(each.public is not None for one in interfaces for each in one.addresses)


class EgressOnlyGateways:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_egress_only_internet_gateway(
        self, caller: Caller, request: "CreateEgressOnlyInternetGatewayRequestTypeDef"
    ) -> dict[str, Any]:
        wanted_tags = tags.wanted(request, EgressOnlyGateway.resource_type)
        with self._resources.store.transaction():
            gateway = client_tokens.made_before(self._resources, caller, EgressOnlyGateway, request)
            if gateway is None:
                gateway = self._create(caller, request["VpcId"], wanted_tags)
                client_tokens.remember(self._resources, caller, gateway, request)
        return {
            "EgressOnlyInternetGateway": _shown_egress(gateway),
            "ClientToken": request.get("ClientToken"),
        }

    def describe_egress_only_internet_gateways(
        self, caller: Caller, request: "DescribeEgressOnlyInternetGatewaysRequestTypeDef"
    ) -> dict[str, Any]:
        wanted = list(request.get("EgressOnlyInternetGatewayIds") or ())
        found = self._resources.find_all(EgressOnlyGateway, caller, wanted)
        found = filters.select(found, request.get("Filters"), _EGRESS_FIELDS)
        some, token = page(
            found, request, key=lambda gateway: gateway.id, most=255, ids="EgressOnlyInternetGatewayIds"
        )
        return {
            "EgressOnlyInternetGateways": [_shown_egress(gateway) for gateway in some],
            "NextToken": token,
        }

    def delete_egress_only_internet_gateway(
        self, caller: Caller, request: "DeleteEgressOnlyInternetGatewayRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            id = request["EgressOnlyInternetGatewayId"]
            gateway = self._resources.find(EgressOnlyGateway, caller, id)
            client_tokens.forget(self._resources, gateway)
            self._resources.store.delete(gateway)
        return {"ReturnCode": True}

    def _create(self, caller: Caller, vpc_id: str, wanted_tags: dict[str, str]) -> EgressOnlyGateway:
        vpc = self._resources.find(Vpc, caller, vpc_id)
        _check_room(self._resources, caller, EgressOnlyGateway, "egress-only internet gateways")
        return self._resources.store.insert(
            EgressOnlyGateway(
                id=self._resources.new_id(EgressOnlyGateway),
                account=caller.account,
                region=caller.region,
                tags=wanted_tags,
                vpc_id=vpc.id,
            )
        )


def _check_room(
    resources: Resources, caller: Caller, kind: type[InternetGateway | EgressOnlyGateway], noun: str
) -> None:
    if len(resources.mine(kind, caller)) >= resources.settings.vpcs_max:
        raise ServiceError(
            f"The maximum number of {noun} has been reached.",
            code="InternetGatewayLimitExceeded"
            if kind is InternetGateway
            else "EgressOnlyInternetGatewayLimitExceeded",
        )


def _shown(gateway: InternetGateway) -> dict[str, Any]:
    return {
        "InternetGatewayId": gateway.id,
        "OwnerId": gateway.account,
        "Attachments": [{"State": "available", "VpcId": gateway.vpc_id}] if gateway.vpc_id else [],
        "Tags": tags.shown(gateway.tags),
    }


def _shown_egress(gateway: EgressOnlyGateway) -> dict[str, Any]:
    return {
        "EgressOnlyInternetGatewayId": gateway.id,
        "Attachments": [{"State": "attached", "VpcId": gateway.vpc_id}],
        "Tags": tags.shown(gateway.tags),
    }
