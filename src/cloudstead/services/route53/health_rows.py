"""What is known of health checks. Written by the checker alone; operations read it.

What a reader would get wrong: a standing is not written at each look. A flip is, at once; what else a region saw follows
within seconds (`health_worker`).
"""

from datetime import datetime

import msgspec

from cloudstead.store import Row


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a checker met at a moment, in AWS's words."""

    status: str
    at: datetime


class RegionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the checker of one region says."""

    region: str
    since: datetime  # it began to look
    healthy: bool | None = None  # None: it has not looked yet
    contrary: int = 0  # looks in a row that said otherwise
    source: str = ""  # its address
    last: Seen | None = None
    failure: Seen | None = None  # the most recent one
    connect_ms: float | None = None
    handshake_ms: float | None = None
    first_byte_ms: float | None = None


class HealthStanding(Row, frozen=True, kw_only=True):
    """A check's standing; its id is the check's."""

    healthy: bool  # what name servers go by
    base: bool = True  # the same before it is inverted, and as it last was when it is disabled
    reports: tuple[RegionReport, ...] = ()
