"""What S3 keeps in the store: buckets with all their settings. Objects live in the object engine.

Names are unique over all accounts and regions, so a bucket's name is its row's id. Objects belong to `bucket_id`:
a bucket made anew under an old name never sees what lay in the old one. Settings that no rule of ours looks into
stand as the request's shape had them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from cloudstead.core.arn import arn
from cloudstead.store import Row

Ownership = Literal["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]
Permission = Literal["FULL_CONTROL", "WRITE", "WRITE_ACP", "READ", "READ_ACP"]
Settings = dict[str, Any]

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GROUPS = (ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY)

#: Whom AWS calls the owner of what nobody signed for.
ANONYMOUS_ID = "65a011a29cdf8ec533ec3d1ccaae921c"


class Grant(msgspec.Struct, frozen=True):
    """A line of an access control list. The grantee is a canonical user id or the URI of a group."""

    grantee: str
    permission: Permission


class Acl(msgspec.Struct, frozen=True):
    """Who owns something, by canonical user id, and who besides may do what."""

    owner: str
    grants: Sequence[Grant] = ()


class PublicAccessBlock(msgspec.Struct, frozen=True):
    block_acls: bool = False
    ignore_acls: bool = False
    block_policy: bool = False
    restrict_buckets: bool = False


EVERYTHING_BLOCKED = PublicAccessBlock(
    block_acls=True, ignore_acls=True, block_policy=True, restrict_buckets=True
)


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """What a new bucket begins with. AWS's, unless somebody asks for those before April 2023."""

    ownership: Ownership = "BucketOwnerEnforced"
    public_access: PublicAccessBlock | None = EVERYTHING_BLOCKED


TODAYS_DEFAULTS = Defaults()
BEFORE_APRIL_2023 = Defaults(ownership="ObjectWriter", public_access=None)


class Bucket(Row, frozen=True, kw_only=True):
    bucket_id: str
    account: str
    region: str
    created_at: datetime
    acl: Acl
    versioning: Literal["", "Enabled", "Suspended"] = ""  # empty: never switched on
    object_lock: bool = False  # once on, on for ever
    default_retention: Settings | None = None  # DefaultRetention of the lock's rule
    ownership: Ownership | None = "BucketOwnerEnforced"  # None: the controls were deleted
    public_access: PublicAccessBlock | None = EVERYTHING_BLOCKED
    policy: str | None = None
    tags: dict[str, str] = {}
    encryption: Settings | None = None  # None: SSE-S3, as every bucket
    cors: list[Settings] = []
    lifecycle: Settings | None = None  # Rules, TransitionDefaultMinimumObjectSize
    website: Settings | None = None
    logging: Settings | None = None  # LoggingEnabled
    notification: Settings | None = None
    replication: Settings | None = None
    requester_pays: bool = False
    acceleration: str = ""
    abac: bool = False  # its tags are condition keys

    @property
    def name(self) -> str:
        return self.id

    @property
    def acls_enabled(self) -> bool:
        return self.ownership != "BucketOwnerEnforced"

    def arn(self, key: str = "") -> str:
        return arn("s3", f"{self.id}/{key}" if key else self.id)


class BucketEnd(Row, frozen=True, kw_only=True):
    """A bucket that was forgotten, by its `bucket_id`: its objects are still to be dropped."""


class AccountBlock(Row, frozen=True, kw_only=True):
    """What is blocked for all buckets of an account, whose number is the row's id."""

    public_access: PublicAccessBlock


class Configuration(Row, frozen=True, kw_only=True):
    """One of the settings that a bucket has many of; `body` is the shape's."""

    bucket_id: str
    kind: str  # inventory, metrics, analytics, intelligent-tiering
    name: str
    body: Settings


class Event(Row, frozen=True, kw_only=True):
    """What happened to an object, in S3's event JSON, for those a bucket's notifications name."""

    bucket_id: str
    at: datetime
    destination: str  # an ARN, or "eventbridge"
    message: str


def configuration_id(bucket_id: str, kind: str, name: str) -> str:
    return f"{bucket_id}/{kind}/{name}"


def canonical_id(account: str) -> str:
    """The canonical user id of an account. It can be read back, so that nobody grants to who never was."""
    return f"{hashlib.sha256(account.encode()).hexdigest()[:54]}{int(account):010x}"


def account_of(canonical: str) -> str | None:
    """The account behind a canonical user id; None if it is none."""
    try:
        account = f"{int(canonical[54:], 16):012d}"
    except ValueError:
        return None
    return account if len(account) == 12 and canonical_id(account) == canonical else None


def shown_acl(acl: Acl) -> dict[str, Any]:
    """The members of GetBucketAcl's and GetObjectAcl's answers."""
    return {"Owner": {"ID": acl.owner}, "Grants": [_shown_grant(grant) for grant in acl.grants]}


def _shown_grant(grant: Grant) -> Mapping[str, Any]:
    kind = "URI" if "/" in grant.grantee else "ID"
    grantee = {"Type": "Group" if kind == "URI" else "CanonicalUser", kind: grant.grantee}
    return {"Grantee": grantee, "Permission": grant.permission}
