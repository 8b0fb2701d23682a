"""What operations do once they run, each in one transaction, so that none is ever done by half or twice.

What can be told right away is refused when it is asked for; here fails only what changed meanwhile, or what nobody but
the registry knows.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

import dns.dnssec
import dns.dnssectypes
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from cloudstead.core import ids
from cloudstead.services.route53domains import work as w
from cloudstead.services.route53domains.availability import WRONG_CODE
from cloudstead.services.route53domains.directory import Directory
from cloudstead.services.route53domains.letters import Letters
from cloudstead.services.route53domains.lifetimes import later
from cloudstead.services.route53domains.rows import DelegationKey, Domain, DomainOperation
from cloudstead.services.route53domains.tlds import tld_of

#: Makes a public hosted zone of this name in this account, and tells its name servers; none if there can be no zone.
MakeHostedZone = Callable[[str, str], Sequence[str]]

_CODE_CHARS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
_CODE_LENGTH = 16
_SHA256 = 2


class Refused(Exception):
    """It cannot be done. The text is what callers are told."""


@dataclass(frozen=True)
class Applying:
    directory: Directory
    letters: Letters
    make_hosted_zone: MakeHostedZone

    def apply(self, operation: DomainOperation) -> str:
        """Do it and end the operation; tell why if it failed. The caller has opened a transaction."""
        try:
            self._do(operation)
        except Refused as e:
            self.directory.finish(operation, str(e))
            return str(e)
        self.directory.finish(operation)
        return ""

    def _do(self, operation: DomainOperation) -> None:
        match operation.work:
            case w.Register() as work:
                self._register(operation, work)
            case w.TransferIn() as work:
                self._transfer_in(operation, work)
            case w.TakeOver() as work:
                self._take_over(operation, work)
            case w.Renew() as work:
                self._renew(operation, work)
            case w.Delete():
                self._change(operation, deleted_at=self._now())
            case w.Restore():
                self._restore(operation)
            case w.ChangeContacts() as work:
                self._change_contacts(operation, work)
            case w.ChangePrivacy(private):
                self._change(operation, private={**self._domain(operation).private, **private})
            case w.ChangeNameServers(servers):
                self._change(operation, name_servers=servers)
            case w.Lock(locked):
                self._change(operation, locked=locked)
            case w.AddKey() as work:
                self._add_key(operation, work)
            case w.RemoveKey(id):
                kept = [key for key in self._domain(operation).keys if key.id != id]
                self._change(operation, keys=kept)
            case w.Push(target):
                self._change(operation, **elsewhere(target))
            case _:
                raise AssertionError(operation)

    # --- coming

    def _register(self, operation: DomainOperation, work: w.Register) -> None:
        name, now, chance = operation.domain, self._now(), self.directory.tools.random
        if self.directory.registered(name) is not None:
            raise Refused(f"Domain {name} is not available: it is registered already.")
        over = self.directory.store.get(Domain, name)
        if over is not None:
            self.directory.store.delete(over)
        tld = tld_of(name)
        domain = Domain(
            id=name,
            account=operation.account,
            registry_id=f"D{chance.getrandbits(48):014d}-{tld.name.upper()}",
            created_at=now,
            updated_at=now,
            expires_at=later(now, work.years),
            auto_renew=work.auto_renew,
            locked=tld.locks,
            contacts=work.contacts,
            private=work.private,
            name_servers=[w.NameServer(each) for each in self.make_hosted_zone(operation.account, name)],
            auth_code=self._new_code(),
            asked_at=now,
        )
        self.letters.ask_for_address(self.directory.store.insert(domain))
        self.directory.charge(operation.account, name, operation.type, tld.register * work.years)

    def _transfer_in(self, operation: DomainOperation, work: w.TransferIn) -> None:
        domain, tld = self.directory.registered(operation.domain), tld_of(operation.domain)
        if domain is None or domain.account:
            raise Refused("The domain is no longer with another registrar.")
        if domain.locked:
            raise Refused("The domain is locked: its status is clientTransferProhibited.")
        if tld.codes and not compare_digest(work.auth_code.encode(), domain.auth_code.encode()):
            raise Refused(WRONG_CODE)
        expires_at = min(later(domain.expires_at, work.years), later(self._now(), tld.years_max))
        moved = self.directory.store.update(
            domain,
            account=operation.account,
            registrar="",
            expires_at=expires_at,
            updated_at=self._now(),
            auto_renew=work.auto_renew,
            locked=tld.locks,
            contacts=work.contacts,
            private=work.private,
            name_servers=domain.name_servers if work.name_servers is None else work.name_servers,
            auth_code=self._new_code(),
            asked_at=self._now(),
        )
        self.letters.ask_for_address(moved)
        self.directory.charge(operation.account, domain.id, operation.type, tld.transfer * work.years)

    def _take_over(self, operation: DomainOperation, work: w.TakeOver) -> None:
        out = self.directory.store.get(DomainOperation, work.out)
        assert out is not None, "an open operation is kept"
        self.directory.finish(out)
        moved = self._change(operation, account=operation.account, tags={}, asked_at=self._now())
        self.letters.ask_for_address(moved)

    # --- staying

    def _renew(self, operation: DomainOperation, work: w.Renew) -> None:
        domain = self._domain(operation)
        if domain.expires_at != work.expires_at:
            raise Refused("The domain was renewed meanwhile.")
        self._change(operation, expires_at=later(domain.expires_at, work.years))
        price = tld_of(domain.id).renew * work.years
        self.directory.charge(operation.account, domain.id, operation.type, price)

    def _restore(self, operation: DomainOperation) -> None:
        """A registration that had run out is renewed with it, as registries demand."""
        domain, tld = self._domain(operation), tld_of(operation.domain)
        if self.directory.phase(domain) != "redemption" or tld.restore is None:
            raise Refused("The redemption period of the domain is over.")
        over = domain.expires_at <= self._now()
        expires_at = later(self._now(), 1) if over else domain.expires_at
        self._change(operation, deleted_at=None, expires_at=expires_at)
        self.directory.charge(operation.account, domain.id, operation.type, tld.restore)

    def _change_contacts(self, operation: DomainOperation, work: w.ChangeContacts) -> None:
        domain = self._domain(operation)
        known = self.letters.confirmed(domain)
        email = domain.contacts["registrant"].email
        changed = self._change(operation, contacts={**domain.contacts, **work.contacts})
        if changed.contacts["registrant"].email != email or not known:
            changed = self.directory.store.update(changed, asked_at=self._now())
            self.letters.ask_for_address(changed)
        if operation.type == "CHANGE_DOMAIN_OWNER":
            price = tld_of(domain.id).owner_change
            self.directory.charge(operation.account, domain.id, operation.type, price)

    def _add_key(self, operation: DomainOperation, work: w.AddKey) -> None:
        keys = self._domain(operation).keys
        id = f"{self.directory.tools.random.getrandbits(64):016x}"
        self._change(operation, keys=[*keys, delegation_key(id, operation.domain, work)])

    # --- inside

    def _domain(self, operation: DomainOperation) -> Domain:
        domain = self.directory.registered(operation.domain)
        if domain is None:
            raise Refused(f"Domain {operation.domain} is no longer registered.")
        return domain

    def _change(self, operation: DomainOperation, **fields: object) -> Domain:
        return self.directory.store.update(self._domain(operation), updated_at=self._now(), **fields)

    def _new_code(self) -> str:
        return ids.token(self.directory.tools.random, _CODE_CHARS, _CODE_LENGTH)

    def _now(self) -> Any:
        return self.directory.tools.this_second()


def elsewhere(registrar: str) -> dict[str, object]:
    """What changes on a domain that goes to another registrar. Its name servers and keys stay."""
    return {"account": "", "registrar": registrar, "tags": {}, "auto_renew": True, "locked": False}


def delegation_key(id: str, domain: str, work: w.AddKey) -> DelegationKey:
    """The DS record of a key, by SHA-256 as all resolvers know it."""
    text = f"{work.flags} 3 {work.algorithm} {work.public_key}"
    key: Any = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DNSKEY, text)
    signer = dns.dnssec.make_ds(dns.name.from_text(domain), key, dns.dnssectypes.DSDigest(_SHA256))
    return DelegationKey(
        id=id,
        algorithm=work.algorithm,
        flags=work.flags,
        public_key=base64.b64encode(key.key).decode(),
        tag=signer.key_tag,
        digest_type=_SHA256,
        digest=signer.digest.hex().upper(),
    )
