"""The rows of the registrar and of its registry: domains, operations on them, bills, letters.

A domain is one in the whole cloud, whoever has it; so its id is its name. With another registrar it belongs to no
account. What a reader would get wrong: `held` follows the calendar and is written by the controller alone; whether a
registration has run out is asked of `lifetimes`.
"""

from datetime import datetime
from typing import Literal

import msgspec

from cloudstead.services.route53domains.work import Contact, NameServer, Role, Work
from cloudstead.store import Row

Status = Literal["SUBMITTED", "IN_PROGRESS", "ERROR", "SUCCESSFUL", "FAILED"]
Flag = Literal["", "PENDING_ACCEPTANCE", "PENDING_AUTHORIZATION"]


class DelegationKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that the registry vouches for by a DS record."""

    id: str
    algorithm: int
    flags: int
    public_key: str  # base64
    tag: int
    digest_type: int
    digest: str  # hexadecimal digits, in upper case


class Domain(Row, frozen=True, kw_only=True):
    """A registration; its id is its name."""

    account: str  # empty: it is with another registrar
    registrar: str = ""  # the other registrar's name
    registry_id: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    deleted_at: datetime | None = None
    auto_renew: bool = True
    locked: bool = False
    contacts: dict[Role, Contact] = {}
    private: dict[Role, bool] = {}
    name_servers: list[NameServer] = []
    keys: list[DelegationKey] = []
    auth_code: str = ""
    tags: dict[str, str] = {}
    #: When the registrant was asked whether the address is right.
    asked_at: datetime
    held: bool = False  # written by the controller alone: not delegated


class DomainOperation(Row, frozen=True, kw_only=True):
    """Something that was asked for and takes its time. `work` is what the controller does about it."""

    account: str
    domain: str
    type: str
    status: Status = "SUBMITTED"
    flag: Flag = ""
    message: str = ""
    submitted_at: datetime
    updated_at: datetime
    number: int  # of the account's operations, counted up
    work: Work | None = None

    def is_open(self) -> bool:
        return self.status in ("SUBMITTED", "IN_PROGRESS")


class Bill(Row, frozen=True, kw_only=True):
    """What AWS would have charged. Nobody is charged here."""

    account: str
    domain: str
    type: str
    price: float
    billed_at: datetime
    number: int


class Address(Row, frozen=True, kw_only=True):
    """A mail address that its reader has confirmed; its id is the account and the address."""

    account: str
    confirmed_at: datetime


class Letter(Row, frozen=True, kw_only=True):
    """What AWS would mail. No mail is sent: who has the cloud reads it, and follows its link. Its id is in the link."""

    account: str
    to: str
    subject: str
    text: str
    sent_at: datetime
    confirms: Literal["address", "transfer"]
    about: str  # the domain, or the operation


def address_id(account: str, address: str) -> str:
    return f"{account}/{address.lower()}"
