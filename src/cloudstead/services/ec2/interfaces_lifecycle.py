"""Create, describe, attach, detach and delete network interfaces.

The primary interface of an instance is made and goes with it; these calls are about all others.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import (
    client_tokens,
    filters,
    interfaces,
    interfaces_shown,
    security_groups,
    tags,
)
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import NetworkInterface, Subnet
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AttachNetworkInterfaceRequestTypeDef,
        CreateNetworkInterfaceRequestTypeDef,
        DeleteNetworkInterfaceRequestTypeDef,
        DescribeNetworkInterfacesRequestTypeDef,
        DetachNetworkInterfaceRequestTypeDef,
    )

_PER_REGION_MAX = 5000
_UNBUILT = (
    "Ipv4Prefixes",
    "Ipv4PrefixCount",
    "Ipv6Prefixes",
    "Ipv6PrefixCount",
    "InterfaceType",
    "EnablePrimaryIpv6",
    "ConnectionTrackingSpecification",
    "EnaSrdSpecification",
    "EnaQueueCount",
    "Operator",
)


class NetworkInterfaces:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_network_interface(
        self, caller: Caller, request: "CreateNetworkInterfaceRequestTypeDef"
    ) -> dict[str, Any]:
        refuse_unbuilt("CreateNetworkInterface", request)
        wanted = tags.wanted(request, NetworkInterface.resource_type)
        with self._resources.store.transaction():
            made = client_tokens.made_before(self._resources, caller, NetworkInterface, request)
            if made is None:
                made = self._insert(caller, request, wanted)
                client_tokens.remember(self._resources, caller, made, request)
        return {
            "NetworkInterface": {**interfaces_shown.shown(self._resources.store, made), "Status": "pending"},
            "ClientToken": request.get("ClientToken"),
        }

    def describe_network_interfaces(
        self, caller: Caller, request: "DescribeNetworkInterfacesRequestTypeDef"
    ) -> dict[str, Any]:
        store = self._resources.store
        with store.reading():
            wanted = list(request.get("NetworkInterfaceIds") or ())
            found = self._resources.find_all(NetworkInterface, caller, wanted)
            found = filters.select(found, request.get("Filters"), interfaces_shown.fields(store))
            some, token = page(found, request, key=lambda one: one.id, ids="NetworkInterfaceIds")
            shown = [interfaces_shown.shown(store, one) for one in some]
        return {"NetworkInterfaces": shown, "NextToken": token}

    def delete_network_interface(
        self, caller: Caller, request: "DeleteNetworkInterfaceRequestTypeDef"
    ) -> None:
        with self._resources.store.transaction():
            interface = self._resources.find(NetworkInterface, caller, request["NetworkInterfaceId"])
            if interfaces_shown.status(interface) == "in-use":
                raise ServiceError(
                    f"Network interface '{interface.id}' is currently in use.", code="InvalidParameterValue"
                )
            interfaces.delete(self._resources, interface)

    def attach_network_interface(
        self, caller: Caller, request: "AttachNetworkInterfaceRequestTypeDef"
    ) -> dict[str, Any]:
        refuse_unbuilt("AttachNetworkInterface", request)
        if request.get("NetworkCardIndex", 0) != 0:
            raise NotBuilt(
                "ec2: AttachNetworkInterface with NetworkCardIndex is not built in Cloudstead yet."
            )
        index = request["DeviceIndex"]
        if index < 0:
            raise ServiceError(
                f"Value ({index}) for parameter deviceIndex is invalid.", code="InvalidParameterValue"
            )
        with self._resources.store.transaction():
            interface = self._resources.find(NetworkInterface, caller, request["NetworkInterfaceId"])
            instance = self._resources.find(Instance, caller, request["InstanceId"])
            if instance.shown_state not in ("running", "stopped"):
                raise ServiceError(
                    f"Instance '{instance.id}' is not 'running' or 'stopped'.", code="IncorrectState"
                )
            new = interfaces.new_attachment(self._resources, device_index=index, delete_on_termination=False)
            interfaces.attach(self._resources, interface, instance, new)
        return {"AttachmentId": new.id, "NetworkCardIndex": 0}

    def detach_network_interface(
        self, caller: Caller, request: "DetachNetworkInterfaceRequestTypeDef"
    ) -> None:
        with self._resources.store.transaction():
            interface = self._attached(caller, request["AttachmentId"])
            if interface.attachment is None:
                raise ServiceError(
                    "You are not allowed to manage 'ela-attach' attachments.", code="OperationNotPermitted"
                )
            if interface.attachment.device_index == 0:
                raise ServiceError(
                    "The network interface at device index 0 cannot be detached.",
                    code="OperationNotPermitted",
                )
            interfaces.detach(self._resources, interface)

    # --- inside

    def _insert(
        self, caller: Caller, request: Mapping[str, Any], wanted: Mapping[str, str]
    ) -> NetworkInterface:
        if len(self._resources.mine(NetworkInterface, caller)) >= _PER_REGION_MAX:
            raise ServiceError(
                "The maximum number of network interfaces has been reached.",
                code="NetworkInterfaceLimitExceeded",
            )
        subnet = self._resources.find(Subnet, caller, request["SubnetId"])
        primary, more = _private_ips(request)
        return interfaces.insert(
            self._resources,
            caller,
            subnet,
            groups=security_groups.choose(self._resources, caller, subnet, ids=request.get("Groups") or ()),
            description=_checked_description(request.get("Description")),
            private_ip=primary,
            more_private_ips=more,
            more_private_ip_count=request.get("SecondaryPrivateIpAddressCount", 0),
            ipv6_addresses=[one.get("Ipv6Address", "") for one in request.get("Ipv6Addresses") or ()],
            ipv6_count=request.get("Ipv6AddressCount"),
            tags=wanted,
        )

    def _attached(self, caller: Caller, id: str) -> NetworkInterface:
        for interface in self._resources.mine(NetworkInterface, caller):
            if interfaces_shown.attachment_id(interface) == id:
                return interface
        raise ServiceError(f"The attachment ID '{id}' does not exist", code="InvalidAttachmentID.NotFound")


def refuse_unbuilt(operation: str, request: Mapping[str, Any]) -> None:
    for name in _UNBUILT:
        if request.get(name):
            raise NotBuilt(f"ec2: {operation} with {name} is not built in Cloudstead yet.")


def _private_ips(request: Mapping[str, Any]) -> tuple[str | None, list[str]]:
    """The primary address asked for and the others, in either of the ways a request can say it."""
    listed = request.get("PrivateIpAddresses") or ()
    primary = [one.get("PrivateIpAddress", "") for one in listed if one.get("Primary")]
    if single := request.get("PrivateIpAddress"):
        primary.append(single)
    if len(primary) > 1:
        raise ServiceError(
            "Only one primary private IP address can be specified.", code="InvalidParameterCombination"
        )
    if listed and request.get("SecondaryPrivateIpAddressCount"):
        raise ServiceError(
            "The parameter secondaryPrivateIpAddressCount cannot be used with the parameter privateIpAddresses",
            code="InvalidParameterCombination",
        )
    more = [one.get("PrivateIpAddress", "") for one in listed if not one.get("Primary")]
    return (primary[0] if primary else None), more


def _checked_description(text: str | None) -> str:
    if len(text or "") > 255:
        raise ServiceError(
            "Value for parameter description is invalid. It has more than 255 characters.",
            code="InvalidParameterValue",
        )
    return text or ""
