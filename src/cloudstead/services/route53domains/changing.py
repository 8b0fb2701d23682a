"""Changes of a registration: contacts, privacy, name servers, DS records, lock, renewal."""

import base64
import binascii
import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53domains.contacts import contacts_of
from cloudstead.services.route53domains.directory import Directory, check_consent
from cloudstead.services.route53domains.errors import DnssecLimitExceeded, InvalidInput, against_rules
from cloudstead.services.route53domains.names import host_name, is_below
from cloudstead.services.route53domains.rows import Domain
from cloudstead.services.route53domains.tlds import tld_of
from cloudstead.services.route53domains.work import (
    AddKey,
    ChangeContacts,
    ChangeNameServers,
    ChangePrivacy,
    Contact,
    Lock,
    NameServer,
    RemoveKey,
    Role,
    Work,
)

#: What the DNS lets a name have: more would not fit into an answer.
_NAME_SERVERS_MAX = 13
KEYS_MAX = 4
_ALGORITHMS = frozenset({5, 7, 8, 10, 13, 14, 15, 16})
_FLAGS = frozenset({256, 257})
_PRIVACY: Mapping[Role, str] = {
    "registrant": "RegistrantPrivacy",
    "admin": "AdminPrivacy",
    "tech": "TechPrivacy",
    "billing": "BillingPrivacy",
}


class Changing:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def update_domain_contact(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        contacts = contacts_of(request)
        if not contacts:
            raise InvalidInput("At least one contact must be specified")
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            owner = "registrant" in contacts and _another(
                contacts["registrant"], domain.contacts["registrant"]
            )
            price = tld_of(domain.id).owner_change if owner else 0.0
            check_consent(request, price)
            kind = "CHANGE_DOMAIN_OWNER" if price else "UPDATE_DOMAIN_CONTACT"
            return self._submit(domain, kind, ChangeContacts(contacts))

    def update_domain_contact_privacy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        private: dict[Role, bool] = {
            role: request[member] for role, member in _PRIVACY.items() if member in request
        }
        if not private:
            raise InvalidInput("At least one privacy setting must be specified")
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            return self._submit(domain, "CHANGE_PRIVACY_PROTECTION", ChangePrivacy(private))

    def update_domain_nameservers(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            servers = name_servers(domain.id, request["Nameservers"])
            return self._submit(domain, "UPDATE_NAMESERVER", ChangeNameServers(servers))

    def associate_delegation_signer_to_domain(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            work = _key(request["SigningAttributes"])
            if any(key.public_key == work.public_key for key in domain.keys):
                raise InvalidInput(f"The key is associated with {domain.id} already.")
            if len(domain.keys) >= KEYS_MAX:
                raise DnssecLimitExceeded(f"A domain can have {KEYS_MAX} DS records at most.")
            return self._submit(domain, "ADD_DNSSEC", work)

    def disassociate_delegation_signer_from_domain(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            if all(key.id != request["Id"] for key in domain.keys):
                raise InvalidInput(f"{domain.id} has no delegation signer with the id {request['Id']}.")
            return self._submit(domain, "REMOVE_DNSSEC", RemoveKey(request["Id"]))

    def enable_domain_transfer_lock(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._lock(caller, request, locked=True)

    def disable_domain_transfer_lock(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._lock(caller, request, locked=False)

    def enable_domain_auto_renew(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._renew_itself(caller, request, auto_renew=True)

    def disable_domain_auto_renew(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._renew_itself(caller, request, auto_renew=False)

    def _lock(self, caller: Caller, request: Mapping[str, Any], *, locked: bool) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            tld = tld_of(domain.id)
            if not tld.locks:
                raise against_rules(tld.name, "locks against transfers")
            return self._submit(domain, "DOMAIN_LOCK", Lock(locked))

    def _renew_itself(
        self, caller: Caller, request: Mapping[str, Any], *, auto_renew: bool
    ) -> dict[str, Any]:
        """Is so at once, for no registry has a say in it."""
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            if domain.auto_renew != auto_renew:
                self._store.update(domain, auto_renew=auto_renew)
                kind = "ENABLE_AUTORENEW" if auto_renew else "DISABLE_AUTORENEW"
                self._directory.note(caller.account, domain.id, kind)
        return {}

    def _submit(self, domain: Domain, kind: str, work: Work) -> dict[str, Any]:
        return {"OperationId": self._directory.submit(domain.account, domain.id, kind, work).id}


def name_servers(domain: str, given: Sequence[Mapping[str, Any]]) -> list[NameServer]:
    """Name servers as a request names them. One inside the domain needs an address, others must have none."""
    if not 1 <= len(given) <= _NAME_SERVERS_MAX:
        raise InvalidInput(f"Between 1 and {_NAME_SERVERS_MAX} name servers must be specified")
    servers = [_name_server(domain, each) for each in given]
    if len({server.name for server in servers}) < len(servers):
        raise InvalidInput("The name servers must be different from each other")
    return servers


def _name_server(domain: str, given: Mapping[str, Any]) -> NameServer:
    name = host_name(given["Name"])
    try:
        glue = [ipaddress.ip_address(each) for each in given.get("GlueIps", ())]
    except ValueError as e:
        raise InvalidInput(f"Invalid glue address of {name}: {e}") from None
    if is_below(name, domain) != bool(glue):
        why = "is in the domain and needs" if not glue else "is not in the domain and must have no"
        raise InvalidInput(f"{name} {why} glue IP addresses")
    if len({each.version for each in glue}) < len(glue):
        raise InvalidInput(f"{name} can have only one IPv4 and one IPv6 address")
    return NameServer(name, [str(each) for each in glue])


def _key(given: Mapping[str, Any]) -> AddKey:
    algorithm, flags = given.get("Algorithm"), given.get("Flags")
    if algorithm not in _ALGORITHMS:
        raise InvalidInput(f"Algorithm must be one of {', '.join(map(str, sorted(_ALGORITHMS)))}")
    if flags not in _FLAGS:
        raise InvalidInput("Flags must be 256 or 257")
    public_key = "".join(given.get("PublicKey", "").split())
    try:
        if not base64.b64decode(public_key, validate=True):
            raise InvalidInput("PublicKey is required")
    except binascii.Error:
        raise InvalidInput("PublicKey is not base64") from None
    return AddKey(algorithm, flags, public_key)


def _another(contact: Contact, than: Contact) -> bool:
    """Whether it is another person or organization, and not only another way to reach it."""
    return (contact.name(), contact.organization_name) != (than.name(), than.organization_name)
