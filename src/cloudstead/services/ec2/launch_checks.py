"""What RunInstances and launch templates ask for, checked part by part, without looking at what there is."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2.instance_rows import Image, MetadataOptions
from cloudstead.services.ec2.instance_types import InstanceType

USER_DATA_BYTES_MAX = 16384
COUNT_MAX = 1000
TAGGABLE = ("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu")

_VOLUME_TYPES = ("gp2", "gp3", "io1", "io2", "standard")
_VOLUME_GIB_MAX = {"standard": 1024, "gp3": 65536}


def invalid(value: object, parameter: str, why: str = "") -> ServiceError:
    return ServiceError(
        f"Value ({value}) for parameter {parameter} is invalid. {why}".rstrip(), code="InvalidParameterValue"
    )


def clash(text: str) -> ServiceError:
    return ServiceError(text, code="InvalidParameterCombination")


def one_of(value: Any, choices: Sequence[str], parameter: str) -> Any:
    if value not in choices:
        raise invalid(value, parameter, f"Valid values are: {', '.join(choices)}.")
    return value


def refuse_unbuilt(request: Mapping[str, Any]) -> None:
    """Raise NotBuilt for what would have to be invented."""
    market = (request.get("InstanceMarketOptions") or {}).get("MarketType")
    asked = {
        "InstanceMarketOptions": market not in (None, "on-demand"),
        "HibernationOptions": (request.get("HibernationOptions") or {}).get("Configured"),
        "EnclaveOptions": (request.get("EnclaveOptions") or {}).get("Enabled"),
        "CapacityReservationSpecification.CapacityReservationTarget": (
            request.get("CapacityReservationSpecification") or {}
        ).get("CapacityReservationTarget"),
    }
    plain = (
        "CpuOptions", "ElasticGpuSpecification", "ElasticGpuSpecifications", "ElasticInferenceAccelerators", "KernelId",
        "LicenseSpecifications", "RamdiskId", "SecondaryInterfaces", "InstanceRequirements",
    )  # fmt: skip
    asked |= {name: request.get(name) for name in plain}
    for name, given in asked.items():
        if given:
            raise NotBuilt(f"ec2: RunInstances with {name} is not built in Cloudstead yet.")


def counts(request: Mapping[str, Any]) -> tuple[int, int]:
    """MinCount and MaxCount."""
    for name in ("MinCount", "MaxCount"):
        if name not in request:
            raise ServiceError(f"The request must contain the parameter {name}", code="MissingParameter")
    least, most = request["MinCount"], request["MaxCount"]
    if least < 1:
        raise invalid(least, "minCount", "Minimum is 1.")
    if most < least:
        raise invalid(most, "maxCount", "It must be at least the value of minCount.")
    if most > COUNT_MAX:
        raise invalid(most, "maxCount", f"Maximum is {COUNT_MAX}.")
    return least, most


def user_data(text: str | None) -> str:
    """The user data as it came, base64, known to decode to 16 KB at most."""
    if not text:
        return ""
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ServiceError(
            "Invalid BASE64 encoding of user data.", code="InvalidUserData.Malformed"
        ) from None
    if len(decoded) > USER_DATA_BYTES_MAX:
        raise ServiceError("User data is limited to 16384 bytes", code="InvalidParameterValue")
    return text


def metadata_options(asked: Mapping[str, Any] | None, before: MetadataOptions) -> MetadataOptions:
    """The options that hold once these are asked for."""
    asked = asked or {}
    hops = asked.get("HttpPutResponseHopLimit", before.hop_limit)
    if not 1 <= hops <= 64:
        raise invalid(
            hops, "HttpPutResponseHopLimit", "Please specify an integer value between 1 and 64, inclusive."
        )
    endpoint = asked.get("HttpEndpoint", before.endpoint)
    if endpoint == "disabled" and asked.get("HttpTokens"):
        raise clash("A value of 'disabled' for HttpEndpoint cannot be combined with other metadata options.")
    switch = ("disabled", "enabled")
    return MetadataOptions(
        tokens=one_of(asked.get("HttpTokens", before.tokens), ("optional", "required"), "HttpTokens"),
        hop_limit=hops,
        endpoint=one_of(endpoint, switch, "HttpEndpoint"),
        ipv6=one_of(asked.get("HttpProtocolIpv6", before.ipv6), switch, "HttpProtocolIpv6"),
        tags=one_of(asked.get("InstanceMetadataTags", before.tags), switch, "InstanceMetadataTags"),
    )


def image_metadata_options(image: Image) -> MetadataOptions:
    """What an image's instances have unless told otherwise."""
    return MetadataOptions(tokens="required", hop_limit=2) if image.imds_v2 else MetadataOptions()


def credits(asked: Mapping[str, Any] | None, type: InstanceType) -> Any:
    given = (asked or {}).get("CpuCredits")
    if given is None:
        if not type.has("burstable"):
            return ""
        return "standard" if type.family == "t2" else "unlimited"
    one_of(given, ("standard", "unlimited"), "CpuCredits")
    if not type.has("burstable"):
        raise clash(f"The CreditSpecification parameter is not supported for the instance type {type.name}.")
    return given


def check_architecture(image: Image, type: InstanceType) -> None:
    if image.architecture not in type.architectures:
        raise ServiceError(
            f"The architecture '{','.join(type.architectures)}' of the specified instance type does not match the architecture "
            f"'{image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching "
            "architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the "
            "architecture of the instance type or AMI.",
            code="InvalidParameterValue",
        )


# --- disks


@dataclass(frozen=True, kw_only=True)
class RootDisk:
    size_gib: int
    type: str
    iops: int | None
    throughput: int | None
    delete_on_termination: bool


def root_disk(mappings: Sequence[Mapping[str, Any]], image: Image) -> RootDisk:
    """The root volume that is asked for: the image's, with what the request changes of it."""
    asked: Mapping[str, Any] = {}
    seen: set[str] = set()
    for mapping in mappings:
        name = mapping.get("DeviceName", "")
        if name in seen:
            raise _bad_mapping(f"Duplicate device name {name}")
        seen.add(name)
        if name == image.root.name:
            asked = mapping.get("Ebs") or {}
            if "NoDevice" in mapping:
                raise _bad_mapping("The root device cannot be left out")
        elif mapping.get("Ebs"):
            raise NotBuilt(
                "ec2: volumes besides the root are not built in Cloudstead yet "
                f"(BlockDeviceMappings, {name}; the root device of this image is {image.root.name})."
            )
    if asked.get("Encrypted") or asked.get("KmsKeyId"):
        raise NotBuilt("ec2: encrypted volumes are not built in Cloudstead yet.")
    return _root_disk(asked, image)


def _root_disk(asked: Mapping[str, Any], image: Image) -> RootDisk:
    if asked.get("SnapshotId") not in (None, image.root.snapshot_id):
        raise _bad_mapping("snapshotId cannot be modified on root device")
    type = asked.get("VolumeType") or image.root.type
    if type not in _VOLUME_TYPES:
        raise invalid(type, "volumeType", "It cannot be the type of a root volume.")
    size = asked.get("VolumeSize") or image.root.size_gib
    if size < image.root.size_gib:
        raise _bad_mapping(
            f"Volume of size {size}GB is smaller than snapshot '{image.root.snapshot_id}', "
            f"expect size >= {image.root.size_gib}GB"
        )
    most = _VOLUME_GIB_MAX.get(type, 16384)
    if size > most:
        raise ServiceError(
            f"Volume of {size}GiB is too large for volume type {type}; maximum is {most}GiB.",
            code="InvalidParameterValue",
        )
    return RootDisk(
        size_gib=size,
        type=type,
        iops=_iops(asked, type, size),
        throughput=_throughput(asked, type),
        delete_on_termination=asked.get("DeleteOnTermination", True),
    )


def _iops(asked: Mapping[str, Any], type: str, size_gib: int) -> int | None:
    iops: int | None = asked.get("Iops")
    match type:
        case "gp3":
            iops = 3000 if iops is None else iops
            if not 3000 <= iops <= 80000:
                raise invalid(iops, "iops", "gp3 volumes have 3000 to 80000 IOPS.")
        case "io1" | "io2":
            if iops is None:
                raise ServiceError("The request must contain the parameter iops", code="MissingParameter")
            if not 100 <= iops <= (64000 if type == "io1" else 256000):
                raise invalid(iops, "iops", f"It is not within what {type} volumes have.")
        case _:
            if iops is not None:
                raise clash(f"The parameter iops is not supported for {type} volumes.")
            iops = min(max(100, 3 * size_gib), 16000) if type == "gp2" else None
    return iops


def _throughput(asked: Mapping[str, Any], type: str) -> int | None:
    throughput: int | None = asked.get("Throughput")
    if type != "gp3":
        if throughput is not None:
            raise clash(f"The parameter throughput is not supported for {type} volumes.")
        return None
    throughput = 125 if throughput is None else throughput
    if not 125 <= throughput <= 2000:
        raise invalid(throughput, "throughput", "gp3 volumes have 125 to 2000 MiB/s.")
    return throughput


def _bad_mapping(text: str) -> ServiceError:
    return ServiceError(text, code="InvalidBlockDeviceMapping")


# --- interfaces


def check_interfaces(request: Mapping[str, Any], type: InstanceType, *, single: bool) -> None:
    """What may not be combined. `single`: one instance is launched and no more."""
    interfaces = request.get("NetworkInterfaces") or ()
    if not interfaces:
        if request.get("PrivateIpAddress") and not single:
            raise clash("A private IP address may only be specified when launching a single instance")
        if request.get("SubnetId") and request.get("SecurityGroups"):
            raise clash("The parameter groupName cannot be used with the parameter subnet")
        return
    for member, words in (
        ("SubnetId", "subnet ID"),
        ("SecurityGroupIds", "security groups"),
        ("SecurityGroups", "security groups"),
        ("PrivateIpAddress", "private IP address"),
        ("Ipv6Addresses", "IPv6 addresses"),
        ("Ipv6AddressCount", "IPv6 address count"),
    ):
        if request.get(member):
            raise clash(
                f"Network interfaces and an instance-level {words} may not be specified on the same request"
            )
    indexes = [one.get("DeviceIndex", 0) for one in interfaces]
    if 0 not in indexes:
        raise clash(
            "Invalid network interface attachment: a network interface with device index 0 is required."
        )
    if len(set(indexes)) != len(indexes):
        raise clash("Each network interface requires a device index of its own.")
    if len(interfaces) > type.interfaces_max:
        raise ServiceError(
            f"Interface count {len(interfaces)} exceeds the limit for {type.name}",
            code="AttachmentLimitExceeded",
        )
    if len(interfaces) > 1 and any("AssociatePublicIpAddress" in one for one in interfaces):
        raise clash(
            "The associatePublicIPAddress parameter cannot be specified when launching with multiple network interfaces."
        )
    if not single and any(one.get("NetworkInterfaceId") or one.get("PrivateIpAddress") for one in interfaces):
        raise clash(
            "A network interface or private IP address may only be specified when launching a single instance"
        )
