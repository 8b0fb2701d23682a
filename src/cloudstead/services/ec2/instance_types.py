"""Instance types: what each promises, and the calls that show them.

vCPUs and memory are kept as limits of the machine behind an instance. The rest of the figures is AWS's description
of its own hardware: it decides what a call accepts (interfaces, addresses, architectures), not how fast anything is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters
from cloudstead.services.ec2.filters import Fields, Found
from cloudstead.services.ec2.instance_type_table import TABLE
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.regions import zones

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        DescribeInstanceTypeOfferingsRequestTypeDef,
        DescribeInstanceTypesRequestTypeDef,
    )

#: What RunInstances takes if it is not told, since 2006.
DEFAULT = "m1.small"

_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class EbsRates:
    mbps: int
    mbps_max: int
    iops: int
    iops_max: int


@dataclass(frozen=True, kw_only=True)
class Disk:
    """Disks of the machine's own, which only AWS's hardware has."""

    count: int
    size_gb: int
    kind: str


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    name: str
    manufacturer: str
    ghz: float | None
    architectures: tuple[str, ...]
    vcpus: int
    cores: int
    memory_mib: int
    network: str
    network_gbps: float
    network_gbps_max: float
    interfaces_max: int
    addresses_max: int  # IPv4, for each interface; as many IPv6
    attachments_max: int
    ena: str
    nvme: str
    ebs_optimized: str
    ebs: EbsRates | None
    disks: tuple[Disk, ...]
    facts: frozenset[str]  # "current", "burstable", "nitro", …: the words of the table
    tags: Mapping[str, str] = field(default_factory=dict)

    def has(self, fact: str) -> bool:
        return fact in self.facts

    @property
    def memory_bytes(self) -> int:
        return self.memory_mib << 20

    @property
    def hypervisor(self) -> str:
        return "nitro" if self.has("nitro") else "xen"

    @property
    def family(self) -> str:
        return self.name.partition(".")[0]


def find(name: str) -> InstanceType:
    """The type of this name, or RunInstances' error."""
    found = every().get(name)
    if found is None:
        raise ServiceError(f"Invalid value '{name}' for InstanceType.", code="InvalidParameterValue")
    return found


@cache
def every() -> Mapping[str, InstanceType]:
    """All types by name, in the table's order."""
    found: dict[str, InstanceType] = {}
    family = ""
    for line in TABLE.splitlines():
        if ": " in line:
            family = line
        else:
            type = _parse(family, line)
            found[type.name] = type
    return found


def _parse(family: str, line: str) -> InstanceType:
    name, _, about = family.partition(": ")
    maker, ghz, architectures, *common = about.split()
    size, vcpus, cores, gib, network, gbps, addresses, attachments, ebs, disks, *own = line.split()
    words = common + own
    settings = dict(word.split("=") for word in words if "=" in word)  # the size's own come last and win
    base, peak = gbps.split("/")
    interfaces, _, addresses_each = addresses.partition("x")
    return InstanceType(
        name=f"{name}.{size}",
        manufacturer=maker,
        ghz=_number(settings.get("ghz", ghz)),
        architectures=tuple(settings.get("arch", architectures).split("+")),
        vcpus=int(vcpus),
        cores=int(cores),
        memory_mib=int(float(gib) * 1024),
        network=_network(network),
        network_gbps=float(base),
        network_gbps_max=float(peak),
        interfaces_max=int(interfaces),
        addresses_max=int(addresses_each),
        attachments_max=int(attachments),
        ena=settings["ena"],
        nvme=settings["nvme"],
        ebs_optimized=settings["ebs"],
        ebs=_rates(ebs),
        disks=tuple(_disk(disk) for disk in disks.split("+") if disk != "-"),
        facts=frozenset(word for word in words if "=" not in word),
    )


def _number(text: str) -> float | None:
    return None if text == "-" else float(text)


def _network(text: str) -> str:
    if text[0].isdigit():
        return f"{text} Gigabit"
    return f"Up to {text[1:]} Gigabit" if text[0] == "~" else text.replace("-", " ")


def _rates(text: str) -> EbsRates | None:
    if text == "-":
        return None
    mbps, mbps_max, iops, iops_max = map(int, text.split("/"))
    return EbsRates(mbps=mbps, mbps_max=mbps_max, iops=iops, iops_max=iops_max)


def _disk(text: str) -> Disk:
    count, _, rest = text.partition("x")
    return Disk(count=int(count), size_gb=int(rest[:-3]), kind=rest[-3:])


# --- as answers show them


@cache
def shown(name: str) -> Mapping[str, Any]:
    """As DescribeInstanceTypes shows a type."""
    type = every()[name]
    answer: dict[str, Any] = {
        "InstanceType": type.name,
        "CurrentGeneration": type.has("current"),
        "FreeTierEligible": type.has("free-tier"),
        "SupportedUsageClasses": ["on-demand", *(["spot"] if type.has("spot") else [])],
        "SupportedRootDeviceTypes": ["ebs", *(["instance-store"] if type.has("instance-store") else [])],
        "SupportedVirtualizationTypes": ["hvm", *(["paravirtual"] if type.has("paravirtual") else [])],
        "BareMetal": False,
        "Hypervisor": type.hypervisor,
        "ProcessorInfo": {
            "SupportedArchitectures": sorted(type.architectures),
            "SustainedClockSpeedInGhz": type.ghz,
            "Manufacturer": type.manufacturer,
        },
        "VCpuInfo": {
            "DefaultVCpus": type.vcpus,
            "DefaultCores": type.cores,
            "DefaultThreadsPerCore": type.vcpus // type.cores,
        },
        "MemoryInfo": {"SizeInMiB": type.memory_mib},
        "InstanceStorageSupported": bool(type.disks),
        "EbsInfo": _ebs(type),
        "NetworkInfo": _network_info(type),
        "PlacementGroupInfo": {
            "SupportedStrategies": [*(["cluster"] if type.has("cluster") else []), "partition", "spread"]
        },
        "HibernationSupported": type.has("hibernation"),
        "BurstablePerformanceSupported": type.has("burstable"),
        "DedicatedHostsSupported": type.has("dedicated-hosts"),
        "AutoRecoverySupported": type.has("auto-recovery"),
        "SupportedBootModes": [
            *(["legacy-bios"] if type.has("bios") else []),
            *(["uefi"] if type.has("uefi") else []),
        ],
        "NitroEnclavesSupport": _supported(type.has("enclaves")),
        "NitroTpmSupport": _supported(type.has("tpm")),
        "RebootMigrationSupport": _supported(type.has("reboot-migration")),
    }
    if type.has("tpm"):
        answer["NitroTpmInfo"] = {"SupportedVersions": ["2.0"]}
    if type.disks:
        answer["InstanceStorageInfo"] = _storage(type)
    return answer


def _supported(fact: bool) -> str:
    return "supported" if fact else "unsupported"


def _ebs(type: InstanceType) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "EbsOptimizedSupport": type.ebs_optimized,
        "EncryptionSupport": "supported",
        "NvmeSupport": type.nvme,
        "MaximumEbsAttachments": type.attachments_max,
        "AttachmentLimitType": "dedicated" if type.has("own-attachments") else "shared",
    }
    if type.ebs is not None:
        answer["EbsOptimizedInfo"] = {
            "BaselineBandwidthInMbps": type.ebs.mbps,
            "BaselineThroughputInMBps": type.ebs.mbps / 8,
            "BaselineIops": type.ebs.iops,
            "MaximumBandwidthInMbps": type.ebs.mbps_max,
            "MaximumThroughputInMBps": type.ebs.mbps_max / 8,
            "MaximumIops": type.ebs.iops_max,
        }
    return answer


def _network_info(type: InstanceType) -> dict[str, Any]:
    ipv6 = type.has("ipv6")
    return {
        "NetworkPerformance": type.network,
        "MaximumNetworkInterfaces": type.interfaces_max,
        "MaximumNetworkCards": 1,
        "DefaultNetworkCardIndex": 0,
        "NetworkCards": [
            {
                "NetworkCardIndex": 0,
                "NetworkPerformance": type.network,
                "MaximumNetworkInterfaces": type.interfaces_max,
                "BaselineBandwidthInGbps": type.network_gbps,
                "PeakBandwidthInGbps": type.network_gbps_max,
            }
        ],
        "Ipv4AddressesPerInterface": type.addresses_max,
        "Ipv6AddressesPerInterface": type.addresses_max if ipv6 else 0,
        "Ipv6Supported": ipv6,
        "EnaSupport": type.ena,
        "EfaSupported": type.has("efa"),
        "EncryptionInTransitSupported": type.has("transit-encryption"),
    }


def _storage(type: InstanceType) -> dict[str, Any]:
    old = type.nvme == "unsupported"
    return {
        "TotalSizeInGB": sum(disk.count * disk.size_gb for disk in type.disks),
        "Disks": [{"SizeInGB": disk.size_gb, "Count": disk.count, "Type": disk.kind} for disk in type.disks],
        "NvmeSupport": "unsupported" if old else "required",
        "EncryptionSupport": "unsupported" if old else "required",
    }


# --- the calls

_RATES = {
    "baseline-bandwidth-in-mbps": "BaselineBandwidthInMbps",
    "baseline-iops": "BaselineIops",
    "baseline-throughput-in-mbps": "BaselineThroughputInMBps",
    "maximum-bandwidth-in-mbps": "MaximumBandwidthInMbps",
    "maximum-iops": "MaximumIops",
    "maximum-throughput-in-mbps": "MaximumThroughputInMBps",
}

#: Each filter's name, and where what it compares stands in the answer.
_PATHS: Mapping[str, str] = {
    "auto-recovery-supported": "AutoRecoverySupported",
    "bare-metal": "BareMetal",
    "burstable-performance-supported": "BurstablePerformanceSupported",
    "current-generation": "CurrentGeneration",
    "dedicated-hosts-supported": "DedicatedHostsSupported",
    **{
        f"ebs-info.ebs-optimized-info.{name}": f"EbsInfo.EbsOptimizedInfo.{member}"
        for name, member in _RATES.items()
    },
    "ebs-info.attachment-limit-type": "EbsInfo.AttachmentLimitType",
    "ebs-info.ebs-optimized-support": "EbsInfo.EbsOptimizedSupport",
    "ebs-info.encryption-support": "EbsInfo.EncryptionSupport",
    "ebs-info.maximum-ebs-attachments": "EbsInfo.MaximumEbsAttachments",
    "ebs-info.nvme-support": "EbsInfo.NvmeSupport",
    "free-tier-eligible": "FreeTierEligible",
    "hibernation-supported": "HibernationSupported",
    "hypervisor": "Hypervisor",
    "instance-storage-info.disk.count": "InstanceStorageInfo.Disks.Count",
    "instance-storage-info.disk.size-in-gb": "InstanceStorageInfo.Disks.SizeInGB",
    "instance-storage-info.disk.type": "InstanceStorageInfo.Disks.Type",
    "instance-storage-info.encryption-support": "InstanceStorageInfo.EncryptionSupport",
    "instance-storage-info.nvme-support": "InstanceStorageInfo.NvmeSupport",
    "instance-storage-info.total-size-in-gb": "InstanceStorageInfo.TotalSizeInGB",
    "instance-storage-supported": "InstanceStorageSupported",
    "instance-type": "InstanceType",
    "memory-info.size-in-mib": "MemoryInfo.SizeInMiB",
    "network-info.bandwidth-weightings": "NetworkInfo.BandwidthWeightings",
    "network-info.efa-info.maximum-efa-interfaces": "NetworkInfo.EfaInfo.MaximumEfaInterfaces",
    "network-info.efa-supported": "NetworkInfo.EfaSupported",
    "network-info.ena-support": "NetworkInfo.EnaSupport",
    "network-info.encryption-in-transit-supported": "NetworkInfo.EncryptionInTransitSupported",
    "network-info.ipv4-addresses-per-interface": "NetworkInfo.Ipv4AddressesPerInterface",
    "network-info.ipv6-addresses-per-interface": "NetworkInfo.Ipv6AddressesPerInterface",
    "network-info.ipv6-supported": "NetworkInfo.Ipv6Supported",
    "network-info.maximum-network-cards": "NetworkInfo.MaximumNetworkCards",
    "network-info.maximum-network-interfaces": "NetworkInfo.MaximumNetworkInterfaces",
    "network-info.network-performance": "NetworkInfo.NetworkPerformance",
    "nitro-enclaves-support": "NitroEnclavesSupport",
    "nitro-tpm-info.supported-versions": "NitroTpmInfo.SupportedVersions",
    "nitro-tpm-support": "NitroTpmSupport",
    "processor-info.manufacturer": "ProcessorInfo.Manufacturer",
    "processor-info.supported-architecture": "ProcessorInfo.SupportedArchitectures",
    "processor-info.supported-features": "ProcessorInfo.SupportedFeatures",
    "processor-info.sustained-clock-speed-in-ghz": "ProcessorInfo.SustainedClockSpeedInGhz",
    "reboot-migration-support": "RebootMigrationSupport",
    "supported-boot-mode": "SupportedBootModes",
    "supported-root-device-type": "SupportedRootDeviceTypes",
    "supported-usage-class": "SupportedUsageClasses",
    "supported-virtualization-type": "SupportedVirtualizationTypes",
    "vcpu-info.default-cores": "VCpuInfo.DefaultCores",
    "vcpu-info.default-threads-per-core": "VCpuInfo.DefaultThreadsPerCore",
    "vcpu-info.default-vcpus": "VCpuInfo.DefaultVCpus",
    "vcpu-info.valid-cores": "VCpuInfo.ValidCores",
    "vcpu-info.valid-threads-per-core": "VCpuInfo.ValidThreadsPerCore",
}


def _reader(path: str) -> Any:
    def read(type: InstanceType) -> Found:
        return [_text(leaf) for leaf in _leaves(shown(type.name), path.split("."))]

    return read


def _leaves(value: Any, path: list[str]) -> Iterable[Any]:
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one, path)]
    if not path:
        return () if value is None else (value,)
    return _leaves(value[path[0]], path[1:]) if path[0] in value else ()


def _text(leaf: object) -> str:
    return str(leaf).lower() if isinstance(leaf, bool) else str(leaf)


_FIELDS: Fields[InstanceType] = {name: _reader(path) for name, path in _PATHS.items()}


@dataclass(frozen=True)
class _Offering:
    type: str
    location: str
    tags: Mapping[str, str] = field(default_factory=dict)


_OFFERING_FIELDS: Fields[_Offering] = {
    "instance-type": lambda offering: offering.type,
    "location": lambda offering: offering.location,
}


class InstanceTypes:
    def describe_instance_types(
        self, _caller: Caller, request: "DescribeInstanceTypesRequestTypeDef"
    ) -> dict[str, Any]:
        known = every()
        wanted = request.get("InstanceTypes") or ()
        if unknown := [name for name in wanted if name not in known]:
            raise ServiceError(
                f"The following supplied instance types do not exist: [{', '.join(unknown)}]",
                code="InvalidInstanceType",
            )
        found = [known[name] for name in dict.fromkeys(wanted)] if wanted else list(known.values())
        names = [type.name for type in filters.select(found, request.get("Filters"), _FIELDS)]
        # A page has 100 types even if nobody asked for pages.
        asked = request if wanted else {"MaxResults": _PAGE, **request}
        some, token = page(names, asked, key=str, most=_PAGE, ids="InstanceTypes")
        return {"InstanceTypes": [shown(name) for name in some], "NextToken": token}

    def describe_instance_type_offerings(
        self, caller: Caller, request: "DescribeInstanceTypeOfferingsRequestTypeDef"
    ) -> dict[str, Any]:
        kind = request.get("LocationType") or "region"
        found = [
            _Offering(type, location) for location in _locations(kind, caller.region) for type in every()
        ]
        found = filters.select(found, request.get("Filters"), _OFFERING_FIELDS)
        some, token = page(found, request, key=lambda offering: f"{offering.type}@{offering.location}")
        return {
            "InstanceTypeOfferings": [
                {"InstanceType": offering.type, "LocationType": kind, "Location": offering.location}
                for offering in some
            ],
            "NextToken": token,
        }


def _locations(kind: str, region: str) -> list[str]:
    match kind:
        case "region":
            return [region]
        case "availability-zone":
            return [zone.name for zone in zones(region)]
        case "availability-zone-id":
            return [zone.id for zone in zones(region)]
        case "outpost":
            return []
        case _:
            raise ServiceError(
                f"Value ({kind}) for parameter locationType is invalid.", code="InvalidParameterValue"
            )
