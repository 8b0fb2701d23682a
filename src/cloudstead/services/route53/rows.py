r"""Route 53's rows: zones, record sets and changes. The service is global, so none of them has a region.

What a reader would get wrong: a change is more than what GetChange shows. It carries the next number of the feed and
what it touched, and that is how name servers learn of it (see `feed`): whoever writes a row that they must hear of
writes a change in the same transaction (`Directory.changed`).
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from cloudstead.store import Row


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A VPC, as Route 53 names one."""

    id: str
    region: str


class HostedZone(Row, frozen=True, kw_only=True):
    account: str
    name: str  # as in `names`: lower case, absolute, escaped in octal
    caller_reference: str
    created_at: datetime
    private: bool = False
    networks: tuple[Network, ...] = ()
    authorized: tuple[Network, ...] = ()  # VPCs of other accounts that may be associated
    comment: str | None = None
    delegation_set: str = ""  # a reusable one's id
    name_servers: tuple[str, ...] = ()
    record_count: int = 0
    tags: dict[str, str] = {}


class DelegationSet(Row, frozen=True, kw_only=True):
    """One that can be used again; each other lives in its zone."""

    account: str
    caller_reference: str
    name_servers: tuple[str, ...]


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    zone: str
    name: str
    evaluate_target_health: bool


class Geolocation(msgspec.Struct, frozen=True, kw_only=True):
    continent: str | None = None
    country: str | None = None
    subdivision: str | None = None


class Geoproximity(msgspec.Struct, frozen=True, kw_only=True):
    region: str | None = None
    local_zone_group: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    bias: int | None = None


class Cidr(msgspec.Struct, frozen=True, kw_only=True):
    collection: str
    location: str


class RecordSet(Row, frozen=True, kw_only=True):
    """A record set; its id is its zone, name, type and set identifier."""

    zone: str
    name: str
    type: str
    owner: str  # zone and name, to be looked up by
    set_identifier: str | None = None
    ttl_s: int | None = None
    values: tuple[str, ...] = ()  # as they were written
    alias: Alias | None = None
    weight: int | None = None
    region: str | None = None
    failover: Literal["PRIMARY", "SECONDARY"] | None = None
    geolocation: Geolocation | None = None
    geoproximity: Geoproximity | None = None
    multivalue: bool | None = None
    cidr: Cidr | None = None
    health_check: str | None = None
    traffic_policy_instance: str | None = None


class CidrCollection(Row, frozen=True, kw_only=True):
    account: str
    name: str
    caller_reference: str
    collection_version: int = 1
    locations: dict[str, tuple[str, ...]] = {}


class HealthCheck(Row, frozen=True, kw_only=True):
    account: str
    caller_reference: str
    created_at: datetime
    config: dict[str, Any]  # as on the wire, completed with AWS's defaults
    check_version: int = 1
    tags: dict[str, str] = {}


class Touched(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What name servers shall look at again: a zone itself, or what a name in it has of a type; or a collection."""

    zone: str = ""
    name: str = ""
    type: str = ""
    collection: str = ""


class Change(Row, frozen=True, kw_only=True):
    account: str
    number: int
    submitted_at: datetime
    touched: tuple[Touched, ...]
    comment: str | None = None


class FeedEnd(Row, frozen=True, kw_only=True):
    """The number of the latest change. There is one, and its id is `feed`."""

    number: int


def record_set_id(zone: str, name: str, type: str, set_identifier: str | None) -> str:
    return f"{zone}/{name}/{type}/{set_identifier or ''}"


def owner(zone: str, name: str) -> str:
    return f"{zone}/{name}"
