"""Server access logs: where a bucket's go, and what a line of them says.

Whoever delivers asks `place_of` first: a target that does not let S3's log delivery write gets nothing, and nobody is
told, as at AWS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import quote

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.services.iam import operations as iam
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import (
    CrossLocationLoggingProhibited,
    InvalidTargetBucketForLogging,
    MalformedXML,
)
from cloudstead.services.s3.rows import LOG_DELIVERY, Bucket, Grant, canonical_id
from cloudstead.store import Store

_SERVICE = "logging.s3.amazonaws.com"
_HEX = "0123456789ABCDEF"


class AccessLogs:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_logging(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request["BucketLoggingStatus"].get("LoggingEnabled")
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketLogging")
            if wanted is not None:
                self._check(bucket, wanted)
            self._store.update(bucket, logging=wanted)
        return {}

    def get_bucket_logging(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketLogging")
        return {"LoggingEnabled": bucket.logging} if bucket.logging is not None else {}

    def _check(self, bucket: Bucket, wanted: Mapping[str, Any]) -> None:
        target = self._store.get(Bucket, wanted["TargetBucket"])
        if target is None:
            raise InvalidTargetBucketForLogging(fields={"TargetBucket": wanted["TargetBucket"]})
        said = {"TargetBucket": target.name}
        if target.account != bucket.account:
            raise InvalidTargetBucketForLogging(
                "The owner for the bucket to be logged and the target bucket must be the same.", fields=said
            )
        if target.region != bucket.region:
            raise CrossLocationLoggingProhibited(
                fields={"SourceBucketLocation": bucket.region, "TargetBucketLocation": target.region}
            )
        if wanted.get("TargetGrants") and not target.acls_enabled:
            raise InvalidTargetBucketForLogging(
                "You can't use target grants when the target bucket's ownership is BucketOwnerEnforced.",
                fields=said,
            )
        shape = wanted.get("TargetObjectKeyFormat")
        if shape is not None and len(shape) != 1:
            raise MalformedXML


# --- where they go


def place_of(store: Store, bucket: Bucket) -> Bucket | None:
    """The bucket that the logs go to; None if there is none that takes them."""
    if bucket.logging is None:
        return None
    target = store.get(Bucket, bucket.logging["TargetBucket"])
    if target is None or target.account != bucket.account or target.region != bucket.region:
        return None
    return target if _takes(target, bucket) else None


def _takes(target: Bucket, source: Bucket) -> bool:
    """By its policy, or by the ACL that was the way before."""
    by_acl = target.acls_enabled and Grant(LOG_DELIVERY, "WRITE") in target.acl.grants
    if target.policy is None:
        return by_acl
    said = iam.decision(
        target.policy,
        "s3:PutObject",
        iam.Asking(service=_SERVICE),
        {"aws:sourcearn": [source.arn()], "aws:sourceaccount": [source.account]},
        resource=target.arn(_prefix(source) + "log"),
    )
    return said == "Allow" or (by_acl and said != "Deny")


def _prefix(bucket: Bucket) -> str:
    prefix: str = (bucket.logging or {}).get("TargetPrefix", "")
    return prefix


def key_of(bucket: Bucket, first_at: datetime, delivered_at: datetime, chance: Random) -> str:
    """The key of one more log object."""
    shape = ((bucket.logging or {}).get("TargetObjectKeyFormat") or {}).get("PartitionedPrefix")
    partitions, at = "", delivered_at
    if shape is not None:
        at = first_at if shape.get("PartitionDateSource") == "EventTime" else delivered_at
        day = at.astimezone(UTC).strftime("%Y/%m/%d")
        partitions = f"{bucket.account}/{bucket.region}/{bucket.name}/{day}/"
        if shape.get("PartitionDateSource") == "EventTime":
            at = at.replace(hour=0, minute=0, second=0)
    stamp = at.astimezone(UTC).strftime("%Y-%m-%d-%H-%M-%S")
    return f"{_prefix(bucket)}{partitions}{stamp}-{ids.token(chance, _HEX, 16)}"


# --- what they say

#: What a request was about, by its operation, in the words of the log. All others are on the object or the bucket.
_RESOURCES: Mapping[str, str] = {
    "AbortMultipartUpload": "UPLOAD",
    "CompleteMultipartUpload": "UPLOAD",
    "CreateMultipartUpload": "UPLOADS",
    "DeleteBucketCors": "CORS",
    "DeleteBucketEncryption": "ENCRYPTION",
    "DeleteBucketLifecycle": "LIFECYCLE",
    "DeleteBucketPolicy": "BUCKETPOLICY",
    "DeleteBucketReplication": "REPLICATION",
    "DeleteBucketTagging": "TAGGING",
    "DeleteBucketWebsite": "WEBSITE",
    "DeleteObjectTagging": "OBJECT_TAGGING",
    "DeleteObjects": "MULTI_OBJECT_DELETE",
    "DeletePublicAccessBlock": "PUBLIC_ACCESS_BLOCK",
    "GetBucketAcl": "ACL",
    "GetBucketCors": "CORS",
    "GetBucketEncryption": "ENCRYPTION",
    "GetBucketLifecycleConfiguration": "LIFECYCLE",
    "GetBucketLocation": "LOCATION",
    "GetBucketLogging": "LOGGING_STATUS",
    "GetBucketNotificationConfiguration": "NOTIFICATION",
    "GetBucketPolicy": "BUCKETPOLICY",
    "GetBucketPolicyStatus": "BUCKETPOLICY_STATUS",
    "GetBucketReplication": "REPLICATION",
    "GetBucketRequestPayment": "REQUEST_PAYMENT",
    "GetBucketTagging": "TAGGING",
    "GetBucketVersioning": "VERSIONING",
    "GetBucketWebsite": "WEBSITE",
    "GetObjectAcl": "ACL",
    "GetObjectTagging": "OBJECT_TAGGING",
    "GetPublicAccessBlock": "PUBLIC_ACCESS_BLOCK",
    "ListMultipartUploads": "UPLOADS",
    "ListObjectVersions": "BUCKETVERSIONS",
    "ListParts": "UPLOAD",
    "PutBucketAcl": "ACL",
    "PutBucketCors": "CORS",
    "PutBucketEncryption": "ENCRYPTION",
    "PutBucketLifecycleConfiguration": "LIFECYCLE",
    "PutBucketLogging": "LOGGING_STATUS",
    "PutBucketNotificationConfiguration": "NOTIFICATION",
    "PutBucketPolicy": "BUCKETPOLICY",
    "PutBucketReplication": "REPLICATION",
    "PutBucketRequestPayment": "REQUEST_PAYMENT",
    "PutBucketTagging": "TAGGING",
    "PutBucketVersioning": "VERSIONING",
    "PutBucketWebsite": "WEBSITE",
    "PutObjectAcl": "ACL",
    "PutObjectTagging": "OBJECT_TAGGING",
    "PutPublicAccessBlock": "PUBLIC_ACCESS_BLOCK",
    "UploadPart": "PART",
    "UploadPartCopy": "PART",
}
_COPIES = ("CopyObject", "UploadPartCopy")


def operation_of(operation: str, method: str, key: str) -> str:
    """A request's operation in the words of the log: `REST.GET.OBJECT`."""
    verb = "COPY" if operation in _COPIES else method
    return f"REST.{verb}.{_RESOURCES.get(operation) or ('OBJECT' if key else 'BUCKET')}"


def object_size(
    operation: str, status: int, headers: Mapping[str, str], answer: Mapping[str, str]
) -> int | None:
    """How large the object is that was read or written, by headers in small letters; None where none of them says."""
    if status not in (200, 206):
        return None
    if operation in ("GetObject", "HeadObject"):
        told = answer.get("content-range", "").rpartition("/")[2] or answer.get("content-length", "")
    elif operation in ("PutObject", "UploadPart"):
        told = headers.get("x-amz-decoded-content-length") or headers.get("content-length", "")
    else:
        return None
    return int(told) if told.isdecimal() else None


@dataclass(frozen=True, kw_only=True)
class Served:
    """A request and how it was answered. What is empty or None was not there, and shows as a dash."""

    at: datetime
    operation: str  # REST.GET.OBJECT
    status: int
    request_line: str  # GET /key HTTP/1.1
    key: str = ""
    error_code: str = ""
    bytes_sent: int | None = None
    object_size: int | None = None
    total_ms: int | None = None
    turn_around_ms: int | None = None
    referer: str = ""
    user_agent: str = ""
    version_id: str = ""
    host_id: str = ""  # x-amz-id-2
    host: str = ""
    signature: str = ""  # SigV4, SigV2
    auth: str = ""  # AuthHeader, QueryString
    tls: str = ""  # TLSv1.3
    cipher: str = ""
    acl_required: bool = False


def line(bucket: Bucket, caller: Caller, served: Served) -> str:
    """One line, ended."""
    requester = caller.arn if caller.principal != "root" else canonical_id(caller.account)
    fields = [
        canonical_id(bucket.account),
        bucket.name,
        served.at.astimezone(UTC).strftime("[%d/%b/%Y:%H:%M:%S +0000]"),
        caller.source_ip,
        requester if caller.account else "",
        caller.request_id,
        served.operation,
        quote(quote(served.key)) if served.key else "",
        _quoted(served.request_line),
        str(served.status),
        served.error_code,
        _number(served.bytes_sent or None),
        _number(served.object_size),
        _number(served.total_ms),
        _number(served.turn_around_ms),
        _quoted(served.referer),
        _quoted(served.user_agent),
        served.version_id,
        served.host_id,
        served.signature,
        served.cipher,
        served.auth,
        served.host,
        served.tls,
        "",  # an access point's ARN
        "Yes" if served.acl_required else "",
    ]
    return " ".join(field or "-" for field in fields) + "\n"


def _quoted(text: str) -> str:
    """In quotes; whoever sent it must not end the line, or begin another."""
    return '"' + "".join(c if c.isprintable() and c != '"' else quote(c) for c in text or "-") + '"'


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
