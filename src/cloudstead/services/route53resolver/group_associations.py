"""Which rule groups a VPC's resolver asks, and in which order."""

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

GROUPS_PER_VPC_MAX = 5
_PRIORITIES = range(100, 9901)


class GroupAssociations:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def associate_firewall_rule_group(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            made = self._directory.made_before(GroupAssociation, caller, request)
            if made is None:
                group = self._directory.find_usable(
                    RuleGroup, caller, request["FirewallRuleGroupId"], "AssociateFirewallRuleGroup"
                )
                self._directory.check_vpc(caller, request["VpcId"])
                self._check(request, group)
                made = self._store.insert(
                    GroupAssociation(
                        **self._directory.owned(caller, request, GroupAssociation.prefix),
                        name=request["Name"],
                        group_id=group.id,
                        vpc_id=request["VpcId"],
                        priority=request["Priority"],
                        protected=request.get("MutationProtection") == "ENABLED",
                    )
                )
        return {"FirewallRuleGroupAssociation": _shown(made)}

    def get_firewall_rule_group_association(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {"FirewallRuleGroupAssociation": _shown(self._find(caller, request))}

    def list_firewall_rule_group_associations(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        found = [
            row
            for row in self._directory.mine(GroupAssociation, caller)
            if request.get("FirewallRuleGroupId", row.group_id) == row.group_id
            and request.get("VpcId", row.vpc_id) == row.vpc_id
            and request.get("Priority", row.priority) == row.priority
            and request.get("Status", "COMPLETE") == "COMPLETE"
        ]
        return paged(
            "FirewallRuleGroupAssociations",
            found,
            request,
            key=lambda row: row.id,
            shown=_shown,
            bad_token=ValidationException,
        )

    def update_firewall_rule_group_association(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            row = self._find(caller, request)
            protection = request.get("MutationProtection")
            if row.protected and protection != "DISABLED":
                raise _protected(row)
            priority = request.get("Priority", row.priority)
            if priority != row.priority:
                self._check_priority(row.vpc_id, priority)
            row = self._store.update(
                row,
                name=request.get("Name", row.name),
                priority=priority,
                protected=row.protected if protection is None else protection == "ENABLED",
                changed_at=self._directory.tools.clock.now(),
            )
        return {"FirewallRuleGroupAssociation": _shown(row)}

    def disassociate_firewall_rule_group(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            row = self._find(caller, request)
            if row.protected:
                raise _protected(row)
            self._store.delete(row)
        return {"FirewallRuleGroupAssociation": {**_shown(row), "Status": "DELETING"}}

    # --- inside

    def _find(self, caller: Caller, request: Mapping[str, Any]) -> GroupAssociation:
        return self._directory.find(GroupAssociation, caller, request["FirewallRuleGroupAssociationId"])

    def _check(self, request: Mapping[str, Any], group: RuleGroup) -> None:
        here = self._store.rows(GroupAssociation, vpc_id=request["VpcId"])
        if any(row.group_id == group.id for row in here):
            raise ConflictException(
                f"The firewall rule group '{group.id}' is already associated with the VPC '{request['VpcId']}'."
            )
        if len(here) >= GROUPS_PER_VPC_MAX:
            raise LimitExceededException(
                f"A VPC cannot be associated with more than {GROUPS_PER_VPC_MAX} firewall rule groups."
            )
        self._check_priority(request["VpcId"], request["Priority"])

    def _check_priority(self, vpc_id: str, priority: int) -> None:
        if priority not in _PRIORITIES:
            raise ValidationException(
                "[RSLVR-02017] The priority value you provided is reserved. Provide a number between '100' and '9900'."
            )
        if self._store.rows(GroupAssociation, vpc_id=vpc_id, priority=priority):
            raise ValidationException(f"The priority '{priority}' is already in use for the VPC '{vpc_id}'.")


def _protected(row: GroupAssociation) -> ConflictException:
    return ConflictException(
        f"The firewall rule group association '{row.id}' has mutation protection enabled."
    )


def _shown(row: GroupAssociation) -> dict[str, Any]:
    return {
        "Id": row.id,
        "Arn": row.arn(),
        "FirewallRuleGroupId": row.group_id,
        "VpcId": row.vpc_id,
        "Name": row.name,
        "Priority": row.priority,
        "MutationProtection": "ENABLED" if row.protected else "DISABLED",
        "Status": "COMPLETE",
        "StatusMessage": "",
        "CreatorRequestId": row.creator_request_id,
        "CreationTime": stamp(row.created_at),
        "ModificationTime": stamp(row.changed_at),
    }
