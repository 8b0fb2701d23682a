"""When a health check is healthy, by AWS's rules alone."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstead.services.route53.health_decision import (
    Check,
    NoSignals,
    counted,
    endpoint_healthy,
    verdicts,
)
from cloudstead.services.route53.health_rows import RegionReport, Seen

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NEW = RegionReport(region="us-east-1", since=NOW)
SEEN = Seen(status="…", at=NOW)


def after(looks, threshold, report=NEW, *, base=True):
    for look in looks:
        report = counted(report, base=base, good=look == "+", seen=SEEN, threshold=threshold)
    return report


@pytest.mark.parametrize(
    ("looks", "threshold", "healthy"),
    [
        ("-", 1, False),
        ("--", 3, True),
        ("---", 3, False),
        ("--+--", 3, True),
        ("---+", 3, False),
        ("---++-++", 3, False),
        ("---+++", 3, True),
        ("-" * 9, 10, True),
        ("-" * 10, 10, False),
    ],
)
def test_a_checker_changes_its_mind_after_so_many_looks_in_a_row(looks, threshold, healthy):
    assert after(looks, threshold).healthy is healthy


@given(st.text("+-", max_size=60), st.integers(1, 10))
def test_it_never_changes_without_as_many_as_the_threshold(looks, threshold):
    mind = True
    report = NEW
    for n in range(len(looks)):
        report = after(looks[n], threshold, report)
        if report.healthy != mind:
            assert looks[n + 1 - threshold : n + 1] == ("+" if report.healthy else "-") * threshold
        mind = report.healthy
        assert report.contrary < threshold


def test_what_failed_last_is_kept_while_all_is_well():
    failed = after("-", 3)
    assert after("+++", 3, failed).failure == failed.failure == SEEN


@pytest.mark.parametrize(
    ("well", "of", "healthy"),
    [(0, 8, False), (1, 8, False), (2, 8, True), (1, 3, True), (1, 5, True), (1, 6, False), (8, 8, True)],
)
def test_more_than_18_percent_must_say_that_it_is_healthy(well, of, healthy):
    reports = [after("+" if n < well else "-", 1) for n in range(of)]
    assert endpoint_healthy(reports, base=True) is healthy


def test_exactly_18_percent_are_not_enough():
    reports = [after("+" if n < 9 else "-", 1) for n in range(50)]
    assert endpoint_healthy(reports, base=True) is False


@pytest.mark.parametrize("base", [True, False])
def test_who_has_not_looked_yet_goes_along_with_what_is_known(base):
    assert endpoint_healthy([], base=base) is base
    assert endpoint_healthy([NEW] * 8, base=base) is base
    assert endpoint_healthy([after("-", 1, base=base)] + [NEW] * 7, base=base) is base


def decided(*checks, bases=None, signals=None):
    found = verdicts({check.id: check for check in checks}, bases or {}, signals or NoSignals())
    return {id: healthy for id, (healthy, _) in found.items()}


@pytest.mark.parametrize(
    ("base", "inverted", "disabled", "healthy"),
    [
        (True, False, False, True),
        (False, False, False, False),
        (True, True, False, False),
        (False, True, False, True),
        (False, False, True, True),
        (True, True, True, False),
        (False, True, True, False),
    ],
)
def test_disabled_means_healthy_and_inverted_the_contrary_even_of_that(base, inverted, disabled, healthy):
    check = Check(id="c", type="HTTP", inverted=inverted, disabled=disabled)
    assert decided(check, bases={"c": base}) == {"c": healthy}


def test_a_new_check_is_healthy_and_a_new_inverted_one_is_not():
    assert decided(Check(id="a", type="TCP"), Check(id="b", type="TCP", inverted=True)) == {
        "a": True,
        "b": False,
    }


@pytest.mark.parametrize(
    ("threshold", "healthy"), [(0, True), (1, True), (2, True), (3, False), (4, False), (256, False)]
)
def test_a_calculated_check_counts_its_healthy_children(threshold, healthy):
    children = [
        Check(id="well", type="HTTP"),
        Check(id="bad", type="HTTP"),
        Check(id="turned", type="HTTP", inverted=True),
    ]
    parent = Check(
        id="p",
        type="CALCULATED",
        children=("well", "bad", "turned", "deleted", "well"),
        health_threshold=threshold,
    )
    assert decided(parent, *children, bases={"bad": False, "turned": False})["p"] is healthy


def test_a_calculated_check_is_inverted_and_disabled_like_any_other():
    child = Check(id="c", type="HTTP")
    turned = Check(id="t", type="CALCULATED", children=("c",), health_threshold=1, inverted=True)
    off = Check(id="o", type="CALCULATED", children=("c",), health_threshold=1, disabled=True)
    assert decided(turned, off, child) == {"c": True, "t": False, "o": True}
    assert decided(turned, off, child, bases={"c": False}) == {"c": False, "t": True, "o": True}


class Signals(NoSignals):
    state = "OK"
    on = True

    def alarm(self, account, region, name):
        assert (account, region, name) == ("1", "eu-west-1", "busy")
        return self.state

    def routing_control(self, arn):
        return self.on


@pytest.mark.parametrize(
    ("state", "insufficient", "known", "healthy"),
    [
        ("OK", "Unhealthy", False, True),
        ("ALARM", "Healthy", True, False),
        ("INSUFFICIENT_DATA", "Healthy", False, True),
        ("INSUFFICIENT_DATA", "Unhealthy", True, False),
        ("INSUFFICIENT_DATA", "LastKnownStatus", False, False),
        ("INSUFFICIENT_DATA", "LastKnownStatus", True, True),
    ],
)
def test_an_alarm_without_data_says_what_the_check_says_for_it(state, insufficient, known, healthy):
    signals = Signals()
    signals.state = state
    check = Check(
        id="c",
        type="CLOUDWATCH_METRIC",
        alarm=("1", "eu-west-1", "busy"),
        insufficient_data=insufficient,
    )
    assert decided(check, bases={"c": known}, signals=signals) == {"c": healthy}


def test_an_alarm_s_last_known_state_is_kept_for_when_there_is_no_data():
    signals, check = Signals(), Check(id="c", type="CLOUDWATCH_METRIC", alarm=("1", "eu-west-1", "busy"))
    signals.state = "ALARM"
    _, base = verdicts({"c": check}, {"c": True}, signals)["c"]
    signals.state = "INSUFFICIENT_DATA"
    assert verdicts({"c": check}, {"c": base}, signals)["c"] == (False, False)


def test_while_there_is_no_cloudwatch_no_alarm_has_data():
    assert NoSignals().alarm("1", "eu-west-1", "busy") == "INSUFFICIENT_DATA"


@pytest.mark.parametrize("on", [True, False])
def test_a_routing_control_is_healthy_while_it_is_on(on):
    signals = Signals()
    signals.on = on
    check = Check(id="c", type="RECOVERY_CONTROL", routing_control="arn:aws:route53-recovery-control::1:x")
    assert decided(check, signals=signals) == {"c": on}
