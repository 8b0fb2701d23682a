"""Access control lists out of requests: a canned name, grant headers, or a list spelled out. Only one of the three.

Where a bucket's ACLs are disabled, as on every new one, a request may still carry one that changes nothing: the
owner's full control.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudstead.services.s3.errors import (
    AccessControlListNotSupported,
    AccessDenied,
    InvalidRequest,
    MalformedACLError,
    MethodNotAllowed,
    MissingSecurityHeader,
    UnexpectedContent,
    bad_argument,
)
from cloudstead.services.s3.rows import (
    ALL_USERS,
    AUTHENTICATED_USERS,
    GROUPS,
    LOG_DELIVERY,
    Acl,
    Bucket,
    Grant,
    Permission,
    PublicAccessBlock,
    account_of,
    canonical_id,
)

GRANTS_MAX = 100

_BUCKET_CANNED = ("private", "public-read", "public-read-write", "authenticated-read", "log-delivery-write")
_OBJECT_CANNED = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
)
_GIVEN: Mapping[str, Sequence[Grant]] = {
    "public-read": [Grant(ALL_USERS, "READ")],
    "public-read-write": [Grant(ALL_USERS, "READ"), Grant(ALL_USERS, "WRITE")],
    "authenticated-read": [Grant(AUTHENTICATED_USERS, "READ")],
    "log-delivery-write": [Grant(LOG_DELIVERY, "WRITE"), Grant(LOG_DELIVERY, "READ_ACP")],
}
#: The account of EC2's image bundles, whom `aws-exec-read` lets read.
_EC2_BUNDLER = canonical_id("137112412989")
_HEADERS: Mapping[str, Permission] = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_GRANTEE = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*"?([^",]*)"?\s*', re.IGNORECASE)


def private(owner: str) -> Acl:
    return Acl(owner, [Grant(owner, "FULL_CONTROL")])


def of_bucket(request: Mapping[str, Any], owner: str) -> Acl | None:
    """The ACL that CreateBucket asks for; None if it asks for none."""
    return _wanted(request, owner, _BUCKET_CANNED, owner)


def of_object(request: Mapping[str, Any], owner: str, bucket: Bucket, block: PublicAccessBlock) -> Acl:
    """The ACL of an object that a caller with this canonical id writes, private where it asks for none.

    Raises what AWS says where ACLs are disabled or public ones blocked. With `BucketOwnerPreferred`,
    `bucket-owner-full-control` makes the bucket's owner the object's.
    """
    wanted = _wanted(request, owner, _OBJECT_CANNED, bucket.acl.owner)
    if not bucket.acls_enabled:
        if request.get("ACL") != "private" or owner != bucket.acl.owner:
            check_changes_nothing(bucket, wanted, request)
        return private(bucket.acl.owner)
    check_not_blocked(block, wanted)
    given_away = request.get("ACL") == "bucket-owner-full-control"
    if given_away and bucket.ownership == "BucketOwnerPreferred":
        return private(bucket.acl.owner)
    return wanted or private(owner)


def changed(
    request: Mapping[str, Any], current: Acl, bucket: Bucket, block: PublicAccessBlock, *, of_object: bool
) -> Acl:
    """The ACL that PutBucketAcl or PutObjectAcl leaves. Owners stay."""
    names = _OBJECT_CANNED if of_object else _BUCKET_CANNED
    wanted = _wanted(request, current.owner, names, bucket.acl.owner)
    if wanted is None:
        raise MissingSecurityHeader
    if not bucket.acls_enabled:
        check_changes_nothing(bucket, wanted, request)
        return current
    check_not_blocked(block, wanted)
    return wanted


def is_public(acl: Acl) -> bool:
    return any(grant.grantee in (ALL_USERS, AUTHENTICATED_USERS) for grant in acl.grants)


def check_not_blocked(block: PublicAccessBlock, acl: Acl | None) -> None:
    if block.block_acls and acl is not None and is_public(acl):
        raise AccessDenied


def check_changes_nothing(bucket: Bucket, acl: Acl | None, request: Mapping[str, Any]) -> None:
    """Where ACLs are disabled: raise unless the request gives the bucket's owner full control and no more."""
    if acl is None or request.get("ACL") == "bucket-owner-full-control":
        return
    if request.get("ACL") or set(acl.grants) != {Grant(bucket.acl.owner, "FULL_CONTROL")}:
        raise AccessControlListNotSupported


def _wanted(request: Mapping[str, Any], owner: str, canned: Sequence[str], bucket_owner: str) -> Acl | None:
    headers = [name for name in _HEADERS if request.get(name)]
    name, spelled = request.get("ACL"), request.get("AccessControlPolicy")
    if name and headers:
        raise InvalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
    if spelled is not None and (name or headers):
        raise UnexpectedContent
    if name:
        return _canned(name, owner, canned, bucket_owner)
    if headers:
        return Acl(owner, [grant for header in headers for grant in _of_header(header, request[header])])
    return _spelled(spelled, owner) if spelled is not None else None


def _canned(name: str, owner: str, canned: Sequence[str], bucket_owner: str) -> Acl:
    if name not in canned:
        raise bad_argument("Argument format not recognized", "x-amz-acl", name)
    grants = [Grant(owner, "FULL_CONTROL"), *_GIVEN.get(name, ())]
    if name == "aws-exec-read":
        grants.append(Grant(_EC2_BUNDLER, "READ"))
    if name.startswith("bucket-owner") and bucket_owner != owner:
        permission: Permission = "READ" if name == "bucket-owner-read" else "FULL_CONTROL"
        grants.append(Grant(bucket_owner, permission))
    return Acl(owner, grants)


def _of_header(member: str, text: str) -> list[Grant]:
    """`id="…", uri="…"`, each with the permission that the header is for."""
    grants = []
    for part in text.split(","):
        found = _GRANTEE.fullmatch(part)
        if found is None:
            raise bad_argument("Argument format not recognized", _header_name(member), text)
        grants.append(Grant(_grantee(found[1].lower(), found[2], _header_name(member)), _HEADERS[member]))
    return grants


def _header_name(member: str) -> str:
    return "x-amz-grant-" + _HEADERS[member].lower().replace("_", "-")


def _grantee(kind: str, value: str, argument: str) -> str:
    if kind == "emailaddress":
        raise MethodNotAllowed("Email grantees are no longer supported.")
    if kind == "uri" and value not in GROUPS:
        raise bad_argument("Invalid group uri", argument, value)
    if kind == "id" and account_of(value) is None:
        raise bad_argument("Invalid id", argument, value)
    return value


def _spelled(policy: Mapping[str, Any], owner: str) -> Acl:
    given_owner = (policy.get("Owner") or {}).get("ID")
    if not given_owner or "Grants" not in policy:
        raise MalformedACLError
    if given_owner != owner:
        raise (
            AccessDenied() if account_of(given_owner) else bad_argument("Invalid id", "Owner/ID", given_owner)
        )
    if len(policy["Grants"]) > GRANTS_MAX:
        raise InvalidRequest(f"The XML you provided has more than {GRANTS_MAX} grants")
    return Acl(owner, [_spelled_grant(grant) for grant in policy["Grants"]])


def _spelled_grant(grant: Mapping[str, Any]) -> Grant:
    grantee, permission = grant.get("Grantee"), grant.get("Permission")
    if not grantee or not permission:
        raise MalformedACLError
    for kind, member in (("id", "ID"), ("uri", "URI"), ("emailaddress", "EmailAddress")):
        if member in grantee:
            return Grant(_grantee(kind, grantee[member], f"CanonicalUser/{member}"), permission)
    raise MalformedACLError
