"""What a health checker needs of the network: to look once at an endpoint, and tell what it met there.

A prober decides nothing: that an endpoint answers 404 is an outcome as good as any. It never raises for what the
endpoint or the network does, and it comes to an end whatever they do.
"""

from typing import Literal, Protocol

import msgspec

#: AWS's limits: from the first packet to the connection, from there to the status, from there to the body's beginning.
CONNECT_WITHIN_S = 4.0
CONNECT_TCP_WITHIN_S = 10.0
ANSWER_WITHIN_S = 2.0
BODY_WITHIN_S = 2.0
#: How much of a body is searched.
SEARCHED_BYTES = 5120

Result = Literal[
    "answered",  # with a status, whatever it is; a TCP endpoint by being there
    "unmatched",  # with a good status, and without the string that is searched for
    "unresolved",  # the name has no IPv4 address
    "forbidden",  # the address is one that nothing may be sent to
    "unreachable",  # no connection came about in time
    "refused",
    "slow",  # there was a connection, and no status in time
    "closed",  # by the endpoint, before it had said enough
    "tls",  # no handshake came about
    "malformed",  # what it said is no HTTP
]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    check: str  # the id of the check, which the endpoint is told
    protocol: Literal["http", "https", "tcp"]
    port: int
    address: str = ""  # without one, the name is resolved anew each time
    name: str = ""
    path: str = "/"
    search: str = ""  # looked for in the body, if it is not empty
    sni: bool = True


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint, who looks at it, and how long each of them pauses."""

    endpoint: Endpoint
    regions: tuple[str, ...]
    interval_s: float


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long it took to come so far, each counted from the step before; None if it did not."""

    connect_ms: float | None = None
    handshake_ms: float | None = None
    first_byte_ms: float | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    result: Result
    status: int = 0
    address: str = ""  # the endpoint's
    source: str = ""  # ours, as the endpoint sees it
    detail: str = ""  # of a failed handshake
    latency: Latency = Latency()


class Prober(Protocol):
    async def probe(self, endpoint: Endpoint, region: str) -> Outcome:
        """Look once, as the checker of this region."""
        ...
