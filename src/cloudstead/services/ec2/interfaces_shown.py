"""Network interfaces as DescribeNetworkInterfaces shows them, and its filters."""

from collections.abc import Iterable
from typing import Any

from cloudstead.services.ec2 import tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.instance_shown import interface_status
from cloudstead.services.ec2.names import private_dns_name, public_dns_name
from cloudstead.services.ec2.network_rows import (
    NetworkInterface,
    PrivateAddress,
    PublicAssociation,
    SecurityGroup,
    Vpc,
)
from cloudstead.services.ec2.regions import zone_named
from cloudstead.store import Store

_AWS = "amazon-aws"  # who attaches what belongs to a service


def _zone_id(interface: NetworkInterface) -> str | None:
    zone = zone_named(interface.region, interface.zone)
    return zone.id if zone is not None else None


def shown(store: Store, interface: NetworkInterface) -> dict[str, Any]:
    vpc = store.get(Vpc, interface.vpc_id)
    names = vpc is not None and vpc.dns_hostnames
    managed = interface.type != "interface"
    answer: dict[str, Any] = {
        "NetworkInterfaceId": interface.id,
        "OwnerId": interface.account,
        "RequesterManaged": managed,
        "VpcId": interface.vpc_id,
        "SubnetId": interface.subnet_id,
        "AvailabilityZone": interface.zone,
        "AvailabilityZoneId": _zone_id(interface),
        "Description": interface.description,
        "InterfaceType": _type(interface),
        "MacAddress": interface.mac,
        "PrivateIpAddress": interface.primary.address,
        "PrivateIpAddresses": [
            _address(interface, each, primary=index == 0, names=names)
            for index, each in enumerate(interface.addresses)
        ],
        "Ipv6Addresses": [{"Ipv6Address": each, "IsPrimaryIpv6": False} for each in interface.ipv6_addresses],
        "SourceDestCheck": _checks(interface),
        "Status": status(interface),
        "Groups": groups(store, interface),
        "TagSet": tags.shown(interface.tags),
        "Operator": {"Managed": False},
    }
    optional: dict[str, Any] = {
        "PrivateDnsName": _private_name(interface, interface.primary) if names else None,
        "PublicDnsName": _public_name(interface, interface.primary.public) if names else None,
        "Ipv6Address": interface.ipv6_addresses[0] if interface.ipv6_addresses else None,
        "Association": _association(interface, interface.primary.public, names=names),
        "Attachment": attachment(interface),
        "RequesterId": _requester(interface),
    }
    return answer | {name: value for name, value in optional.items() if value}


def _type(interface: NetworkInterface) -> str:
    """What belongs to a service looks like any other."""
    return "interface" if interface.type == "service" else interface.type


def _requester(interface: NetworkInterface) -> str | None:
    return (interface.requester_id or None) if interface.type == "interface" else _AWS


def _checks(interface: NetworkInterface) -> bool:
    """What forwards for others is never checked."""
    return interface.source_dest_check and interface.type != "nat_gateway"


def status(interface: NetworkInterface) -> str:
    return "available" if interface.attachment is None and interface.type == "interface" else "in-use"


def groups(store: Store, interface: NetworkInterface) -> list[dict[str, str]]:
    found = (store.get(SecurityGroup, id) for id in interface.groups)
    return [{"GroupId": group.id, "GroupName": group.name} for group in found if group is not None]


def attachment_id(interface: NetworkInterface) -> str | None:
    """What belongs to a service is attached by that, under an id that follows from its own."""
    if interface.type != "interface":
        return "ela-attach-" + interface.id.partition("-")[2]
    return interface.attachment.id if interface.attachment is not None else None


def attachment(interface: NetworkInterface) -> dict[str, Any] | None:
    if interface.type != "interface":
        return {
            "AttachmentId": attachment_id(interface),
            "AttachTime": interface.created_at,
            "DeleteOnTermination": False,
            "DeviceIndex": 1,
            "InstanceOwnerId": _AWS,
            "Status": "attached",
        }
    found = interface.attachment
    if found is None:
        return None
    return {
        "AttachmentId": found.id,
        "AttachTime": found.attached_at,
        "DeleteOnTermination": found.delete_on_termination,
        "DeviceIndex": found.device_index,
        "NetworkCardIndex": found.network_card,
        "InstanceId": interface.instance_id,
        "InstanceOwnerId": interface.account,
        "Status": interface_status(interface),
    }


def _address(
    interface: NetworkInterface, address: PrivateAddress, *, primary: bool, names: bool
) -> dict[str, Any]:
    answer: dict[str, Any] = {"Primary": primary, "PrivateIpAddress": address.address}
    if names:
        answer["PrivateDnsName"] = _private_name(interface, address)
    association = _association(interface, address.public, names=names)
    return answer | ({"Association": association} if association else {})


def _association(
    interface: NetworkInterface, public: PublicAssociation | None, *, names: bool
) -> dict[str, str] | None:
    if public is None:
        return None
    answer = {"IpOwnerId": public.owner, "PublicIp": public.address}
    if names:
        answer["PublicDnsName"] = _public_name(interface, public) or ""
    if public.association_id:
        answer |= {"AllocationId": public.allocation_id, "AssociationId": public.association_id}
    return answer


def _private_name(interface: NetworkInterface, address: PrivateAddress) -> str:
    return private_dns_name(address.address, interface.region)


def _public_name(interface: NetworkInterface, public: PublicAssociation | None) -> str | None:
    return public_dns_name(public.address, interface.region) if public is not None else None


# --- filters


def _public(interface: NetworkInterface) -> Iterable[PublicAssociation]:
    return (each.public for each in interface.addresses if each.public is not None)


_FIELDS: Fields[NetworkInterface] = {
    "addresses.association.allocation-id": lambda one: [each.allocation_id or None for each in _public(one)],
    "addresses.association.association-id": lambda one: [
        each.association_id or None for each in _public(one)
    ],
    "addresses.association.owner-id": lambda one: [each.owner for each in _public(one)],
    "addresses.association.public-dns-name": lambda one: [_public_name(one, each) for each in _public(one)],
    "addresses.association.public-ip": lambda one: [each.address for each in _public(one)],
    "addresses.primary": lambda one: ["true", "false"][: len(one.addresses)],
    "addresses.private-ip-address": lambda one: [each.address for each in one.addresses],
    "association.allocation-id": lambda one: [each.allocation_id or None for each in _public(one)],
    "association.association-id": lambda one: [each.association_id or None for each in _public(one)],
    "association.ip-owner-id": lambda one: [each.owner for each in _public(one)],
    "association.public-dns-name": lambda one: [_public_name(one, each) for each in _public(one)],
    "association.public-ip": lambda one: [each.address for each in _public(one)],
    "availability-zone": lambda one: one.zone,
    "availability-zone-id": _zone_id,
    "description": lambda one: one.description,
    "group-id": lambda one: one.groups,
    "interface-type": _type,
    "ipv6-addresses.ipv6-address": lambda one: one.ipv6_addresses,
    "mac-address": lambda one: one.mac,
    "network-interface-id": lambda one: one.id,
    "operator.managed": lambda _: False,
    "operator.principal": lambda _: None,
    "owner-id": lambda one: one.account,
    "private-dns-name": lambda one: [_private_name(one, each) for each in one.addresses],
    "private-ip-address": lambda one: [each.address for each in one.addresses],
    "requester-id": _requester,
    "requester-managed": lambda one: one.type != "interface",
    "source-dest-check": _checks,
    "status": status,
    "subnet-id": lambda one: one.subnet_id,
    "vpc-id": lambda one: one.vpc_id,
}

_ATTACHMENT = {
    "attach-time": "AttachTime",
    "attachment-id": "AttachmentId",
    "delete-on-termination": "DeleteOnTermination",
    "device-index": "DeviceIndex",
    "instance-id": "InstanceId",
    "instance-owner-id": "InstanceOwnerId",
    "status": "Status",
}


def fields(store: Store) -> Fields[NetworkInterface]:
    def of_attachment(member: str) -> Any:
        return lambda one: (attachment(one) or {}).get(member)

    return {
        **_FIELDS,
        **{f"attachment.{name}": of_attachment(member) for name, member in _ATTACHMENT.items()},
        "group-name": lambda one: [group["GroupName"] for group in groups(store, one)],
    }
