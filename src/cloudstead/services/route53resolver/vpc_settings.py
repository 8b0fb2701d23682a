"""What is set of one VPC's resolver: its own reverse names, the firewall's failing, DNSSEC."""

from collections.abc import Mapping
from typing import Any

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53resolver.directory import Directory
from cloudstead.services.route53resolver.errors import ValidationException
from cloudstead.services.route53resolver.paging import Fields, filtered, paged
from cloudstead.services.route53resolver.rows import VpcSettings


class Settings:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    # --- the VPC's own reverse names

    def get_resolver_config(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"ResolverConfig": _resolver(self._of(caller, request))}

    def list_resolver_configs(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return paged("ResolverConfigs", self._every(caller), request, key=lambda row: row.id, shown=_resolver)

    def update_resolver_config(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        flag = request["AutodefinedReverseFlag"]
        if flag == "USE_LOCAL_RESOURCE_SETTING":
            raise ValidationException("Only a Route 53 Profile can use the local resource's setting.")
        row = self._write(caller, request, autodefined_reverse=flag == "ENABLE")
        return {"ResolverConfig": _resolver(row)}

    # --- what the firewall does while it cannot be asked

    def get_firewall_config(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"FirewallConfig": _firewall(self._of(caller, request))}

    def list_firewall_configs(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return paged(
            "FirewallConfigs",
            self._every(caller),
            request,
            key=lambda row: row.id,
            shown=_firewall,
            size=10,
            bad_token=ValidationException,
        )

    def update_firewall_config(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request["FirewallFailOpen"]
        if wanted == "USE_LOCAL_RESOURCE_SETTING":
            raise ValidationException("Only a Route 53 Profile can use the local resource's setting.")
        return {"FirewallConfig": _firewall(self._write(caller, request, fail_open=wanted == "ENABLED"))}

    # --- DNSSEC

    def get_resolver_dnssec_config(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"ResolverDNSSECConfig": _dnssec(self._of(caller, request))}

    def list_resolver_dnssec_configs(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        set_once = [row for row in self._every(caller) if row.dnssec_asked]
        return paged(
            "ResolverDnssecConfigs",
            filtered(set_once, request, _DNSSEC_FIELDS),
            request,
            key=lambda row: row.id,
            shown=_dnssec,
        )

    def update_resolver_dnssec_config(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        if request["Validation"] != "DISABLE":
            raise NotBuilt(
                "route53resolver: validation of DNSSEC by the VPC's resolver is not built in Cloudstead yet."
            )
        return {"ResolverDNSSECConfig": _dnssec(self._write(caller, request, dnssec_asked=True))}

    # --- inside

    def _of(self, caller: Caller, request: Mapping[str, Any]) -> VpcSettings:
        id = request["ResourceId"]
        self._directory.check_vpc(caller, id)
        return self._directory.settings(caller, id)

    def _every(self, caller: Caller) -> list[VpcSettings]:
        return [self._directory.settings(caller, id) for id in self._directory.vpcs.vpcs(caller)]

    def _write(self, caller: Caller, request: Mapping[str, Any], **fields: object) -> VpcSettings:
        with self._store.transaction():
            row = self._of(caller, request)
            if row.version:
                return self._store.update(row, **fields)
            return self._store.insert(msgspec.structs.replace(row, **fields))


def _resolver(row: VpcSettings) -> dict[str, Any]:
    return {
        "Id": row.config_id,
        "ResourceId": row.id,
        "OwnerId": row.account,
        "AutodefinedReverse": "ENABLED" if row.autodefined_reverse else "DISABLED",
    }


def _firewall(row: VpcSettings) -> dict[str, Any]:
    return {
        "Id": row.firewall_id,
        "ResourceId": row.id,
        "OwnerId": row.account,
        "FirewallFailOpen": "ENABLED" if row.fail_open else "DISABLED",
    }


def _dnssec(row: VpcSettings) -> dict[str, Any]:
    return {
        "Id": row.dnssec_id,
        "OwnerId": row.account,
        "ResourceId": row.id,
        "ValidationStatus": "DISABLED",
    }


_DNSSEC_FIELDS: Fields[VpcSettings] = {
    "id": lambda row: row.dnssec_id,
    "ownerid": lambda row: row.account,
    "resourceid": lambda row: row.id,
    "validationstatus": lambda _: "DISABLED",
}
