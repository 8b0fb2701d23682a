"""Rows as answers show them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cloudstead.services.iam.model import AccessKey, Group, InstanceProfile, Policy, PolicyVersion, Role, User


def document(text: str) -> str:
    """Policies come back percent-encoded after RFC 3986."""
    return quote(text, safe="-._~")


def tags(of: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in of.items()]


def user(row: User, *, whole: bool = False) -> dict[str, Any]:
    """`whole`: with its boundary and tags, which lists leave out."""
    shown: dict[str, Any] = {
        "Path": row.path,
        "UserName": row.name,
        "UserId": row.id,
        "Arn": row.arn(),
        "CreateDate": row.created_at,
    }
    return shown | (_boundary_and_tags(row) if whole else {})


def group(row: Group) -> dict[str, Any]:
    return {
        "Path": row.path,
        "GroupName": row.name,
        "GroupId": row.id,
        "Arn": row.arn(),
        "CreateDate": row.created_at,
    }


def role(row: Role, *, whole: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Path": row.path,
        "RoleName": row.name,
        "RoleId": row.id,
        "Arn": row.arn(),
        "CreateDate": row.created_at,
        "AssumeRolePolicyDocument": document(row.trust_policy),
        "MaxSessionDuration": row.max_session_s,
    }
    if row.description is not None:
        shown["Description"] = row.description
    return shown | (_boundary_and_tags(row) if whole else {})


def instance_profile(row: InstanceProfile, held: Role | None, *, whole: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Path": row.path,
        "InstanceProfileName": row.name,
        "InstanceProfileId": row.id,
        "Arn": row.arn(),
        "CreateDate": row.created_at,
        "Roles": [role(held)] if held is not None else [],
    }
    if whole and row.tags:
        shown["Tags"] = tags(row.tags)
    return shown


def policy(row: Policy, attachments: int, boundaries: int, *, whole: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "PolicyName": row.name,
        "PolicyId": row.id,
        "Arn": row.arn(),
        "Path": row.path,
        "DefaultVersionId": f"v{row.default}",
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": row.created_at,
        "UpdateDate": row.updated_at,
    }
    if whole:
        shown["Tags"] = tags(row.tags)
        if row.description is not None:
            shown["Description"] = row.description
    return shown


def policy_version(of: Policy, version: PolicyVersion, *, whole: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "VersionId": f"v{version.number}",
        "IsDefaultVersion": version.number == of.default,
        "CreateDate": version.created_at,
    }
    if whole:
        shown["Document"] = document(version.document)
    return shown


def access_key(row: AccessKey, owner: User | None) -> dict[str, Any]:
    """Without the secret, which is told once. The root user's keys have no user name."""
    shown: dict[str, Any] = {
        "AccessKeyId": row.id,
        "Status": "Active" if row.active else "Inactive",
        "CreateDate": row.created_at,
    }
    return {"UserName": owner.name, **shown} if owner is not None else shown


def boundary(arn: str) -> dict[str, str]:
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}


def _boundary_and_tags(row: User | Role) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if row.boundary:
        shown["PermissionsBoundary"] = boundary(row.boundary)
    if row.tags:
        shown["Tags"] = tags(row.tags)
    return shown
