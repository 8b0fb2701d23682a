"""Health checks as they are asked for. Whoever does the checking reads the rows, and tells what it saw by `Reports`.

What a reader would get wrong: an endpoint's address may be private or the host's own here. AWS refuses those, for its
checkers stand in the internet; ours stand beside what they check.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53 import limits
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.errors import (
    HealthCheckAlreadyExists,
    HealthCheckVersionMismatch,
    TooManyHealthChecks,
    no_such_health_check,
)
from cloudstead.services.route53.health_check_rules import completed, updated
from cloudstead.services.route53.paging import marked
from cloudstead.services.route53.rows import HealthCheck


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What the checker in one region saw."""

    region: str
    address: str
    status: str  # as AWS words it: `Success: HTTP Status Code 200, OK`
    checked_at: datetime


class Reports(Protocol):
    """What checkers saw last, and when they last saw something wrong."""

    def status(self, check: str) -> Sequence[Observation]: ...

    def last_failure(self, check: str) -> Sequence[Observation]: ...


class NoChecker:
    """Nobody checks."""

    def status(self, check: str) -> Sequence[Observation]:
        raise NotBuilt(f"Nobody checks {check}: the checkers of health checks are not built")

    last_failure = status


class HealthChecks:
    def __init__(self, directory: Directory, reports: Reports) -> None:
        self._directory = directory
        self._store = directory.store
        self._reports = reports

    def create_health_check(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            config = completed(request["HealthCheckConfig"], self._known(caller))
            check = self._existing(caller, request["CallerReference"], config) or self._store.insert(
                HealthCheck(
                    id=ids.uuid(self._directory.tools.random),
                    account=caller.account,
                    caller_reference=request["CallerReference"],
                    created_at=self._directory.tools.clock.now(),
                    config=config,
                )
            )
        return {
            "HealthCheck": _shown(check),
            "Location": f"https://route53.amazonaws.com/2013-04-01/healthcheck/{check.id}",
        }

    def get_health_check(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"HealthCheck": _shown(find(self._directory, caller, request["HealthCheckId"]))}

    def get_health_check_count(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        del request
        return {"HealthCheckCount": len(self._mine(caller))}

    def list_health_checks(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return marked("HealthChecks", self._mine(caller), request, key=lambda each: each.id, shown=_shown)

    def update_health_check(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            check = find(self._directory, caller, request["HealthCheckId"])
            if request.get("HealthCheckVersion", check.check_version) != check.check_version:
                raise HealthCheckVersionMismatch(
                    "The value of HealthCheckVersion in the request doesn't match the value of HealthCheckVersion in "
                    "the health check."
                )
            config = updated(check.config, request, self._known(caller) - {check.id})
            check = self._store.update(check, config=config, check_version=check.check_version + 1)
        return {"HealthCheck": _shown(check)}

    def delete_health_check(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            self._store.delete(find(self._directory, caller, request["HealthCheckId"]))
        return {}

    def get_health_check_status(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        check = find(self._directory, caller, request["HealthCheckId"])
        return _observed(self._reports.status(check.id))

    def get_health_check_last_failure_reason(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        check = find(self._directory, caller, request["HealthCheckId"])
        return _observed(self._reports.last_failure(check.id))

    # --- inside

    def _mine(self, caller: Caller) -> list[HealthCheck]:
        return self._store.rows(HealthCheck, account=caller.account)

    def _known(self, caller: Caller) -> set[str]:
        return {check.id for check in self._mine(caller)}

    def _existing(self, caller: Caller, reference: str, config: Mapping[str, Any]) -> HealthCheck | None:
        """The check that was made by the same request before."""
        mine = self._mine(caller)
        for check in mine:
            if check.caller_reference == reference:
                if check.config != config:
                    raise HealthCheckAlreadyExists(
                        "A health check has already been created with the specified caller reference."
                    )
                return check
        if len(mine) >= limits.HEALTH_CHECKS_OF_AN_ACCOUNT:
            raise TooManyHealthChecks(
                "This health check can't be created because the current account has reached the limit on the number of "
                "active health checks."
            )
        return None


def find(directory: Directory, caller: Caller, id: str) -> HealthCheck:
    found = directory.store.get(HealthCheck, id)
    if found is None or found.account != caller.account:
        raise no_such_health_check(id)
    return found


def _shown(check: HealthCheck) -> dict[str, Any]:
    return {
        "Id": check.id,
        "CallerReference": check.caller_reference,
        "HealthCheckConfig": check.config,
        "HealthCheckVersion": check.check_version,
    }


def _observed(seen: Sequence[Observation]) -> dict[str, Any]:
    return {
        "HealthCheckObservations": [
            {
                "Region": each.region,
                **({"IPAddress": each.address} if each.address else {}),
                "StatusReport": {"Status": each.status, "CheckedTime": each.checked_at},
            }
            for each in seen
        ]
    }
