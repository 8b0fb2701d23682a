"""Keeps every health check's standing: sends the checkers round, counts what they say, and tells who has to know.

A flip goes to the name servers' board in the very call in which it is decided, then to the store. What else was seen is
collected and written every few seconds, many checks in one transaction: what a look saw is news for people, not for
answers. After a restart the standings go on from their rows, so nothing flips because of it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from cloudstead.core.errors import Conflict
from cloudstead.core.tools import Tools
from cloudstead.dataplane.checks.driver import Endpoint, Outcome, Prober, Work
from cloudstead.dataplane.checks.rounds import Rounds
from cloudstead.dataplane.dns.health import HealthFull
from cloudstead.services.route53.health_decision import (
    REGIONS,
    Check,
    NoSignals,
    Signals,
    counted,
    endpoint_healthy,
    verdicts,
)
from cloudstead.services.route53.health_rows import HealthStanding, RegionReport, Seen
from cloudstead.services.route53.health_texts import alarm_told, is_good, told
from cloudstead.services.route53.rows import HealthCheck
from cloudstead.store import Store, Unavailable
from cloudstead.store.rows import kind_name

log = logging.getLogger(__name__)

#: How long after a look its text is there to be read: one that says something new, one that says the same again.
NEWS_WITHIN_S, SAME_WITHIN_S = 1.0, 10.0
#: Rows are looked at when a ring says so, otherwise so often; all of them now and then, whatever the change log says.
_LOOKS_EVERY_S, _RESYNC_S = 1.0, 5.0
#: A ring comes with every commit of anybody; many in a row are taken as one.
_RINGS_TOGETHER_S = 0.01

_KIND = kind_name(HealthCheck)

#: All health checks there are, with the work that those of endpoints make.
ReadChecks = Callable[[], Iterable[tuple[Check, Work | None]]]


class Board(Protocol):
    """Where name servers look."""

    def tell(self, check: str, healthy: bool) -> None: ...

    def forget(self, check: str) -> None: ...


class HealthWorker:
    def __init__(
        self,
        store: Store,
        tools: Tools,
        prober: Prober,
        board: Board,
        read_checks: ReadChecks,
        *,
        signals: Signals | None = None,
    ) -> None:
        self.rounds = Rounds(prober, tools.clock, tools.random, self._told)
        self._store = store
        self._clock = tools.clock
        self._board = board
        self._read_checks = read_checks
        self._signals = signals or NoSignals()
        self._checks: dict[str, Check] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._standings: dict[str, HealthStanding] = {}
        self._unwritten: dict[str, float] = {}  # id -> when it is to be written (monotonic)
        self._seq = 0
        self._resync_at_s = self._clock.monotonic()
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Check until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tend(), name="health: rows")
            group.create_task(self.rounds.run(), name="health: rounds")

    def wake(self) -> None:
        """Somebody may have changed a check."""
        self._woken.set()

    def look(self) -> None:
        """Take up what operations have changed and what other services tell."""
        seq, changed = self._store.changed_since(self._seq)
        now_s = self._clock.monotonic()
        if _KIND in changed or now_s >= self._resync_at_s:
            self._take_up(list(self._read_checks()))
            self._resync_at_s = now_s + _RESYNC_S
        self._seq = seq
        self._decide()

    def write_due(self) -> None:
        """Write what has waited long enough."""
        now_s = self._clock.monotonic()
        self._write([id for id, due_s in self._unwritten.items() if due_s <= now_s])

    # --- what there is

    async def _tend(self) -> None:
        while True:
            self._woken.clear()
            try:
                self.look()
                self.write_due()
            except (Unavailable, Conflict) as e:
                log.warning("health checks: %s; will try again", e)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOKS_EVERY_S):
                    await self._woken.wait()
            await asyncio.sleep(_RINGS_TOGETHER_S)

    def _take_up(self, read: list[tuple[Check, Work | None]]) -> None:
        work = [one for check, one in read if one is not None and not check.disabled]
        self._checks = {check.id: check for check, _ in read}
        self._endpoints = {one.endpoint.check: one.endpoint for one in work}
        for check in self._checks.values():
            if check.id not in self._standings:
                self._begin(check)
            if check.is_endpoint:
                self._keep(check.id, reports=self._reports(check))
        self.rounds.set(work)
        self._forget_others()

    def _begin(self, check: Check) -> None:
        """Go on from what was known before this process was, or be new."""
        known = self._store.get(HealthStanding, check.id)
        standing = known or HealthStanding(id=check.id, healthy=not check.inverted)
        self._standings[check.id] = standing
        if known is None:
            self._unwritten[check.id] = self._clock.monotonic()
        self._tell(check.id, healthy=standing.healthy)

    def _reports(self, check: Check) -> tuple[RegionReport, ...]:
        """One for each of its regions, old ones kept."""
        known = {report.region: report for report in self._standings[check.id].reports}
        now = self._clock.now()
        regions = check.regions or REGIONS
        return tuple(known.get(region) or RegionReport(region=region, since=now) for region in regions)

    def _forget_others(self) -> None:
        """What is no check any more."""
        gone = [row for row in self._store.rows(HealthStanding) if row.id not in self._checks]
        unwritten = [id for id in self._standings if id not in self._checks]
        for id in {
            *unwritten,
            *(row.id for row in gone),
        }:  # those too that were deleted while nobody was here
            self._standings.pop(id, None)
            self._unwritten.pop(id, None)
            self._board.forget(id)
        if gone:
            with self._store.transaction():
                for row in gone:
                    self._store.delete(row)

    # --- what is seen

    def _told(self, id: str, region: str, outcome: Outcome) -> None:
        check, standing = self._checks[id], self._standings[id]
        seen = Seen(status=told(self._endpoints[id], outcome), at=self._clock.now())
        reports = tuple(
            self._counted(check, standing, report, outcome, seen) if report.region == region else report
            for report in standing.reports
        )
        base = endpoint_healthy(reports, base=standing.base)
        within_s = min(map(_write_within_s, standing.reports, reports))
        self._keep(id, within_s=within_s, reports=reports, base=base)
        if base != standing.base:
            self._decide()

    def _counted(
        self, check: Check, standing: HealthStanding, report: RegionReport, outcome: Outcome, seen: Seen
    ) -> RegionReport:
        report = counted(
            report,
            base=standing.base,
            good=is_good(outcome),
            seen=seen,
            threshold=check.failure_threshold,
        )
        return msgspec.structs.replace(
            report,
            source=outcome.source or report.source,
            connect_ms=outcome.latency.connect_ms,
            handshake_ms=outcome.latency.handshake_ms,
            first_byte_ms=outcome.latency.first_byte_ms,
        )

    # --- what follows

    def _decide(self) -> None:
        bases = {id: standing.base for id, standing in self._standings.items()}
        flipped = []
        for id, (healthy, base) in verdicts(self._checks, bases, self._signals).items():
            was = self._standings[id].healthy
            if was != healthy:
                self._tell(id, healthy=healthy)
                flipped.append(id)
                log.info("%s: %s", id, "healthy" if healthy else "unhealthy")
            self._keep(id, healthy=healthy, base=base)
            if self._checks[id].type == "CLOUDWATCH_METRIC":
                self._keep(id, reports=(self._alarm_report(id),))
        if flipped:
            self._write_soon(flipped)

    def _alarm_report(self, id: str) -> RegionReport:
        check, standing = self._checks[id], self._standings[id]
        assert check.alarm is not None, check
        now, known = self._clock.now(), standing.reports
        text = alarm_told(self._signals.alarm(*check.alarm), healthy=standing.healthy != check.inverted)
        report = known[0] if known else RegionReport(region=REGIONS[0], since=now)
        if report.last is not None and report.last.status == text:
            return report
        seen = Seen(status=text, at=now)
        failure = seen if text.startswith("Failure") else report.failure
        return msgspec.structs.replace(report, last=seen, failure=failure)

    def _tell(self, id: str, *, healthy: bool) -> None:
        try:
            self._board.tell(id, healthy)
        except HealthFull as e:
            log.warning("%s: name servers take it to be healthy: %s", id, e)

    def _keep(self, id: str, *, within_s: float = NEWS_WITHIN_S, **fields: object) -> None:
        """Know these of a standing, and write them in time."""
        standing = self._standings[id]
        changed = msgspec.structs.replace(standing, **fields)
        if changed == standing:
            return
        self._standings[id] = changed
        due_s = self._clock.monotonic() + within_s
        self._unwritten[id] = min(due_s, self._unwritten.get(id, due_s))

    def _write_soon(self, ids: list[str]) -> None:
        """At once, or as soon as it can be written again: the name servers know already."""
        now_s = self._clock.monotonic()
        self._unwritten.update(dict.fromkeys(ids, now_s))
        try:
            self._write(ids)
        except Unavailable as e:
            log.warning("health checks: a flip is not yet written: %s", e)

    def _write(self, ids: list[str]) -> None:
        if not ids:
            return
        with self._store.transaction():
            for id in ids:
                self._write_one(self._standings[id])
        for id in ids:
            self._unwritten.pop(id, None)

    def _write_one(self, standing: HealthStanding) -> None:
        row = self._store.get(HealthStanding, standing.id)
        if row is None:
            self._store.insert(standing)
        else:
            self._store.update(row, healthy=standing.healthy, base=standing.base, reports=standing.reports)


def _write_within_s(before: RegionReport, after: RegionReport) -> float:
    """A checker that changed its mind is written with the next that are: a restart must not make it think anew."""
    if before.healthy != after.healthy:
        return 0.0
    return SAME_WITHIN_S if _text(before) == _text(after) else NEWS_WITHIN_S


def _text(report: RegionReport) -> str:
    return "" if report.last is None else report.last.status
