"""The addresses of a resolver endpoint: each an interface of EC2's in one of the VPC's subnets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.route53resolver.directory import Directory
from cloudstead.services.route53resolver.errors import (
    InvalidParameterException,
    LimitExceededException,
    ResourceExistsException,
    ResourceNotFoundException,
    wrong,
)
from cloudstead.services.route53resolver.rows import Endpoint, EndpointAddress, stamp
from cloudstead.store import Store

ADDRESSES_MIN = 2
ADDRESSES_MAX = 6


class SubnetFound(Protocol):
    """What is asked of EC2's subnet."""

    @property
    def id(self) -> str: ...
    @property
    def vpc_id(self) -> str: ...


@dataclass(frozen=True)
class Placing:
    """Gives an endpoint its addresses."""

    directory: Directory
    caller: Caller
    endpoint: Endpoint

    def place(self, wanted: Mapping[str, Any]) -> EndpointAddress:
        """One more address; EC2's complaints are told as the resolver's."""
        directory, endpoint = self.directory, self.endpoint
        place = subnet(directory, self.caller, wanted["SubnetId"])
        if place.vpc_id != endpoint.vpc_id:
            raise wrong("IpAddresses", "All subnets of a Resolver endpoint must be in the same VPC.")
        six, four = endpoint.ip_type != "IPV4", endpoint.ip_type != "IPV6"
        for member, fits in (("Ip", four), ("Ipv6", six)):
            if member in wanted and not fits:
                raise wrong(
                    "IpAddresses",
                    f"{member} cannot be specified for an endpoint of the type {endpoint.ip_type}.",
                )
        id = ids.new("rni", directory.tools.random)
        try:
            interface = directory.vpcs.insert(
                self.caller,
                directory.vpcs.subnet(self.caller, place.id),
                groups=endpoint.groups,
                description=f"Route 53 Resolver: {endpoint.id}:{id}",
                service_id=endpoint.id,
                ip=wanted.get("Ip"),
                ipv6=wanted.get("Ipv6"),
                with_ipv6=six,
            )
        except ServiceError as e:
            raise _as_ours(e, wanted) from None
        now = directory.tools.clock.now()
        return directory.store.insert(
            EndpointAddress(
                id=id,
                endpoint_id=endpoint.id,
                subnet_id=place.id,
                interface_id=interface.id,
                ip=interface.primary.address if four else "",
                ipv6=interface.ipv6_addresses[0] if six else "",
                created_at=now,
                changed_at=now,
            )
        )


def subnet(directory: Directory, caller: Caller, id: str) -> SubnetFound:
    try:
        return directory.vpcs.subnet(caller, id)
    except ServiceError:
        raise InvalidParameterException(
            f"The subnet ID '{id}' does not exist", fields={"FieldName": "SubnetId"}
        ) from None


def change_type(directory: Directory, endpoint: Endpoint, kind: str, wanted: Mapping[str, str]) -> None:
    """Give an endpoint's interfaces the addresses of another type: those of IPv6 as wanted, or free ones."""
    if kind == "IPV6" and endpoint.ip_type == "IPV4":
        raise wrong("ResolverEndpointType", "An IPV4 endpoint cannot become IPV6; change it to DUALSTACK.")
    now = directory.tools.clock.now()
    for row in present(directory.store, endpoint.id):
        four = "" if kind == "IPV6" else directory.vpcs.ip(row.interface_id)
        try:
            six = (
                ""
                if kind == "IPV4"
                else row.ipv6 or directory.vpcs.add_ipv6(row.interface_id, wanted.get(row.id))
            )
        except ServiceError as e:
            raise InvalidParameterException(e.message, fields={"FieldName": "UpdateIpAddresses"}) from None
        directory.store.update(row, ip=four, ipv6=six, attached=False, changed_at=now)


def present(store: Store, endpoint_id: str) -> list[EndpointAddress]:
    """Those that are not on their way out."""
    return store.rows(EndpointAddress, endpoint_id=endpoint_id, want="present")


def find(store: Store, endpoint: Endpoint, wanted: Mapping[str, Any]) -> EndpointAddress:
    """The address of this id, or in this subnet with this address."""
    for row in present(store, endpoint.id):
        if "IpId" in wanted:
            if row.id == wanted["IpId"]:
                return row
            continue
        same = (wanted.get("Ip", row.ip), wanted.get("Ipv6", row.ipv6)) == (row.ip, row.ipv6)
        if same and wanted.get("SubnetId") == row.subnet_id:
            return row
    raise ResourceNotFoundException(
        f"The IP address is not associated with the resolver endpoint '{endpoint.id}'.",
        fields={"ResourceType": "IpAddress"},
    )


def check_count(count: int) -> None:
    if count > ADDRESSES_MAX:
        raise LimitExceededException(
            f"A Resolver endpoint can have at most {ADDRESSES_MAX} IP addresses",
            fields={"ResourceType": "IpAddress"},
        )


def address_shown(endpoint: Endpoint, row: EndpointAddress) -> dict[str, Any]:
    state, message = _status(endpoint, row)
    answer = {
        "IpId": row.id,
        "SubnetId": row.subnet_id,
        "Status": state,
        "StatusMessage": message,
        "CreationTime": stamp(row.created_at),
        "ModificationTime": stamp(row.changed_at),
    }
    return answer | {name: value for name, value in (("Ip", row.ip), ("Ipv6", row.ipv6)) if value}


def _status(endpoint: Endpoint, row: EndpointAddress) -> tuple[str, str]:
    if "absent" in (endpoint.want, row.want):
        return "DELETING", "This IP address is being deleted."
    if row.attached:
        return "ATTACHED", "This IP address is operational."
    return (
        ("CREATING", "This IP address is being created.")
        if row.version == 1
        else ("UPDATING", "This IP address is being updated.")
    )


def _as_ours(error: ServiceError, wanted: Mapping[str, Any]) -> ServiceError:
    address = wanted.get("Ip") or wanted.get("Ipv6")
    if error.code == "InvalidIPAddress.InUse":
        return ResourceExistsException(
            f"IP address '{address}' is already in use.", fields={"ResourceType": "IpAddress"}
        )
    if error.code == "InvalidParameterValue" and address:
        return InvalidParameterException(
            f"[RSLVR-00405] IP address '{address}' is either not in subnet '{wanted['SubnetId']}' CIDR range "
            "or is reserved",
            fields={"FieldName": "IpAddresses"},
        )
    if error.code.startswith("Invalid"):
        return InvalidParameterException(error.message, fields={"FieldName": "IpAddresses"})
    return error
