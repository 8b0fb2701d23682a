"""The rules of a group: which domains, for which type of question, and what is done. Lowest priority goes first.

A rule has no id. The domain list that it names, and the query type if it has one, tell it from the others.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.route53resolver import domains
from cloudstead.services.route53resolver.directory import Directory, digest
from cloudstead.services.route53resolver.errors import (
    LimitExceededException,
    ResourceNotFoundException,
    ValidationException,
)
from cloudstead.services.route53resolver.paging import paged
from cloudstead.services.route53resolver.query_types import checked_type
from cloudstead.services.route53resolver.rows import DomainList, FirewallRule, RuleGroup, stamp

RULES_MAX = 100
_NOT_BUILT = (
    "DnsThreatProtection",
    "ConfidenceThreshold",
    "FirewallThreatProtectionId",
    "FirewallRuleType",
)


class FirewallRules:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_firewall_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"FirewallRule": self._create(caller, request)}

    def update_firewall_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"FirewallRule": self._update(caller, request)}

    def delete_firewall_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"FirewallRule": self._delete(caller, request)}

    def list_firewall_rules(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        group = self._directory.find_usable(
            RuleGroup, caller, request["FirewallRuleGroupId"], "ListFirewallRules"
        )
        found = [
            rule
            for rule in group.rules
            if request.get("Priority", rule.priority) == rule.priority
            and request.get("Action", rule.action) == rule.action
        ]
        return paged(
            "FirewallRules",
            found,
            request,
            key=_key,
            shown=lambda rule: _shown(group, rule),
            bad_token=ValidationException,
        )

    def batch_create_firewall_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        made, failed = _each(caller, request["CreateFirewallRuleEntries"], self._create)
        return {"CreatedFirewallRules": made, "CreateErrors": failed}

    def batch_update_firewall_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        made, failed = _each(caller, request["UpdateFirewallRuleEntries"], self._update)
        return {"UpdatedFirewallRules": made, "UpdateErrors": failed}

    def batch_delete_firewall_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        gone, failed = _each(caller, request["DeleteFirewallRuleEntries"], self._delete)
        return {"DeletedFirewallRules": gone, "DeleteErrors": failed}

    # --- inside

    def _create(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        _check_built(request)
        if "FirewallDomainListId" not in request:
            raise ValidationException("A firewall rule needs a firewall domain list.")
        with self._store.transaction():
            group = self._group(caller, request)
            known = [rule for rule in group.rules if rule.creator_request_id == request["CreatorRequestId"]]
            if known and known[0].asked == digest(request):
                return _shown(group, known[0])
            rule = self._new(caller, request)
            if any(_key(other) == _key(rule) for other in group.rules):
                raise ValidationException(
                    f"The rule group '{group.id}' has a rule for the domain list '{rule.list_id}' already."
                )
            if len(group.rules) >= RULES_MAX:
                raise LimitExceededException(f"A rule group cannot have more than {RULES_MAX} rules.")
            self._write(group, [*group.rules, rule])
        return _shown(group, rule)

    def _new(self, caller: Caller, request: Mapping[str, Any]) -> FirewallRule:
        now = self._directory.tools.clock.now()
        listed = self._directory.find(DomainList, caller, request["FirewallDomainListId"])
        return _with(
            FirewallRule(
                list_id=listed.id,
                qtype=checked_type(request.get("Qtype", "")),
                name=request["Name"],
                priority=request["Priority"],
                action=request["Action"],
                creator_request_id=request["CreatorRequestId"],
                asked=digest(request),
                created_at=now,
                changed_at=now,
            ),
            request,
        )

    def _update(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        _check_built(request)
        with self._store.transaction():
            group = self._group(caller, request)
            old = self._find(group, request)
            rule = msgspec.structs.replace(_with(old, request), changed_at=self._directory.tools.clock.now())
            self._write(group, [rule if each is old else each for each in group.rules])
        return _shown(group, rule)

    def _delete(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            group = self._group(caller, request)
            rule = self._find(group, request)
            self._write(group, [each for each in group.rules if each is not rule])
        return _shown(group, rule)

    def _group(self, caller: Caller, request: Mapping[str, Any]) -> RuleGroup:
        return self._directory.find(RuleGroup, caller, request["FirewallRuleGroupId"])

    @staticmethod
    def _find(group: RuleGroup, request: Mapping[str, Any]) -> FirewallRule:
        wanted = request.get("FirewallDomainListId", ""), checked_type(request.get("Qtype", ""))
        for rule in group.rules:
            if (rule.list_id, rule.qtype) == wanted:
                return rule
        raise ResourceNotFoundException(
            f"[RSLVR-02025] Can't find the resource with ID '{wanted[0]}' in the rule group '{group.id}'."
        )

    def _write(self, group: RuleGroup, rules: list[FirewallRule]) -> None:
        if len({rule.priority for rule in rules}) < len(rules):
            raise ValidationException("The priority of each rule must be unique within its rule group.")
        ordered = tuple(sorted(rules, key=lambda rule: rule.priority))
        self._store.update(group, rules=ordered, changed_at=self._directory.tools.clock.now())


Do = Callable[[Caller, Mapping[str, Any]], dict[str, Any]]


def _each(caller: Caller, entries: list[dict[str, Any]], do: Do) -> tuple[list[Any], list[Any]]:
    """Each entry by itself: what was done, and what could not be."""
    done, failed = [], []
    for entry in entries:
        try:
            done.append(do(caller, entry))
        except ServiceError as e:
            failed.append({"FirewallRule": entry, "Code": e.code, "Message": e.message})
    return done, failed


def _check_built(request: Mapping[str, Any]) -> None:
    for name in _NOT_BUILT:
        if name in request:
            raise NotBuilt(
                f"route53resolver: firewall rules with {name} are not built in Cloudstead yet; those with a list are."
            )


def _with(rule: FirewallRule, request: Mapping[str, Any]) -> FirewallRule:
    """The rule with what a request says of what is done."""
    action = request.get("Action", rule.action)
    names = {
        "name": "Name",
        "priority": "Priority",
        "action": "Action",
        "block_response": "BlockResponse",
        "override_domain": "BlockOverrideDomain",
        "override_ttl_s": "BlockOverrideTtl",
        "redirection": "FirewallDomainRedirectionAction",
    }
    if action != "BLOCK":
        for member in ("BlockResponse", "BlockOverrideDomain", "BlockOverrideDnsType", "BlockOverrideTtl"):
            if member in request:
                raise ValidationException(f"{member} can be specified only for a rule with the action BLOCK.")
        rule = msgspec.structs.replace(rule, block_response="", override_domain="", override_ttl_s=None)
    elif request.get("BlockResponse", rule.block_response) != "OVERRIDE":
        rule = msgspec.structs.replace(rule, override_domain="", override_ttl_s=None)
    changed = {field: request[member] for field, member in names.items() if member in request}
    if "override_domain" in changed:
        changed["override_domain"] = domains.canonical(changed["override_domain"])
    result = msgspec.structs.replace(rule, **changed)
    _check_block(result, request)
    return result


def _check_block(rule: FirewallRule, request: Mapping[str, Any]) -> None:
    if rule.action == "BLOCK" and not rule.block_response:
        raise ValidationException("BlockResponse must be specified for a rule with the action BLOCK.")
    overrides = rule.block_response == "OVERRIDE"
    if overrides and (not rule.override_domain or rule.override_ttl_s is None):
        raise ValidationException(
            "BlockOverrideDomain, BlockOverrideDnsType and BlockOverrideTtl must be specified for the block response "
            "OVERRIDE."
        )
    if not overrides and any(name.startswith("BlockOverride") for name in request):
        raise ValidationException("An override can be specified only for the block response OVERRIDE.")
    if overrides and not domains.of_rule(rule.override_domain):
        raise ValidationException(f"The domain '{rule.override_domain}' is not valid.")


def _key(rule: FirewallRule) -> str:
    return f"{rule.list_id}/{rule.qtype}"


def _shown(group: RuleGroup, rule: FirewallRule) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "FirewallRuleGroupId": group.id,
        "FirewallDomainListId": rule.list_id,
        "Name": rule.name,
        "Priority": rule.priority,
        "Action": rule.action,
        "CreatorRequestId": rule.creator_request_id,
        "CreationTime": stamp(rule.created_at),
        "ModificationTime": stamp(rule.changed_at),
        "FirewallDomainRedirectionAction": rule.redirection,
    }
    if rule.qtype:
        answer["Qtype"] = rule.qtype
    if rule.block_response:
        answer["BlockResponse"] = rule.block_response
    if rule.override_domain:
        answer |= {
            "BlockOverrideDomain": rule.override_domain,
            "BlockOverrideDnsType": "CNAME",
            "BlockOverrideTtl": rule.override_ttl_s,
        }
    return answer
