"""RunInstances: everything an instance is made of, wanted in one transaction.

The instances, their root volumes and interfaces, and the client token's row are written together or not at all. The
machines follow: see `instance_reconcile`.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import (
    images,
    instance_types,
    key_pairs,
    launch_checks,
    launch_templates,
    tags,
    vcpu_limit,
)
from cloudstead.services.ec2.instance_network import Networking, NewInterface
from cloudstead.services.ec2.instance_rows import Image, Instance, KeyPair, Launch, Profile, Volume
from cloudstead.services.ec2.instance_shown import reservation, whole
from cloudstead.services.ec2.instance_types import InstanceType
from cloudstead.services.ec2.launch_checks import RootDisk
from cloudstead.services.ec2.network_rows import NetworkInterface, Subnet
from cloudstead.services.ec2.regions import zone_named
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import RunInstancesRequestTypeDef

#: Finds an IAM instance profile by (account, name, arn), of which one is None; None if there is none.
FindProfile = Callable[[str, str | None, str | None], Profile | None]
#: Why no machine can be run here, with the command that mends it; None if one can.
MachinesMissing = Callable[[], str | None]

_TOKEN_KEPT = timedelta(days=1)
_TOKENS_SWEPT_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """What launching needs of others."""

    network: Networking
    find_profile: FindProfile
    read_parameter: images.ReadParameter
    machines_missing: MachinesMissing


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What every instance of one launch has in common."""

    request: Mapping[str, Any]
    image: Image
    type: InstanceType
    key: KeyPair | None
    profile: Profile | None
    subnet: Subnet
    disk: RootDisk
    reservation_id: str
    tags: Mapping[str, dict[str, str]]  # by resource type


class RunInstances:
    def __init__(self, resources: Resources, neighbours: Neighbours) -> None:
        self._resources = resources
        self._neighbours = neighbours

    def run_instances(self, caller: Caller, request: "RunInstancesRequestTypeDef") -> dict[str, Any]:
        store = self._resources.store
        with store.transaction():
            before = self._launched_before(caller, request)
            reservation_id = before or self._launch(caller, request)
            launched = store.rows(Instance, reservation_id=reservation_id)
            return reservation([whole(store, instance) for instance in launched])

    # --- client tokens

    def _launched_before(self, caller: Caller, request: Mapping[str, Any]) -> str | None:
        """The reservation that this client token stands for already."""
        token = request.get("ClientToken")
        if not token:
            return None
        if len(token) > 64:
            raise launch_checks.invalid(token, "clientToken", "It has more than 64 characters.")
        store = self._resources.store
        known = store.get(Launch, _token_id(caller, token))
        if known is None:
            return None
        if not store.rows(Instance, reservation_id=known.reservation_id):
            store.delete(known)  # long gone, and so the token is free again
            return None
        if known.digest != _digest(request):
            raise ServiceError(
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
                code="IdempotentParameterMismatch",
            )
        return known.reservation_id

    def _remember(self, caller: Caller, request: Mapping[str, Any], reservation_id: str) -> None:
        token = request.get("ClientToken")
        if not token:
            return
        store, now = self._resources.store, self._resources.tools.clock.now()
        known = store.rows(Launch)
        # Any of them, not the oldest: what runs for years would keep those behind it from ever being looked at.
        for old in self._resources.tools.random.sample(known, min(len(known), _TOKENS_SWEPT_MAX)):
            if old.at < now - _TOKEN_KEPT and not store.rows(Instance, reservation_id=old.reservation_id):
                store.delete(old)
        store.insert(
            Launch(
                id=_token_id(caller, token),
                digest=_digest(request),
                reservation_id=reservation_id,
                at=now,
            )
        )

    # --- launching

    def _launch(self, caller: Caller, request: Mapping[str, Any]) -> str:
        merged = launch_templates.merged(self._resources, caller, request)
        asked = merged.request
        plan = self._plan(caller, asked, merged.tags)
        count = self._allowed(caller, plan.type, *launch_checks.counts(asked))
        launch_checks.check_interfaces(asked, plan.type, single=asked["MaxCount"] == 1)
        missing = self._neighbours.machines_missing()
        if missing is not None:
            raise ServiceError(missing, code="Unsupported")
        for index in range(count):
            self._launch_one(caller, plan, index)
        self._remember(caller, request, plan.reservation_id)
        return plan.reservation_id

    def _plan(self, caller: Caller, asked: Mapping[str, Any], own_tags: dict[str, str]) -> _Plan:
        launch_checks.refuse_unbuilt(asked)
        store = self._resources.store
        if not asked.get("ImageId"):
            raise ServiceError("The request must contain the parameter ImageId", code="MissingParameter")
        launch_checks.counts(asked)
        image = images.find(
            store, caller, images.resolve(asked["ImageId"], caller, self._neighbours.read_parameter)
        )
        type = instance_types.find(asked.get("InstanceType") or instance_types.DEFAULT)
        launch_checks.check_architecture(image, type)
        name = asked.get("KeyName")
        return _Plan(
            request=asked,
            image=image,
            type=type,
            key=key_pairs.find(store, caller, name) if name else None,
            profile=self._profile(caller, asked.get("IamInstanceProfile")),
            subnet=self._subnet(caller, asked),
            disk=launch_checks.root_disk(asked.get("BlockDeviceMappings") or (), image),
            reservation_id=ids.new("r", self._resources.tools.random),
            tags=_tags(asked, own_tags),
        )

    def _allowed(self, caller: Caller, type: InstanceType, least: int, most: int) -> int:
        """How many may be launched within the limit on vCPUs, at least `least`."""
        room = vcpu_limit.room(self._resources, caller.account, caller.region) // type.vcpus
        if room < least:
            raise vcpu_limit.exceeded(self._resources)
        return min(room, most)

    def _profile(self, caller: Caller, asked: Mapping[str, Any] | None) -> Profile | None:
        return find_profile(self._neighbours.find_profile, caller, asked, self._resources) if asked else None

    def _subnet(self, caller: Caller, asked: Mapping[str, Any]) -> Subnet:
        placement = asked.get("Placement") or {}
        if placement.get("Tenancy") not in (None, "", "default"):
            raise NotBuilt("ec2: RunInstances with Placement.Tenancy is not built in Cloudstead yet.")
        if placement.get("GroupName"):
            raise ServiceError(
                f"The Placement Group '{placement['GroupName']}' is unknown.",
                code="InvalidPlacementGroup.Unknown",
            )
        zone = placement.get("AvailabilityZone") or None
        if zone is not None and zone_named(caller.region, zone) is None:
            raise ServiceError(f"Invalid availability zone: [{zone}]", code="InvalidParameterValue")
        first: Mapping[str, Any] = next(
            (one for one in asked.get("NetworkInterfaces") or () if one.get("DeviceIndex", 0) == 0), {}
        )
        subnet_id = asked.get("SubnetId") or first.get("SubnetId") or self._subnet_of(first)
        return self._neighbours.network.choose_subnet(caller, subnet_id=subnet_id, zone=zone)

    def _subnet_of(self, interface: Mapping[str, Any]) -> str | None:
        """Of an interface that is there already; that it is not is said when it is attached."""
        known = self._resources.store.get(NetworkInterface, interface.get("NetworkInterfaceId", ""))
        return known.subnet_id if known is not None else None

    def _launch_one(self, caller: Caller, plan: _Plan, index: int) -> None:
        resources, asked, now = self._resources, plan.request, self._resources.tools.clock.now()
        options = asked.get("PrivateDnsNameOptions") or {}
        instance = Instance(
            id=resources.new_id(Instance),
            account=caller.account,
            region=caller.region,
            tags=plan.tags["instance"],
            reservation_id=plan.reservation_id,
            launch_index=index,
            client_token=asked.get("ClientToken") or "",
            created_at=now,
            launched_at=now.replace(microsecond=0),
            image_id=plan.image.id,
            recipe=plan.image.recipe,
            architecture=plan.image.architecture,
            root_device=plan.image.root.name,
            boot_mode=plan.image.boot_mode,
            type=plan.type.name,
            zone=plan.subnet.zone,
            vpc_id=plan.subnet.vpc_id,
            subnet_id=plan.subnet.id,
            root_volume=resources.new_id(Volume),
            key_name=plan.key.name if plan.key is not None else "",
            public_key=plan.key.public_key if plan.key is not None else "",
            user_data=launch_checks.user_data(asked.get("UserData")),
            profile=plan.profile,
            metadata=launch_checks.metadata_options(
                asked.get("MetadataOptions"), launch_checks.image_metadata_options(plan.image)
            ),
            monitoring=(asked.get("Monitoring") or {}).get("Enabled", False),
            ebs_optimized=asked.get("EbsOptimized", False),
            termination_protection=asked.get("DisableApiTermination", False),
            stop_protection=asked.get("DisableApiStop", False),
            shutdown_behavior=launch_checks.one_of(
                asked.get("InstanceInitiatedShutdownBehavior") or "stop",
                ("stop", "terminate"),
                "instanceInitiatedShutdownBehavior",
            ),
            credits=launch_checks.credits(asked.get("CreditSpecification"), plan.type),
            auto_recovery=(asked.get("MaintenanceOptions") or {}).get("AutoRecovery", "default"),
            hostname_type=options.get("HostnameType", plan.subnet.hostname_type),
            resource_name_a=options.get("EnableResourceNameDnsARecord", plan.subnet.resource_name_a),
            resource_name_aaaa=options.get("EnableResourceNameDnsAAAARecord", plan.subnet.resource_name_aaaa),
        )
        resources.store.insert(instance)
        self._add_volume(plan, instance)
        self._add_interfaces(caller, plan, instance)

    def _add_volume(self, plan: _Plan, instance: Instance) -> None:
        disk = plan.disk
        self._resources.store.insert(
            Volume(
                id=instance.root_volume,
                account=instance.account,
                region=instance.region,
                tags=plan.tags["volume"],
                zone=instance.zone,
                size_gib=disk.size_gib,
                type=disk.type,
                iops=disk.iops,
                throughput=disk.throughput,
                snapshot_id=plan.image.root.snapshot_id,
                image=plan.image.recipe.name,
                created_at=instance.created_at,
                instance_id=instance.id,
                device=instance.root_device,
                attached_at=instance.launched_at,
                delete_on_termination=disk.delete_on_termination,
            )
        )

    def _add_interfaces(self, caller: Caller, plan: _Plan, instance: Instance) -> None:
        network, asked = self._neighbours.network, plan.request
        interfaces: Sequence[Mapping[str, Any]] = asked.get("NetworkInterfaces") or ()
        if not interfaces:
            network.create_for_instance(caller, self._new_interface(caller, plan, instance, asked))
        for one in sorted(interfaces, key=lambda one: one.get("DeviceIndex", 0)):
            if existing := one.get("NetworkInterfaceId"):
                network.attach_for_instance(
                    caller,
                    existing,
                    instance_id=instance.id,
                    device_index=one.get("DeviceIndex", 0),
                    delete_on_termination=one.get("DeleteOnTermination", False),
                )
            else:
                network.create_for_instance(caller, self._new_interface(caller, plan, instance, one))

    def _new_interface(
        self, caller: Caller, plan: _Plan, instance: Instance, asked: Mapping[str, Any]
    ) -> NewInterface:
        """From an entry of NetworkInterfaces, or from the request itself, whose members have the same names."""
        network, subnet = self._neighbours.network, plan.subnet
        index = asked.get("DeviceIndex", 0)
        if index and asked.get("SubnetId"):
            subnet = network.choose_subnet(caller, subnet_id=asked["SubnetId"], zone=None)
        if subnet.vpc_id != plan.subnet.vpc_id or subnet.zone != plan.subnet.zone:
            raise launch_checks.clash(
                "All network interfaces of an instance must be in one VPC and Availability Zone"
            )
        private = [
            one["PrivateIpAddress"] for one in asked.get("PrivateIpAddresses") or () if not one.get("Primary")
        ]
        primary = next(
            (one["PrivateIpAddress"] for one in asked.get("PrivateIpAddresses") or () if one.get("Primary")),
            asked.get("PrivateIpAddress"),
        )
        return NewInterface(
            instance_id=instance.id,
            subnet=subnet,
            groups=network.choose_groups(
                caller,
                subnet,
                ids=asked.get("SecurityGroupIds") or asked.get("Groups") or (),
                names=asked.get("SecurityGroups") or (),
            ),
            device_index=index,
            network_card=asked.get("NetworkCardIndex", 0),
            description=asked.get("Description", ""),
            delete_on_termination=asked.get("DeleteOnTermination", True),
            private_ip=primary,
            more_private_ips=tuple(private),
            more_private_ip_count=asked.get("SecondaryPrivateIpAddressCount", 0),
            ipv6_addresses=tuple(one["Ipv6Address"] for one in asked.get("Ipv6Addresses") or ()),
            ipv6_count=asked.get("Ipv6AddressCount"),
            # Only the primary interface takes after its subnet.
            public=asked.get("AssociatePublicIpAddress", None if index == 0 else False),
            tags=plan.tags["network-interface"],
        )


def find_profile(
    find: FindProfile, caller: Caller, asked: Mapping[str, Any], resources: Resources
) -> Profile | None:
    """The instance profile asked for by name or ARN, about to be associated with an instance."""
    arn, name = asked.get("Arn"), asked.get("Name")
    if arn and name:
        raise launch_checks.clash(
            "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'"
        )
    if not arn and not name:
        return None
    found = find(caller.account, name, arn)
    if found is None:
        member, word = ("arn", "ARN") if arn else ("name", "name")
        raise ServiceError(
            f"Value ({arn or name}) for parameter iamInstanceProfile.{member} is invalid. "
            f"Invalid IAM Instance Profile {word}",
            code="InvalidParameterValue",
        )
    return msgspec.structs.replace(found, association_id=ids.new("iip-assoc", resources.tools.random))


def _tags(asked: Mapping[str, Any], own: dict[str, str]) -> dict[str, dict[str, str]]:
    wanted = {
        kind: tags.wanted(asked, kind, among=launch_checks.TAGGABLE)
        for kind in ("instance", "volume", "network-interface")
    }
    wanted["instance"] |= own
    return wanted


def _token_id(caller: Caller, token: str) -> str:
    return f"{caller.account}/{caller.region}/{token}"


def _digest(request: Mapping[str, Any]) -> str:
    asked = {name: value for name, value in request.items() if name not in ("ClientToken", "DryRun")}
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
