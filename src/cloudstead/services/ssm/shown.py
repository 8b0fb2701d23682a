"""Parameters as answers show them."""

from typing import Any

from cloudstead.services.ssm.directory import Directory, Found
from cloudstead.services.ssm.rows import Parameter, Policy, Version


def parameter(directory: Directory, found: Found, *, decrypted: bool) -> dict[str, Any]:
    """With its value."""
    shown: dict[str, Any] = {
        "Name": found.parameter.name,
        "Type": found.version.type,
        "Value": directory.value(found, decrypted=decrypted),
        "Version": found.version.number,
        "LastModifiedDate": found.version.modified_at,
        "ARN": found.parameter.arn(),
        "DataType": found.version.data_type,
    }
    return {**shown, "Selector": found.selector} if found.selector else shown


def metadata(of: Parameter, latest: Version) -> dict[str, Any]:
    """What DescribeParameters tells: everything but the value."""
    return {"ARN": of.arn(), **_about(of, latest), "Tier": of.tier, "Policies": policies(of.policies)}


def past(directory: Directory, found: Found, *, decrypted: bool) -> dict[str, Any]:
    """A version as the history shows it."""
    version = found.version
    return {
        **_about(found.parameter, version),
        "Value": directory.value(found, decrypted=decrypted),
        "Labels": version.labels,
        "Tier": version.tier,
        "Policies": policies(version.policies),
    }


def policies(of: list[Policy]) -> list[dict[str, str]]:
    """The notifications go nowhere and expiry is in the future, so each of them is pending."""
    return [
        {"PolicyText": policy.text, "PolicyType": policy.type, "PolicyStatus": "Pending"} for policy in of
    ]


def _about(of: Parameter, version: Version) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Name": of.name,
        "Type": version.type,
        "LastModifiedDate": version.modified_at,
        "LastModifiedUser": version.modified_by,
        "Version": version.number,
        "DataType": version.data_type,
    }
    texts = {
        "KeyId": version.key_id,
        "Description": version.description,
        "AllowedPattern": version.allowed_pattern,
    }
    return shown | {member: text for member, text in texts.items() if text}
