r"""What the name server is told: zones, their record sets, and all that decides which record answers whom.

Route 53's control plane feeds this, and so does every service that has names of its own (a balancer, a distribution):
its zone comes under the hosted zone id that AWS publishes for it, and an alias leads to it by that id like to any
other. There is no second way to be an alias's target.

Names are text as in a zone file, absolute, in any case, with or without the last dot. A star is a wildcard where it
is the whole first label, however it was written (RFC 4592). Escapes are a zone file's, which are decimal: Route 53's
own, as in `\052`, are octal, and are for Route 53 to translate.
Values are text as in a zone file too, with absolute names; who feeds them has made sure that they can be read.
"""

from typing import Literal

import msgspec


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A hosted zone. Its SOA and NS are record sets like all others; until the SOA is there it answers SERVFAIL."""

    id: str
    name: str
    #: The networks (VPC ids) that a private zone is associated with; None for a public zone. A private zone with no
    #: network is heard by nobody.
    networks: tuple[str, ...] | None = None
    #: Of public zones with one name the lowest rank answers, and of equals the lowest id. So the zone that the
    #: registry delegates to is heard, and others that happen to have its name are not.
    rank: int = 0
    #: Whether questions about it go to the query log.
    logged: bool = False


# --- which of several record sets answers


class Simple(msgspec.Struct, frozen=True, tag="simple"):
    pass


class Weighted(msgspec.Struct, frozen=True, tag="weighted"):
    weight: int


class Latency(msgspec.Struct, frozen=True, tag="latency"):
    region: str


class Failover(msgspec.Struct, frozen=True, tag="failover"):
    role: Literal["PRIMARY", "SECONDARY"]


class Geolocation(msgspec.Struct, frozen=True, tag="geolocation", kw_only=True):
    """One of a continent or a country, the latter perhaps with a subdivision; `country="*"` is the default."""

    continent: str = ""
    country: str = ""
    subdivision: str = ""


class Geoproximity(msgspec.Struct, frozen=True, tag="geoproximity", kw_only=True):
    """A place on the globe; who feeds it has looked up a region's or local zone's own (`places.REGIONS`)."""

    latitude: float
    longitude: float
    bias: int = 0


class Multivalue(msgspec.Struct, frozen=True, tag="multivalue"):
    pass


class Cidr(msgspec.Struct, frozen=True, tag="cidr"):
    """A location of a collection; `"*"` is where everybody else is."""

    collection: str
    location: str


Routing = Simple | Weighted | Latency | Failover | Geolocation | Geoproximity | Multivalue | Cidr


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """Another record set answers, of the same type, by its zone's id and its name."""

    zone: str
    name: str
    evaluate_target_health: bool = False


class RecordSet(msgspec.Struct, frozen=True, kw_only=True):
    """What one name has of one type, or one of several such sets that a policy chooses between."""

    name: str
    type: str
    ttl_s: int = 0
    values: tuple[str, ...] = ()
    set_identifier: str = ""
    routing: Routing = Simple()
    alias: Alias | None = None
    #: A key of `Health`; empty means healthy for ever. A service's own zone names what it publishes itself.
    health_check: str = ""


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A CIDR collection: the blocks of each of its locations."""

    id: str
    locations: dict[str, tuple[str, ...]]


# --- where clients are


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody is. Codes as in Route 53 (`EU`, `DE`, `CA` of `US`); coordinates decide latency and proximity."""

    continent: str = ""
    country: str = ""
    subdivision: str = ""
    latitude: float | None = None
    longitude: float | None = None


class ClientLocation(msgspec.Struct, frozen=True, kw_only=True):
    """Where these addresses shall be taken to be. Goes before any country table."""

    block: str
    place: Place


# --- what a network's resolver does with names


class Target(msgspec.Struct, frozen=True):
    address: str
    port: int = 53


class Origin(msgspec.Struct, frozen=True):
    """An address of ours in a network, which is asked from: one of an outbound endpoint."""

    network: str
    address: str


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Questions about a domain and what is below it go to these; without targets to where all others go (SYSTEM)."""

    domain: str
    targets: tuple[Target, ...] = ()
    origins: tuple[Origin, ...] = ()


class FirewallRule(msgspec.Struct, frozen=True, kw_only=True):
    """What is done with questions about these domains (`*.` in front: those below). Lower priority goes first."""

    priority: int
    domains: tuple[str, ...]
    action: Literal["ALLOW", "ALERT", "BLOCK"]
    block_response: Literal["NODATA", "NXDOMAIN", "OVERRIDE"] = "NODATA"
    override_domain: str = ""
    override_ttl_s: int = 0
    type: str = ""
    #: Whether where a CNAME leads to is not looked at any more.
    trusts_redirection: bool = False
    #: Told to the query log, as Route 53 does: the rule group and the domain list.
    group: str = ""
    list: str = ""


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The resolver of one network, over what follows from the zones associated with it."""

    id: str
    rules: tuple[Rule, ...] = ()
    firewall: tuple[FirewallRule, ...] = ()
    logged: bool = False
    #: Whether the network's own addresses have names without anybody having made any.
    autodefined_reverse: bool = True


# --- changes: each is whole in itself, and told twice it changes nothing


class PutZone(msgspec.Struct, frozen=True, tag_field="change", tag="zone"):
    zone: Zone


class DropZone(msgspec.Struct, frozen=True, tag_field="change", tag="no-zone"):
    id: str


class PutRecords(msgspec.Struct, frozen=True, tag_field="change", tag="records"):
    """All sets that a name now has of a type; none takes them away. The zone must have been put before."""

    zone: str
    name: str
    type: str
    sets: tuple[RecordSet, ...]


class PutCollection(msgspec.Struct, frozen=True, tag_field="change", tag="collection"):
    collection: Collection


class DropCollection(msgspec.Struct, frozen=True, tag_field="change", tag="no-collection"):
    id: str


class PutClientLocations(msgspec.Struct, frozen=True, tag_field="change", tag="client-locations"):
    """All there are."""

    locations: tuple[ClientLocation, ...]


class PutNetwork(msgspec.Struct, frozen=True, tag_field="change", tag="network"):
    network: Network


class DropNetwork(msgspec.Struct, frozen=True, tag_field="change", tag="no-network"):
    id: str


Change = (
    PutZone
    | DropZone
    | PutRecords
    | PutCollection
    | DropCollection
    | PutClientLocations
    | PutNetwork
    | DropNetwork
)


class Batch(msgspec.Struct, frozen=True):
    """What happened up to and with a change number. Applied whole between two questions, so nobody sees half of it.

    An `anew` one is all there is: a zone or a collection that it does not tell of is gone.
    """

    number: int
    changes: tuple[Change, ...]
    anew: bool = False
