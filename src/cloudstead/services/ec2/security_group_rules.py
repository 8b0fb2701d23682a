"""The rules of security groups: authorized, revoked, modified, described.

A call does all that it says or nothing. What permits the same is the same rule, whatever its description says.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters, security_groups, tags
from cloudstead.services.ec2 import security_group_permissions as permissions
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.network_rows import (
    Permission,
    PrefixList,
    SecurityGroup,
    SecurityGroupRule,
    Vpc,
)
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.ec2.security_group_permissions import Asked, Peers

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AuthorizeSecurityGroupEgressRequestTypeDef,
        AuthorizeSecurityGroupIngressRequestTypeDef,
        DescribeSecurityGroupRulesRequestTypeDef,
        ModifySecurityGroupRulesRequestTypeDef,
        RevokeSecurityGroupEgressRequestTypeDef,
        RevokeSecurityGroupIngressRequestTypeDef,
        UpdateSecurityGroupRuleDescriptionsEgressRequestTypeDef,
        UpdateSecurityGroupRuleDescriptionsIngressRequestTypeDef,
    )

_RULES_MAX = 60  # in each direction, and for IPv4 and IPv6 each

_FIELDS: Fields[SecurityGroupRule] = {
    "group-id": lambda rule: rule.group_id,
    "security-group-rule-id": lambda rule: rule.id,
}


class SecurityGroupRules:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def authorize_security_group_ingress(
        self, caller: Caller, request: "AuthorizeSecurityGroupIngressRequestTypeDef"
    ) -> dict[str, Any]:
        return self._authorize(caller, request, egress=False)

    def authorize_security_group_egress(
        self, caller: Caller, request: "AuthorizeSecurityGroupEgressRequestTypeDef"
    ) -> dict[str, Any]:
        return self._authorize(caller, request, egress=True)

    def revoke_security_group_ingress(
        self, caller: Caller, request: "RevokeSecurityGroupIngressRequestTypeDef"
    ) -> dict[str, Any]:
        return self._revoke(caller, request, egress=False)

    def revoke_security_group_egress(
        self, caller: Caller, request: "RevokeSecurityGroupEgressRequestTypeDef"
    ) -> dict[str, Any]:
        return self._revoke(caller, request, egress=True)

    def modify_security_group_rules(
        self, caller: Caller, request: "ModifySecurityGroupRulesRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            group = self._resources.find(SecurityGroup, caller, request["GroupId"])
            for one in request["SecurityGroupRules"]:
                rule = self._of_group(caller, group, one["SecurityGroupRuleId"])
                self._modify(
                    group,
                    rule,
                    permissions.read_rule(one.get("SecurityGroupRule") or {}, self._peers(caller, group)),
                )
            self._check_count(group)
        return {"Return": True}

    def describe_security_group_rules(
        self, caller: Caller, request: "DescribeSecurityGroupRulesRequestTypeDef"
    ) -> dict[str, Any]:
        wanted = list(request.get("SecurityGroupRuleIds") or ())
        found = self._resources.find_all(SecurityGroupRule, caller, wanted)
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda rule: rule.id, ids="SecurityGroupRuleIds")
        return {"SecurityGroupRules": [self._shown(rule) for rule in some], "NextToken": token}

    def update_security_group_rule_descriptions_ingress(
        self, caller: Caller, request: "UpdateSecurityGroupRuleDescriptionsIngressRequestTypeDef"
    ) -> dict[str, Any]:
        return self._describe_anew(caller, request, egress=False)

    def update_security_group_rule_descriptions_egress(
        self, caller: Caller, request: "UpdateSecurityGroupRuleDescriptionsEgressRequestTypeDef"
    ) -> dict[str, Any]:
        return self._describe_anew(caller, request, egress=True)

    # --- inside

    def _authorize(self, caller: Caller, request: Mapping[str, Any], *, egress: bool) -> dict[str, Any]:
        wanted_tags = tags.wanted(request, SecurityGroupRule.resource_type)
        with self._resources.store.transaction():
            group = security_groups.find(self._resources, caller, request)
            known = self._by_permission(group, egress=egress)
            made = []
            for asked in self._asked(caller, group, request):
                if asked.permission in known:
                    raise _duplicate(asked.permission)
                made.append(
                    security_groups.insert_rule(
                        self._resources,
                        group,
                        asked.permission,
                        egress=egress,
                        description=asked.description,
                        tags=wanted_tags,
                    )
                )
            self._check_count(group)
        return {"Return": True, "SecurityGroupRules": [self._shown(rule) for rule in made]}

    def _revoke(self, caller: Caller, request: Mapping[str, Any], *, egress: bool) -> dict[str, Any]:
        with self._resources.store.transaction():
            group = security_groups.find(self._resources, caller, request)
            if wanted := request.get("SecurityGroupRuleIds"):
                doomed = [self._of_group(caller, group, id, egress=egress) for id in dict.fromkeys(wanted)]
                unknown: list[Asked] = []
            else:
                known = self._by_permission(group, egress=egress)
                asked = self._asked(caller, group, request)
                doomed = [known[each.permission] for each in asked if each.permission in known]
                unknown = [each for each in asked if each.permission not in known]
            if unknown and not self._of_default_vpc(group):
                raise _no_such_rule()
            for rule in doomed:
                self._resources.store.delete(rule)
        return {
            "Return": True,
            "RevokedSecurityGroupRules": [_revoked(rule) for rule in doomed],
            "UnknownIpPermissions": permissions.unknown(unknown, group.account),
        }

    def _modify(self, group: SecurityGroup, rule: SecurityGroupRule, asked: Asked) -> None:
        same = self._by_permission(group, egress=rule.egress).get(asked.permission, rule)
        if same.id != rule.id:
            raise _duplicate(asked.permission)
        self._resources.store.update(
            rule,
            permission=asked.permission,
            peer_group_id=asked.permission.group,
            prefix_list_id=asked.permission.prefix_list,
            description=asked.description,
        )

    def _describe_anew(self, caller: Caller, request: Mapping[str, Any], *, egress: bool) -> dict[str, Any]:
        with self._resources.store.transaction():
            group = security_groups.find(self._resources, caller, request)
            for rule, text in self._descriptions(caller, group, request, egress=egress):
                self._resources.store.update(rule, description=text)
        return {"Return": True}

    def _descriptions(
        self, caller: Caller, group: SecurityGroup, request: Mapping[str, Any], *, egress: bool
    ) -> Iterable[tuple[SecurityGroupRule, str]]:
        by_id, by_permission = request.get("SecurityGroupRuleDescriptions"), request.get("IpPermissions")
        if bool(by_id) == bool(by_permission):
            raise ServiceError(
                "Either IpPermissions or SecurityGroupRuleDescriptions must be specified, and not both.",
                code="InvalidParameterCombination" if by_id else "MissingParameter",
            )
        if by_id:
            for one in by_id:
                rule = self._of_group(caller, group, one.get("SecurityGroupRuleId", ""), egress=egress)
                yield rule, permissions.description(one.get("Description"))
            return
        known = self._by_permission(group, egress=egress)
        for asked in self._asked(caller, group, request):
            if asked.permission not in known:
                raise _no_such_rule()
            yield known[asked.permission], asked.description

    # --- looking up

    def _asked(self, caller: Caller, group: SecurityGroup, request: Mapping[str, Any]) -> Sequence[Asked]:
        listed = request.get("IpPermissions") or ()
        single = permissions.legacy(request, caller.account)
        if bool(listed) == bool(single):
            raise ServiceError(
                "The request must contain the parameter ipPermissions"
                if not listed
                else "The parameter ipPermissions cannot be used with the parameter ipProtocol",
                code="InvalidParameterCombination" if listed else "MissingParameter",
            )
        return permissions.read(listed or single, self._peers(caller, group))

    def _peers(self, caller: Caller, group: SecurityGroup) -> Peers:
        return Peers(
            group=lambda pair: self._peer_group(caller, group, pair),
            prefix_list=lambda named: self._resources.find(PrefixList, caller, named).id,
        )

    def _peer_group(self, caller: Caller, group: SecurityGroup, pair: Mapping[str, Any]) -> str:
        if pair.get("UserId") not in (None, "", caller.account):
            raise SecurityGroup.missing(pair.get("GroupId") or pair.get("GroupName") or "")
        peer = security_groups.find(self._resources, caller, pair)
        if peer.vpc_id != group.vpc_id:
            raise ServiceError(
                "You have specified two resources that belong to different networks.",
                code="InvalidGroup.NotFound",
            )
        return peer.id

    def _of_group(
        self, caller: Caller, group: SecurityGroup, id: str, *, egress: bool | None = None
    ) -> SecurityGroupRule:
        rule = self._resources.find(SecurityGroupRule, caller, id)
        if rule.group_id != group.id or egress not in (None, rule.egress):
            raise SecurityGroupRule.missing(id)
        return rule

    def _by_permission(self, group: SecurityGroup, *, egress: bool) -> dict[Permission, SecurityGroupRule]:
        rules = self._resources.store.rows(SecurityGroupRule, group_id=group.id, egress=egress)
        return {rule.permission: rule for rule in rules}

    def _of_default_vpc(self, group: SecurityGroup) -> bool:
        vpc = self._resources.store.get(Vpc, group.vpc_id)
        return vpc is not None and vpc.is_default

    def _check_count(self, group: SecurityGroup) -> None:
        """A prefix list counts as many rules as it may have entries; a group counts in both families."""
        counts: dict[tuple[bool, int], int] = {}
        for rule in self._resources.store.rows(SecurityGroupRule, group_id=group.id):
            for family, weight in self._weights(rule.permission):
                key = (rule.egress, family)
                counts[key] = counts.get(key, 0) + weight
        if any(count > _RULES_MAX for count in counts.values()):
            raise ServiceError(
                "The maximum number of rules per security group has been reached.",
                code="RulesPerSecurityGroupLimitExceeded",
            )

    def _weights(self, permission: Permission) -> list[tuple[int, int]]:
        if permission.cidr:
            return [(4, 1)]
        if permission.cidr6:
            return [(6, 1)]
        if permission.group:
            return [(4, 1), (6, 1)]
        named = self._resources.store.get(PrefixList, permission.prefix_list)
        assert named is not None, permission.prefix_list
        return [(4 if named.family == "IPv4" else 6, named.entries_max)]

    def _shown(self, rule: SecurityGroupRule) -> dict[str, Any]:
        peer = {"GroupId": rule.permission.group, "UserId": rule.account}
        return {
            **permissions.shown(rule),
            "GroupOwnerId": rule.account,
            "SecurityGroupRuleArn": rule.arn(),
            "Tags": tags.shown(rule.tags),
            **({"ReferencedGroupInfo": peer} if rule.permission.group else {}),
        }


def _revoked(rule: SecurityGroupRule) -> dict[str, Any]:
    group = rule.permission.group
    return {**permissions.shown(rule), **({"ReferencedGroupId": group} if group else {})}


def _duplicate(permission: Permission) -> ServiceError:
    return ServiceError(
        f'the specified rule "{permissions.words(permission)}" already exists',
        code="InvalidPermission.Duplicate",
    )


def _no_such_rule() -> ServiceError:
    return ServiceError(
        "The specified rule does not exist in this security group.", code="InvalidPermission.NotFound"
    )
