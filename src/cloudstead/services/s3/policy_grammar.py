"""The grammar of bucket policies: what PutBucketPolicy takes, and S3's words for the rest.

S3 checks for itself, against the bucket the policy is to stand on: a statement about another bucket's objects, or
whose actions go with none of its resources, is refused and not merely without effect.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cloudstead.services.iam import operations as iam
from cloudstead.services.s3.actions import BUCKET_ACTIONS, OBJECT_ACTIONS
from cloudstead.services.s3.errors import MalformedPolicy
from cloudstead.services.s3.rows import account_of

SIZE_BYTES_MAX = 20 * 1024

_VERSIONS = ("2012-10-17", "2008-10-17")
_KEYS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)  # fmt: skip
_ACTION = re.compile(r"\*|[sS]3:[A-Za-z*?]+")
#: Condition keys with these beginnings are S3's or everybody's; any other is a mistake.
_CONDITION_KEYS = ("aws:", "s3:", "sts:", "saml:", "kms:")
_ACTIONS = BUCKET_ACTIONS | OBJECT_ACTIONS


def check(document: str, bucket: str) -> None:
    """Raise MalformedPolicy unless this may be the policy of the bucket."""
    if len(document.encode()) > SIZE_BYTES_MAX:
        raise MalformedPolicy("Policy exceeds the maximum allowed document size.")
    parsed = _parsed(document)
    unknown = parsed.keys() - {"Version", "Id", "Statement"}
    if unknown:
        raise MalformedPolicy(f"Unknown field {min(unknown)}")
    if parsed.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise MalformedPolicy("The policy must contain a valid version string")
    if "Statement" not in parsed:
        raise MalformedPolicy("Missing required field Statement")
    found = iam.several(parsed["Statement"])
    if not found:
        raise MalformedPolicy("Could not parse the policy: Statement is empty!")
    for statement in found:
        _check_statement(statement, bucket)
    sids = [statement["Sid"] for statement in found if statement.get("Sid")]
    if len(set(sids)) < len(sids):
        raise MalformedPolicy("The Statement Ids in the policy are not unique !")


def _parsed(document: str) -> dict[str, Any]:
    complaint = "Policies must be valid JSON and the first byte must be '{'"
    if not document.startswith("{"):
        raise MalformedPolicy(complaint)
    try:
        parsed: dict[str, Any] = msgspec.json.decode(document)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise MalformedPolicy(complaint) from None
    return parsed


def _check_statement(statement: Any, bucket: str) -> None:
    if not isinstance(statement, dict):
        raise MalformedPolicy("Invalid policy syntax.")
    unknown = statement.keys() - _KEYS
    if unknown:
        raise MalformedPolicy(f"Unknown field {min(unknown)}")
    if "Effect" not in statement:
        raise MalformedPolicy("Missing required field Effect")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise MalformedPolicy(f"Invalid effect: {statement['Effect']}")
    if not isinstance(statement.get("Sid", ""), str):
        raise MalformedPolicy("Invalid policy syntax.")
    _check_principals(statement)
    actions = _texts(statement, "Action")
    resources = _texts(statement, "Resource")
    if not all(_ACTION.fullmatch(action) and _speaks_of(action, _ACTIONS) for action in actions):
        raise MalformedPolicy("Policy has invalid action")
    if not all(_is_resource_of(resource, bucket) for resource in resources):
        raise MalformedPolicy("Policy has invalid resource")
    if "Action" in statement and "Resource" in statement:
        _check_together(actions, resources)
    _check_condition(statement.get("Condition", {}))


def _texts(statement: Mapping[str, Any], key: str) -> list[str]:
    """The values of a field or of its Not form, of which there must be one."""
    given = [name for name in (key, f"Not{key}") if name in statement]
    if not given:
        raise MalformedPolicy(f"Missing required field {key}")
    values = iam.several(statement[given[0]])
    if len(given) > 1 or not all(isinstance(value, str) for value in values):
        raise MalformedPolicy("Invalid policy syntax.")
    if not values:
        raise MalformedPolicy(f"Missing required field {key} cannot be empty!")
    return values


def _check_principals(statement: Mapping[str, Any]) -> None:
    if "NotPrincipal" in statement and statement["Effect"] == "Allow":
        raise MalformedPolicy("Allow with NotPrincipal is not allowed.")
    if ("NotPrincipal" in statement) == ("Principal" in statement):
        raise MalformedPolicy("Missing required field Principal")
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise _invalid_principal(principal)
    for kind, values in principal.items():
        for value in iam.several(values) or [values]:
            if not isinstance(value, str) or not _is_principal(kind, value):
                raise _invalid_principal(value, kind)


def _is_principal(kind: str, value: str) -> bool:
    return account_of(value) is not None if kind == "CanonicalUser" else iam.is_principal(kind, value)


def _invalid_principal(value: Any, kind: str = "AWS") -> MalformedPolicy:
    shown = msgspec.json.encode({kind: value}).decode() if isinstance(value, str) else str(value)
    return MalformedPolicy("Invalid principal in policy", fields={"Detail": shown.strip("{}")})


def _speaks_of(action: str, known: frozenset[str]) -> bool:
    name = action.lower()
    if "*" not in name and "?" not in name:
        return name in known
    return name == "*" or any(iam.like(name, each) for each in known)


def _is_resource_of(resource: str, bucket: str) -> bool:
    parts = resource.split(":", 5)
    if resource == "*":
        return True
    if len(parts) < 6 or parts[0] != "arn" or parts[2] != "s3" or not parts[1].startswith("aws"):
        return False
    pattern, slash, _ = parts[5].partition("/")
    return not parts[3] and not parts[4] and (_may_name(pattern, bucket, with_key=bool(slash)))


def _may_name(pattern: str, bucket: str, *, with_key: bool) -> bool:
    """Whether a resource's part before the slash can stand for the bucket. `buck*` names its objects, too."""
    return "${" in pattern or iam.like(pattern, bucket) or (not with_key and iam.like(pattern, f"{bucket}/"))


def _check_together(actions: list[str], resources: list[str]) -> None:
    """Each action must go with some resource: those on buckets with a bucket, those on objects with keys."""
    buckets = any(resource == "*" or "/" not in resource for resource in resources)
    keys = any("/" in resource or resource.endswith("*") for resource in resources)
    for action in actions:
        fits = (buckets and _speaks_of(action, BUCKET_ACTIONS)) or (
            keys and _speaks_of(action, OBJECT_ACTIONS)
        )
        if not fits:
            raise MalformedPolicy("Action does not apply to any resource(s) in statement")


def _check_condition(condition: Any) -> None:
    if not isinstance(condition, dict):
        raise MalformedPolicy("Invalid policy syntax.")
    for operator, keys in condition.items():
        if not iam.is_operator(operator):
            raise MalformedPolicy(f"Invalid Condition type : {operator}")
        if isinstance(keys, dict) and not all(key.lower().startswith(_CONDITION_KEYS) for key in keys):
            raise MalformedPolicy("Policy has an invalid condition key")
    if not iam.condition_is_good(condition):
        raise MalformedPolicy("Invalid policy syntax.")
