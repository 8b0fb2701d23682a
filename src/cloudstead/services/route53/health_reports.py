"""What the health checker has to do, read from the rows of health checks, and what it wrote, as operations tell it."""

from collections.abc import Callable, Iterator, Sequence

from cloudstead.dataplane.checks.driver import Endpoint, Work
from cloudstead.services.route53.errors import InvalidInput
from cloudstead.services.route53.health_checks import Observation
from cloudstead.services.route53.health_decision import REGIONS, Check
from cloudstead.services.route53.health_rows import HealthStanding, RegionReport, Seen
from cloudstead.services.route53.health_texts import never_failed
from cloudstead.services.route53.rows import HealthCheck
from cloudstead.store import Store


def read_checks(store: Store) -> Iterator[tuple[Check, Work | None]]:
    """Every health check of every account, and what is to be looked at for it."""
    for row in store.rows(HealthCheck):
        check = check_of(row)
        yield check, work_of(row) if check.is_endpoint else None


def check_of(row: HealthCheck) -> Check:
    config = row.config
    alarm = config.get("AlarmIdentifier")
    return Check(
        id=row.id,
        type=config["Type"],
        inverted=config.get("Inverted", False),
        disabled=config.get("Disabled", False),
        failure_threshold=config.get("FailureThreshold", 3),
        regions=tuple(dict.fromkeys(config.get("Regions") or REGIONS)),
        children=tuple(config.get("ChildHealthChecks", ())),
        health_threshold=config.get("HealthThreshold", 0),
        alarm=(row.account, alarm["Region"], alarm["Name"]) if alarm else None,
        insufficient_data=config.get("InsufficientDataHealthStatus", "LastKnownStatus"),
        routing_control=config.get("RoutingControlArn", ""),
    )


def work_of(row: HealthCheck) -> Work:
    config = row.config
    protocol = config["Type"].partition("_")[0].lower()
    endpoint = Endpoint(
        check=row.id,
        protocol=protocol,
        port=config["Port"],
        address=config.get("IPAddress", ""),
        name=config.get("FullyQualifiedDomainName", ""),
        path=config.get("ResourcePath") or "/",
        search=config.get("SearchString", ""),
        sni=config.get("EnableSNI", False),
    )
    return Work(endpoint=endpoint, regions=check_of(row).regions, interval_s=config["RequestInterval"])


def is_healthy(store: Store) -> Callable[[str], bool]:
    """Whether a check is healthy, by the rows: for who has no board. What is no check is healthy, as on AWS."""

    def healthy(id: str) -> bool:
        standing = store.get(HealthStanding, id)
        if standing is not None:
            return standing.healthy
        check = store.get(HealthCheck, id)
        return check is None or not check_of(check).inverted

    return healthy


class HealthReports:
    """What checkers saw last. Of a check that nobody has looked at yet nothing is told, as on AWS."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def status(self, check: str) -> Sequence[Observation]:
        return [_observation(report, report.last) for report in self._reports(check) if report.last]

    def last_failure(self, check: str) -> Sequence[Observation]:
        return [
            _observation(report, report.failure or Seen(status=never_failed(report.since), at=report.last.at))
            for report in self._reports(check)
            if report.last
        ]

    def _reports(self, id: str) -> Sequence[RegionReport]:
        check = self._store.get(HealthCheck, id)
        if check is not None and check.config["Type"] == "CALCULATED":
            raise InvalidInput(
                "Invalid parameter : the status of a calculated health check cannot be retrieved"
            )
        standing = self._store.get(HealthStanding, id)
        return standing.reports if standing is not None else ()


def _observation(report: RegionReport, seen: Seen) -> Observation:
    return Observation(region=report.region, address=report.source, status=seen.status, checked_at=seen.at)
