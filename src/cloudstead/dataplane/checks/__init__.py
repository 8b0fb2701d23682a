"""Health checks of endpoints: one look at one endpoint (`Prober`), and the rounds in which all are looked at (`Rounds`).

What a look means, whether an endpoint counts as healthy, is not decided here; see `services.route53.health_decision`.
"""

from cloudstead.dataplane.checks.driver import Endpoint, Latency, Outcome, Prober, Result, Work
from cloudstead.dataplane.checks.names import Names
from cloudstead.dataplane.checks.network import NetworkProber
from cloudstead.dataplane.checks.rounds import Rounds

__all__ = ["Endpoint", "Latency", "Names", "NetworkProber", "Outcome", "Prober", "Result", "Rounds", "Work"]
