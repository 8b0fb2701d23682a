"""IAM's rows. IAM is global: a row has an account and no region.

What belongs to one identity alone (its inline policies, its attachments, its tags) stands on that identity's row,
so that one write changes it and one look-up shows it. Names are unique without regard to case: `slot` holds the
account and the name in small letters, and is what a row is looked up by.
"""

from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from cloudstead.core.arn import arn
from cloudstead.core.caller import PrincipalKind
from cloudstead.store import Row


def slot(account: str, name: str) -> str:
    return f"{account}/{name.lower()}"


class PasswordPolicy(msgspec.Struct, frozen=True, kw_only=True):
    minimum_length: int = 6
    symbols: bool = False
    numbers: bool = False
    uppercase: bool = False
    lowercase: bool = False
    users_may_change: bool = False
    max_age_days: int = 0  # 0: passwords do not expire
    reuse_prevention: int = 0  # 0: not remembered
    hard_expiry: bool = False


class Account(Row, frozen=True, kw_only=True):
    """An AWS account; its id is the 12 digits."""

    created_at: datetime
    alias: str = ""
    password_policy: PasswordPolicy | None = None


class Entity(Row, frozen=True, kw_only=True):
    """What has a name and a path in an account."""

    account: str
    slot: str
    name: str
    path: str = "/"
    created_at: datetime
    tags: dict[str, str] = {}


class Principal(Entity, frozen=True, kw_only=True):
    """What policies stand on: a user, a group or a role."""

    inline: dict[str, str] = {}  # name of an inline policy -> its document
    attached: list[str] = []  # arns of managed policies, in the order of attachment
    boundary: str = ""  # arn of the permissions boundary; groups have none


class User(Principal, frozen=True, kw_only=True):
    groups: list[str] = []  # ids of groups

    def arn(self) -> str:
        return arn("iam", f"user{self.path}{self.name}", account=self.account)


class Group(Principal, frozen=True, kw_only=True):
    def arn(self) -> str:
        return arn("iam", f"group{self.path}{self.name}", account=self.account)


class Role(Principal, frozen=True, kw_only=True):
    trust_policy: str
    description: str | None = None
    max_session_s: int = 3600
    service: str = ""  # the service a service-linked role belongs to

    def arn(self) -> str:
        return arn("iam", f"role{self.path}{self.name}", account=self.account)


class InstanceProfile(Entity, frozen=True, kw_only=True):
    role: str = ""  # id of its role

    def arn(self) -> str:
        return arn("iam", f"instance-profile{self.path}{self.name}", account=self.account)


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    document: str
    created_at: datetime


class Policy(Entity, frozen=True, kw_only=True):
    """A managed policy of a customer. AWS's own are in `aws_managed`."""

    description: str | None = None
    versions: list[PolicyVersion]
    default: int = 1  # number of the default version
    next: int = 2  # numbers are never given twice
    updated_at: datetime

    def arn(self) -> str:
        return arn("iam", f"policy{self.path}{self.name}", account=self.account)

    def document(self) -> str:
        """The document in force."""
        return next(version.document for version in self.versions if version.number == self.default)


class LoginProfile(Row, frozen=True, kw_only=True):
    """A user's password for the console; its id is the user's."""

    account: str
    created_at: datetime
    salt: bytes
    hash: bytes
    reset_required: bool = False


class AccessKey(Row, frozen=True, kw_only=True):
    """A long-term key; its id is the access key id. `owner` is a user's id, or empty: the account's root."""

    account: str
    owner: str
    secret: str
    active: bool = True
    created_at: datetime


class KeyUse(Row, frozen=True, kw_only=True):
    """When a key was last used, to about a quarter of an hour; its id is the access key id."""

    at: datetime
    service: str
    region: str


class Session(Row, frozen=True, kw_only=True):
    """Temporary credentials; its id is the access key id (ASIA…)."""

    account: str
    secret: str
    token: str
    arn: str
    user_id: str
    principal: PrincipalKind
    issuer: str = ""  # id of the role or user it acts for; its policies are the session's
    kind: Literal["role", "session", "federated"]
    policy: str = ""  # an inline session policy
    policy_arns: list[str] = []
    tags: dict[str, str] = {}
    transitive_tags: list[str] = []
    source_identity: str = ""
    created_at: datetime
    expires_at: datetime


N = TypeVar("N", bound=Entity)
P = TypeVar("P", bound=Principal)
