"""What the registry publishes of a registration, for WHOIS and RDAP: the same facts for both.

A contact that is private is hidden here, whoever asks. So are the contacts of domains with other registrars, which
those registrars would tell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cloudstead.core.clock import Clock
from cloudstead.services.route53domains import registrar
from cloudstead.services.route53domains.errors import InvalidInput, UnsupportedTLD
from cloudstead.services.route53domains.lifetimes import phase
from cloudstead.services.route53domains.names import domain_name
from cloudstead.services.route53domains.rows import Domain
from cloudstead.services.route53domains.standing import codes
from cloudstead.services.route53domains.tlds import tld_of
from cloudstead.services.route53domains.work import ROLES, Contact, Role
from cloudstead.store import Store

REDACTED = "REDACTED FOR PRIVACY"


@dataclass(frozen=True)
class Registry:
    """The registry as the public may ask it."""

    store: Store
    clock: Clock

    def find(self, given: str) -> Domain | None:
        """A registration by its name; None for what is none, or no name at all."""
        try:
            name = domain_name(given)
            tld_of(name)
        except (InvalidInput, UnsupportedTLD):
            return None
        domain = self.store.get(Domain, name)
        return None if domain is None or phase(domain, self.clock.now()) == "gone" else domain

    def statuses(self, domain: Domain) -> list[str]:
        return codes(domain, phase(domain, self.clock.now()))

    def whois(self, question: str) -> str:
        """The answer of a WHOIS server (RFC 3912) to what stands on the line that came."""
        with self.store.reading():
            domain = self.find(question)
            now = _text(self.clock.now())
            if domain is None:
                return f'No match for "{question.upper()[:255]}".\r\n>>> Last update of whois database: {now} <<<\r\n'
            lines = [f"{name}: {value}" for name, value in self._whois(domain)]
        return "\r\n".join([*lines, f">>> Last update of whois database: {now} <<<", ""])

    def _whois(self, domain: Domain) -> Iterator[tuple[str, str]]:
        yield "Domain Name", domain.id.upper()
        yield "Registry Domain ID", domain.registry_id
        if not domain.registrar:
            yield "Registrar WHOIS Server", registrar.WHOIS_SERVER
            yield "Registrar URL", registrar.URL
        yield "Updated Date", _text(domain.updated_at)
        yield "Creation Date", _text(domain.created_at)
        yield "Registry Expiry Date", _text(domain.expires_at)
        yield "Registrar", domain.registrar or registrar.NAME
        if not domain.registrar:
            yield "Registrar IANA ID", registrar.IANA_ID
            yield "Registrar Abuse Contact Email", registrar.ABUSE_EMAIL
            yield "Registrar Abuse Contact Phone", registrar.ABUSE_PHONE
        for status in self.statuses(domain):
            yield "Domain Status", f"{status} https://icann.org/epp#{status}"
        for role in ROLES:
            yield from _contact_lines(role, contact_of(domain, role))
        for server in domain.name_servers:
            yield "Name Server", " ".join([server.name.upper(), *server.glue])
        yield "DNSSEC", "signedDelegation" if domain.keys else "unsigned"
        for key in domain.keys:
            yield "DNSSEC DS Data", f"{key.tag} {key.algorithm} {key.digest_type} {key.digest}"


def contact_of(domain: Domain, role: Role) -> Contact | None:
    """A contact that the public may see."""
    if domain.registrar or domain.private.get(role, True):
        return None
    return domain.contacts.get(role)


def _contact_lines(role: Role, contact: Contact | None) -> Iterator[tuple[str, str]]:
    word = role.capitalize()
    told = {
        "Name": contact.name() if contact else REDACTED,
        "Organization": contact.organization_name if contact else REDACTED,
        "Street": f"{contact.address_line1} {contact.address_line2}".strip() if contact else REDACTED,
        "City": contact.city if contact else REDACTED,
        "State/Province": contact.state if contact else REDACTED,
        "Postal Code": contact.zip_code if contact else REDACTED,
        "Country": contact.country_code if contact else REDACTED,
        "Phone": contact.phone_number if contact else REDACTED,
        "Email": contact.email if contact else REDACTED,
    }
    for name, value in told.items():
        if value:
            yield f"{word} {name}", value


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
