"""What checkers say, word for word."""

import datetime as dt

import pytest

from cloudstead.dataplane.checks import Endpoint, Outcome
from cloudstead.services.route53.health_texts import is_good, never_failed, told

BY_ADDRESS = Endpoint(check="c", protocol="http", port=80, address="192.0.2.7")
BY_NAME = Endpoint(check="c", protocol="http", port=80, name="www.example.com")

_FIREWALL = (
    "Connection timed out. The endpoint or the internet connection is down, or requests are being blocked by your "
    "firewall. See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-router-firewall-rules.html"
)


@pytest.mark.parametrize(
    ("given", "by_address", "by_name"),
    [
        (
            Outcome(result="answered", status=200, address="192.0.2.7"),
            "Success: HTTP Status Code 200, OK",
            "Success: HTTP Status Code: 200. Resolved IP: 192.0.2.7. OK",
        ),
        (
            Outcome(result="answered", status=302, address="192.0.2.7"),
            "Success: HTTP Status Code 302, Found",
            "Success: HTTP Status Code: 302. Resolved IP: 192.0.2.7. Found",
        ),
        (
            Outcome(result="answered", status=503, address="192.0.2.7"),
            "Failure: HTTP Status Code 503, Service Unavailable",
            "Failure: HTTP Status Code: 503. Resolved IP: 192.0.2.7. Service Unavailable",
        ),
        (
            Outcome(result="closed", address="192.0.2.7"),
            "Failure: The connection was closed by the endpoint.",
            "Failure: Resolved IP: 192.0.2.7. The connection was closed by the endpoint.",
        ),
        (
            Outcome(result="unreachable", address="192.0.2.7"),
            f"Failure: {_FIREWALL}",
            f"Failure: Resolved IP: 192.0.2.7. {_FIREWALL}",
        ),
        (
            Outcome(result="tls", detail="handshake_failure", address="192.0.2.7"),
            "Failure: SSL alert handshake_failure",
            "Failure: Resolved IP: 192.0.2.7. SSL alert handshake_failure",
        ),
    ],
)
def test_the_words_are_aws_s_and_a_resolved_address_is_named(given, by_address, by_name):
    assert (told(BY_ADDRESS, given), told(BY_NAME, given)) == (by_address, by_name)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            Outcome(result="slow"),
            "Failure: The health checker could not establish a connection within the timeout limit.",
        ),
        (
            Outcome(result="slow", status=200),
            "Failure: The health checker could not establish a connection within the timeout limit.",
        ),
        (Outcome(result="refused"), "Failure: Connection refused."),
        (Outcome(result="unresolved"), "Failure: DNS resolution failed"),
        (Outcome(result="answered"), "Success: The TCP connection was established."),
        (Outcome(result="tls"), "Failure: The SSL handshake failed."),
        (
            Outcome(result="unmatched", status=200),
            "Failure: HTTP Status Code 200, OK. The search string is not in the first 5,120 bytes of the response body.",
        ),
        (Outcome(result="answered", status=799), "Failure: HTTP Status Code 799, Unknown"),
    ],
)
def test_each_outcome_has_a_text(given, text):
    assert told(BY_ADDRESS, given) == text
    assert is_good(given) is text.startswith("Success")


def test_of_what_never_failed_it_is_told_since_when():
    since = dt.datetime(2014, 10, 24, 2, 55, 12, 106000, tzinfo=dt.UTC)
    assert never_failed(since) == (
        "The health check endpoint has not failed since the Route 53 health checker for this endpoint restarted at "
        "2014-10-24T02:55:12.106+00:00"
    )
