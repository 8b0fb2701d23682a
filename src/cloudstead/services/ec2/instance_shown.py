"""An instance as answers show it: its own row with those of its interfaces and volumes.

The one thing a reader would get wrong: what is shown is remembered by the key that `element` makes. Whatever else
comes to be shown must be in that key.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cloudstead.core.cached import Cached
from cloudstead.services.ec2 import instance_types, tags
from cloudstead.services.ec2.instance_rows import STATE_CODES, Instance, Volume
from cloudstead.services.ec2.names import private_dns_name, private_domain, public_dns_name
from cloudstead.services.ec2.network_rows import NetworkInterface, PublicAssociation, SecurityGroup, Vpc
from cloudstead.services.ec2.regions import zone_named
from cloudstead.store import Store


@dataclass(frozen=True, slots=True)
class Whole:
    """An instance and all that is shown of it."""

    instance: Instance
    interfaces: tuple[NetworkInterface, ...]  # the primary first
    volumes: tuple[Volume, ...]  # the root first
    public_names: bool  # whether its VPC gives public addresses names
    store: Store

    @property
    def tags(self) -> Mapping[str, str]:
        return self.instance.tags

    @property
    def primary(self) -> NetworkInterface | None:
        return self.interfaces[0] if self.interfaces else None

    @property
    def private_ip(self) -> str | None:
        return self.primary.primary.address if self.primary is not None else None

    @property
    def public(self) -> PublicAssociation | None:
        return self.primary.primary.public if self.primary is not None else None

    @property
    def private_dns(self) -> str:
        if self.private_ip is None:
            return ""
        return private_name(self.instance, self.private_ip)

    @property
    def public_dns(self) -> str:
        return self.name_of(self.public)

    def name_of(self, public: PublicAssociation | None) -> str:
        if public is None or not self.public_names:
            return ""
        return public_dns_name(public.address, self.instance.region)

    def groups(self, interface: NetworkInterface) -> list[dict[str, str]]:
        """Group names never change, so they need not be in the key."""
        found = (self.store.get(SecurityGroup, id) for id in interface.groups)
        return [{"GroupId": group.id, "GroupName": group.name} for group in found if group is not None]

    @property
    def key(self) -> Hashable:
        """Names everything that is shown, with versions."""
        return (
            self.instance.id,
            self.instance.version,
            self.public_names,
            *((interface.id, interface.version) for interface in self.interfaces),
            *((volume.id, volume.version) for volume in self.volumes),
        )


def whole(store: Store, instance: Instance) -> Whole:
    interfaces = store.rows(NetworkInterface, instance_id=instance.id)
    if len(interfaces) > 1:
        interfaces.sort(key=_device_index)
    vpc = store.get(Vpc, instance.vpc_id)
    volumes = store.rows(Volume, instance_id=instance.id)
    names = vpc is not None and vpc.dns_hostnames
    return Whole(instance, tuple(interfaces), tuple(volumes), names, store)


def private_name(instance: Instance, address: str) -> str:
    """The name that a guest takes for its own."""
    if instance.hostname_type == "resource-name":
        return f"{instance.id}.{private_domain(instance.region)}"
    return private_dns_name(address, instance.region)


def _device_index(interface: NetworkInterface) -> int:
    return interface.attachment.device_index if interface.attachment is not None else 0


def reservations(wholes: Iterable[Whole]) -> list[Cached]:
    """The instances in their reservations, in the order of the first of each."""
    by_reservation: dict[str, list[Whole]] = {}
    for one in wholes:
        by_reservation.setdefault(one.instance.reservation_id, []).append(one)
    return [_reservation(ones) for ones in by_reservation.values()]


def _reservation(ones: list[Whole]) -> Cached:
    return Cached(tuple(one.key for one in ones), partial(reservation, ones))


def reservation(ones: list[Whole]) -> dict[str, Any]:
    first = ones[0].instance
    return {
        "ReservationId": first.reservation_id,
        "OwnerId": first.account,
        "Groups": [],
        "Instances": [Cached(one.key, partial(element, one)) for one in ones],
    }


def element(one: Whole) -> dict[str, Any]:
    """The Instance structure."""
    instance, type = one.instance, instance_types.every()[one.instance.type]
    primary = one.primary
    answer: dict[str, Any] = {
        "InstanceId": instance.id,
        "ImageId": instance.image_id,
        "State": state(instance.shown_state),
        "PrivateDnsName": one.private_dns,
        "PublicDnsName": one.public_dns,
        "StateTransitionReason": transition_reason(instance),
        "StateReason": state_reason(instance),
        "AmiLaunchIndex": instance.launch_index,
        "ProductCodes": [],
        "InstanceType": instance.type,
        "LaunchTime": instance.launched_at,
        "Placement": {
            "AvailabilityZone": instance.zone,
            "AvailabilityZoneId": _zone_id(instance),
            "GroupName": "",
            "Tenancy": instance.tenancy,
        },
        "Monitoring": {"State": "enabled" if instance.monitoring else "disabled"},
        "Architecture": instance.architecture,
        "BlockDeviceMappings": [_mapping(volume, instance) for volume in one.volumes],
        "ClientToken": instance.client_token,
        "EbsOptimized": instance.ebs_optimized,
        "EnaSupport": True,
        "Hypervisor": "xen",
        "NetworkInterfaces": [_interface(interface, one) for interface in one.interfaces],
        "RootDeviceName": instance.root_device,
        "RootDeviceType": "ebs",
        "SecurityGroups": one.groups(primary) if primary is not None else [],
        "Tags": tags.shown(instance.tags),
        "VirtualizationType": "hvm",
        "CpuOptions": {"CoreCount": type.cores, "ThreadsPerCore": type.vcpus // type.cores},
        "CapacityReservationSpecification": {"CapacityReservationPreference": "open"},
        "HibernationOptions": {"Configured": False},
        "MetadataOptions": metadata_options(instance),
        "EnclaveOptions": {"Enabled": False},
        "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances",
        "UsageOperationUpdateTime": instance.created_at,
        "MaintenanceOptions": {"AutoRecovery": instance.auto_recovery, "RebootMigration": "default"},
        "CurrentInstanceBootMode": boot_mode(instance),
    }
    optional: dict[str, Any] = {
        "KeyName": instance.key_name,
        "BootMode": instance.boot_mode,
        "IamInstanceProfile": instance.profile and {"Arn": instance.profile.arn, "Id": instance.profile.id},
    }
    if primary is not None:
        optional |= {
            "SubnetId": instance.subnet_id,
            "VpcId": instance.vpc_id,
            "PrivateIpAddress": one.private_ip,
            "PublicIpAddress": one.public and one.public.address,
            "Ipv6Address": primary.ipv6_addresses[0] if primary.ipv6_addresses else None,
            "PrivateDnsNameOptions": {
                "HostnameType": instance.hostname_type,
                "EnableResourceNameDnsARecord": instance.resource_name_a,
                "EnableResourceNameDnsAAAARecord": instance.resource_name_aaaa,
            },
        }
        answer["SourceDestCheck"] = primary.source_dest_check
    answer.update({name: value for name, value in optional.items() if value})
    return answer


def state(name: Any) -> dict[str, Any]:
    return {"Code": STATE_CODES[name], "Name": name}


def boot_mode(instance: Instance) -> str:
    """How it was started: what the image prefers, if the type can."""
    type = instance_types.every()[instance.type]
    return "uefi" if instance.boot_mode.startswith("uefi") and type.has("uefi") else "legacy-bios"


def metadata_options(instance: Instance) -> dict[str, Any]:
    options = instance.metadata
    return {
        "State": "applied",
        "HttpTokens": options.tokens,
        "HttpPutResponseHopLimit": options.hop_limit,
        "HttpEndpoint": options.endpoint,
        "HttpProtocolIpv6": options.ipv6,
        "InstanceMetadataTags": options.tags,
    }


def transition_reason(instance: Instance) -> str:
    if instance.want == "running" or instance.asked_at is None:
        return ""
    return f"User initiated ({instance.asked_at:%Y-%m-%d %H:%M:%S} GMT)"


def state_reason(instance: Instance) -> dict[str, str] | None:
    if instance.want != "running":
        code, text = "Client.UserInitiatedShutdown", "User initiated shutdown"
    elif instance.aim != "running":
        code, text = "Client.InstanceInitiatedShutdown", "Instance initiated shutdown"
    elif instance.shown_state == "pending":
        return {"Code": "pending", "Message": "pending"}
    else:
        return None
    return {"Code": code, "Message": f"{code}: {text}"}


def _zone_id(instance: Instance) -> str | None:
    zone = zone_named(instance.region, instance.zone)
    return zone.id if zone is not None else None


def attachment_status(volume: Volume, instance: Instance | None) -> str:
    """A root volume is attached once its instance has run."""
    return "attached" if volume.made and instance is not None and instance.started_boot else "attaching"


def _mapping(volume: Volume, instance: Instance) -> dict[str, Any]:
    return {
        "DeviceName": volume.device,
        "Ebs": {
            "AttachTime": volume.attached_at,
            "DeleteOnTermination": volume.delete_on_termination,
            "Status": attachment_status(volume, instance),
            "VolumeId": volume.id,
        },
    }


def _interface(interface: NetworkInterface, one: Whole) -> dict[str, Any]:
    attachment = interface.attachment
    answer: dict[str, Any] = {
        "NetworkInterfaceId": interface.id,
        "OwnerId": interface.account,
        "VpcId": interface.vpc_id,
        "SubnetId": interface.subnet_id,
        "Description": interface.description,
        "MacAddress": interface.mac,
        "PrivateIpAddress": interface.primary.address,
        "PrivateDnsName": private_dns_name(interface.primary.address, interface.region),
        "SourceDestCheck": interface.source_dest_check,
        "Status": "in-use",
        "InterfaceType": "interface",
        "Groups": one.groups(interface),
        "Ipv6Addresses": [{"Ipv6Address": address} for address in interface.ipv6_addresses],
        "PrivateIpAddresses": [
            {
                "Primary": index == 0,
                "PrivateIpAddress": each.address,
                "PrivateDnsName": private_dns_name(each.address, interface.region),
                **_association(each.public, one),
            }
            for index, each in enumerate(interface.addresses)
        ],
        **_association(interface.primary.public, one),
    }
    if attachment is not None:
        answer["Attachment"] = {
            "AttachmentId": attachment.id,
            "AttachTime": attachment.attached_at,
            "DeleteOnTermination": attachment.delete_on_termination,
            "DeviceIndex": attachment.device_index,
            "NetworkCardIndex": attachment.network_card,
            "Status": interface_status(interface),
        }
    return answer


def interface_status(interface: NetworkInterface) -> str:
    if interface.attachment is not None and interface.attachment.leaving:
        return "detaching"
    return "attached" if interface.placed else "attaching"


def _association(public: PublicAssociation | None, one: Whole) -> dict[str, Any]:
    if public is None:
        return {}
    return {
        "Association": {
            "IpOwnerId": public.owner,
            "PublicDnsName": one.name_of(public),
            "PublicIp": public.address,
        }
    }
