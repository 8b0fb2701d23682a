"""Domains, operations and bills: found, and made within their limits."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.route53domains.errors import (
    DomainLimitExceeded,
    DuplicateRequest,
    InvalidInput,
    OperationLimitExceeded,
    not_found,
)
from cloudstead.services.route53domains.lifetimes import Phase, phase
from cloudstead.services.route53domains.names import domain_name
from cloudstead.services.route53domains.rows import Bill, Domain, DomainOperation, Flag
from cloudstead.services.route53domains.tlds import CURRENCY, Tld, tld_of
from cloudstead.services.route53domains.work import HandOver, Register, TransferIn, Work
from cloudstead.store import Store

#: AWS's quota for a new account.
DOMAINS_MAX = 20
#: AWS does not say how many; an account of this size never needs more at once.
OPEN_OPERATIONS_MAX = 50
#: How many operations and bills of an account are remembered.
_REMEMBERED = 1000


@dataclass(frozen=True)
class Directory:
    store: Store
    tools: Tools

    # --- domains

    def own(self, caller: Caller, given: str) -> Domain:
        """A domain of the caller's that is registered, or has just run out. Raises InvalidInput, UnsupportedTLD."""
        domain = self.any_own(caller, given)
        if self.phase(domain) not in ("registered", "expired"):
            raise not_found(domain.id, caller.account)
        return domain

    def any_own(self, caller: Caller, given: str) -> Domain:
        """The same, though it may have been deleted."""
        name = domain_name(given)
        tld_of(name)
        domain = self.registered(name)
        if domain is None or domain.account != caller.account:
            raise not_found(name, caller.account)
        return domain

    def registered(self, name: str) -> Domain | None:
        """Whoever's it is; one that is over is there no more, even if its row is."""
        domain = self.store.get(Domain, name)
        return None if domain is None or self.phase(domain) == "gone" else domain

    def owned(self, account: str) -> list[Domain]:
        rows = self.store.rows(Domain, account=account)
        return sorted(
            (row for row in rows if self.phase(row) in ("registered", "expired")), key=lambda row: row.id
        )

    def phase(self, domain: Domain) -> Phase:
        return phase(domain, self.tools.clock.now())

    # --- operations

    def open_operation(self, name: str) -> DomainOperation | None:
        """What is under way for a domain, of whichever account."""
        return next((row for row in self.store.rows(DomainOperation, domain=name) if row.is_open()), None)

    def submit(self, account: str, name: str, type: str, work: Work, *, flag: Flag = "") -> DomainOperation:
        """Write down what shall be done. Raises DuplicateRequest, OperationLimitExceeded."""
        busy = self.open_operation(name)
        if busy is not None:
            raise DuplicateRequest(
                f"Another operation ({busy.type}) is in progress for {name}.", fields={"requestId": busy.id}
            )
        return self.note(account, name, type, work=work, flag=flag)

    def note(
        self, account: str, name: str, type: str, *, work: Work | None = None, flag: Flag = ""
    ) -> DomainOperation:
        """An operation; without work it is done already."""
        rows = self.store.rows(DomainOperation, account=account)
        if work is not None and sum(row.is_open() for row in rows) >= OPEN_OPERATIONS_MAX:
            raise OperationLimitExceeded(
                f"{OPEN_OPERATIONS_MAX} operations are running, which is the limit of an account."
            )
        done = [row for row in rows if not row.is_open()]
        for old in done[: max(0, len(done) - _REMEMBERED)]:
            self.store.delete(old)
        now = self.tools.clock.now()
        return self.store.insert(
            DomainOperation(
                id=ids.uuid(self.tools.random),
                account=account,
                domain=name,
                type=type,
                status="SUCCESSFUL" if work is None else "SUBMITTED",
                flag=flag,
                submitted_at=now,
                updated_at=now,
                number=max((row.number for row in rows), default=0) + 1,
                work=work,
            )
        )

    def operation(self, caller: Caller, id: str) -> DomainOperation:
        found = self.store.get(DomainOperation, id)
        if found is None or found.account != caller.account:
            raise InvalidInput(f"Operation {id} not found in {caller.account} account")
        return found

    def finish(self, operation: DomainOperation, failure: str = "") -> None:
        """End an operation: as it should, or by the reason why not."""
        self.store.update(
            operation,
            status="FAILED" if failure else "SUCCESSFUL",
            message=failure,
            flag="",
            work=None,
            updated_at=self.tools.clock.now(),
        )

    def handed_over(self, name: str) -> tuple[DomainOperation, HandOver] | None:
        """The operation by which a domain waits to be accepted."""
        busy = self.open_operation(name)
        return (busy, busy.work) if busy is not None and isinstance(busy.work, HandOver) else None

    # --- limits and money

    def check_room(self, account: str) -> None:
        """Raise DomainLimitExceeded unless the account may have one more; what is on its way counts."""
        coming = [
            row
            for row in self.store.rows(DomainOperation, account=account)
            if row.is_open() and isinstance(row.work, Register | TransferIn)
        ]
        if len(self.owned(account)) + len(coming) >= DOMAINS_MAX:
            raise DomainLimitExceeded(f"The limit of {DOMAINS_MAX} domains for {account} account is reached.")

    def charge(self, account: str, name: str, type: str, price: float) -> None:
        rows = self.store.rows(Bill, account=account)
        for old in rows[: max(0, len(rows) - _REMEMBERED)]:
            self.store.delete(old)
        self.store.insert(
            Bill(
                id=ids.uuid(self.tools.random),
                account=account,
                domain=name,
                type=type,
                price=price,
                billed_at=self.tools.clock.now(),
                number=max((row.number for row in rows), default=0) + 1,
            )
        )


def check_consent(request: Mapping[str, object], price: float) -> None:
    """Raise InvalidInput if it costs more than the caller agrees to."""
    consent = request.get("Consent")
    if not isinstance(consent, Mapping):
        return
    if consent["Currency"].upper() != CURRENCY:
        raise InvalidInput(f"Currency must be {CURRENCY}")
    if price > consent["MaxPrice"]:
        raise InvalidInput(f"The price of {price:g} {CURRENCY} is above the MaxPrice that was agreed to.")


def check_years(years: int, tld: Tld, already: int = 0) -> None:
    if years + already > tld.years_max:
        raise InvalidInput(f"A .{tld.name} domain can be registered for {tld.years_max} years at most.")
