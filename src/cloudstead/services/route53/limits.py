"""AWS's default limits, and the operations that tell them with what is used."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.errors import HostedZoneNotPrivate
from cloudstead.services.route53.rows import DelegationSet, HealthCheck, HostedZone

ZONES_OF_AN_ACCOUNT = 500
DELEGATION_SETS_OF_AN_ACCOUNT = 100
ZONES_OF_A_DELEGATION_SET = 100
RECORD_SETS_OF_A_ZONE = 10_000
NETWORKS_OF_A_ZONE = 300
AUTHORIZATIONS_OF_A_ZONE = 1000
HEALTH_CHECKS_OF_AN_ACCOUNT = 200
TRAFFIC_POLICIES_OF_AN_ACCOUNT = 50
TRAFFIC_POLICY_INSTANCES_OF_AN_ACCOUNT = 5

_OF_AN_ACCOUNT = {
    "MAX_HEALTH_CHECKS_BY_OWNER": HEALTH_CHECKS_OF_AN_ACCOUNT,
    "MAX_HOSTED_ZONES_BY_OWNER": ZONES_OF_AN_ACCOUNT,
    "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER": DELEGATION_SETS_OF_AN_ACCOUNT,
    "MAX_TRAFFIC_POLICIES_BY_OWNER": TRAFFIC_POLICIES_OF_AN_ACCOUNT,
    "MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER": TRAFFIC_POLICY_INSTANCES_OF_AN_ACCOUNT,
}


class Limits:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def get_account_limit(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        type = request["Type"]
        return _limit(type, _OF_AN_ACCOUNT[type], self._used(caller, type))

    def get_hosted_zone_limit(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        zone = self._directory.zone(caller, request["HostedZoneId"])
        if request["Type"] == "MAX_RRSETS_BY_ZONE":
            return _limit(request["Type"], RECORD_SETS_OF_A_ZONE, zone.record_count)
        if not zone.private:
            raise HostedZoneNotPrivate(
                "The specified hosted zone is a public hosted zone, not a private hosted zone."
            )
        return _limit(request["Type"], NETWORKS_OF_A_ZONE, len(zone.networks))

    def _used(self, caller: Caller, type: str) -> int:
        store = self._directory.store
        match type:
            case "MAX_HOSTED_ZONES_BY_OWNER":
                return len(store.rows(HostedZone, account=caller.account))
            case "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER":
                return len(store.rows(DelegationSet, account=caller.account))
            case "MAX_HEALTH_CHECKS_BY_OWNER":
                return len(store.rows(HealthCheck, account=caller.account))
            case _:
                return 0  # traffic policies are not built, so there is none


def _limit(type: str, value: int, count: int) -> dict[str, Any]:
    return {"Limit": {"Type": type, "Value": value}, "Count": count}
