"""A network in which nothing is sent: tests say what each endpoint does, and it does so at once.

What is not there refuses, what is down drops packets. A name has the address that it was given.
"""

import asyncio
from dataclasses import dataclass, field

from cloudstead.dataplane.checks.driver import SEARCHED_BYTES, Endpoint, Latency, Outcome, Result
from cloudstead.dataplane.checks.network import is_good

SOURCE = "192.0.2.1"


@dataclass
class FakeEndpoint:
    """What is behind an address and port. `fails` is what happens instead of an answer."""

    status: int = 200
    body: bytes = b"ok"
    fails: Result | None = None
    detail: str = ""
    #: Regions that do not reach it.
    cut_off: set[str] = field(default_factory=set)


class FakeProber:
    """The Prober of that network. While `answering` is not set, looks do not end."""

    def __init__(self) -> None:
        self.endpoints: dict[tuple[str, int], FakeEndpoint] = {}
        self.names: dict[str, str] = {}
        self.answering = asyncio.Event()
        self.answering.set()
        self.under_way: list[tuple[str, str]] = []
        self.looked: list[tuple[str, str]] = []

    async def probe(self, endpoint: Endpoint, region: str) -> Outcome:
        self.under_way.append((endpoint.check, region))
        try:
            await self.answering.wait()
            return self._outcome(endpoint, region)
        finally:
            self.under_way.remove((endpoint.check, region))
            self.looked.append((endpoint.check, region))

    def _outcome(self, endpoint: Endpoint, region: str) -> Outcome:
        address = endpoint.address or self.names.get(endpoint.name, "")
        if not address:
            return Outcome(result="unresolved")
        found = self.endpoints.get((address, endpoint.port), FakeEndpoint(fails="refused"))
        result = "unreachable" if region in found.cut_off else found.fails or _result(endpoint, found)
        spoke = result in ("answered", "unmatched") and endpoint.protocol != "tcp"
        return Outcome(
            result=result,
            status=found.status if spoke else 0,
            address=address,
            source=SOURCE,
            detail=found.detail,
            latency=_latency(endpoint, spoke=spoke),
        )


def _result(endpoint: Endpoint, found: FakeEndpoint) -> Result:
    if endpoint.protocol == "tcp" or not is_good(found.status):
        return "answered"
    return "answered" if endpoint.search.encode() in found.body[:SEARCHED_BYTES] else "unmatched"


def _latency(endpoint: Endpoint, *, spoke: bool) -> Latency:
    if endpoint.protocol == "tcp":
        return Latency(connect_ms=1.0)
    if not spoke:
        return Latency()
    return Latency(
        connect_ms=1.0, handshake_ms=2.0 if endpoint.protocol == "https" else None, first_byte_ms=3.0
    )
