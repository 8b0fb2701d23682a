"""The regions of AWS and their availability zones: one table, and the two calls that show it.

Every region answers here without being enabled first, so those that AWS leaves to opt-in are shown as opted in.
Source of the figures: AWS, "Regions and Availability Zones" and "AZ IDs". Which zone name stands for which zone id
differs from account to account on AWS; here it is the same for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters
from cloudstead.services.ec2.filters import Fields

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        DescribeAvailabilityZonesRequestTypeDef,
        DescribeRegionsRequestTypeDef,
    )


@dataclass(frozen=True)
class Zone:
    """An availability zone."""

    name: str
    id: str
    region: "Region"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        return f"{self.region.name}-zg-1"

    @property
    def group_long_name(self) -> str:
        return f"{self.region.long_name} 1"


@dataclass(frozen=True)
class Region:
    """A region. `letters` are those of its zones, `numbers` of their ids."""

    name: str
    short: str  # of zone ids: use1
    long_name: str
    opt_in: bool = False
    letters: str = "abc"
    numbers: str = "123"
    tags: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def zones(self) -> tuple[Zone, ...]:
        pairs = zip(self.letters, self.numbers, strict=True)
        return tuple(Zone(self.name + letter, f"{self.short}-az{number}", self) for letter, number in pairs)

    @property
    def endpoint(self) -> str:
        return f"ec2.{self.name}.amazonaws.com"

    @property
    def opt_in_status(self) -> str:
        return "opted-in" if self.opt_in else "opt-in-not-required"


REGIONS: Mapping[str, Region] = {
    region.name: region
    for region in (
        Region("ap-south-2", "aps2", "Asia Pacific (Hyderabad)", opt_in=True),
        Region("ap-south-1", "aps1", "Asia Pacific (Mumbai)"),
        Region("eu-south-1", "eus1", "Europe (Milan)", opt_in=True),
        Region("eu-south-2", "eus2", "Europe (Spain)", opt_in=True),
        Region("me-central-1", "mec1", "Middle East (UAE)", opt_in=True),
        Region("il-central-1", "ilc1", "Israel (Tel Aviv)", opt_in=True),
        Region("ca-central-1", "cac1", "Canada (Central)", letters="abd", numbers="124"),
        Region("ca-west-1", "caw1", "Canada West (Calgary)", opt_in=True),
        Region("mx-central-1", "mxc1", "Mexico (Central)", opt_in=True),
        Region("eu-central-1", "euc1", "Europe (Frankfurt)", numbers="231"),
        Region("eu-central-2", "euc2", "Europe (Zurich)", opt_in=True),
        Region("us-west-1", "usw1", "US West (N. California)", letters="ac", numbers="13"),
        Region("us-west-2", "usw2", "US West (Oregon)", letters="abcd", numbers="2134"),
        Region("af-south-1", "afs1", "Africa (Cape Town)", opt_in=True),
        Region("eu-north-1", "eun1", "Europe (Stockholm)"),
        Region("eu-west-3", "euw3", "Europe (Paris)"),
        Region("eu-west-2", "euw2", "Europe (London)", numbers="231"),
        Region("eu-west-1", "euw1", "Europe (Ireland)", numbers="312"),
        Region("ap-northeast-3", "apne3", "Asia Pacific (Osaka)", numbers="312"),
        Region("ap-northeast-2", "apne2", "Asia Pacific (Seoul)", letters="abcd", numbers="1234"),
        Region("ap-northeast-1", "apne1", "Asia Pacific (Tokyo)", letters="acd", numbers="412"),
        Region("me-south-1", "mes1", "Middle East (Bahrain)", opt_in=True),
        Region("sa-east-1", "sae1", "South America (Sao Paulo)"),
        Region("ap-east-1", "ape1", "Asia Pacific (Hong Kong)", opt_in=True),
        Region("ap-east-2", "ape2", "Asia Pacific (Taipei)", opt_in=True),
        Region("ap-southeast-1", "apse1", "Asia Pacific (Singapore)"),
        Region("ap-southeast-2", "apse2", "Asia Pacific (Sydney)", numbers="312"),
        Region("ap-southeast-3", "apse3", "Asia Pacific (Jakarta)", opt_in=True),
        Region("ap-southeast-4", "apse4", "Asia Pacific (Melbourne)", opt_in=True),
        Region("ap-southeast-5", "apse5", "Asia Pacific (Malaysia)", opt_in=True),
        Region("ap-southeast-6", "apse6", "Asia Pacific (New Zealand)", opt_in=True),
        Region("ap-southeast-7", "apse7", "Asia Pacific (Thailand)", opt_in=True),
        Region("us-east-1", "use1", "US East (N. Virginia)", letters="abcdef", numbers="612435"),
        Region("us-east-2", "use2", "US East (Ohio)"),
    )
}


def zones(region: str) -> tuple[Zone, ...]:
    """The zones of a region; for a region that AWS does not have, three made up by the same pattern."""
    known = REGIONS.get(region)
    return (known or Region(region, region.replace("-", ""), region)).zones


def zone_named(region: str, name: str) -> Zone | None:
    return next((zone for zone in zones(region) if zone.name == name), None)


_REGION_FIELDS: Fields[Region] = {
    "endpoint": lambda region: region.endpoint,
    "opt-in-status": lambda region: region.opt_in_status,
    "region-name": lambda region: region.name,
}
_ZONE_FIELDS: Fields[Zone] = {
    "group-name": lambda zone: zone.group,
    "group-long-name": lambda zone: zone.group_long_name,
    "message": lambda _: None,
    "opt-in-status": lambda _: "opt-in-not-required",
    "parent-zone-id": lambda _: None,
    "parent-zone-name": lambda _: None,
    "region-name": lambda zone: zone.region.name,
    "state": lambda _: "available",
    "zone-id": lambda zone: zone.id,
    "zone-name": lambda zone: zone.name,
    "zone-type": lambda _: "availability-zone",
}


class Regions:
    def describe_regions(self, _caller: Caller, request: "DescribeRegionsRequestTypeDef") -> dict[str, Any]:
        found = list(REGIONS.values())
        if names := request.get("RegionNames"):
            for name in names:
                if name not in REGIONS:
                    raise ServiceError(f"Invalid region name: [{name}]", code="InvalidParameterValue")
            found = [region for region in found if region.name in names]
        return {
            "Regions": [
                {
                    "RegionName": region.name,
                    "Endpoint": region.endpoint,
                    "OptInStatus": region.opt_in_status,
                }
                for region in filters.select(found, request.get("Filters"), _REGION_FIELDS)
            ]
        }

    def describe_availability_zones(
        self, caller: Caller, request: "DescribeAvailabilityZonesRequestTypeDef"
    ) -> dict[str, Any]:
        found: list[Zone] = list(zones(caller.region))
        found = _picked(
            found, request.get("ZoneNames"), {zone.name for zone in found}, lambda zone: zone.name
        )
        found = _picked(found, request.get("ZoneIds"), {zone.id for zone in found}, lambda zone: zone.id)
        shown = filters.select(found, request.get("Filters"), _ZONE_FIELDS)
        return {"AvailabilityZones": [_zone(zone) for zone in shown]}


def _picked(found: list[Zone], wanted: Any, known: set[str], name_of: Any) -> list[Zone]:
    if not wanted:
        return found
    for name in wanted:
        if name not in known:
            raise ServiceError(f"Invalid availability zone: [{name}]", code="InvalidParameterValue")
    return [zone for zone in found if name_of(zone) in wanted]


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "State": "available",
        "OptInStatus": "opt-in-not-required",
        "Messages": [],
        "RegionName": zone.region.name,
        "ZoneName": zone.name,
        "ZoneId": zone.id,
        "GroupName": zone.group,
        "GroupLongName": zone.group_long_name,
        "NetworkBorderGroup": zone.region.name,
        "ZoneType": "availability-zone",
    }
