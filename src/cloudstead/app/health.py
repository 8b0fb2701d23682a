"""The process that checks endpoints' health. It has one to itself: whatever else held its loop, endpoints would seem slow."""

import asyncio

from cloudstead.app.resolving import upstreams
from cloudstead.app.zones import NameServers
from cloudstead.core.settings import Settings
from cloudstead.core.tools import Tools
from cloudstead.dataplane import dns
from cloudstead.dataplane.checks import Names, NetworkProber
from cloudstead.services.route53.health_reports import read_checks
from cloudstead.services.route53.health_worker import HealthWorker
from cloudstead.store import Store
from cloudstead.store.bell import Bell

_LOOPBACKS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told apart, not bound


async def check_health(store: Store, settings: Settings, servers: NameServers, bell: Bell) -> None:
    """Check all that Route 53 is asked to, until cancelled. The bell tells that checks may have changed."""
    tools = Tools()
    prober = NetworkProber(_names(settings).address, tools.clock)
    worker = HealthWorker(store, tools, prober, servers.health, lambda: read_checks(store))
    loop = asyncio.get_running_loop()

    def rung() -> None:
        bell.answer()
        worker.wake()

    loop.add_reader(bell.fileno(), rung)
    try:
        await worker.run()
    finally:
        loop.remove_reader(bell.fileno())


def _names(settings: Settings) -> Names:
    """Our own name server first, if there is one."""
    host = _LOOPBACKS.get(settings.dns_host, settings.dns_host)
    ours = dns.Forwarder([(host, settings.dns_port)]) if settings.dns_port else None
    return Names(ours, dns.Forwarder(upstreams(settings)))
