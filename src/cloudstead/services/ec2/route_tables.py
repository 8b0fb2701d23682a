"""Route tables: made, shown, deleted, and chosen by subnets. Their routes are in `route_operations`."""

from typing import TYPE_CHECKING, Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import client_tokens, filters, routes, tags
from cloudstead.services.ec2.filters import Fields, Found
from cloudstead.services.ec2.network_rows import (
    NetworkInterface,
    Route,
    RouteAssociation,
    RouteTable,
    Subnet,
    Vpc,
)
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AssociateRouteTableRequestTypeDef,
        CreateRouteTableRequestTypeDef,
        DeleteRouteTableRequestTypeDef,
        DescribeRouteTablesRequestTypeDef,
        DisassociateRouteTableRequestTypeDef,
        ReplaceRouteTableAssociationRequestTypeDef,
    )

_PER_VPC_MAX = 200
_ASSOCIATED = {"State": "associated"}

_FIELDS: Fields[RouteTable] = {
    "association.gateway-id": lambda _: None,
    "association.main": lambda table: ["false" if each.subnet_id else "true" for each in table.associations],
    "association.route-table-association-id": lambda table: [each.id for each in table.associations],
    "association.route-table-id": lambda table: [table.id for _ in table.associations],
    "association.subnet-id": lambda table: [each.subnet_id for each in table.associations if each.subnet_id],
    "owner-id": lambda table: table.account,
    "route-table-id": lambda table: table.id,
    "vpc-id": lambda table: table.vpc_id,
}
#: The filters on routes, by the member of a shown route that they compare.
_ROUTE_FIELDS = {
    "route.destination-cidr-block": "DestinationCidrBlock",
    "route.destination-ipv6-cidr-block": "DestinationIpv6CidrBlock",
    "route.destination-prefix-list-id": "DestinationPrefixListId",
    "route.egress-only-internet-gateway-id": "EgressOnlyInternetGatewayId",
    "route.gateway-id": "GatewayId",
    "route.instance-id": "InstanceId",
    "route.nat-gateway-id": "NatGatewayId",
    "route.origin": "Origin",
    "route.state": "State",
    "route.transit-gateway-id": "TransitGatewayId",
    "route.vpc-peering-connection-id": "VpcPeeringConnectionId",
}


class RouteTables:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_route_table(self, caller: Caller, request: "CreateRouteTableRequestTypeDef") -> dict[str, Any]:
        wanted_tags = tags.wanted(request, RouteTable.resource_type)
        with self._resources.store.transaction():
            table = client_tokens.made_before(self._resources, caller, RouteTable, request)
            if table is None:
                table = self._create(caller, request["VpcId"], wanted_tags)
                client_tokens.remember(self._resources, caller, table, request)
            return {"RouteTable": self._shown(table), "ClientToken": request.get("ClientToken")}

    def describe_route_tables(
        self, caller: Caller, request: "DescribeRouteTablesRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.reading():
            found = self._resources.find_all(RouteTable, caller, list(request.get("RouteTableIds") or ()))
            found = filters.select(found, request.get("Filters"), self._fields())
            some, token = page(found, request, key=lambda table: table.id, most=100, ids="RouteTableIds")
            return {"RouteTables": [self._shown(table) for table in some], "NextToken": token}

    def delete_route_table(self, caller: Caller, request: "DeleteRouteTableRequestTypeDef") -> None:
        with self._resources.store.transaction():
            table = self._resources.find(RouteTable, caller, request["RouteTableId"])
            if table.associations:
                raise ServiceError(
                    f"The routeTable '{table.id}' has dependencies and cannot be deleted.",
                    code="DependencyViolation",
                )
            client_tokens.forget(self._resources, table)
            self._resources.store.delete(table)

    # --- associations

    def associate_route_table(
        self, caller: Caller, request: "AssociateRouteTableRequestTypeDef"
    ) -> dict[str, Any]:
        if request.get("GatewayId") or request.get("PublicIpv4Pool"):
            raise NotBuilt("ec2: AssociateRouteTable with a gateway is not built in Cloudstead yet.")
        if not request.get("SubnetId"):
            raise ServiceError("The request must contain the parameter subnetId", code="MissingParameter")
        with self._resources.store.transaction():
            table = self._resources.find(RouteTable, caller, request["RouteTableId"])
            subnet = self._resources.find(Subnet, caller, request["SubnetId"])
            if subnet.vpc_id != table.vpc_id:
                raise ServiceError(
                    f"Route table {table.id} and subnet {subnet.id} belong to different networks",
                    code="InvalidParameterValue",
                )
            association = self._known(table, subnet) or self._add(table, subnet.id)
        return {"AssociationId": association.id, "AssociationState": _ASSOCIATED}

    def disassociate_route_table(
        self, caller: Caller, request: "DisassociateRouteTableRequestTypeDef"
    ) -> None:
        with self._resources.store.transaction():
            table, association = self._find(caller, request["AssociationId"])
            if not association.subnet_id:
                raise ServiceError(
                    f"cannot disassociate the main route table association {association.id}",
                    code="InvalidParameterValue",
                )
            self._drop(table, association)

    def replace_route_table_association(
        self, caller: Caller, request: "ReplaceRouteTableAssociationRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            before, association = self._find(caller, request["AssociationId"])
            table = self._resources.find(RouteTable, caller, request["RouteTableId"])
            if table.vpc_id != before.vpc_id:
                raise ServiceError(
                    f"Route table {table.id} and route table association {association.id} belong to different networks",
                    code="InvalidParameterValue",
                )
            if table.id != before.id:
                self._drop(before, association)
                association = self._add(table, association.subnet_id)
        return {"NewAssociationId": association.id, "AssociationState": _ASSOCIATED}

    def _known(self, table: RouteTable, subnet: Subnet) -> RouteAssociation | None:
        for other in self._resources.store.rows(RouteTable, vpc_id=subnet.vpc_id):
            for each in other.associations:
                if each.subnet_id == subnet.id and other.id == table.id:
                    return each
                if each.subnet_id == subnet.id:
                    raise ServiceError(
                        f"the specified association for route table {table.id} conflicts with an existing association",
                        code="Resource.AlreadyAssociated",
                    )
        return None

    def _find(self, caller: Caller, id: str) -> tuple[RouteTable, RouteAssociation]:
        for table in self._resources.mine(RouteTable, caller):
            for each in table.associations:
                if each.id == id:
                    return table, each
        raise ServiceError(f"The association ID '{id}' does not exist", code="InvalidAssociationID.NotFound")

    def _add(self, table: RouteTable, subnet_id: str) -> RouteAssociation:
        added = RouteAssociation(id=ids.new("rtbassoc", self._resources.tools.random), subnet_id=subnet_id)
        self._resources.store.update(table, associations=(*table.associations, added))
        return added

    def _drop(self, table: RouteTable, association: RouteAssociation) -> None:
        kept = tuple(each for each in table.associations if each.id != association.id)
        self._resources.store.update(table, associations=kept)

    # --- inside

    def _create(self, caller: Caller, vpc_id: str, wanted_tags: dict[str, str]) -> RouteTable:
        vpc = self._resources.find(Vpc, caller, vpc_id)
        if len(self._resources.store.rows(RouteTable, vpc_id=vpc.id)) >= _PER_VPC_MAX:
            raise ServiceError(
                "The maximum number of route tables has been reached.", code="RouteTableLimitExceeded"
            )
        return self._resources.store.insert(
            RouteTable(
                id=self._resources.new_id(RouteTable),
                account=caller.account,
                region=caller.region,
                tags=wanted_tags,
                vpc_id=vpc.id,
                routes=(),
            )
        )

    def _fields(self) -> Fields[RouteTable]:
        def reader(member: str) -> Any:
            def read(table: RouteTable) -> Found:
                return [route.get(member) for route in self._shown_routes(table)]

            return read

        return {**_FIELDS, **{name: reader(member) for name, member in _ROUTE_FIELDS.items()}}

    def _shown(self, table: RouteTable) -> dict[str, Any]:
        return {
            "RouteTableId": table.id,
            "VpcId": table.vpc_id,
            "OwnerId": table.account,
            "Associations": [_shown_association(table, each) for each in table.associations],
            "PropagatingVgws": [],
            "Routes": self._shown_routes(table),
            "Tags": tags.shown(table.tags),
        }

    def _shown_routes(self, table: RouteTable) -> list[dict[str, Any]]:
        vpc = self._resources.store.get(Vpc, table.vpc_id)
        assert vpc is not None, f"{table.id} outlived its VPC"
        return [self._shown_route(table, route) for route in routes.in_force(vpc, table)]

    def _shown_route(self, table: RouteTable, route: Route) -> dict[str, Any]:
        active = routes.active(self._resources.store, table.vpc_id, route)
        return {
            _destination_member(route.destination): route.destination,
            **self._shown_target(route),
            "Origin": route.origin,
            "State": "active" if active else "blackhole",
        }

    def _shown_target(self, route: Route) -> dict[str, str]:
        match route.target:
            case "local":
                return {"GatewayId": "local"}
            case "internet":
                return {"GatewayId": route.target_id}
            case "egress":
                return {"EgressOnlyInternetGatewayId": route.target_id}
            case "nat":
                return {"NatGatewayId": route.target_id}
            case "interface":
                interface = self._resources.store.get(NetworkInterface, route.target_id)
                shown = {"NetworkInterfaceId": route.target_id}
                if interface is not None and interface.instance_id:
                    shown |= {"InstanceId": interface.instance_id, "InstanceOwnerId": interface.account}
                return shown


def _destination_member(destination: str) -> str:
    if routes.is_prefix_list(destination):
        return "DestinationPrefixListId"
    return "DestinationIpv6CidrBlock" if routes.is_ipv6(destination) else "DestinationCidrBlock"


def _shown_association(table: RouteTable, each: RouteAssociation) -> dict[str, Any]:
    return {
        "RouteTableAssociationId": each.id,
        "RouteTableId": table.id,
        "Main": not each.subnet_id,
        "AssociationState": _ASSOCIATED,
        **({"SubnetId": each.subnet_id} if each.subnet_id else {}),
    }
