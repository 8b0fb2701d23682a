"""What can be changed of an instance after its launch, and asked for one by one."""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import images, instance_types, launch_checks
from cloudstead.services.ec2.instance_network import Networking
from cloudstead.services.ec2.instance_rows import Instance, Volume
from cloudstead.services.ec2.instance_shown import element, metadata_options, whole
from cloudstead.services.ec2.instances_describe import find_instances
from cloudstead.services.ec2.network_rows import NetworkInterface
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        DescribeInstanceAttributeRequestTypeDef,
        DescribeInstanceCreditSpecificationsRequestTypeDef,
        ModifyInstanceAttributeRequestTypeDef,
        ModifyInstanceCreditSpecificationRequestTypeDef,
        ModifyInstanceMaintenanceOptionsRequestTypeDef,
        ModifyInstanceMetadataOptionsRequestTypeDef,
        ModifyPrivateDnsNameOptionsRequestTypeDef,
        ResetInstanceAttributeRequestTypeDef,
    )

#: The attributes as `Attribute` calls them, by the request's member for each.
_MEMBERS = {
    "instanceType": "InstanceType",
    "userData": "UserData",
    "disableApiTermination": "DisableApiTermination",
    "disableApiStop": "DisableApiStop",
    "instanceInitiatedShutdownBehavior": "InstanceInitiatedShutdownBehavior",
    "sourceDestCheck": "SourceDestCheck",
    "groupSet": "Groups",
    "ebsOptimized": "EbsOptimized",
    "blockDeviceMapping": "BlockDeviceMappings",
    "enaSupport": "EnaSupport",
    "sriovNetSupport": "SriovNetSupport",
    "kernel": "Kernel",
    "ramdisk": "Ramdisk",
}
_BOOLEANS = {
    "disableApiTermination": "termination_protection",
    "disableApiStop": "stop_protection",
    "ebsOptimized": "ebs_optimized",
}
_ONLY_STOPPED = (
    "instanceType",
    "userData",
    "ebsOptimized",
    "enaSupport",
    "sriovNetSupport",
    "kernel",
    "ramdisk",
)


class InstanceAttributes:
    def __init__(self, resources: Resources, network: Networking) -> None:
        self._resources = resources
        self._network = network

    def modify_instance_attribute(
        self, caller: Caller, request: "ModifyInstanceAttributeRequestTypeDef"
    ) -> None:
        attribute, value = _asked(request)
        with self._resources.store.transaction():
            instance = self._alive(caller, request["InstanceId"])
            if attribute in _ONLY_STOPPED and instance.shown_state != "stopped":
                raise ServiceError(
                    f"The instance '{instance.id}' is not in the 'stopped' state.",
                    code="IncorrectInstanceState",
                )
            self._modify(caller, instance, attribute, value)

    def reset_instance_attribute(
        self, caller: Caller, request: "ResetInstanceAttributeRequestTypeDef"
    ) -> None:
        with self._resources.store.transaction():
            instance = self._alive(caller, request["InstanceId"])
            match request["Attribute"]:
                case "sourceDestCheck":
                    self._modify(caller, instance, "sourceDestCheck", value=True)
                case "kernel" | "ramdisk":
                    pass  # there is never one
                case other:
                    raise launch_checks.invalid(other, "attribute", "It cannot be reset.")

    def describe_instance_attribute(
        self, caller: Caller, request: "DescribeInstanceAttributeRequestTypeDef"
    ) -> dict[str, Any]:
        (instance,) = find_instances(self._resources, caller, [request["InstanceId"]])
        return {"InstanceId": instance.id, **self._attribute(instance, request["Attribute"])}

    def modify_instance_metadata_options(
        self, caller: Caller, request: "ModifyInstanceMetadataOptionsRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            instance = self._alive(caller, request["InstanceId"])
            options = launch_checks.metadata_options(request, instance.metadata)
            instance = self._resources.store.update(instance, metadata=options)
        return {
            "InstanceId": instance.id,
            "InstanceMetadataOptions": {**metadata_options(instance), "State": "pending"},
        }

    def modify_instance_maintenance_options(
        self, caller: Caller, request: "ModifyInstanceMaintenanceOptionsRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            instance = self._alive(caller, request["InstanceId"])
            wanted = request.get("AutoRecovery", instance.auto_recovery)
            launch_checks.one_of(wanted, ("disabled", "default"), "autoRecovery")
            instance = self._resources.store.update(instance, auto_recovery=wanted)
        return {"InstanceId": instance.id, "AutoRecovery": instance.auto_recovery}

    def modify_private_dns_name_options(
        self, caller: Caller, request: "ModifyPrivateDnsNameOptionsRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            instance = self._alive(caller, request["InstanceId"])
            kind = request.get("PrivateDnsHostnameType", instance.hostname_type)
            launch_checks.one_of(kind, ("ip-name", "resource-name"), "privateDnsHostnameType")
            self._resources.store.update(
                instance,
                hostname_type=kind,
                resource_name_a=request.get("EnableResourceNameDnsARecord", instance.resource_name_a),
                resource_name_aaaa=request.get(
                    "EnableResourceNameDnsAAAARecord", instance.resource_name_aaaa
                ),
            )
        return {"Return": True}

    def describe_instance_credit_specifications(
        self, caller: Caller, request: "DescribeInstanceCreditSpecificationsRequestTypeDef"
    ) -> dict[str, Any]:
        if wanted := request.get("InstanceIds"):
            found = find_instances(self._resources, caller, wanted)
            for instance in found:
                if not instance.credits:
                    raise _not_burstable(instance)
        else:
            mine = self._resources.mine(Instance, caller)
            found = [one for one in mine if one.credits == "unlimited" and one.alive]
        for filter in request.get("Filters") or ():
            if filter.get("Name") != "instance-id":
                raise ServiceError(
                    f"The filter '{filter.get('Name')}' is invalid", code="InvalidParameterValue"
                )
            found = [instance for instance in found if instance.id in (filter.get("Values") or ())]
        some, token = page(found, request, key=lambda instance: instance.id, ids="InstanceIds")
        return {
            "InstanceCreditSpecifications": [
                {"InstanceId": instance.id, "CpuCredits": instance.credits} for instance in some
            ],
            "NextToken": token,
        }

    def modify_instance_credit_specification(
        self, caller: Caller, request: "ModifyInstanceCreditSpecificationRequestTypeDef"
    ) -> dict[str, Any]:
        done, failed = [], []
        with self._resources.store.transaction():
            for one in request["InstanceCreditSpecifications"]:
                try:
                    instance = self._alive(caller, one.get("InstanceId", ""))
                    if not instance.credits:
                        raise _not_burstable(instance)
                    wanted = launch_checks.one_of(
                        one.get("CpuCredits"), ("standard", "unlimited"), "cpuCredits"
                    )
                    self._resources.store.update(instance, credits=wanted)
                    done.append({"InstanceId": instance.id})
                except ServiceError as e:
                    error = {"Code": e.code, "Message": e.message}
                    failed.append({"InstanceId": one.get("InstanceId", ""), "Error": error})
        return {
            "SuccessfulInstanceCreditSpecifications": done,
            "UnsuccessfulInstanceCreditSpecifications": failed,
        }

    # --- inside

    def _alive(self, caller: Caller, id: str) -> Instance:
        (instance,) = find_instances(self._resources, caller, [id])
        if not instance.alive:
            raise ServiceError(
                f"The instance '{instance.id}' is not in a valid state for this operation.",
                code="IncorrectInstanceState",
            )
        return instance

    def _modify(self, caller: Caller, instance: Instance, attribute: str, value: Any) -> None:
        store = self._resources.store
        match attribute:
            case "instanceType":
                self._change_type(caller, instance, value)
            case "userData":
                text = base64.b64encode(value).decode() if isinstance(value, bytes) else value
                store.update(instance, user_data=launch_checks.user_data(text))
            case "instanceInitiatedShutdownBehavior":
                launch_checks.one_of(value, ("stop", "terminate"), attribute)
                store.update(instance, shutdown_behavior=value)
            case "sourceDestCheck":
                self._network.change(
                    caller, self._only_interface(instance).id, source_dest_check=_true(value)
                )
            case "groupSet":
                self._network.change(caller, self._only_interface(instance).id, groups=value)
            case "blockDeviceMapping":
                self._change_mappings(instance, value)
            case "enaSupport" if _true(value):
                pass  # it has that
            case _ if attribute in _BOOLEANS:
                store.update(instance, **{_BOOLEANS[attribute]: _true(value)})
            case _:
                raise NotBuilt(f"ec2: ModifyInstanceAttribute of {attribute} is not built in Cloudstead yet.")

    def _change_type(self, caller: Caller, instance: Instance, name: str) -> None:
        type = instance_types.find(name)
        if instance.architecture not in type.architectures:
            image = images.find(self._resources.store, caller, instance.image_id)
            launch_checks.check_architecture(image, type)
        if len(whole(self._resources.store, instance).interfaces) > type.interfaces_max:
            raise ServiceError(
                f"Interface count exceeds the limit for {type.name}", code="AttachmentLimitExceeded"
            )
        before = instance.credits if type.has("burstable") and instance.credits else None
        credits = launch_checks.credits({"CpuCredits": before} if before else None, type)
        self._resources.store.update(instance, type=type.name, credits=credits)

    def _only_interface(self, instance: Instance) -> NetworkInterface:
        interfaces = whole(self._resources.store, instance).interfaces
        if len(interfaces) != 1:
            raise ServiceError(
                f"There are multiple interfaces attached to instance '{instance.id}'. Please specify an interface ID for "
                "the operation instead.",
                code="InvalidInstanceID",
            )
        return interfaces[0]

    def _change_mappings(self, instance: Instance, mappings: list[Mapping[str, Any]]) -> None:
        by_device = {
            volume.device: volume for volume in self._resources.store.rows(Volume, instance_id=instance.id)
        }
        for mapping in mappings:
            volume = by_device.get(mapping.get("DeviceName", ""))
            if volume is None:
                raise ServiceError(
                    f"No device is currently mapped at {mapping.get('DeviceName', '')}",
                    code="InvalidInstanceAttributeValue",
                )
            ebs = mapping.get("Ebs") or {}
            if "DeleteOnTermination" in ebs:
                self._resources.store.update(volume, delete_on_termination=ebs["DeleteOnTermination"])

    def _attribute(self, instance: Instance, name: str) -> dict[str, Any]:
        match name:
            case "instanceType":
                return {"InstanceType": {"Value": instance.type}}
            case "userData":
                return {"UserData": {"Value": instance.user_data} if instance.user_data else {}}
            case "disableApiTermination":
                return {"DisableApiTermination": {"Value": instance.termination_protection}}
            case "disableApiStop":
                return {"DisableApiStop": {"Value": instance.stop_protection}}
            case "instanceInitiatedShutdownBehavior":
                return {"InstanceInitiatedShutdownBehavior": {"Value": instance.shutdown_behavior}}
            case "rootDeviceName":
                return {"RootDeviceName": {"Value": instance.root_device}}
            case "ebsOptimized":
                return {"EbsOptimized": {"Value": instance.ebs_optimized}}
            case "enaSupport":
                return {"EnaSupport": {"Value": True}}
            case "enclaveOptions":
                return {"EnclaveOptions": {"Enabled": False}}
            case "sriovNetSupport":
                return {"SriovNetSupport": {}}
            case "productCodes":
                return {"ProductCodes": []}
            case "kernel":
                return {"KernelId": {}}
            case "ramdisk":
                return {"RamdiskId": {}}
            case "blockDeviceMapping" | "groupSet" | "sourceDestCheck":
                return self._shared_attribute(instance, name)
            case _:
                raise launch_checks.invalid(name, "attribute", "Unknown attribute.")

    def _shared_attribute(self, instance: Instance, name: str) -> dict[str, Any]:
        """Those that stand on volumes and interfaces."""
        if name == "sourceDestCheck":
            return {"SourceDestCheck": {"Value": self._only_interface(instance).source_dest_check}}
        shown = element(whole(self._resources.store, instance))
        if name == "groupSet":
            return {"Groups": shown["SecurityGroups"]}
        return {"BlockDeviceMappings": shown["BlockDeviceMappings"]}


def _asked(request: Mapping[str, Any]) -> tuple[str, Any]:
    """The one attribute that is to change, in either of the two ways a request can say it."""
    named = [(name, request[member]) for name, member in _MEMBERS.items() if member in request]
    found = [(name, value.get("Value") if isinstance(value, Mapping) else value) for name, value in named]
    if attribute := request.get("Attribute"):
        if attribute not in _MEMBERS:
            raise launch_checks.invalid(attribute, "attribute", "Unknown attribute.")
        if "Value" in request:
            found.append((attribute, request["Value"]))
    names = {name for name, _ in found}
    if not names:
        raise ServiceError("No attributes specified.", code="MissingParameter")
    if len(names) > 1:
        raise launch_checks.clash("Fields for multiple attribute types specified")
    return found[0]


def _true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _not_burstable(instance: Instance) -> ServiceError:
    return ServiceError(
        f"{instance.id} is not a burstable performance instance.",
        code="InstanceCreditSpecification.NotSupported",
    )
