"""Groups of firewall rules, which are associated with VPCs as one."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53resolver.directory import Directory
from cloudstead.services.route53resolver.errors import (
    ConflictException,
    LimitExceededException,
    ValidationException,
)
from cloudstead.services.route53resolver.paging import paged
from cloudstead.services.route53resolver.rows import GroupAssociation, RuleGroup, stamp

GROUPS_MAX = 1000


class RuleGroups:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_firewall_rule_group(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            made = self._directory.made_before(RuleGroup, caller, request)
            if made is None:
                if len(self._directory.mine(RuleGroup, caller)) >= GROUPS_MAX:
                    raise LimitExceededException(
                        f"An account cannot have more than {GROUPS_MAX} firewall rule groups."
                    )
                owned = self._directory.owned(caller, request, RuleGroup.prefix)
                made = self._store.insert(RuleGroup(**owned, name=request["Name"]))
        return {"FirewallRuleGroup": self._shown(caller, made)}

    def get_firewall_rule_group(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        group = self._directory.find_usable(
            RuleGroup, caller, request["FirewallRuleGroupId"], "GetFirewallRuleGroup"
        )
        return {"FirewallRuleGroup": self._shown(caller, group)}

    def list_firewall_rule_groups(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return paged(
            "FirewallRuleGroups",
            self._directory.usable(RuleGroup, caller, "ListFirewallRuleGroups"),
            request,
            key=lambda row: row.id,
            shown=lambda row: {
                "Id": row.id,
                "Arn": row.arn(),
                "Name": row.name,
                "OwnerId": row.account,
                "CreatorRequestId": row.creator_request_id,
                "ShareStatus": self._directory.share_status(row, caller),
            },
            bad_token=ValidationException,
        )

    def delete_firewall_rule_group(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            group = self._directory.find(RuleGroup, caller, request["FirewallRuleGroupId"])
            if self._store.rows(GroupAssociation, group_id=group.id):
                raise ConflictException(f"The firewall rule group '{group.id}' is associated with a VPC.")
            if group.rules:
                raise ConflictException(
                    f"[RSLVR-02103] The firewall rule group '{group.id}' still has rules."
                )
            self._store.delete(group)
        return {"FirewallRuleGroup": {**self._shown(caller, group), "Status": "DELETING"}}

    def _shown(self, caller: Caller, group: RuleGroup) -> dict[str, Any]:
        return {
            "Id": group.id,
            "Arn": group.arn(),
            "Name": group.name,
            "RuleCount": len(group.rules),
            "Status": "COMPLETE",
            "StatusMessage": "",
            "OwnerId": group.account,
            "CreatorRequestId": group.creator_request_id,
            "ShareStatus": self._directory.share_status(group, caller),
            "CreationTime": stamp(group.created_at),
            "ModificationTime": stamp(group.changed_at),
        }
