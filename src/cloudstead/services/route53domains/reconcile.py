"""What the registrar does by itself: run operations, renew domains, suspend and end those that nobody keeps.

The registry is rows, so nothing is ever seen in the world besides them. What the calendar decides is decided again at
each look; only that a domain is no longer delegated has to be written down, for the name servers are told of rows.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from cloudstead.control.steps import Record, Step
from cloudstead.services.route53domains.applying import Applying
from cloudstead.services.route53domains.directory import Directory
from cloudstead.services.route53domains.letters import Letters
from cloudstead.services.route53domains.lifetimes import (
    ACCEPT_WITHIN,
    AUTHORIZE_WITHIN,
    AUTO_RENEWED_BEFORE,
    later,
)
from cloudstead.services.route53domains.rows import Address, Domain, DomainOperation
from cloudstead.services.route53domains.transfers import cancelled
from cloudstead.services.route53domains.work import HandOver, Renew
from cloudstead.store import Row

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run(Step):
    """Do what the operation is about."""


@dataclass(frozen=True)
class GiveUp(Step):
    """Nobody said yes in time."""

    why: str


@dataclass(frozen=True)
class RenewItself(Step):
    """Ask for another year."""


@dataclass(frozen=True)
class Release(Step):
    """Forget the registration: anybody may have the name."""


class Nothing:
    """What is seen of them in the world."""

    id: str


class OperationRuns:
    """SUBMITTED, IN_PROGRESS, and then done, unless somebody's word is waited for."""

    kind = DomainOperation
    wakes_on: tuple[type[Row], ...] = ()

    def __init__(self, applying: Applying) -> None:
        self._applying = applying
        self._directory = applying.directory

    async def observe(self) -> Iterable[Nothing]:
        return ()

    def plan(self, row: DomainOperation, seen: Nothing | None) -> Step | None:
        del seen
        now = self._directory.tools.clock.now()
        if not row.is_open():
            return None
        if row.status == "SUBMITTED":
            return Record({"status": "IN_PROGRESS", "updated_at": now})
        if row.flag == "PENDING_ACCEPTANCE":
            return GiveUp(cancelled(row)) if now >= row.submitted_at + ACCEPT_WITHIN else None
        if row.flag == "PENDING_AUTHORIZATION":
            late = now >= row.submitted_at + AUTHORIZE_WITHIN
            return GiveUp("The registrant did not authorize the transfer in time.") if late else None
        return None if isinstance(row.work, HandOver) else Run()  # who takes over ends both

    async def perform(self, row: DomainOperation, step: Step) -> None:
        with self._directory.store.transaction():
            if isinstance(step, GiveUp):
                self._directory.finish(row, step.why)
                failure = step.why
            else:
                assert isinstance(step, Run)
                failure = self._applying.apply(row)
        log.info("%s: %s %s", row.domain, row.type, f"failed: {failure}" if failure else "done")

    async def sweep(self, id: str) -> None:
        raise AssertionError(f"{id}: nothing is ever seen")


class DomainLives:
    """Renewal, suspension and the end of registrations, by the calendar."""

    kind = Domain
    wakes_on: tuple[type[Row], ...] = (Address,)

    def __init__(self, directory: Directory, letters: Letters) -> None:
        self._directory = directory
        self._letters = letters

    async def observe(self) -> Iterable[Nothing]:
        return ()

    def plan(self, row: Domain, seen: Nothing | None) -> Step | None:
        del seen
        phase = self._directory.phase(row)
        if phase == "gone":
            return Release()
        held = phase != "registered" or self._letters.reachability(row) == "EXPIRED"
        if held != row.held:
            return Record({"held": held})
        due = self._directory.tools.clock.now() >= row.expires_at - AUTO_RENEWED_BEFORE
        if row.auto_renew and due and phase == "registered":
            return None if self._directory.open_operation(row.id) is not None else RenewItself()
        return None

    async def perform(self, row: Domain, step: Step) -> None:
        store = self._directory.store
        with store.transaction():
            if isinstance(step, RenewItself):
                self._renew(row)
                return
            assert isinstance(step, Release)
            store.delete(row)
            if row.account:
                self._directory.note(row.account, row.id, "EXPIRE_DOMAIN")
        log.info("%s: its registration is over", row.id)

    async def sweep(self, id: str) -> None:
        raise AssertionError(f"{id}: nothing is ever seen")

    def _renew(self, row: Domain) -> None:
        """Other registrars do it for theirs without a word."""
        if not row.account:
            self._directory.store.update(row, expires_at=later(row.expires_at, 1))
        elif self._directory.open_operation(row.id) is None:
            self._directory.submit(row.account, row.id, "RENEW_DOMAIN", Renew(1, row.expires_at))
