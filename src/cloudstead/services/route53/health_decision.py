"""When a health check is healthy. Pure: AWS's rules over what was seen, and nothing else.

An endpoint is healthy if more than 18 % of its checkers say so, and a checker changes its mind after so many looks in a
row that say otherwise. Who has not looked yet goes along with what is known: a new check is healthy, and one that gets
more regions stays what it is until they know better.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

import msgspec

from cloudstead.services.route53.health_rows import RegionReport, Seen

#: The share of checkers that must say that an endpoint is healthy is more than this.
SHARE_PERCENT = 18

#: Where AWS looks from, unless a check names fewer.
REGIONS = (
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
)

AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What the decision needs of a health check."""

    id: str
    type: str
    inverted: bool = False
    disabled: bool = False
    failure_threshold: int = 3
    regions: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    health_threshold: int = 0
    alarm: tuple[str, str, str] | None = None  # account, region, name
    insufficient_data: str = "LastKnownStatus"
    routing_control: str = ""

    @property
    def is_endpoint(self) -> bool:
        return self.type not in ("CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL")


class Signals(Protocol):
    """What other services tell."""

    def alarm(self, account: str, region: str, name: str) -> AlarmState: ...

    def routing_control(self, arn: str) -> bool:
        """Whether it is on."""
        ...


class NoSignals:
    """While there is no CloudWatch: no alarm ever has data. While there is no recovery control: none was ever put on."""

    def alarm(self, account: str, region: str, name: str) -> AlarmState:  # noqa: ARG002
        return "INSUFFICIENT_DATA"

    def routing_control(self, arn: str) -> bool:  # noqa: ARG002
        return False


def counted(report: RegionReport, *, base: bool, good: bool, seen: Seen, threshold: int) -> RegionReport:
    """A checker's report after one more look. `base`: what the endpoint counts as while the checker knows nothing."""
    thought = base if report.healthy is None else report.healthy
    contrary = 0 if good == thought else report.contrary + 1
    flips = contrary >= threshold
    return msgspec.structs.replace(
        report,
        healthy=not thought if flips else thought,
        contrary=0 if flips else contrary,
        last=seen,
        failure=report.failure if good else seen,
    )


def endpoint_healthy(reports: Iterable[RegionReport], *, base: bool) -> bool:
    """What the checkers say together. `base`: what the endpoint has counted as until now."""
    said = [base if report.healthy is None else report.healthy for report in reports]
    return sum(said) * 100 > SHARE_PERCENT * len(said) if said else base


def verdicts(
    checks: Mapping[str, Check], bases: Mapping[str, bool], signals: Signals
) -> dict[str, tuple[bool, bool]]:
    """Of each check whether it is healthy, and the same before it was inverted.

    `bases` has what endpoints are by their checkers and what the others last were; who is not in it is new.
    """
    found: dict[str, tuple[bool, bool]] = {}
    for check in checks.values():
        if check.type != "CALCULATED":
            found[check.id] = _verdict(check, _base(check, bases.get(check.id, True), signals))
    for check in checks.values():  # after the others: none may watch another of its kind
        if check.type == "CALCULATED":
            healthy = sum(found[child][0] for child in dict.fromkeys(check.children) if child in found)
            base = bases.get(check.id, True) if check.disabled else healthy >= check.health_threshold
            found[check.id] = _verdict(check, base)
    return found


def _base(check: Check, known: bool, signals: Signals) -> bool:
    if check.disabled or check.is_endpoint:
        return known
    if check.type == "RECOVERY_CONTROL":
        return signals.routing_control(check.routing_control)
    assert check.alarm is not None, check
    match signals.alarm(*check.alarm):
        case "OK":
            return True
        case "ALARM":
            return False
    return known if check.insufficient_data == "LastKnownStatus" else check.insufficient_data == "Healthy"


def _verdict(check: Check, base: bool) -> tuple[bool, bool]:
    """Disabled means healthy, and inverted the contrary even of that."""
    return (check.disabled or base) != check.inverted, base
