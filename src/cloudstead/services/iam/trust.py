"""Whether a role's trust policy lets somebody take the role on.

A principal that is an account stands for everybody in it: AWS then asks the identity's own policies, too, and so will
enforcement once it is built.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudstead.core.arn import arn
from cloudstead.services.iam.conditions import Context, hold, like
from cloudstead.services.iam.policy_grammar import several, statements


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks: an identity of an account, or an AWS service."""

    account: str = ""
    names: Sequence[str] = ()  # ARNs and unique ids that it goes by
    arn: str = ""  # what conditions see as aws:PrincipalArn
    tags: Mapping[str, str] = field(default_factory=dict)
    service: str = ""


def is_trusted(trust_policy: str, action: str, asking: Asking, context: Context) -> bool:
    """Whether some statement allows the action and none denies it."""
    context = {**_of_principal(asking), **context}
    effects = [
        statement["Effect"]
        for statement in statements(trust_policy)
        if _speaks_of(statement, action)
        and _names(statement.get("Principal", {}), asking)
        and hold(statement.get("Condition", {}), context)
    ]
    return "Allow" in effects and "Deny" not in effects


def _speaks_of(statement: Mapping[str, Any], action: str) -> bool:
    if "Action" in statement:
        return any(like(each.lower(), action.lower()) for each in several(statement["Action"]))
    return not any(like(each.lower(), action.lower()) for each in several(statement["NotAction"]))


def _names(principal: Any, asking: Asking) -> bool:
    if principal == "*":
        return True
    if asking.service:
        return asking.service in several(principal.get("Service", []))
    known = {"*", asking.account, arn("iam", "root", account=asking.account), *asking.names}
    return not known.isdisjoint(several(principal.get("AWS", [])))


def _of_principal(asking: Asking) -> dict[str, Sequence[str]]:
    """What conditions may ask about whoever asks."""
    if asking.service:
        return {"aws:principalisawsservice": ["true"], "aws:principalservicename": [asking.service]}
    return {
        "aws:principalisawsservice": ["false"],
        "aws:principalarn": [asking.arn],
        "aws:principalaccount": [asking.account],
        **{f"aws:principaltag/{key.lower()}": [value] for key, value in asking.tags.items()},
    }
