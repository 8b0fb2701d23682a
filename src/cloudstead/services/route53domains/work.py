"""What an operation will do once it runs: told whole when it is asked for, so that it can be done at any later time."""

from datetime import datetime
from typing import Literal

import msgspec

Role = Literal["registrant", "admin", "tech", "billing"]
ROLES: tuple[Role, ...] = ("registrant", "admin", "tech", "billing")


class ExtraParam(msgspec.Struct, frozen=True, rename="pascal"):
    name: str
    value: str


class Contact(msgspec.Struct, frozen=True, rename="pascal", omit_defaults=True, kw_only=True):
    """A contact as AWS spells it, so that it is read from requests and told as it is."""

    first_name: str = ""
    last_name: str = ""
    contact_type: str = ""
    organization_name: str = ""
    address_line1: str = ""
    address_line2: str = ""
    city: str = ""
    state: str = ""
    country_code: str = ""
    zip_code: str = ""
    phone_number: str = ""
    email: str = ""
    fax: str = ""
    extra_params: list[ExtraParam] = []

    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class NameServer(msgspec.Struct, frozen=True):
    """A name server; `glue` are its addresses, which only one inside the domain has."""

    name: str
    glue: list[str] = []


class Register(msgspec.Struct, frozen=True, tag="register", kw_only=True):
    years: int
    auto_renew: bool
    contacts: dict[Role, Contact]
    private: dict[Role, bool]


class TransferIn(msgspec.Struct, frozen=True, tag="transfer-in", kw_only=True):
    """From another registrar. `name_servers` is None where those it has shall stay."""

    years: int
    auto_renew: bool
    contacts: dict[Role, Contact]
    private: dict[Role, bool]
    auth_code: str
    name_servers: list[NameServer] | None


class Renew(msgspec.Struct, frozen=True, tag="renew"):
    """For the years after a day: said again, it does nothing more."""

    years: int
    expires_at: datetime


class Delete(msgspec.Struct, frozen=True, tag="delete"):
    pass


class Restore(msgspec.Struct, frozen=True, tag="restore"):
    pass


class ChangeContacts(msgspec.Struct, frozen=True, tag="contacts"):
    contacts: dict[Role, Contact]


class ChangePrivacy(msgspec.Struct, frozen=True, tag="privacy"):
    private: dict[Role, bool]


class ChangeNameServers(msgspec.Struct, frozen=True, tag="name-servers"):
    name_servers: list[NameServer]


class Lock(msgspec.Struct, frozen=True, tag="lock"):
    locked: bool


class AddKey(msgspec.Struct, frozen=True, tag="add-key"):
    algorithm: int
    flags: int
    public_key: str


class RemoveKey(msgspec.Struct, frozen=True, tag="remove-key"):
    id: str


class HandOver(msgspec.Struct, frozen=True, tag="hand-over"):
    """To another account of AWS's, which must accept and know the password."""

    to: str
    password: str


class TakeOver(msgspec.Struct, frozen=True, tag="take-over"):
    """The other side: `out` is the operation that hands over."""

    out: str


class Push(msgspec.Struct, frozen=True, tag="push"):
    """To another registrar, by its tag."""

    target: str


Work = (
    Register
    | TransferIn
    | Renew
    | Delete
    | Restore
    | ChangeContacts
    | ChangePrivacy
    | ChangeNameServers
    | Lock
    | AddKey
    | RemoveKey
    | HandOver
    | TakeOver
    | Push
)
