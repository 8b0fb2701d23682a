"""What checkers say, in AWS's words.

Success and most failures are worded as AWS's reference and recorded answers have them; where there is no record, of a TCP
endpoint that is there, a string that is not, and of what is no HTTP, the words are ours. A resolved address is named only
where the endpoint is given by its name.
"""

import http
from datetime import datetime

from cloudstead.dataplane.checks.driver import SEARCHED_BYTES, Endpoint, Outcome
from cloudstead.services.route53.health_decision import AlarmState

_FIREWALL = (
    "Connection timed out. The endpoint or the internet connection is down, or requests are being blocked by your "
    "firewall. See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-router-firewall-rules.html"
)
_SAID = {
    "unresolved": "DNS resolution failed",
    "forbidden": "The IP address is restricted or private.",
    "unreachable": _FIREWALL,
    "refused": "Connection refused.",
    "slow": "The health checker could not establish a connection within the timeout limit.",
    "closed": "The connection was closed by the endpoint.",
    "malformed": "The endpoint sent no valid HTTP response.",
}


def is_good(outcome: Outcome) -> bool:
    """Redirections count as well. A TCP endpoint has no status, and is good by being there."""
    return outcome.result == "answered" and (outcome.status == 0 or 200 <= outcome.status < 400)


def told(endpoint: Endpoint, outcome: Outcome) -> str:
    """The status text of one look."""
    began = "Success: " if is_good(outcome) else "Failure: "
    by_name = "" if endpoint.address or not outcome.address else f"Resolved IP: {outcome.address}. "
    if not outcome.status or outcome.result not in ("answered", "unmatched"):
        return began + by_name + _without_status(outcome)
    phrase = _phrase(outcome.status)
    if by_name:
        text = f"{began}HTTP Status Code: {outcome.status}. {by_name}{phrase}"
    else:
        text = f"{began}HTTP Status Code {outcome.status}, {phrase}"
    if outcome.result == "unmatched":
        text += f". The search string is not in the first {SEARCHED_BYTES:,} bytes of the response body."
    return text


def never_failed(since: datetime) -> str:
    return (
        "The health check endpoint has not failed since the Route 53 health checker for this endpoint restarted at "
        f"{since.isoformat(timespec='milliseconds')}"
    )


def alarm_told(state: AlarmState, *, healthy: bool) -> str:
    """What is said of a check that watches an alarm."""
    began = "Success: " if healthy else "Failure: "
    if state == "INSUFFICIENT_DATA":
        return f"{began}CloudWatch has insufficient data to determine the state of the alarm."
    return f"{began}The state of the alarm is {state}."


def _without_status(outcome: Outcome) -> str:
    if outcome.result == "answered":
        return "The TCP connection was established."
    if outcome.result == "tls":
        return f"SSL alert {outcome.detail}" if outcome.detail else "The SSL handshake failed."
    return _SAID[outcome.result]


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
