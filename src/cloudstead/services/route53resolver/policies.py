"""Policies by which an account lets others use its rules, rule groups and query log configurations.

On AWS they are what Resource Access Manager writes when something is shared; they hold here as soon as they are put.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.iam import operations as iam
from cloudstead.services.route53resolver.directory import Directory
from cloudstead.services.route53resolver.errors import (
    InvalidPolicyDocument,
    UnknownResourceException,
    ValidationException,
    cannot_find,
)
from cloudstead.services.route53resolver.rows import QueryLog, Rule, RuleGroup, Shareable

S = TypeVar("S", bound=Shareable)
_STATEMENT_NEEDS = ("Effect", "Action", "Principal", "Resource")


class Policies:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def put_resolver_rule_policy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._put(Rule, caller, request, "ResolverRulePolicy")

    def get_resolver_rule_policy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"ResolverRulePolicy": self._find(Rule, caller, request["Arn"]).policy}

    def put_resolver_query_log_config_policy(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        return self._put(QueryLog, caller, request, "ResolverQueryLogConfigPolicy")

    def get_resolver_query_log_config_policy(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {"ResolverQueryLogConfigPolicy": self._find(QueryLog, caller, request["Arn"]).policy}

    def put_firewall_rule_group_policy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._put(RuleGroup, caller, request, "FirewallRuleGroupPolicy")

    def get_firewall_rule_group_policy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"FirewallRuleGroupPolicy": self._find(RuleGroup, caller, request["Arn"]).policy}

    def _put(self, kind: type[S], caller: Caller, request: Mapping[str, Any], member: str) -> dict[str, Any]:
        policy = request[member]
        with self._store.transaction():
            row = self._find(kind, caller, request["Arn"])
            if policy:
                _check(policy, row)
            self._store.update(row, policy=policy)
        return {"ReturnValue": True}

    def _find(self, kind: type[S], caller: Caller, arn: str) -> S:
        row = self._store.get(kind, arn.rpartition("/")[2])
        if row is None or row.arn() != arn or row.account != caller.account:
            if kind is RuleGroup:
                raise cannot_find(arn)
            raise UnknownResourceException(f"Resource with ARN '{arn}' does not exist.")
        return row


def _check(policy: str, row: Shareable) -> None:
    """A document with statements that each say who may do what with just this resource."""
    try:
        document = msgspec.json.decode(policy)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise _wrong(row, "The policy is no valid JSON.") from None
    found = iam.several(document.get("Statement", [])) if isinstance(document, dict) else []
    if not found:
        raise _wrong(row, "The policy has no statement.")
    for statement in found:
        if not isinstance(statement, dict) or any(name not in statement for name in _STATEMENT_NEEDS):
            raise _wrong(row, f"Each statement of the policy needs {', '.join(_STATEMENT_NEEDS)}.")
        if statement["Effect"] not in ("Allow", "Deny") or iam.several(statement["Resource"]) != [row.arn()]:
            raise _wrong(row, f"Each statement of the policy must allow or deny the use of {row.arn()}.")


def _wrong(row: Shareable, text: str) -> ServiceError:
    return ValidationException(text) if isinstance(row, RuleGroup) else InvalidPolicyDocument(text)
