"""Domains that change hands: between accounts of AWS, and between registrars.

Between accounts AWS itself asks for a password. To come from another registrar a domain needs that registrar's code,
and the registrant's word: the letter that asks for it is to be followed before anything happens.
"""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.services.route53domains.changing import name_servers
from cloudstead.services.route53domains.contacts import all_contacts_of, privacy_of
from cloudstead.services.route53domains.directory import Directory, check_consent, check_years
from cloudstead.services.route53domains.errors import InvalidInput, UnsupportedTLD, not_found
from cloudstead.services.route53domains.letters import Letters
from cloudstead.services.route53domains.names import domain_name
from cloudstead.services.route53domains.rows import Domain, DomainOperation
from cloudstead.services.route53domains.tlds import tld_of
from cloudstead.services.route53domains.work import HandOver, Push, TakeOver, TransferIn

_PASSWORD_CHARS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789!#$%&*+-=?@_"  # noqa: S105 - letters of one
_PASSWORD_LENGTH = 14


class Transfers:
    def __init__(self, directory: Directory, letters: Letters) -> None:
        self._directory = directory
        self._letters = letters
        self._store = directory.store

    # --- between registrars

    def transfer_domain(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        name, years = domain_name(request["DomainName"]), request.get("DurationInYears", 1)
        tld = tld_of(name)
        if tld.codes and not request.get("AuthCode"):
            raise InvalidInput(f"An AuthCode is required to transfer a .{tld.name} domain")
        check_years(years, tld)
        check_consent(request, tld.transfer * years)
        work = TransferIn(
            years=years,
            auto_renew=request.get("AutoRenew", True),
            contacts=all_contacts_of(request),
            private=privacy_of(request),
            auth_code=request.get("AuthCode", ""),
            name_servers=name_servers(name, request["Nameservers"]) if "Nameservers" in request else None,
        )
        with self._store.transaction():
            self._check_elsewhere(caller, name)
            self._directory.check_room(caller.account)
            made = self._directory.submit(
                caller.account, name, "TRANSFER_IN_DOMAIN", work, flag="PENDING_AUTHORIZATION"
            )
            self._letters.ask_to_authorize(made, caller)
        return {"OperationId": made.id}

    def retrieve_domain_auth_code(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        domain = self._directory.own(caller, request["DomainName"])
        tld = tld_of(domain.id)
        if not tld.codes:
            raise UnsupportedTLD(f"The registry of .{tld.name} has no authorization codes.")
        return {"AuthCode": domain.auth_code}

    def push_domain(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            tld = tld_of(domain.id)
            if not tld.pushes:
                raise UnsupportedTLD(f"The registry of .{tld.name} does not push domains to registrars.")
            self._directory.submit(caller.account, domain.id, "PUSH_DOMAIN", Push(request["Target"]))
        return {}

    def _check_elsewhere(self, caller: Caller, name: str) -> None:
        domain = self._directory.registered(name)
        if domain is None:
            raise InvalidInput(f"Domain {name} cannot be transferred: it is not registered.")
        if domain.account == caller.account:
            raise InvalidInput(f"Domain {name} is already registered in {caller.account} account")
        if domain.account:
            raise InvalidInput(
                f"Domain {name} is registered in another AWS account: "
                "TransferDomainToAnotherAwsAccount transfers it."
            )

    # --- between accounts

    def transfer_domain_to_another_aws_account(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        if request["AccountId"] == caller.account:
            raise InvalidInput("The domain cannot be transferred to the account that it is in.")
        password = ids.token(self._directory.tools.random, _PASSWORD_CHARS, _PASSWORD_LENGTH)
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            made = self._directory.submit(
                caller.account,
                domain.id,
                "INTERNAL_TRANSFER_OUT_DOMAIN",
                HandOver(request["AccountId"], password),
                flag="PENDING_ACCEPTANCE",
            )
        return {"OperationId": made.id, "Password": password}

    def accept_domain_transfer_from_another_aws_account(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            domain, out, offer = self._offered(caller, request)
            if not compare_digest(offer.password.encode(), request["Password"].encode()):
                raise InvalidInput("The password is not valid")
            self._directory.check_room(caller.account)
            made = self._directory.note(
                caller.account, domain.id, "INTERNAL_TRANSFER_IN_DOMAIN", work=TakeOver(out.id)
            )
            self._store.update(out, flag="", updated_at=self._directory.tools.clock.now())
        return {"OperationId": made.id}

    def reject_domain_transfer_from_another_aws_account(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            _, out, _ = self._offered(caller, request)
            self._directory.finish(out, f"Domain Transfer from Aws Account {out.account} has been rejected.")
        return {"OperationId": out.id}

    def cancel_domain_transfer_to_another_aws_account(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            offer = self._directory.handed_over(domain.id)
            if offer is None or offer[0].flag != "PENDING_ACCEPTANCE":
                raise InvalidInput(f"No transfer of {domain.id} waits to be accepted.")
            self._directory.finish(offer[0], cancelled(offer[0]))
        return {"OperationId": offer[0].id}

    def _offered(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> tuple[Domain, DomainOperation, HandOver]:
        """A domain of another account that waits for the caller to accept it."""
        name = domain_name(request["DomainName"])
        tld_of(name)
        domain, offer = self._directory.registered(name), self._directory.handed_over(name)
        if domain is None or offer is None or offer[1].to != caller.account:
            raise not_found(name, caller.account)
        if offer[0].flag != "PENDING_ACCEPTANCE":
            raise InvalidInput(f"The transfer of {name} is accepted already.")
        return domain, *offer


def cancelled(out: DomainOperation) -> str:
    return f"Domain Transfer from Aws Account {out.account} has been cancelled."
