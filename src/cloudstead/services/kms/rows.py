"""KMS's rows: keys, each with all the material it ever had, and aliases.

What a reader would get wrong: rotation adds material and takes none away, for what was encrypted under the old must
still open. Material lies sealed in the row, see `sealing`.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from cloudstead.core.arn import arn
from cloudstead.store import Row

State = Literal["Enabled", "Disabled", "PendingDeletion"]
AWS_ALIAS = "alias/aws/"


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """32 bytes that encrypt, sealed. `how` is empty for the first of a key."""

    id: str  # 64 hexadecimal digits
    sealed: bytes
    made_at: datetime
    how: Literal["", "AUTOMATIC", "ON_DEMAND"] = ""


class Key(Row, frozen=True, kw_only=True):
    """A key of an account in a region; its id is its ARN."""

    account: str
    region: str
    place: str  # account and region, to be looked up by
    key_id: str  # the UUID in the ARN
    created_at: datetime
    materials: list[Material]  # the newest last
    aws_service: str = ""  # of a key that AWS manages: for which service, `s3`
    description: str = ""
    enabled: bool = True
    deletion_at: datetime | None = None
    policy: str = ""  # empty where AWS manages the key
    tags: dict[str, str] = {}
    rotation_days: int = 0  # 0: it does not rotate by itself
    rotates_from: datetime | None = None  # what the periods are counted from

    def state(self) -> State:
        if self.deletion_at is not None:
            return "PendingDeletion"
        return "Enabled" if self.enabled else "Disabled"

    def next_rotation(self) -> datetime | None:
        """When it rotates by itself."""
        if self.rotates_from is None or not self.rotation_days or self.deletion_at is not None:
            return None
        return self.rotates_from + timedelta(days=self.rotation_days)


class Alias(Row, frozen=True, kw_only=True):
    """A name of a key; its id is its ARN."""

    account: str
    region: str
    place: str
    name: str  # with `alias/`
    key: str  # the key's ARN
    created_at: datetime
    changed_at: datetime


def place(account: str, region: str) -> str:
    return f"{account}/{region}"


def key_arn(account: str, region: str, key_id: str) -> str:
    return arn("kms", f"key/{key_id}", account=account, region=region)


def alias_arn(account: str, region: str, name: str) -> str:
    return arn("kms", name, account=account, region=region)
