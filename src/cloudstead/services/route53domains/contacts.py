"""Contacts of a domain: read from requests, and refused where a registry would."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cloudstead.services.route53domains.errors import InvalidInput
from cloudstead.services.route53domains.work import Contact, Role

_PHONE = re.compile(r"\+\d{1,3}\.\d{1,14}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_REQUIRED = (
    "FirstName", "LastName", "ContactType", "AddressLine1", "City", "CountryCode", "ZipCode", "PhoneNumber", "Email",
)  # fmt: skip
#: Countries whose addresses name a state or a province.
_WITH_STATES = frozenset({"AU", "CA", "US"})
_MEMBERS: Mapping[Role, str] = {
    "registrant": "RegistrantContact",
    "admin": "AdminContact",
    "tech": "TechContact",
    "billing": "BillingContact",
}


def contacts_of(request: Mapping[str, Any]) -> dict[Role, Contact]:
    """Those that a request names. Raises InvalidInput that tells everything which is wrong."""
    wrong: list[str] = []
    found: dict[Role, Contact] = {}
    for role, member in _MEMBERS.items():
        if member in request:
            wrong += [f"{member}: {each}" for each in _wrong(request[member])]
            found[role] = msgspec.convert(request[member], Contact)
    if wrong:
        raise InvalidInput(f"Errors: [{', '.join(wrong)}]")
    return found


def all_contacts_of(request: Mapping[str, Any]) -> dict[Role, Contact]:
    """Those of a registration; who pays is the registrant, unless somebody else is named."""
    found = contacts_of(request)
    return {**found, "billing": found.get("billing", found["registrant"])}


def privacy_of(request: Mapping[str, Any]) -> dict[Role, bool]:
    """Whether each contact of a registration is hidden; all are, unless the request says otherwise."""
    given: dict[Role, bool] = {
        role: request.get(f"PrivacyProtect{member}", True) for role, member in _MEMBERS.items()
    }
    if "PrivacyProtectBillingContact" not in request:
        given["billing"] = given["registrant"]
    return given


def shown(contact: Contact) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(contact)
    return told


def _wrong(given: Mapping[str, Any]) -> list[str]:
    wrong = [f"{member} is required" for member in _REQUIRED if not given.get(member, "").strip()]
    wrong += [
        f"{member} must look like +1.1234567890"
        for member in ("PhoneNumber", "Fax")
        if given.get(member) and not _PHONE.fullmatch(given[member])
    ]
    if given.get("Email") and not _EMAIL.fullmatch(given["Email"]):
        wrong.append("Email is not a valid address")
    if given.get("ContactType", "PERSON") != "PERSON" and not given.get("OrganizationName"):
        wrong.append("OrganizationName is required unless ContactType is PERSON")
    if given.get("CountryCode") in _WITH_STATES and not given.get("State"):
        wrong.append(f"State is required in {given['CountryCode']}")
    texts = (value for value in given.values() if isinstance(value, str))
    if not all(text.isprintable() for text in texts):
        wrong.append("a value has characters that cannot be printed")
    return wrong
