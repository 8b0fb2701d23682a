"""Who may do what with a bucket and its objects: bucket policy, access control lists and Block Public Access.

What policies of IAM say is not asked yet, so whoever belongs to the bucket's account may do all that the bucket's own
policy does not deny. Everybody else needs a policy or an access control list that says so, and nobody's requests get
through where public access is blocked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from cloudstead.core.caller import Caller
from cloudstead.core.streams import HttpFacts
from cloudstead.services.iam import operations as iam
from cloudstead.services.s3 import public_access
from cloudstead.services.s3.actions import (
    BY_BUCKET_ACL,
    BY_OBJECT_ACL,
    NEVER_LOST_BY_ROOT,
    OBJECT_ACTIONS,
)
from cloudstead.services.s3.errors import AccessDenied, NoSuchKey
from cloudstead.services.s3.policy_public import is_public
from cloudstead.services.s3.rows import (
    ALL_USERS,
    ANONYMOUS_ID,
    AUTHENTICATED_USERS,
    Acl,
    Bucket,
    canonical_id,
)
from cloudstead.store import Store

_NOTHING: Mapping[str, Any] = {}
_PUBLIC_GROUPS = (ALL_USERS, AUTHENTICATED_USERS)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    caller: Caller
    bucket: Bucket
    action: str
    key: str
    request: Mapping[str, Any]
    acl: Acl | None
    tags: Mapping[str, str] | None


def check(
    store: Store,
    caller: Caller,
    bucket: Bucket,
    action: str,
    key: str = "",
    *,
    request: Mapping[str, Any] = _NOTHING,
    acl: Acl | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Raise AccessDenied unless the caller may. `acl` and `tags` are those of an object that exists."""
    if not may(store, caller, bucket, action, key, request=request, acl=acl, tags=tags):
        raise denied(caller, bucket, action, key)


def may(
    store: Store,
    caller: Caller,
    bucket: Bucket,
    action: str,
    key: str = "",
    *,
    request: Mapping[str, Any] = _NOTHING,
    acl: Acl | None = None,
    tags: Mapping[str, str] | None = None,
) -> bool:
    own = caller.account == bucket.account
    if own and bucket.policy is None and (acl is None or not bucket.acls_enabled):
        return True
    if not own and bucket.requester_pays and not _pays(caller, action, request):
        return False
    asked = _Asked(caller=caller, bucket=bucket, action=action, key=key, request=request, acl=acl, tags=tags)
    said = _said_by_policy(store, asked)
    if own and caller.principal == "root" and action in NEVER_LOST_BY_ROOT:
        return True
    if said == "Deny":
        return False
    if _belongs_to_another(asked):
        return _given_by_acl(store, asked) or (own and action not in BY_OBJECT_ACL)
    return own or said == "Allow" or _given_by_acl(store, asked)


def _pays(caller: Caller, action: str, request: Mapping[str, Any]) -> bool:
    """Whether a stranger has said that it pays, where what it asks for costs the bucket's owner something."""
    costs = action in BY_BUCKET_ACL or action.lower() in OBJECT_ACTIONS
    return not costs or (caller.account != "" and request.get("RequestPayer") == "requester")


def missing(
    store: Store, caller: Caller, bucket: Bucket, key: str, *, request: Mapping[str, Any] = _NOTHING
) -> NoSuchKey:
    """The error for an object that is not there. Raises AccessDenied for who may not list what begins with its key."""
    check(store, caller, bucket, "s3:ListBucket", request={**request, "Prefix": key})
    return NoSuchKey(fields={"Key": key})


def owner_id(caller: Caller) -> str:
    """The canonical user id of the caller, who owns what it makes where ACLs are enabled."""
    return canonical_id(caller.account) if caller.account else ANONYMOUS_ID


def denied(caller: Caller, bucket: Bucket, action: str, key: str = "") -> AccessDenied:
    """Within an account AWS says who may not do what; to others it says nothing."""
    if not caller.account or caller.account != bucket.account:
        return AccessDenied()
    return AccessDenied(
        f'User: {caller.arn} is not authorized to perform: {action} on resource: "{bucket.arn(key)}" '
        "with an explicit deny in a resource-based policy"
    )


# --- the policy


def _said_by_policy(store: Store, asked: _Asked) -> str | None:
    caller, bucket = asked.caller, asked.bucket
    if bucket.policy is None:
        return None
    said = iam.decision(
        bucket.policy,
        asked.action,
        _asking(store, caller),
        context_of(caller, bucket, asked.request, asked.tags),
        resource=bucket.arn(asked.key),
    )
    strange = said == "Allow" and caller.account != bucket.account
    if strange and public_access.of(store, bucket).restrict_buckets and is_public(bucket.policy):
        return None
    return said


def _asking(store: Store, caller: Caller) -> iam.Asking:
    if not caller.account:
        return iam.Asking()
    asking = iam.asking_of(store, caller)
    return replace(asking, names=[*asking.names, canonical_id(caller.account)])


#: Condition keys by the member of requests that has the value.
_OF_MEMBERS: Mapping[str, str] = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:versionid",
    "ACL": "s3:x-amz-acl",
    "GrantRead": "s3:x-amz-grant-read",
    "GrantWrite": "s3:x-amz-grant-write",
    "GrantReadACP": "s3:x-amz-grant-read-acp",
    "GrantWriteACP": "s3:x-amz-grant-write-acp",
    "GrantFullControl": "s3:x-amz-grant-full-control",
    "CopySource": "s3:x-amz-copy-source",
    "MetadataDirective": "s3:x-amz-metadata-directive",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "SSECustomerAlgorithm": "s3:x-amz-server-side-encryption-customer-algorithm",
    "StorageClass": "s3:x-amz-storage-class",
    "WebsiteRedirectLocation": "s3:x-amz-website-redirect-location",
    "ObjectOwnership": "s3:x-amz-object-ownership",
    "ObjectLockMode": "s3:object-lock-mode",
    "ObjectLockLegalHoldStatus": "s3:object-lock-legal-hold",
    "IfMatch": "s3:if-match",
    "IfNoneMatch": "s3:if-none-match",
}
_OF_HEADERS: Mapping[str, str] = {
    "referer": "aws:referer",
    "user-agent": "aws:useragent",
    "x-amz-content-sha256": "s3:x-amz-content-sha256",
}


def context_of(
    caller: Caller, bucket: Bucket, request: Mapping[str, Any], tags: Mapping[str, str] | None
) -> dict[str, Sequence[str]]:
    """What conditions may ask about a request, but for its principal."""
    found: dict[str, Sequence[str]] = {
        "aws:requestedregion": [bucket.region],
        "aws:sourceip": [caller.source_ip],
        "aws:securetransport": [str(caller.endpoint.startswith("https:")).lower()],
        "aws:resourceaccount": [bucket.account],
        "s3:resourceaccount": [bucket.account],
        "s3:signatureversion": [_signature_version(request)] if caller.access_key_id else [],
        "aws:userid": [caller.user_id] if caller.account else [],
        "aws:username": [caller.arn.rpartition("/")[2]] if caller.principal == "user" else [],
        "aws:principaltype": [_principal_type(caller)],
    }
    for member, key in _OF_MEMBERS.items():
        value = request.get(member)
        if isinstance(value, str | int):
            found[key] = [str(value)]
    found |= _of_http(request.get("_Http"))
    if bucket.abac:
        for name in ("aws:resourcetag", "s3:buckettag"):
            found |= {f"{name}/{key.lower()}": [value] for key, value in bucket.tags.items()}
    found |= _tag_keys("s3:existingobjecttag", tags or {})
    found |= _tag_keys("s3:requestobjecttag", _requested_tags(request))
    return {key: values for key, values in found.items() if values}


def _principal_type(caller: Caller) -> str:
    return {"root": "Account", "user": "User", "role": "AssumedRole"}.get(caller.principal, "Anonymous")


def _signature_version(request: Mapping[str, Any]) -> str:
    http = request.get("_Http")
    return "AWS" if isinstance(http, HttpFacts) and http.signature_version == 2 else "AWS4-HMAC-SHA256"


def _of_http(http: object) -> dict[str, Sequence[str]]:
    if not isinstance(http, HttpFacts):
        return {}
    found: dict[str, Sequence[str]] = {
        "aws:securetransport": [str(http.secure).lower()],
        "s3:authtype": ["REST-QUERY-STRING" if http.presigned else "REST-HEADER"],
    }
    if http.at is not None:
        found["aws:currenttime"] = [http.at.isoformat()]
        found["aws:epochtime"] = [str(int(http.at.timestamp()))]
    found.update({key: [http.headers[name]] for name, key in _OF_HEADERS.items() if name in http.headers})
    return found


def _requested_tags(request: Mapping[str, Any]) -> Mapping[str, str]:
    """Those a write carries: in a header as a query string, else in a body."""
    given = request.get("Tagging")
    if isinstance(given, str):
        return dict(parse_qsl(given, keep_blank_values=True))
    return {tag["Key"]: tag["Value"] for tag in (given or {}).get("TagSet", ())}


def _tag_keys(name: str, tags: Mapping[str, str]) -> dict[str, Sequence[str]]:
    keys = {f"{name}/{key.lower()}": [value] for key, value in tags.items()}
    return {**keys, f"{name}keys": list(tags)} if tags else {}


# --- access control lists


def own_acl(store: Store, caller: Caller, bucket: Bucket) -> Acl | None:
    """Of the object that the caller is about to write, if it is the bucket's own list that lets it: then it owns that."""
    lets = bucket.acls_enabled and _gives(bucket.acl, "WRITE", _grantees(store, caller, bucket))
    return Acl(owner_id(caller)) if lets else None


def _belongs_to_another(asked: _Asked) -> bool:
    """Whether an object is not the bucket owner's. Only where ACLs are enabled can it be."""
    bucket = asked.bucket
    return bucket.acls_enabled and asked.acl is not None and asked.acl.owner != bucket.acl.owner


def _given_by_acl(store: Store, asked: _Asked) -> bool:
    if not asked.bucket.acls_enabled:
        return False
    acl, permission = asked.bucket.acl, BY_BUCKET_ACL.get(asked.action)
    if permission is None and asked.acl is not None:
        acl, permission = asked.acl, BY_OBJECT_ACL.get(asked.action)
    return permission is not None and _gives(acl, permission, _grantees(store, asked.caller, asked.bucket))


def _grantees(store: Store, caller: Caller, bucket: Bucket) -> frozenset[str]:
    """As whom an ACL may name the caller. Where public ACLs are ignored, as itself alone."""
    names = [owner_id(caller)]
    if not public_access.of(store, bucket).ignore_acls:
        names += _PUBLIC_GROUPS if caller.account else (ALL_USERS,)
    return frozenset(names)


def _gives(acl: Acl, permission: str, grantees: Iterable[str]) -> bool:
    if acl.owner in grantees and permission in ("READ_ACP", "WRITE_ACP"):
        return True  # an owner can always read and write the list, whatever it says
    return any(
        grant.grantee in grantees and grant.permission in ("FULL_CONTROL", permission) for grant in acl.grants
    )
