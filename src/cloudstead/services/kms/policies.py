"""Key policies: what a new key has, what may stand in one, and what they look like where AWS manages the key."""

from typing import Any

import msgspec

from cloudstead.services.iam import operations as iam
from cloudstead.services.kms.errors import MalformedPolicyDocumentException
from cloudstead.services.kms.rows import Key

#: The only name that a key policy can have.
NAME = "default"

_VERSIONS = ("2012-10-17", "2008-10-17")
_KEYS = frozenset(
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
_ONE_OF = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
_USES = [
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:CreateGrant",
    "kms:DescribeKey",
]
_LOOKS = ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"]
_NAMES = {"s3": "S3", "ssm": "SSM", "ebs": "EBS", "rds": "RDS"}


def default(account: str) -> str:
    """What a key has whose maker did not say: the account decides."""
    return _written(
        "key-default-1",
        [
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    )


def of(key: Key) -> str:
    """What a key's policy reads like. Where AWS manages the key nobody wrote one, and nobody can."""
    return _of_aws_managed(key.account, key.region, key.aws_service) if key.aws_service else key.policy


def _of_aws_managed(account: str, region: str, service: str) -> str:
    via = {
        "StringEquals": {
            "kms:CallerAccount": account,
            "kms:ViaService": f"{service}.{region}.amazonaws.com",
        }
    }
    what = _NAMES.get(service, service)
    return _written(
        f"auto-{service}-2",
        [
            {
                "Sid": f"Allow access through {what} for all principals in the account that are authorized to use {what}",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": _USES,
                "Resource": "*",
                "Condition": via,
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": _LOOKS,
                "Resource": "*",
            },
        ],
    )


def described(service: str) -> str:
    """The description of a key that AWS manages."""
    what = {"s3": "S3 objects", "ebs": "EBS volumes", "ssm": "SSM parameters"}.get(service, service)
    return f"Default key that protects my {what} when no other key is defined"


def check(document: str) -> None:
    """Raise MalformedPolicyDocumentException unless this may be a key policy. Who exists is not looked up."""
    try:
        parsed = msgspec.json.decode(document)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise _wrong("Policy contains invalid JSON") from None
    if not isinstance(parsed, dict) or parsed.keys() - {"Version", "Id", "Statement"}:
        raise _wrong("Policy has unknown fields or is no object")
    if parsed.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise _wrong("Policy has an invalid version")
    found = iam.several(parsed.get("Statement", []))
    if not found:
        raise _wrong("Policy contains no statement")
    for statement in found:
        _check_statement(statement)


def _check_statement(statement: Any) -> None:
    if not isinstance(statement, dict) or statement.keys() - _KEYS:
        raise _wrong("Policy contains a statement with unknown fields")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _wrong("Policy contains a statement with no or an invalid effect")
    for one, other in _ONE_OF:
        if (one in statement) == (other in statement):
            raise _wrong(f"Policy contains a statement with no {one.lower()}")
    _check_principals(statement.get("Principal", statement.get("NotPrincipal")))
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        texts = iam.several(statement.get(name, "*"))
        if not texts or not all(isinstance(text, str) for text in texts):
            raise _wrong(f"Policy contains a statement with an invalid {name.lower()}")
    for name in ("Action", "NotAction"):
        if not all(
            text == "*" or text.lower().startswith("kms:") for text in iam.several(statement.get(name, "*"))
        ):
            raise _wrong("Policy contains a statement with an action that is not of KMS")
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict) or not all(iam.is_operator(each) for each in condition):
        raise _wrong("Policy contains a statement with an invalid condition")
    if not iam.condition_is_good(condition):
        raise _wrong("Policy contains a statement with an invalid condition")


def _check_principals(principal: Any) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise _wrong("Policy contains a statement with one or more invalid principals.")
    for kind, values in principal.items():
        for value in iam.several(values) or [values]:
            if not isinstance(value, str) or not iam.is_principal(kind, value):
                raise _wrong("Policy contains a statement with one or more invalid principals.")


def _wrong(why: str) -> MalformedPolicyDocumentException:
    return MalformedPolicyDocumentException(why)


def _written(id: str, statements: list[dict[str, Any]]) -> str:
    document = {"Version": _VERSIONS[0], "Id": id, "Statement": statements}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
