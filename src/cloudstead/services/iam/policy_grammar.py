"""The grammar of IAM policies: what may be stored as a policy, and what AWS says of the rest.

AWS has two checkers. That of identity policies looks at the whole structure first and calls any fault in it a
"syntax error", then goes through versions, old-style parsing, ids, actions and resources in this order; the order
decides which message a document with several faults gets. That of trust policies goes statement by statement and
names fields. Nothing here looks at who exists.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from cloudstead.services.iam.errors import MalformedPolicyDocument

VERSIONS = ("2012-10-17", "2008-10-17")
Effect = Literal["Allow", "Deny"]

_SYNTAX = "Syntax errors in policy."
_LEGACY = "The policy failed legacy parsing"
_STATEMENT_KEYS = frozenset(
    (
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    )
)
_STATEMENT_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_OPERATORS = frozenset(
    name.lower()
    for name in [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "ArnNotLike",
    ]
)
_SID = re.compile(r"[0-9A-Za-z]*")
_VENDOR = re.compile(r"[A-Za-z0-9*?._-]+")
_PARTITION = re.compile(r"aws(-[a-z]+)*|\*")
_DATE = re.compile(
    r"\d{1,4}(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?)?"
    r"(?:[Tt](?:\d{1,2}(?::\d{1,2}(?::\d{1,2}(?:[.,]\d{1,9})?)?)?)?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?)?"
)
_IAM_RESOURCES = (
    "user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/",
    "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
)  # fmt: skip
_TRUST_ACTIONS = frozenset(
    "sts:" + name
    for name in [
        "assumerole",
        "assumerolewithsaml",
        "assumerolewithwebidentity",
        "tagsession",
        "setsourceidentity",
        "setcontext",
    ]
)
_ACCOUNT = re.compile(r"\d{12}")
_AWS_PRINCIPAL = re.compile(
    r"arn:aws(?:-[a-z]+)*:(?:iam::\d{12}:(?:root|user/.+|role/.+|federated-user/.+)"
    r"|sts::\d{12}:(?:assumed-role/[^/]+/.+|federated-user/.+|self))"
)
_PRINCIPAL_ID = re.compile(r"A(?:IDA|ROA|KIA|SIA)[A-Z0-9]{12,124}")
_SERVICE_PRINCIPAL = re.compile(
    r"[a-z0-9][a-z0-9.-]*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal|amazoncognito\.com)"
)


def size(document: str) -> int:
    """How much of a quota a document takes: its characters without white space."""
    return sum(not character.isspace() for character in document)


def statements(document: str) -> list[dict[str, Any]]:
    """The statements of a document that was found good."""
    found = msgspec.json.decode(document)["Statement"]
    return found if isinstance(found, list) else [found]


def several(value: Any) -> list[Any]:
    """One or many, as a list."""
    return value if isinstance(value, list) else [value]


# --- identity policies


def check_identity_policy(document: str) -> None:
    """Raise MalformedPolicyDocument unless this may be a managed policy, or an inline one of a user, group or role."""
    parsed = _parse(document, _SYNTAX)
    found = _statements_of(parsed)
    for statement in found:
        _check_structure(statement)
    if parsed.get("Version") != VERSIONS[0]:
        raise MalformedPolicyDocument("Policy document must be version 2012-10-17 or greater.")
    if any(_fails_legacy_parsing(statement) for statement in found):
        raise MalformedPolicyDocument(_LEGACY)
    if any("Principal" in statement or "NotPrincipal" in statement for statement in found):
        raise MalformedPolicyDocument("Policy document should not specify a principal.")
    _check_sids(found)
    _check_present(found, "Action", "Policy statement must contain actions.")
    _check_present(found, "Resource", "Policy statement must contain resources.")
    for statement in found:
        for resource in _either(statement, "Resource"):
            _check_resource(resource)
        for action in _either(statement, "Action"):
            _check_action(action)


def _parse(document: str, complaint: str) -> dict[str, Any]:
    try:
        parsed = msgspec.json.decode(document)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise MalformedPolicyDocument(complaint) from None
    if not isinstance(parsed, dict):
        raise MalformedPolicyDocument(complaint)
    return parsed


def _statements_of(parsed: dict[str, Any]) -> list[dict[str, Any]]:
    found = parsed.get("Statement")
    good = (
        parsed.keys() <= {"Version", "Id", "Statement"}
        and parsed.get("Version", VERSIONS[0]) in VERSIONS
        and isinstance(parsed.get("Id", ""), str)
        and (isinstance(found, dict) or (isinstance(found, list) and bool(found)))
        and all(isinstance(statement, dict) for statement in several(found))
    )
    if not good:
        raise MalformedPolicyDocument(_SYNTAX)
    return several(found)


def _check_structure(statement: dict[str, Any]) -> None:
    effect = statement.get("Effect")
    good = (
        statement.keys() <= _STATEMENT_KEYS
        and isinstance(effect, str)
        and effect.lower() in ("allow", "deny")
        and isinstance(statement.get("Sid", ""), str)
        and all(_texts(statement[key]) for key in _STATEMENT_LISTS if key in statement)
        and not {"Action", "NotAction"} <= statement.keys()
        and not {"Resource", "NotResource"} <= statement.keys()
        and not {"Principal", "NotPrincipal"} <= statement.keys()
        and condition_is_good(statement.get("Condition", {}))
    )
    if not good:
        raise MalformedPolicyDocument(_SYNTAX)


def _texts(value: Any) -> bool:
    return all(isinstance(item, str) for item in several(value))


def condition_is_good(condition: Any) -> bool:
    if not isinstance(condition, dict):
        return False
    for operator, keys in condition.items():
        if not isinstance(keys, dict) or (keys and not is_operator(operator)):
            return False
        for values in keys.values():
            if not all(isinstance(value, str | int | float | bool) for value in several(values)):
                return False
    return True


def is_operator(text: str) -> bool:
    name = text.lower()
    for prefix in ("forallvalues:", "foranyvalue:"):
        name = name.removeprefix(prefix)
    return name == "null" or name.removesuffix("ifexists") in _OPERATORS


def _either(statement: Mapping[str, Any], key: str) -> list[str]:
    return several(statement.get(key, statement.get("Not" + key, [])))


def _fails_legacy_parsing(statement: dict[str, Any]) -> bool:
    if statement["Effect"] not in ("Allow", "Deny"):
        return True
    if not all(_is_date(value) for value in _dates(statement.get("Condition", {}))):
        return True
    return any(_is_old_arn(resource) for resource in _either(statement, "Resource"))


def _dates(condition: Mapping[str, Any]) -> Iterator[str]:
    for operator, keys in condition.items():
        if "date" in operator.lower():
            for values in keys.values():
                yield from (str(value) for value in several(values))


def _is_date(text: str) -> bool:
    if re.fullmatch(r"[+-]?\d+", text):
        digits = text.lstrip("+-0") or "0"
        return len(digits) <= 19 and int(digits) < (1 << 63) + text.startswith("-")
    found = _DATE.fullmatch(text)
    return (
        found is not None
        and int(found["month"] or 1) in range(1, 13)
        and int(found["day"] or 1) in range(1, 32)
    )


def _is_old_arn(resource: str) -> bool:
    """An ARN whose service is empty, or that stops before the resource."""
    parts = resource.split(":")
    if parts[0] != "arn" or len(parts) < 3:
        return False
    return not parts[2] or (_PARTITION.fullmatch(parts[1]) is not None and len(parts) in (4, 5))


def _check_sids(found: list[dict[str, Any]]) -> None:
    sids = [sid for statement in found if (sid := statement.get("Sid"))]
    if len(set(sids)) < len(sids):
        raise MalformedPolicyDocument("Statement IDs (SID) in a single policy must be unique.")
    if not all(_SID.fullmatch(sid) for sid in sids):
        raise MalformedPolicyDocument(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
        )


def _check_present(found: list[dict[str, Any]], key: str, complaint: str) -> None:
    if not all(_either(statement, key) for statement in found):
        raise MalformedPolicyDocument(complaint)


def _check_action(action: str) -> None:
    if action == "*":
        return
    vendor, colon, rest = action.partition(":")
    if not colon:
        raise MalformedPolicyDocument(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        )
    if ":" in rest:
        raise MalformedPolicyDocument("Actions/Condition can contain only one colon.")
    if not _VENDOR.fullmatch(vendor):
        raise MalformedPolicyDocument(f"Vendor {vendor} is not valid")


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    head, *parts = resource.split(":", 5)
    if not parts:
        raise MalformedPolicyDocument(f'Resource {resource} must be in ARN format or "*".')
    if not _PARTITION.fullmatch(parts[0]):
        whole = ":".join(["arn", *parts, *["*"] * (5 - len(parts))])
        raise MalformedPolicyDocument(f'Partition "{parts[0]}" is not valid for resource "{whole}".')
    if head != "arn":
        raise MalformedPolicyDocument(f'Resource {resource} must be in ARN format or "*".')
    if len(parts) < 2 or "*" in parts[1] or "?" in parts[1]:
        raise MalformedPolicyDocument("Resource vendor must be fully qualified and cannot contain regexes.")
    if len(parts) == 5:
        _check_regionless(resource, parts[1], parts[2], parts[3], parts[4])


def _check_regionless(resource: str, vendor: str, region: str, account: str, path: str) -> None:
    if vendor == "s3" and region and not account:
        raise MalformedPolicyDocument(f"Resource {resource} can not contain region information.")
    if vendor != "iam":
        return
    if region:
        raise MalformedPolicyDocument(f"IAM resource {resource} cannot contain region information.")
    if path != "root" and not re.search(r"[*?$]", path) and not path.startswith(_IAM_RESOURCES):
        raise MalformedPolicyDocument(
            f'IAM resource path must either be "*" or start with {", ".join(_IAM_RESOURCES)}.'
        )


# --- trust policies


def check_trust_policy(document: str) -> None:
    """Raise MalformedPolicyDocument unless this may be the trust policy of a role."""
    parsed = _parse(document, "This policy contains invalid Json")
    if not parsed.keys() <= {"Version", "Id", "Statement"}:
        raise MalformedPolicyDocument("Syntax error in policy.")
    if parsed.get("Version", VERSIONS[0]) not in VERSIONS:
        raise MalformedPolicyDocument("The policy must contain a valid version string")
    if "Statement" not in parsed:
        raise MalformedPolicyDocument("Missing required field Statement")
    found = several(parsed["Statement"])
    if not found:
        raise MalformedPolicyDocument("Could not parse the policy: Statement is empty!")
    for statement in found:
        _check_trust_statement(statement)
    sids = [sid for statement in found if (sid := statement.get("Sid"))]
    if len(set(sids)) < len(sids):
        raise MalformedPolicyDocument("The Statement Ids in the policy are not unique")


def trusted(document: str) -> Iterator[tuple[str, str]]:
    """Each principal that a good trust policy names, as (kind, value): ("AWS", "arn:…"), ("Service", "ec2.amazonaws.com")."""
    for statement in statements(document):
        principal = statement.get("Principal", {})
        for kind, values in ({"AWS": "*"} if principal == "*" else principal).items():
            for value in several(values):
                yield kind, value


def _check_trust_statement(statement: Any) -> None:
    if not isinstance(statement, dict) or not statement.keys() <= _STATEMENT_KEYS:
        raise MalformedPolicyDocument("Syntax error in policy.")
    if "Effect" not in statement:
        raise MalformedPolicyDocument("Missing required field Effect")
    if "Resource" in statement:
        raise MalformedPolicyDocument("Has prohibited field Resource")
    if "NotResource" in statement:
        raise MalformedPolicyDocument("AssumeRole policy must not contain resources.")
    well_typed = (
        statement["Effect"] in ("Allow", "Deny")
        and isinstance(statement.get("Sid", ""), str)
        and not {"Action", "NotAction"} <= statement.keys()
        and all(_texts(statement[key]) for key in ("Action", "NotAction") if key in statement)
        and condition_is_good(statement.get("Condition", {}))
    )
    if not well_typed:
        raise MalformedPolicyDocument("Syntax error in policy.")
    _check_principal(statement)
    actions = _either(statement, "Action")
    if not actions:
        raise MalformedPolicyDocument("Missing required field Action")
    if not all(_is_trust_action(action.lower()) for action in actions):
        raise MalformedPolicyDocument("AssumeRole policy may only specify STS AssumeRole actions.")


def _is_trust_action(action: str) -> bool:
    return action in _TRUST_ACTIONS or (action.startswith("sts:assumerole") and action.endswith("*"))


def _check_principal(statement: dict[str, Any]) -> None:
    if "NotPrincipal" in statement:
        raise MalformedPolicyDocument(
            "Allow with NotPrincipal is not allowed."
            if statement["Effect"] == "Allow"
            else "AssumeRole policy must not contain NotPrincipal field."
        )
    if "Principal" not in statement:
        raise MalformedPolicyDocument("Missing required field Principal")
    principal = statement["Principal"]
    if principal == "*":
        return
    if not isinstance(principal, dict):
        raise MalformedPolicyDocument("Principal must be a JSON object.")
    if not principal or not all(several(values) for values in principal.values()):
        raise MalformedPolicyDocument("Missing required field Principal cannot be empty!")
    for kind, values in principal.items():
        for value in several(values):
            if not isinstance(value, str) or not is_principal(kind, value):
                raise invalid_principal(kind, value)


def invalid_principal(kind: str, value: Any) -> MalformedPolicyDocument:
    shown = kind.upper() if kind in ("Service", "Federated") else kind
    return MalformedPolicyDocument(f'Invalid principal in policy: "{shown}":"{value}"')


def is_principal(kind: str, value: str) -> bool:
    match kind:
        case "AWS":
            return value == "*" or any(
                pattern.fullmatch(value) for pattern in (_ACCOUNT, _AWS_PRINCIPAL, _PRINCIPAL_ID)
            )
        case "Service":
            return _SERVICE_PRINCIPAL.fullmatch(value) is not None
        case "Federated":
            return bool(value)
    return False
