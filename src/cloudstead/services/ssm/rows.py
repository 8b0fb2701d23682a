"""SSM's rows: a parameter, and each of its versions.

What a version says stands on the version; what outlives versions (tags, policies, the tier) stands on the parameter.
Names are unique as they are written: `foo` and `/foo` are two parameters, although their ARNs are one.
"""

from datetime import datetime
from typing import Literal

import msgspec

from cloudstead.core.arn import arn
from cloudstead.store import Row

Type = Literal["String", "StringList", "SecureString"]
Tier = Literal["Standard", "Advanced"]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter policy, as it was written."""

    type: str
    text: str


class Parameter(Row, frozen=True, kw_only=True):
    """Its id is `place` and name. A public parameter belongs to no account and is never stored."""

    account: str
    region: str
    place: str  # account and region, to be looked up by
    name: str
    latest: int = 1
    tier: Tier = "Standard"
    policies: list[Policy] = []
    expires_at: datetime | None = None
    tags: dict[str, str] = {}

    def arn(self) -> str:
        resource = f"parameter/{self.name.removeprefix('/')}"
        return arn("ssm", resource, account=self.account, region=self.region)


class Version(Row, frozen=True, kw_only=True):
    """One version of a parameter; its id is the parameter's and the number."""

    parameter: str  # the parameter's id
    number: int
    type: Type
    value: str  # of a SecureString: sealed
    key_id: str = ""
    description: str = ""
    allowed_pattern: str = ""
    data_type: str = "text"
    tier: Tier = "Standard"
    policies: list[Policy] = []
    labels: list[str] = []
    modified_at: datetime
    modified_by: str


def place(account: str, region: str) -> str:
    return f"{account}/{region}"


def parameter_id(account: str, region: str, name: str) -> str:
    return f"{place(account, region)}:{name}"


def version_id(parameter_id: str, number: int) -> str:
    return f"{parameter_id}:{number}"
