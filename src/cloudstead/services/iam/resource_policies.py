"""Policies that stand on a resource and name principals: a bucket's, a role's.

They speak of others than the account's own people, so they are asked for a word of three: allowed, denied, or nothing.
The documents are ones that a grammar has found good; each service has a grammar of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from cloudstead.core.arn import arn
from cloudstead.services.iam.conditions import Context, fits, hold, like
from cloudstead.services.iam.policy_grammar import several, statements

_POLICIES_REMEMBERED_MAX = 1024


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks: an identity of an account, an AWS service, or, without an account, anybody."""

    account: str = ""
    names: Sequence[str] = ()  # ARNs and unique ids that it goes by
    arn: str = ""  # what conditions see as aws:PrincipalArn
    tags: Mapping[str, str] = field(default_factory=dict)
    service: str = ""


def decision(
    policy: str, action: str, asking: Asking, context: Context, *, resource: str | None = None
) -> Literal["Allow", "Deny"] | None:
    """What the policy says; a Deny beats every Allow. Without a `resource`, statements name none."""
    context = {**of_principal(asking), **context}
    effects = {
        statement["Effect"]
        for statement in _statements(policy)
        if _speaks_of(statement, action)
        and (resource is None or _covers(statement, resource, context))
        and _names(statement, asking)
        and hold(statement.get("Condition", {}), context)
    }
    return "Deny" if "Deny" in effects else "Allow" if effects else None


@lru_cache(_POLICIES_REMEMBERED_MAX)
def _statements(policy: str) -> list[dict[str, Any]]:
    return statements(policy)


def _speaks_of(statement: Mapping[str, Any], action: str) -> bool:
    if "Action" in statement:
        return any(like(each.lower(), action.lower()) for each in several(statement["Action"]))
    return not any(like(each.lower(), action.lower()) for each in several(statement["NotAction"]))


def _covers(statement: Mapping[str, Any], resource: str, context: Context) -> bool:
    if "Resource" in statement:
        return any(fits(each, resource, context) for each in several(statement["Resource"]))
    return not any(fits(each, resource, context) for each in several(statement["NotResource"]))


def _names(statement: Mapping[str, Any], asking: Asking) -> bool:
    if "NotPrincipal" in statement:
        return not _is_among(asking, statement["NotPrincipal"])
    return _is_among(asking, statement.get("Principal", {}))


def _is_among(asking: Asking, principals: Any) -> bool:
    if principals == "*":
        return True
    if asking.service:
        return asking.service in several(principals.get("Service", []))
    named = {*several(principals.get("AWS", [])), *several(principals.get("CanonicalUser", []))}
    if not asking.account:
        return "*" in named
    known = {"*", asking.account, arn("iam", "root", account=asking.account), *asking.names}
    return not known.isdisjoint(named)


def of_principal(asking: Asking) -> dict[str, Sequence[str]]:
    """What conditions may ask about whoever asks."""
    if asking.service:
        return {"aws:principalisawsservice": ["true"], "aws:principalservicename": [asking.service]}
    if not asking.account:
        return {"aws:principalisawsservice": ["false"], "aws:principaltype": ["Anonymous"]}
    return {
        "aws:principalisawsservice": ["false"],
        "aws:principalarn": [asking.arn],
        "aws:principalaccount": [asking.account],
        **{f"aws:principaltag/{key.lower()}": [value] for key, value in asking.tags.items()},
    }
