"""Resolver endpoints: made with their network interfaces, shown, changed and taken away.

An operation makes the interfaces, which are EC2's rows; the network then carries them, and the reconciler opens
sockets on an inbound endpoint's addresses. Only after that is the endpoint OPERATIONAL.
"""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53resolver import endpoint_addresses as addresses
from cloudstead.services.route53resolver.directory import Directory, missing
from cloudstead.services.route53resolver.endpoint_addresses import (
    ADDRESSES_MIN,
    Placing,
    address_shown,
    check_count,
    present,
)
from cloudstead.services.route53resolver.errors import (
    InvalidRequestException,
    LimitExceededException,
    ResourceExistsException,
    wrong,
)
from cloudstead.services.route53resolver.paging import Fields, filtered, paged
from cloudstead.services.route53resolver.rows import Endpoint, EndpointAddress, Rule, stamp
from cloudstead.store import Store

ENDPOINTS_MAX = 4
GROUPS_MAX = 10
_PREFIX = {"INBOUND": "rslvr-in", "OUTBOUND": "rslvr-out"}
_NOT_BUILT = (
    "OutpostArn",
    "PreferredInstanceType",
    "RniEnhancedMetricsEnabled",
    "TargetNameServerMetricsEnabled",
    "Dns64Enabled",
    "Ipv6InternetAccessEnabled",
)


class Endpoints:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_resolver_endpoint(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        check_built("CreateResolverEndpoint", request)
        check_count(len(request["IpAddresses"]))
        if not 1 <= len(request["SecurityGroupIds"]) <= GROUPS_MAX:
            raise wrong("SecurityGroupIds", f"Between 1 and {GROUPS_MAX} security groups must be specified.")
        with self._store.transaction():
            self._check_new(caller, request)
            endpoint = self._store.insert(self._new(caller, request))
            placing = Placing(self._directory, caller, endpoint)
            for wanted in request["IpAddresses"]:
                placing.place(wanted)
        return {"ResolverEndpoint": shown(self._store, endpoint)}

    def get_resolver_endpoint(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"ResolverEndpoint": shown(self._store, self._find(caller, request))}

    def list_resolver_endpoints(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        found = filtered(self._directory.mine(Endpoint, caller), request, self._fields())
        return paged(
            "ResolverEndpoints",
            found,
            request,
            key=lambda row: row.id,
            shown=lambda row: shown(self._store, row),
            size=10,
            tells_size=True,
        )

    def update_resolver_endpoint(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        check_built("UpdateResolverEndpoint", request)
        with self._store.transaction():
            endpoint = self._live(caller, request)
            kind = request.get("ResolverEndpointType", endpoint.ip_type)
            wanted = {each["IpId"]: each["Ipv6"] for each in request.get("UpdateIpAddresses", ())}
            if kind != endpoint.ip_type:
                addresses.change_type(self._directory, endpoint, kind, wanted)
            elif wanted:
                raise wrong(
                    "UpdateIpAddresses", "IPv6 addresses can be given only while the endpoint type changes."
                )
            endpoint = self._store.update(
                endpoint,
                name=request.get("Name", endpoint.name),
                ip_type=kind,
                changed_at=self._directory.tools.clock.now(),
            )
        return {"ResolverEndpoint": shown(self._store, endpoint)}

    def delete_resolver_endpoint(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            endpoint = self._find(caller, request)
            rules = ", ".join(f'"{rule.id}"' for rule in self._store.rows(Rule, endpoint_id=endpoint.id))
            if rules:
                raise InvalidRequestException(
                    "[RSLVR-00600] Cannot delete resolver endpoint unless its related resolver rules are deleted. "
                    f"The following rules still exist for this resolver endpoint: {rules}"
                )
            endpoint = self._store.update(endpoint, want="absent")
        return {"ResolverEndpoint": shown(self._store, endpoint)}

    # --- addresses

    def associate_resolver_endpoint_ip_address(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            endpoint = self._live(caller, request)
            wanted = request["IpAddress"]
            check_count(len(present(self._store, endpoint.id)) + 1)
            if "SubnetId" not in wanted:
                raise wrong("IpAddress", "A subnet must be specified for the IP address.")
            Placing(self._directory, caller, endpoint).place(wanted)
        return {"ResolverEndpoint": shown(self._store, endpoint)}

    def disassociate_resolver_endpoint_ip_address(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            endpoint = self._live(caller, request)
            leaving = addresses.find(self._store, endpoint, request["IpAddress"])
            if len(present(self._store, endpoint.id)) <= ADDRESSES_MIN:
                raise InvalidRequestException(
                    f"Resolver endpoint must have at least {ADDRESSES_MIN} IP addresses"
                )
            now = self._directory.tools.clock.now()
            self._store.update(leaving, want="absent", changed_at=now)
        return {"ResolverEndpoint": shown(self._store, endpoint)}

    def list_resolver_endpoint_ip_addresses(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        endpoint = self._find(caller, request)
        return paged(
            "IpAddresses",
            self._store.rows(EndpointAddress, endpoint_id=endpoint.id),
            request,
            key=lambda row: row.id,
            shown=lambda row: address_shown(endpoint, row),
            size=10,
            tells_size=True,
        )

    # --- inside

    def _find(self, caller: Caller, request: Mapping[str, Any]) -> Endpoint:
        return self._directory.find(Endpoint, caller, request["ResolverEndpointId"], missing(Endpoint))

    def _live(self, caller: Caller, request: Mapping[str, Any]) -> Endpoint:
        endpoint = self._find(caller, request)
        if endpoint.want == "absent":
            raise InvalidRequestException(f"Resolver endpoint '{endpoint.id}' is being deleted.")
        return endpoint

    def _check_new(self, caller: Caller, request: Mapping[str, Any]) -> None:
        mine = self._directory.mine(Endpoint, caller)
        token = request["CreatorRequestId"]
        if any(each.creator_request_id == token for each in mine):
            raise ResourceExistsException(
                f"Resolver endpoint with creator request ID '{token}' already exists",
                fields={"ResourceType": Endpoint.resource},
            )
        if len(mine) >= ENDPOINTS_MAX:
            raise LimitExceededException(
                f"Account '{caller.account}' has exceeded 'max-endpoints'",
                fields={"ResourceType": Endpoint.resource},
            )

    def _new(self, caller: Caller, request: Mapping[str, Any]) -> Endpoint:
        subnet = addresses.subnet(self._directory, caller, request["IpAddresses"][0]["SubnetId"])
        return Endpoint(
            **self._directory.owned(caller, request, _PREFIX[request["Direction"]]),
            name=request.get("Name", ""),
            direction=request["Direction"],
            vpc_id=subnet.vpc_id,
            groups=tuple(dict.fromkeys(request["SecurityGroupIds"])),
            ip_type=request.get("ResolverEndpointType", "IPV4"),
        )

    def _fields(self) -> Fields[Endpoint]:
        return {
            "creatorrequestid": lambda row: row.creator_request_id,
            "direction": lambda row: row.direction,
            "hostvpcid": lambda row: row.vpc_id,
            "ipaddresscount": lambda row: len(present(self._store, row.id)),
            "name": lambda row: row.name,
            "securitygroupids": lambda row: row.groups,
            "status": lambda row: status(self._store, row)[0],
        }


def check_built(operation: str, request: Mapping[str, Any]) -> None:
    for name in _NOT_BUILT:
        if request.get(name):
            raise NotBuilt(f"route53resolver: {operation} with {name} is not built in Cloudstead yet.")
    if any(protocol != "Do53" for protocol in request.get("Protocols", ())):
        raise NotBuilt(f"route53resolver: {operation} with DNS over HTTPS is not built in Cloudstead yet.")
    if request.get("Direction") == "INBOUND_DELEGATION":
        raise NotBuilt(
            "route53resolver: CreateResolverEndpoint for inbound delegation is not built in Cloudstead yet."
        )


def status(store: Store, endpoint: Endpoint) -> tuple[str, str]:
    """What state an endpoint is in, and AWS's words for it."""
    if endpoint.want == "absent":
        return "DELETING", "Deleting the Resolver Endpoint"
    if endpoint.state == "CREATING":
        return "CREATING", "Creating the Resolver Endpoint"
    rows = store.rows(EndpointAddress, endpoint_id=endpoint.id)
    if not all(row.attached and row.want == "present" for row in rows):
        return "UPDATING", "Updating the Resolver Endpoint"
    return "OPERATIONAL", "This Resolver Endpoint is operational."


def shown(store: Store, endpoint: Endpoint) -> dict[str, Any]:
    state, message = status(store, endpoint)
    return {
        "Id": endpoint.id,
        "CreatorRequestId": endpoint.creator_request_id,
        "Arn": endpoint.arn(),
        "Name": endpoint.name,
        "SecurityGroupIds": list(endpoint.groups),
        "Direction": endpoint.direction,
        "IpAddressCount": len(present(store, endpoint.id)),
        "HostVPCId": endpoint.vpc_id,
        "Status": state,
        "StatusMessage": message,
        "CreationTime": stamp(endpoint.created_at),
        "ModificationTime": stamp(endpoint.changed_at),
        "ResolverEndpointType": endpoint.ip_type,
        "Protocols": ["Do53"],
    }
