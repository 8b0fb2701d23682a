"""CreateRoute, ReplaceRoute, DeleteRoute."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import cidrs, routes
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import (
    EgressOnlyGateway,
    InternetGateway,
    NatGateway,
    NetworkInterface,
    PrefixList,
    Route,
    RouteTable,
    Vpc,
)
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateRouteRequestTypeDef,
        DeleteRouteRequestTypeDef,
        ReplaceRouteRequestTypeDef,
    )

_PER_TABLE_MAX = 500
_TARGETS = ("GatewayId", "EgressOnlyInternetGatewayId", "NatGatewayId", "NetworkInterfaceId", "InstanceId")
_NOT_BUILT = (
    "VpcEndpointId",
    "TransitGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "VpcPeeringConnectionId",
)


class RouteOperations:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_route(self, caller: Caller, request: "CreateRouteRequestTypeDef") -> dict[str, Any]:
        with self._resources.store.transaction():
            table, vpc = self._find(caller, request["RouteTableId"])
            route = self._route(caller, table, vpc, request)
            local = {each.destination for each in routes.local(vpc)}
            if route.destination in local or _index(table, route.destination) is not None:
                raise ServiceError(
                    f"The route identified by {route.destination} already exists.", code="RouteAlreadyExists"
                )
            if len(table.routes) >= _PER_TABLE_MAX:
                raise ServiceError(
                    "The maximum number of routes has been reached.", code="RouteLimitExceeded"
                )
            self._resources.store.update(table, routes=(*table.routes, route))
        return {"Return": True}

    def replace_route(self, caller: Caller, request: "ReplaceRouteRequestTypeDef") -> None:
        with self._resources.store.transaction():
            table, vpc = self._find(caller, request["RouteTableId"])
            destination = self._destination(caller, request)
            local = any(each.destination == destination for each in routes.local(vpc))
            index = _index(table, destination)
            if index is None and not local:
                raise ServiceError(
                    f"There is no route defined for '{destination}' in the route table. Use CreateRoute instead.",
                    code="InvalidParameterValue",
                )
            kept = [route for route in table.routes if route.destination != destination]
            if request.get("LocalTarget"):
                if not local:
                    raise _invalid("LocalTarget can only be used for a local route.")
            else:
                route = self._route(caller, table, vpc, request)
                kept.insert(len(kept) if index is None else index, route)
            self._resources.store.update(table, routes=tuple(kept))

    def delete_route(self, caller: Caller, request: "DeleteRouteRequestTypeDef") -> None:
        with self._resources.store.transaction():
            table, vpc = self._find(caller, request["RouteTableId"])
            destination = self._destination(caller, request)
            if any(each.destination == destination for each in routes.local(vpc)):
                raise _invalid(f"cannot remove local route {destination} in route table {table.id}")
            index = _index(table, destination)
            if index is None:
                raise ServiceError(
                    f"no route with destination-cidr-block {destination} in route table {table.id}",
                    code="InvalidRoute.NotFound",
                )
            kept = (*table.routes[:index], *table.routes[index + 1 :])
            self._resources.store.update(table, routes=kept)

    # --- what is asked for

    def _find(self, caller: Caller, id: str) -> tuple[RouteTable, Vpc]:
        table = self._resources.find(RouteTable, caller, id)
        return table, self._resources.find(Vpc, caller, table.vpc_id)

    def _destination(self, caller: Caller, request: Mapping[str, Any]) -> str:
        given = {
            name: request[name]
            for name in ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
            if request.get(name)
        }
        if len(given) != 1:
            raise ServiceError(
                "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock or "
                "destinationPrefixListId",
                code="InvalidParameterCombination" if given else "MissingParameter",
            )
        ((name, text),) = given.items()
        match name:
            case "DestinationCidrBlock":
                return str(cidrs.read4(text, "destinationCidrBlock"))
            case "DestinationIpv6CidrBlock":
                return str(cidrs.read6(text, "destinationIpv6CidrBlock"))
            case _:
                return self._resources.find(PrefixList, caller, text).id

    def _route(self, caller: Caller, table: RouteTable, vpc: Vpc, request: Mapping[str, Any]) -> Route:
        destination = self._destination(caller, request)
        route = self._target(caller, table, destination, request)
        gateway = route.target in ("internet", "egress", "nat")
        if gateway and not routes.is_prefix_list(destination) and routes.inside(vpc, destination):
            raise _invalid(
                f"The destination CIDR block {destination} is equal to or more specific than one of this VPC's CIDR "
                "blocks. This route can target only an interface or an instance."
            )
        return route

    def _target(
        self, caller: Caller, table: RouteTable, destination: str, request: Mapping[str, Any]
    ) -> Route:
        for name in _NOT_BUILT:
            if request.get(name):
                raise NotBuilt(f"ec2: Routes with {name} are not built in Cloudstead yet.")
        given = [(name, request[name]) for name in _TARGETS if request.get(name)]
        if len(given) != 1:
            raise ServiceError(
                "The request must contain exactly one of gatewayId, egressOnlyInternetGatewayId, natGatewayId, "
                "networkInterfaceId or instanceId",
                code="InvalidParameterCombination" if given else "MissingParameter",
            )
        ((name, id),) = given
        match name:
            case "GatewayId":
                return self._to_internet(caller, table, destination, id)
            case "EgressOnlyInternetGatewayId":
                return self._to_egress(caller, table, destination, id)
            case "NatGatewayId":
                return self._to_nat(caller, table, destination, id)
            case "InstanceId":
                id = self._only_interface(caller, id)
        interface = self._resources.find(NetworkInterface, caller, id)
        _check_same_network(table, "interface", interface.id, interface.vpc_id)
        return Route(destination=destination, target="interface", target_id=interface.id)

    def _to_internet(self, caller: Caller, table: RouteTable, destination: str, id: str) -> Route:
        if id.startswith(("vgw-", "vpce-")):
            raise NotBuilt(f"ec2: Routes to {id.partition('-')[0]}-… are not built in Cloudstead yet.")
        found = self._resources.store.get(InternetGateway, id)
        if found is None or (found.account, found.region) != (caller.account, caller.region):
            raise ServiceError(f"The gateway ID '{id}' does not exist", code="InvalidGatewayID.NotFound")
        _check_same_network(table, "network gateway", id, found.vpc_id)
        return Route(destination=destination, target="internet", target_id=id)

    def _to_egress(self, caller: Caller, table: RouteTable, destination: str, id: str) -> Route:
        gateway = self._resources.find(EgressOnlyGateway, caller, id)
        if not routes.is_ipv6(destination):
            raise _invalid("An egress-only internet gateway can only be the target of an IPv6 route.")
        _check_same_network(table, "network gateway", id, gateway.vpc_id)
        return Route(destination=destination, target="egress", target_id=id)

    def _to_nat(self, caller: Caller, table: RouteTable, destination: str, id: str) -> Route:
        nat = self._resources.store.get(NatGateway, id)
        if nat is None or (nat.account, nat.region) != (caller.account, caller.region):
            raise ServiceError(
                f"The natGateway ID '{id}' does not exist", code="InvalidNatGatewayID.NotFound"
            )
        if routes.is_ipv6(destination):
            raise NotBuilt("ec2: NAT64, an IPv6 route to a NAT gateway, is not built in Cloudstead yet.")
        _check_same_network(table, "network gateway", id, nat.vpc_id)
        return Route(destination=destination, target="nat", target_id=id)

    def _only_interface(self, caller: Caller, instance_id: str) -> str:
        instance = self._resources.find(Instance, caller, instance_id)
        interfaces = self._resources.store.rows(NetworkInterface, instance_id=instance.id)
        if len(interfaces) == 1:
            return interfaces[0].id
        number = "multiple" if interfaces else "no"
        raise ServiceError(
            f"There are {number} interfaces attached to instance '{instance.id}'. Please specify an interface ID for the "
            "operation instead.",
            code="InvalidInstanceID",
        )


def _index(table: RouteTable, destination: str) -> int | None:
    return next((i for i, route in enumerate(table.routes) if route.destination == destination), None)


def _check_same_network(table: RouteTable, noun: str, id: str, vpc_id: str) -> None:
    if vpc_id != table.vpc_id:
        raise _invalid(f"route table {table.id} and {noun} {id} belong to different networks")


def _invalid(text: str) -> ServiceError:
    return ServiceError(text, code="InvalidParameterValue")
