"""CreateSecurityGroup, DeleteSecurityGroup and what describes groups.

Groups of peered networks are what two of these calls are about; there is no peering here, so they find none.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters, security_group_permissions, security_groups, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.network_rows import SecurityGroup, SecurityGroupRule, Vpc
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources
from cloudstead.store import Store

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateSecurityGroupRequestTypeDef,
        DeleteSecurityGroupRequestTypeDef,
        DescribeSecurityGroupReferencesRequestTypeDef,
        DescribeSecurityGroupsRequestTypeDef,
        DescribeStaleSecurityGroupsRequestTypeDef,
        GetSecurityGroupsForVpcRequestTypeDef,
    )

_PER_REGION_MAX = 2500
_NAME = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")
_SET = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"


class SecurityGroups:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_security_group(
        self, caller: Caller, request: "CreateSecurityGroupRequestTypeDef"
    ) -> dict[str, Any]:
        name = _checked_name(request["GroupName"])
        description = _checked_description(request["Description"])
        wanted = tags.wanted(request, SecurityGroup.resource_type)
        with self._resources.store.transaction():
            vpc = self._vpc(caller, request.get("VpcId"))
            if security_groups.named(self._resources, vpc.id, name) is not None:
                raise ServiceError(
                    f"The security group '{name}' already exists for VPC '{vpc.id}'",
                    code="InvalidGroup.Duplicate",
                )
            if len(self._resources.mine(SecurityGroup, caller)) >= _PER_REGION_MAX:
                raise ServiceError(
                    "The maximum number of security groups has been reached.",
                    code="SecurityGroupLimitExceeded",
                )
            group = security_groups.insert(
                self._resources, vpc, name=name, description=description, tags=wanted
            )
        return {"GroupId": group.id, "SecurityGroupArn": group.arn(), "Tags": tags.shown(group.tags)}

    def delete_security_group(
        self, caller: Caller, request: "DeleteSecurityGroupRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            group = security_groups.find(self._resources, caller, request)
            if group.name == security_groups.DEFAULT:
                raise ServiceError(
                    f'the specified group: "{group.id}" name: "{group.name}" cannot be deleted by a user',
                    code="CannotDelete",
                )
            if security_groups.members(self._resources, group) or self._named_by_others(group):
                raise ServiceError(f"resource {group.id} has a dependent object", code="DependencyViolation")
            security_groups.delete(self._resources, group)
        return {"Return": True, "GroupId": group.id}

    def describe_security_groups(
        self, caller: Caller, request: "DescribeSecurityGroupsRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.reading():
            found = self._asked_for(caller, request)
            found = filters.select(found, request.get("Filters"), _fields(self._resources.store))
            some, token = page(found, request, key=lambda group: group.id, ids="GroupIds")
            return {"SecurityGroups": [self._shown(group) for group in some], "NextToken": token}

    def get_security_groups_for_vpc(
        self, caller: Caller, request: "GetSecurityGroupsForVpcRequestTypeDef"
    ) -> dict[str, Any]:
        vpc = self._resources.find(Vpc, caller, request["VpcId"])
        found = self._resources.store.rows(SecurityGroup, vpc_id=vpc.id)
        found = filters.select(found, request.get("Filters"), _PLAIN_FIELDS)
        some, token = page(found, request, key=lambda group: group.id)
        shown = [
            {
                "GroupId": group.id,
                "GroupName": group.name,
                "Description": group.description,
                "OwnerId": group.account,
                "PrimaryVpcId": group.vpc_id,
                "Tags": tags.shown(group.tags),
            }
            for group in some
        ]
        return {"SecurityGroupForVpcs": shown, "NextToken": token}

    def describe_security_group_references(
        self, caller: Caller, request: "DescribeSecurityGroupReferencesRequestTypeDef"
    ) -> dict[str, Any]:
        for id in request["GroupId"]:
            self._resources.find(SecurityGroup, caller, id)
        return {"SecurityGroupReferenceSet": []}

    def describe_stale_security_groups(
        self, caller: Caller, request: "DescribeStaleSecurityGroupsRequestTypeDef"
    ) -> dict[str, Any]:
        self._resources.find(Vpc, caller, request["VpcId"])
        stale: tuple[str, ...] = ()
        some, token = page(stale, request, key=str, most=255)
        return {"StaleSecurityGroupSet": some, "NextToken": token}

    # --- inside

    def _vpc(self, caller: Caller, id: str | None) -> Vpc:
        if id:
            return self._resources.find(Vpc, caller, id)
        return security_groups.default_vpc(self._resources, caller)

    def _named_by_others(self, group: SecurityGroup) -> bool:
        naming = self._resources.store.rows(SecurityGroupRule, peer_group_id=group.id)
        return any(rule.group_id != group.id for rule in naming)

    def _asked_for(self, caller: Caller, request: Mapping[str, Any]) -> list[SecurityGroup]:
        ids, names = list(request.get("GroupIds") or ()), request.get("GroupNames") or ()
        if not names:
            return self._resources.find_all(SecurityGroup, caller, ids)
        by_id = self._resources.find_all(SecurityGroup, caller, ids) if ids else []
        by_name = [security_groups.find_by_name(self._resources, caller, name) for name in names]
        return list({group.id: group for group in (*by_id, *by_name)}.values())

    def _shown(self, group: SecurityGroup) -> dict[str, Any]:
        rules = self._resources.store.rows(SecurityGroupRule, group_id=group.id)
        return {
            "GroupId": group.id,
            "GroupName": group.name,
            "Description": group.description,
            "VpcId": group.vpc_id,
            "OwnerId": group.account,
            "SecurityGroupArn": group.arn(),
            "IpPermissions": security_group_permissions.together(each for each in rules if not each.egress),
            "IpPermissionsEgress": security_group_permissions.together(each for each in rules if each.egress),
            "Tags": tags.shown(group.tags),
        }


# --- names


def _checked_name(asked: str) -> str:
    name = asked.strip()
    if name.lower() == security_groups.DEFAULT:
        raise ServiceError(f"The security group '{name}' is reserved", code="InvalidGroup.Reserved")
    if name.startswith("sg-"):
        raise ServiceError(
            f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.",
            code="InvalidParameterValue",
        )
    if not _NAME.fullmatch(name):
        raise ServiceError(
            f"Value ({asked}) for parameter GroupName is invalid. Valid group names are strings less than 256 characters "
            f"from the following set:  {_SET}",
            code="InvalidParameterValue",
        )
    return name


def _checked_description(asked: str) -> str:
    if not asked:
        raise ServiceError("The request must contain the parameter GroupDescription", code="MissingParameter")
    return security_group_permissions.description(asked, "security group")


# --- filters

_PLAIN_FIELDS: Fields[SecurityGroup] = {
    "description": lambda group: group.description,
    "group-id": lambda group: group.id,
    "group-name": lambda group: group.name,
    "owner-id": lambda group: group.account,
    "primary-vpc-id": lambda group: group.vpc_id,
    "vpc-id": lambda group: group.vpc_id,
}

_Read = Callable[[SecurityGroupRule], str | int | None]
_RULE_FIELDS: Mapping[str, _Read] = {
    "cidr": lambda rule: rule.permission.cidr or None,
    "from-port": lambda rule: rule.permission.from_port,
    "group-id": lambda rule: rule.permission.group or None,
    "ipv6-cidr": lambda rule: rule.permission.cidr6 or None,
    "prefix-list-id": lambda rule: rule.permission.prefix_list or None,
    "protocol": lambda rule: rule.permission.protocol,
    "to-port": lambda rule: rule.permission.to_port,
    "user-id": lambda rule: rule.account if rule.permission.group else None,
}


def _fields(store: Store) -> Fields[SecurityGroup]:
    """With those that look into the rules, of either direction."""

    def of_rules(read: _Read, *, egress: bool) -> Callable[[SecurityGroup], list[str | None]]:
        def values(group: SecurityGroup) -> list[str | None]:
            rules = store.rows(SecurityGroupRule, group_id=group.id, egress=egress)
            return [None if (value := read(rule)) is None else str(value) for rule in rules]

        return values

    def of_peers(*, egress: bool) -> Callable[[SecurityGroup], list[str | None]]:
        def names(group: SecurityGroup) -> list[str | None]:
            rules = store.rows(SecurityGroupRule, group_id=group.id, egress=egress)
            peers = (store.get(SecurityGroup, rule.peer_group_id) for rule in rules)
            return [peer.name for peer in peers if peer is not None]

        return names

    looking: dict[str, Callable[[SecurityGroup], list[str | None]]] = {}
    for prefix, egress in (("ip-permission", False), ("egress.ip-permission", True)):
        for name, read in _RULE_FIELDS.items():
            looking[f"{prefix}.{name}"] = of_rules(read, egress=egress)
        looking[f"{prefix}.group-name"] = of_peers(egress=egress)
    return {**_PLAIN_FIELDS, **looking}
