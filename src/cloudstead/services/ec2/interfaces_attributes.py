"""What changes on a network interface that is there: attributes, and its further private addresses."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import (
    instance_types,
    interfaces,
    interfaces_shown,
    private_addresses,
    public_addresses,
)
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import ElasticAddress, NetworkInterface, PrivateAddress, Subnet
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AssignIpv6AddressesRequestTypeDef,
        AssignPrivateIpAddressesRequestTypeDef,
        DescribeNetworkInterfaceAttributeRequestTypeDef,
        ModifyNetworkInterfaceAttributeRequestTypeDef,
        ResetNetworkInterfaceAttributeRequestTypeDef,
        UnassignIpv6AddressesRequestTypeDef,
        UnassignPrivateIpAddressesRequestTypeDef,
    )

_ADDRESSES_MAX = 50  # of an interface that is not attached to anything
_MODIFIABLE = ("Description", "SourceDestCheck", "Groups", "Attachment", "AssociatePublicIpAddress")
_UNBUILT = (
    "EnaSrdSpecification",
    "EnablePrimaryIpv6",
    "ConnectionTrackingSpecification",
    "AssociatedSubnetIds",
)


class InterfaceAttributes:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    # --- attributes

    def modify_network_interface_attribute(
        self, caller: Caller, request: "ModifyNetworkInterfaceAttributeRequestTypeDef"
    ) -> None:
        _refuse("ModifyNetworkInterfaceAttribute", request, _UNBUILT)
        asked = [name for name in _MODIFIABLE if name in request]
        if len(asked) != 1:
            raise ServiceError(
                "Fields for multiple attribute types specified" if asked else "No attributes specified.",
                code="InvalidParameterCombination" if asked else "MissingParameter",
            )
        with self._resources.store.transaction():
            interface = self._own(caller, request["NetworkInterfaceId"])
            self._modify(caller, interface, asked[0], request)

    def describe_network_interface_attribute(
        self, caller: Caller, request: "DescribeNetworkInterfaceAttributeRequestTypeDef"
    ) -> dict[str, Any]:
        interface = self._resources.find(NetworkInterface, caller, request["NetworkInterfaceId"])
        match request.get("Attribute"):
            case "description":
                found: dict[str, Any] = {"Description": {"Value": interface.description}}
            case "groupSet":
                found = {"Groups": interfaces_shown.groups(self._resources.store, interface)}
            case "sourceDestCheck":
                found = {"SourceDestCheck": {"Value": interface.source_dest_check}}
            case "attachment":
                attachment = interfaces_shown.attachment(interface)
                found = {"Attachment": attachment} if attachment else {}
            case "associatePublicIpAddress":
                found = {"AssociatePublicIpAddress": interface.auto_public}
            case None:
                raise ServiceError("No attributes specified.", code="MissingParameter")
            case other:
                raise _invalid(f"Value ({other}) for parameter attribute is invalid. Unknown attribute.")
        return {"NetworkInterfaceId": interface.id, **found}

    def reset_network_interface_attribute(
        self, caller: Caller, request: "ResetNetworkInterfaceAttributeRequestTypeDef"
    ) -> None:
        with self._resources.store.transaction():
            interface = self._own(caller, request["NetworkInterfaceId"])
            interfaces.change(self._resources, caller, interface, source_dest_check=True)

    # --- private addresses

    def assign_private_ip_addresses(
        self, caller: Caller, request: "AssignPrivateIpAddressesRequestTypeDef"
    ) -> dict[str, Any]:
        _refuse("AssignPrivateIpAddresses", request, ("Ipv4Prefixes", "Ipv4PrefixCount"))
        wanted, count = _either(request, "PrivateIpAddresses", "SecondaryPrivateIpAddressCount")
        with self._resources.store.transaction():
            interface = self._own(caller, request["NetworkInterfaceId"])
            self._check_room(interface, len(interface.addresses) + len(wanted) + count)
            if request.get("AllowReassignment"):
                for address in wanted:
                    self._free(interface, address)
            new = interfaces.choose_ipv4(self._resources, self._subnet(interface), wanted, count=count)
            more = tuple(PrivateAddress(address=address) for address in new)
            self._resources.store.update(interface, addresses=(*interface.addresses, *more))
        return {
            "NetworkInterfaceId": interface.id,
            "AssignedPrivateIpAddresses": [{"PrivateIpAddress": address} for address in new],
        }

    def unassign_private_ip_addresses(
        self, caller: Caller, request: "UnassignPrivateIpAddressesRequestTypeDef"
    ) -> None:
        _refuse("UnassignPrivateIpAddresses", request, ("Ipv4Prefixes",))
        gone = _some(request, "PrivateIpAddresses")
        with self._resources.store.transaction():
            interface = self._own(caller, request["NetworkInterfaceId"])
            if interface.primary.address in gone:
                raise _invalid(
                    f"The primary private IP address {interface.primary.address} cannot be unassigned."
                )
            self._check_has(interface, gone, [each.address for each in interface.addresses])
            for address in gone:
                self._drop(interface.id, address)

    def assign_ipv6_addresses(
        self, caller: Caller, request: "AssignIpv6AddressesRequestTypeDef"
    ) -> dict[str, Any]:
        _refuse("AssignIpv6Addresses", request, ("Ipv6Prefixes", "Ipv6PrefixCount"))
        wanted, count = _either(request, "Ipv6Addresses", "Ipv6AddressCount")
        with self._resources.store.transaction():
            interface = self._own(caller, request["NetworkInterfaceId"])
            self._check_room(interface, len(interface.ipv6_addresses) + len(wanted) + count)
            new = interfaces.choose_ipv6(self._resources, self._subnet(interface), wanted, count=count)
            self._resources.store.update(interface, ipv6_addresses=(*interface.ipv6_addresses, *new))
        return {"NetworkInterfaceId": interface.id, "AssignedIpv6Addresses": list(new)}

    def unassign_ipv6_addresses(
        self, caller: Caller, request: "UnassignIpv6AddressesRequestTypeDef"
    ) -> dict[str, Any]:
        _refuse("UnassignIpv6Addresses", request, ("Ipv6Prefixes",))
        gone = [private_addresses.read6(address) for address in _some(request, "Ipv6Addresses")]
        with self._resources.store.transaction():
            interface = self._own(caller, request["NetworkInterfaceId"])
            self._check_has(interface, gone, interface.ipv6_addresses)
            kept = tuple(each for each in interface.ipv6_addresses if each not in gone)
            self._resources.store.update(interface, ipv6_addresses=kept)
        return {"NetworkInterfaceId": interface.id, "UnassignedIpv6Addresses": list(gone)}

    # --- inside

    def _own(self, caller: Caller, id: str) -> NetworkInterface:
        """One that the caller may change: not a service's."""
        interface = self._resources.find(NetworkInterface, caller, id)
        if interface.type != "interface":
            raise ServiceError(
                "You do not have permission to access the specified resource.", code="AuthFailure", status=403
            )
        return interface

    def _modify(
        self, caller: Caller, interface: NetworkInterface, attribute: str, request: Mapping[str, Any]
    ) -> None:
        asked = request[attribute]
        match attribute:
            case "Description":
                text = asked.get("Value") or ""
                if len(text) > 255:
                    raise _invalid(
                        "Value for parameter description is invalid. It has more than 255 characters."
                    )
                self._resources.store.update(interface, description=text)
            case "SourceDestCheck":
                interfaces.change(
                    self._resources, caller, interface, source_dest_check=asked.get("Value", True)
                )
            case "Groups":
                interfaces.change(self._resources, caller, interface, groups=asked)
            case "Attachment":
                self._modify_attachment(interface, asked)
            case "AssociatePublicIpAddress":
                self._associate_automatically(interface, wanted=asked)

    def _modify_attachment(self, interface: NetworkInterface, asked: Mapping[str, Any]) -> None:
        _refuse("ModifyNetworkInterfaceAttribute", asked, ("EnaQueueCount", "DefaultEnaQueueCount"))
        attachment = interface.attachment
        id = asked.get("AttachmentId")
        if attachment is None or attachment.id != id:
            raise ServiceError(
                f"The attachment ID '{id}' does not exist", code="InvalidAttachmentID.NotFound"
            )
        doomed = asked.get("DeleteOnTermination", attachment.delete_on_termination)
        changed = msgspec.structs.replace(attachment, delete_on_termination=doomed)
        self._resources.store.update(interface, attachment=changed)

    def _associate_automatically(self, interface: NetworkInterface, *, wanted: bool) -> None:
        if interface.attachment is None or interface.attachment.device_index != 0:
            raise _invalid(
                "A public IP address is associated with the primary network interface of an instance alone."
            )
        interface = self._resources.store.update(interface, auto_public=wanted)
        change = public_addresses.provide if wanted else public_addresses.withdraw
        change(self._resources, interface)

    def _subnet(self, interface: NetworkInterface) -> Subnet:
        subnet = self._resources.store.get(Subnet, interface.subnet_id)
        assert subnet is not None, f"{interface.id} is in no subnet"
        return subnet

    def _check_room(self, interface: NetworkInterface, count: int) -> None:
        """That the interface may have so many addresses of one family."""
        instance = self._resources.store.get(Instance, interface.instance_id)
        most = instance_types.every()[instance.type].addresses_max if instance is not None else _ADDRESSES_MAX
        if count > most:
            raise ServiceError(
                "Number of private addresses will exceed limit.", code="PrivateIpAddressLimitExceeded"
            )

    def _check_has(self, interface: NetworkInterface, gone: Sequence[str], has: Sequence[str]) -> None:
        if not set(gone) <= set(has):
            raise _invalid(f"Some of the specified addresses are not assigned to interface {interface.id}")

    def _free(self, interface: NetworkInterface, address: str) -> None:
        """Take an address from the interface that has it, if it is no primary one."""
        holder = private_addresses.holder(self._resources.store, interface.subnet_id, address)
        if holder is not None and holder.id != interface.id and holder.primary.address != address:
            self._drop(holder.id, address)

    def _drop(self, interface_id: str, address: str) -> None:
        for elastic in self._resources.store.rows(ElasticAddress, interface_id=interface_id):
            if elastic.private_ip == address:
                public_addresses.disassociate(self._resources, elastic)
        interface = self._resources.store.get(NetworkInterface, interface_id)
        assert interface is not None
        kept = tuple(each for each in interface.addresses if each.address != address)
        self._resources.store.update(interface, addresses=kept)


def _either(request: Mapping[str, Any], listed: str, counted: str) -> tuple[list[str], int]:
    """The addresses asked for, or how many are: one of both."""
    wanted, count = list(request.get(listed) or ()), request.get(counted) or 0
    if wanted and count:
        raise ServiceError(
            f"The parameter {listed} cannot be used with the parameter {counted}",
            code="InvalidParameterCombination",
        )
    if not wanted and count < 1:
        raise ServiceError(
            f"The request must contain the parameter {listed} or {counted}", code="MissingParameter"
        )
    return wanted, count


def _some(request: Mapping[str, Any], listed: str) -> list[str]:
    wanted = list(dict.fromkeys(request.get(listed) or ()))
    if not wanted:
        raise ServiceError(f"The request must contain the parameter {listed}", code="MissingParameter")
    return wanted


def _refuse(operation: str, request: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in names:
        if request.get(name):
            raise NotBuilt(f"ec2: {operation} with {name} is not built in Cloudstead yet.")


def _invalid(text: str) -> ServiceError:
    return ServiceError(text, code="InvalidParameterValue")
