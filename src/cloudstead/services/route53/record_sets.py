"""Record sets between the wire and the rows, and what must be true of one by itself."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53 import names
from cloudstead.services.route53.directory import bare
from cloudstead.services.route53.errors import InvalidInput, bad_batch
from cloudstead.services.route53.rows import (
    Alias,
    Cidr,
    Geolocation,
    Geoproximity,
    RecordSet,
    owner,
    record_set_id,
)

_POLICIES = (
    "Weight",
    "Region",
    "Failover",
    "GeoLocation",
    "MultiValueAnswer",
    "GeoProximityLocation",
    "CidrRoutingConfig",
)


def wanted(zone: str, change: Mapping[str, Any]) -> RecordSet:
    """The record set of a change. Raises InvalidInput for what contradicts itself."""
    given = change["ResourceRecordSet"]
    _check_members(change, given)
    name = _name(given["Name"])
    identifier = given.get("SetIdentifier")
    return RecordSet(
        id=record_set_id(zone, name, given["Type"], identifier),
        zone=zone,
        name=name,
        type=given["Type"],
        owner=owner(zone, name),
        set_identifier=identifier,
        ttl_s=given.get("TTL"),
        values=tuple(record["Value"] for record in given.get("ResourceRecords", ())),
        alias=_alias(given.get("AliasTarget")),
        weight=given.get("Weight"),
        region=given.get("Region"),
        failover=given.get("Failover"),
        geolocation=_geolocation(given.get("GeoLocation")),
        geoproximity=_geoproximity(given.get("GeoProximityLocation")),
        multivalue=given.get("MultiValueAnswer"),
        cidr=_cidr(given.get("CidrRoutingConfig")),
        health_check=given.get("HealthCheckId"),
        traffic_policy_instance=given.get("TrafficPolicyInstanceId"),
    )


def shown(found: RecordSet) -> dict[str, Any]:
    members = {
        "Name": found.name,
        "Type": found.type,
        "SetIdentifier": found.set_identifier,
        "Weight": found.weight,
        "Region": found.region,
        "Failover": found.failover,
        "GeoLocation": _shown_geolocation(found.geolocation),
        "GeoProximityLocation": _shown_geoproximity(found.geoproximity),
        "MultiValueAnswer": found.multivalue,
        "TTL": found.ttl_s,
        "ResourceRecords": [{"Value": value} for value in found.values] or None,
        "AliasTarget": _shown_alias(found.alias),
        "HealthCheckId": found.health_check,
        "TrafficPolicyInstanceId": found.traffic_policy_instance,
        "CidrRoutingConfig": None
        if found.cidr is None
        else {"CollectionId": found.cidr.collection, "LocationName": found.cidr.location},
    }
    return {name: value for name, value in members.items() if value is not None}


def policy(found: RecordSet) -> str | None:
    """The one member that says when this of several sets answers; None of a simple one."""
    given = shown(found)
    return next((name for name in _POLICIES if name in given), None)


# --- what must be true of one


def _check_members(change: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    where = (
        f"in Change with [Action={change['Action']}, Name={given['Name']}, Type={given['Type']}, "
        f"SetIdentifier={given.get('SetIdentifier', 'null')}]"
    )
    if "AZAffinity" in given:
        raise NotBuilt("Availability Zone affinity of record sets is not built")
    _check_policy(given, where)
    _check_contents(given, where)


def _check_policy(given: Mapping[str, Any], where: str) -> None:
    policies = [name for name in _POLICIES if name in given]
    choice = "[Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig]"
    if policies and "SetIdentifier" not in given:
        raise InvalidInput(f"Invalid request: Missing field 'SetIdentifier' {where}")
    if "SetIdentifier" in given and not policies:
        raise InvalidInput(f"Invalid request: Expected exactly one of {choice}, but found none {where}")
    if len(policies) > 1:
        raise InvalidInput(
            f"Invalid request: Expected exactly one of {choice}, but found more than one {where}"
        )


def _check_contents(given: Mapping[str, Any], where: str) -> None:
    choice = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
    records, ttl = bool(given.get("ResourceRecords")), "TTL" in given
    kinds = ("AliasTarget" in given) + (records or ttl) + ("TrafficPolicyInstanceId" in given)
    if kinds == 0 or (kinds == 1 and records != ttl):
        raise InvalidInput(f"Invalid request: Expected exactly one of {choice}, but found none {where}")
    if kinds > 1:
        raise InvalidInput(
            f"Invalid request: Expected exactly one of {choice}, but found more than one {where}"
        )
    if given.get("MultiValueAnswer") and "AliasTarget" in given:
        raise InvalidInput(f"Invalid request: MultiValueAnswer cannot be used with AliasTarget {where}")


def _name(text: str) -> str:
    """A record's name or an alias's target, as it is kept."""
    if not text:
        raise bad_batch(["FATAL problem: DomainNameEmpty (Domain name is empty) encountered with ''"])
    try:
        return names.normal(text)
    except names.BadName as e:
        raise bad_batch([f"FATAL problem: {e} encountered with '{text}'"]) from None


# --- there and back


def _alias(given: Mapping[str, Any] | None) -> Alias | None:
    if given is None:
        return None
    return Alias(
        zone=bare(given["HostedZoneId"]),
        name=_name(given["DNSName"]),
        evaluate_target_health=given["EvaluateTargetHealth"],
    )


def _shown_alias(alias: Alias | None) -> dict[str, Any] | None:
    if alias is None:
        return None
    return {
        "HostedZoneId": alias.zone,
        "DNSName": alias.name,
        "EvaluateTargetHealth": alias.evaluate_target_health,
    }


def _geolocation(given: Mapping[str, Any] | None) -> Geolocation | None:
    if given is None:
        return None
    return Geolocation(
        continent=given.get("ContinentCode"),
        country=given.get("CountryCode"),
        subdivision=given.get("SubdivisionCode"),
    )


def _shown_geolocation(found: Geolocation | None) -> dict[str, Any] | None:
    if found is None:
        return None
    members = {
        "ContinentCode": found.continent,
        "CountryCode": found.country,
        "SubdivisionCode": found.subdivision,
    }
    return {name: value for name, value in members.items() if value is not None}


def _geoproximity(given: Mapping[str, Any] | None) -> Geoproximity | None:
    if given is None:
        return None
    coordinates = given.get("Coordinates", {})
    return Geoproximity(
        region=given.get("AWSRegion"),
        local_zone_group=given.get("LocalZoneGroup"),
        latitude=coordinates.get("Latitude"),
        longitude=coordinates.get("Longitude"),
        bias=given.get("Bias"),
    )


def _shown_geoproximity(found: Geoproximity | None) -> dict[str, Any] | None:
    if found is None:
        return None
    members: dict[str, Any] = {
        "AWSRegion": found.region,
        "LocalZoneGroup": found.local_zone_group,
        "Bias": found.bias,
    }
    if found.latitude is not None:
        members["Coordinates"] = {"Latitude": found.latitude, "Longitude": found.longitude}
    return {name: value for name, value in members.items() if value is not None}


def _cidr(given: Mapping[str, Any] | None) -> Cidr | None:
    return None if given is None else Cidr(collection=given["CollectionId"], location=given["LocationName"])
