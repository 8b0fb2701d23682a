"""Domains from their registration to their end: asked for here, done by `applying`."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53domains.availability import availability
from cloudstead.services.route53domains.contacts import all_contacts_of, privacy_of
from cloudstead.services.route53domains.directory import Directory, check_consent, check_years
from cloudstead.services.route53domains.errors import InvalidInput, TLDRulesViolation, against_rules
from cloudstead.services.route53domains.names import domain_name
from cloudstead.services.route53domains.tlds import tld_of
from cloudstead.services.route53domains.work import Delete, Register, Renew, Restore


class Registering:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def register_domain(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        name, years = domain_name(request["DomainName"]), request["DurationInYears"]
        tld = tld_of(name)
        work = Register(
            years=years,
            auto_renew=request.get("AutoRenew", True),
            contacts=all_contacts_of(request),
            private=privacy_of(request),
        )
        check_years(years, tld)
        check_consent(request, tld.register * years)
        with self._store.transaction():
            self._check_free(name)
            self._directory.check_room(caller.account)
            return {"OperationId": self._directory.submit(caller.account, name, "REGISTER_DOMAIN", work).id}

    def renew_domain(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        years = request.get("DurationInYears", 1)
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            tld = tld_of(domain.id)
            if request["CurrentExpiryYear"] != domain.expires_at.year:
                raise InvalidInput(
                    f"CurrentExpiryYear must be {domain.expires_at.year}, the year when {domain.id} expires."
                )
            check_years(years, tld, already=domain.expires_at.year - self._directory.tools.clock.now().year)
            check_consent(request, tld.renew * years)
            work = Renew(years, domain.expires_at)
            made = self._directory.submit(caller.account, domain.id, "RENEW_DOMAIN", work)
        return {"OperationId": made.id}

    def delete_domain(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            made = self._directory.submit(caller.account, domain.id, "DELETE_DOMAIN", Delete())
        return {"OperationId": made.id}

    def restore_domain(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.any_own(caller, request["DomainName"])
            tld = tld_of(domain.id)
            if tld.restore is None:
                raise InvalidInput(against_rules(tld.name, "restoring domains").message)
            if self._directory.phase(domain) != "redemption":
                raise InvalidInput(f"Domain {domain.id} is not in its redemption period.")
            check_consent(request, tld.restore)
            self._directory.check_room(caller.account)
            made = self._directory.submit(caller.account, domain.id, "RESTORE_DOMAIN", Restore())
        return {"OperationId": made.id}

    def _check_free(self, name: str) -> None:
        found = availability(self._directory, name)
        if found == "INVALID_NAME_FOR_TLD":
            raise InvalidInput(f"{name} is not a valid name for .{tld_of(name).name}")
        if found == "RESERVED":
            raise TLDRulesViolation(f"{name} is reserved by the registry.")
        if self._directory.registered(name) is not None:
            raise InvalidInput(f"Domain {name} is not available: it is registered already.")
