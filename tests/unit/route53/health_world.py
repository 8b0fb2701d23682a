"""Health checks over a network in which nothing is sent, with the worker that checks them and a clock that is moved."""

import random

from tests.support.api import Api

from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.dataplane.checks.fake import FakeEndpoint, FakeProber
from cloudstead.dataplane.dns.health import Health
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.health_checks import HealthChecks
from cloudstead.services.route53.health_reports import HealthReports, read_checks
from cloudstead.services.route53.health_worker import HealthWorker
from cloudstead.store import Store

ADDRESS = "192.0.2.7"


class HealthWorld:
    def __init__(self, seed=1, signals=None):
        self.store, self.prober, self.signals = Store(None), FakeProber(), signals
        self.tools = Tools(clock=ManualClock(), random=random.Random(seed))
        self.web = self.prober.endpoints[ADDRESS, 80] = FakeEndpoint()
        directory = Directory(self.store, self.tools)
        self.api = Api("route53", HealthChecks(directory, HealthReports(self.store)))
        self.start()

    def start(self):
        """A new process: what the last one had in memory is gone, but not the board."""
        self.board = getattr(self, "board", None) or Health()
        self.worker = HealthWorker(
            self.store,
            self.tools,
            self.prober,
            self.board,
            lambda: read_checks(self.store),
            signals=self.signals,
        )

    def create(self, reference="r", **config):
        config = {"Type": "HTTP", "IPAddress": ADDRESS, "RequestInterval": 10, **config}
        if config["Type"] not in ("HTTP", "HTTPS", "TCP", "HTTP_STR_MATCH", "HTTPS_STR_MATCH"):
            config = {
                name: value for name, value in config.items() if name not in ("IPAddress", "RequestInterval")
            }
        made = self.api.create_health_check(CallerReference=reference, HealthCheckConfig=config)
        return made["HealthCheck"]["Id"]

    def update(self, id, **config):
        self.api.update_health_check(HealthCheckId=id, **config)

    async def go(self, seconds, step_s=0.5):
        self.worker.look()
        for _ in range(round(seconds / step_s)):
            self.tools.clock.advance(step_s)
            self.worker.rounds.start_due()
            await self.worker.rounds.idle()
            self.worker.look()
            self.worker.write_due()

    def statuses(self, id):
        observed = self.api.get_health_check_status(HealthCheckId=id)["HealthCheckObservations"]
        return {each["Region"]: each["StatusReport"]["Status"] for each in observed}

    def failures(self, id):
        observed = self.api.get_health_check_last_failure_reason(HealthCheckId=id)
        return {
            each["Region"]: each["StatusReport"]["Status"] for each in observed["HealthCheckObservations"]
        }
