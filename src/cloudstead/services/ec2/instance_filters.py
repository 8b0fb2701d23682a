"""The filters of DescribeInstances: names as the EC2 API reference lists them, and what each compares."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from cloudstead.services.ec2.filters import Fields, Found
from cloudstead.services.ec2.instance_rows import STATE_CODES, Profile, Volume
from cloudstead.services.ec2.instance_shown import (
    Whole,
    attachment_status,
    boot_mode,
    interface_status,
    state_reason,
    transition_reason,
)
from cloudstead.services.ec2.names import private_dns_name
from cloudstead.services.ec2.network_rows import (
    Attachment,
    NetworkInterface,
    PrivateAddress,
    PublicAssociation,
)
from cloudstead.services.ec2.regions import zone_named

T = TypeVar("T")
Read = Callable[[Whole], Found]


def _timestamp(at: object) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z" if at is not None else None


def _boolean(fact: bool) -> str:
    return "true" if fact else "false"


def _each(items: Callable[[Whole], Iterable[T]], read: Callable[[T], str | None]) -> Read:
    return lambda one: [read(item) for item in items(one)]


def _volume(read: Callable[[Volume], str | None]) -> Read:
    return _each(lambda one: one.volumes, read)


def _interface(read: Callable[[NetworkInterface], str | None]) -> Read:
    return _each(lambda one: one.interfaces, read)


def _address(read: Callable[[PrivateAddress], str | None]) -> Read:
    return _each(lambda one: (each for interface in one.interfaces for each in interface.addresses), read)


def _public(read: Callable[[PublicAssociation], str | None]) -> Read:
    """Of every private address that has a public one in front."""

    def publics(one: Whole) -> Iterable[PublicAssociation]:
        return (
            each.public
            for interface in one.interfaces
            for each in interface.addresses
            if each.public is not None
        )

    return _each(publics, read)


def _group_names(one: Whole) -> list[str]:
    return [group["GroupName"] for interface in one.interfaces for group in one.groups(interface)]


def _public_names(one: Whole) -> list[str]:
    return [
        one.name_of(each.public)
        for interface in one.interfaces
        for each in interface.addresses
        if each.public is not None
    ]


def _zone_id(one: Whole) -> str | None:
    zone = zone_named(one.instance.region, one.instance.zone)
    return zone.id if zone is not None else None


def _none(_: Whole) -> None:
    return None


def _attachment(read: Callable[[Attachment], str]) -> Read:
    return _interface(
        lambda interface: read(interface.attachment) if interface.attachment is not None else None
    )


def _profile(read: Callable[[Profile], str]) -> Read:
    return lambda one: read(one.instance.profile) if one.instance.profile is not None else None


_ATTACHMENT: dict[str, Read] = {
    "attach-time": _attachment(lambda attachment: str(_timestamp(attachment.attached_at))),
    "attachment-id": _attachment(lambda attachment: attachment.id),
    "delete-on-termination": _attachment(lambda attachment: _boolean(attachment.delete_on_termination)),
    "device-index": _attachment(lambda attachment: str(attachment.device_index)),
    "instance-id": _interface(lambda interface: interface.instance_id),
    "instance-owner-id": _interface(lambda interface: interface.account),
    "network-card-index": _attachment(lambda attachment: str(attachment.network_card)),
    "status": _interface(interface_status),
}

_PUBLIC: dict[str, Read] = {
    "allocation-id": _public(lambda public: public.allocation_id or None),
    "association-id": _public(lambda public: public.association_id or None),
    "carrier-ip": _none,
    "customer-owned-ip": _none,
    "ip-owner-id": _public(lambda public: public.owner),
    "public-dns-name": _public_names,
    "public-ip": _public(lambda public: public.address),
}

_INTERFACES: Fields[Whole] = {
    "addresses.primary": lambda one: [
        _boolean(index == 0) for interface in one.interfaces for index, _ in enumerate(interface.addresses)
    ],
    "addresses.private-dns-name": lambda one: [
        private_dns_name(each.address, one.instance.region)
        for interface in one.interfaces
        for each in interface.addresses
    ],
    "addresses.private-ip-address": _address(lambda each: each.address),
    **{f"addresses.association.{name}": read for name, read in _PUBLIC.items()},
    **{f"association.{name}": read for name, read in _PUBLIC.items()},
    **{f"attachment.{name}": read for name, read in _ATTACHMENT.items()},
    "availability-zone": _interface(lambda interface: interface.zone),
    "deny-all-igw-traffic": _none,
    "description": _interface(lambda interface: interface.description),
    "group-id": lambda one: [group for interface in one.interfaces for group in interface.groups],
    "group-name": _group_names,
    "ipv4-prefixes.ipv4-prefix": _none,
    "ipv6-address": lambda one: [each for interface in one.interfaces for each in interface.ipv6_addresses],
    "ipv6-addresses.ipv6-address": lambda one: [
        each for interface in one.interfaces for each in interface.ipv6_addresses
    ],
    "ipv6-addresses.is-primary-ipv6": _none,
    "ipv6-native": lambda _: False,
    "ipv6-prefixes.ipv6-prefix": _none,
    "mac-address": _interface(lambda interface: interface.mac),
    "network-interface-id": _interface(lambda interface: interface.id),
    "operator.managed": lambda _: False,
    "operator.principal": _none,
    "outpost-arn": _none,
    "owner-id": _interface(lambda interface: interface.account),
    "private-dns-name": lambda one: [
        private_dns_name(interface.primary.address, one.instance.region) for interface in one.interfaces
    ],
    "private-ip-address": _interface(lambda interface: interface.primary.address),
    "public-dns-name": _public_names,
    "requester-id": _none,
    "requester-managed": lambda _: False,
    "source-dest-check": _interface(lambda interface: _boolean(interface.source_dest_check)),
    "status": _interface(lambda _: "in-use"),
    "subnet-id": _interface(lambda interface: interface.subnet_id),
    "tag-key": lambda one: [key for interface in one.interfaces for key in interface.tags],
    "tag-value": lambda one: [value for interface in one.interfaces for value in interface.tags.values()],
    "vpc-id": _interface(lambda interface: interface.vpc_id),
}

FIELDS: Fields[Whole] = {
    "affinity": _none,
    "architecture": lambda one: one.instance.architecture,
    "availability-zone": lambda one: one.instance.zone,
    "availability-zone-id": _zone_id,
    "block-device-mapping.attach-time": _volume(lambda volume: _timestamp(volume.attached_at)),
    "block-device-mapping.delete-on-termination": _volume(
        lambda volume: _boolean(volume.delete_on_termination)
    ),
    "block-device-mapping.device-name": _volume(lambda volume: volume.device),
    "block-device-mapping.status": lambda one: [
        attachment_status(volume, one.instance) for volume in one.volumes
    ],
    "block-device-mapping.volume-id": _volume(lambda volume: volume.id),
    "boot-mode": lambda one: one.instance.boot_mode or None,
    "capacity-reservation-id": _none,
    "capacity-reservation-specification.capacity-reservation-preference": lambda _: "open",
    "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id": _none,
    "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn": _none,
    "client-token": lambda one: one.instance.client_token or None,
    "current-instance-boot-mode": lambda one: boot_mode(one.instance),
    "dns-name": lambda one: one.public_dns or None,
    "ebs-optimized": lambda one: one.instance.ebs_optimized,
    "ena-support": lambda _: True,
    "enclave-options.enabled": lambda _: False,
    "hibernation-options.configured": lambda _: False,
    "host-id": _none,
    "hypervisor": lambda _: "xen",
    "iam-instance-profile.arn": _profile(lambda profile: profile.arn),
    "iam-instance-profile.id": _profile(lambda profile: profile.id),
    "iam-instance-profile.name": _profile(lambda profile: profile.arn.rpartition("/")[2]),
    "image-id": lambda one: one.instance.image_id,
    "instance-id": lambda one: one.instance.id,
    "instance-lifecycle": _none,
    "instance-state-code": lambda one: STATE_CODES[one.instance.shown_state],
    "instance-state-name": lambda one: one.instance.shown_state,
    "instance-type": lambda one: one.instance.type,
    "instance.group-id": lambda one: one.primary.groups if one.primary is not None else (),
    "instance.group-name": lambda one: (
        [group["GroupName"] for group in one.groups(one.primary)] if one.primary is not None else ()
    ),
    # The names of the days before VPCs; old scripts still say them.
    "group-id": lambda one: one.primary.groups if one.primary is not None else (),
    "group-name": lambda one: (
        [group["GroupName"] for group in one.groups(one.primary)] if one.primary is not None else ()
    ),
    "ip-address": lambda one: one.public.address if one.public is not None else None,
    "ipv6-address": lambda one: [each for interface in one.interfaces for each in interface.ipv6_addresses],
    "kernel-id": _none,
    "key-name": lambda one: one.instance.key_name or None,
    "launch-index": lambda one: one.instance.launch_index,
    "launch-time": lambda one: _timestamp(one.instance.launched_at),
    "maintenance-options.auto-recovery": lambda one: one.instance.auto_recovery,
    "metadata-options.http-endpoint": lambda one: one.instance.metadata.endpoint,
    "metadata-options.http-protocol-ipv4": lambda one: one.instance.metadata.endpoint,
    "metadata-options.http-protocol-ipv6": lambda one: one.instance.metadata.ipv6,
    "metadata-options.http-put-response-hop-limit": lambda one: one.instance.metadata.hop_limit,
    "metadata-options.http-tokens": lambda one: one.instance.metadata.tokens,
    "metadata-options.instance-metadata-tags": lambda one: one.instance.metadata.tags,
    "metadata-options.state": lambda _: "applied",
    "monitoring-state": lambda one: "enabled" if one.instance.monitoring else "disabled",
    **{f"network-interface.{name}": read for name, read in _INTERFACES.items()},
    "network-performance-options.bandwidth-weighting": _none,
    "operator.managed": lambda _: False,
    "operator.principal": _none,
    "outpost-arn": _none,
    "owner-id": lambda one: one.instance.account,
    "placement-group-name": _none,
    "placement-partition-number": _none,
    "platform": _none,
    "platform-details": lambda _: "Linux/UNIX",
    "private-dns-name": lambda one: one.private_dns or None,
    "private-dns-name-options.enable-resource-name-dns-a-record": lambda one: one.instance.resource_name_a,
    "private-dns-name-options.enable-resource-name-dns-aaaa-record": lambda one: (
        one.instance.resource_name_aaaa
    ),
    "private-dns-name-options.hostname-type": lambda one: one.instance.hostname_type,
    "private-ip-address": lambda one: one.private_ip,
    "product-code": _none,
    "product-code.type": _none,
    "ramdisk-id": _none,
    "reason": lambda one: transition_reason(one.instance) or None,
    "requester-id": _none,
    "reservation-id": lambda one: one.instance.reservation_id,
    "root-device-name": lambda one: one.instance.root_device,
    "root-device-type": lambda _: "ebs",
    "source-dest-check": lambda one: one.primary.source_dest_check if one.primary is not None else None,
    "spot-instance-request-id": _none,
    "state-reason-code": lambda one: (state_reason(one.instance) or {}).get("Code"),
    "state-reason-message": lambda one: (state_reason(one.instance) or {}).get("Message"),
    "subnet-id": lambda one: one.instance.subnet_id if one.interfaces else None,
    "tenancy": lambda one: one.instance.tenancy,
    "tpm-support": _none,
    "usage-operation": lambda _: "RunInstances",
    "usage-operation-update-time": lambda one: _timestamp(one.instance.created_at),
    "virtualization-type": lambda _: "hvm",
    "vpc-id": lambda one: one.instance.vpc_id if one.interfaces else None,
}
