"""What EC2 needs of whatever really carries packets.

A network is applied whole: `ensure` takes everything that is wanted of one VPC and makes the world match in one
go, so a restart is nothing but another `ensure`. A spec says what packets may do, in the terms of the VPC; how
(namespaces, veths, nftables) is the driver's affair.
"""

import hashlib
import socket
from typing import Literal, Protocol

import msgspec


class PortRule(msgspec.Struct, frozen=True, kw_only=True):
    """One permission of a security group, one peer. Absent ports mean all.

    For ICMP and ICMPv6, `from_port` is the type and `to_port` the code, None for all, as in EC2.
    """

    protocol: str  # "tcp", "udp", "icmp", "icmpv6", "-1" for all, or a number
    from_port: int | None = None
    to_port: int | None = None
    cidr: str | None = None  # IPv4 or IPv6; a prefix list is spelt out as one rule each
    group: str | None = None  # sg-…: the addresses of all its members, this network's and peers'


class SecurityGroup(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    ingress: tuple[PortRule, ...]
    egress: tuple[PortRule, ...]


class AclEntry(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    allow: bool
    egress: bool
    protocol: str
    cidr: str
    from_port: int | None = None
    to_port: int | None = None


class NetworkAcl(msgspec.Struct, frozen=True, kw_only=True):
    """Stateless; entries in order of number, then deny."""

    id: str
    entries: tuple[AclEntry, ...]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    destination: str  # IPv4 or IPv6 CIDR
    #: "egress" is the internet for what begins here, with IPv6: nobody out there begins.
    via: Literal["local", "internet", "egress", "nat", "interface", "blackhole"]
    target: str = ""  # nat-… or eni-…


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    cidr: str
    ipv6_cidr: str | None
    routes: tuple[Route, ...]  # of the route table in force here
    acl: str  # acl-…


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    id: str  # eni-…
    mac: str
    subnet: str
    addresses: tuple[str, ...]  # private IPv4, primary first
    ipv6_addresses: tuple[str, ...] = ()
    public: tuple[tuple[str, str], ...] = ()  # (private, public) pairs: elastic and auto-assigned addresses
    groups: tuple[str, ...] = ()
    source_dest_check: bool = True
    instance: str | None = None  # i-…: into whose network namespace it goes
    device: int = 0  # eth0, eth1, …
    nat_gateway: str | None = (
        None  # nat-…: it belongs to this NAT gateway, which forwards and masquerades here
    )
    ours: bool = False  # its addresses are the router's own: something of ours listens and asks there, by `open_socket`


class NetworkSpec(msgspec.Struct, frozen=True, kw_only=True):
    id: str  # vpc-…
    cidrs: tuple[str, ...]
    ipv6_cidrs: tuple[str, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    groups: tuple[SecurityGroup, ...] = ()
    acls: tuple[NetworkAcl, ...] = ()
    #: Members of a group that the rules name, by group id, where they are not among `interfaces` (peered networks).
    members: dict[str, tuple[str, ...]] = {}


class NetworkSeen(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    revision: str  # `revision(spec)` of the spec that was last applied whole; "" if it never was


def revision(spec: NetworkSpec) -> str:
    """A digest of the spec: equal for equal specs."""
    return hashlib.sha256(msgspec.msgpack.encode(spec, order="deterministic")).hexdigest()[:24]


def wiring(spec: NetworkSpec) -> str:
    """A digest of the spec without what only permits and forbids: equal where links, addresses and routes are."""
    bare = msgspec.structs.replace(
        spec,
        groups=(),
        acls=(),
        members={},
        interfaces=tuple(msgspec.structs.replace(each, groups=()) for each in spec.interfaces),
        subnets=tuple(msgspec.structs.replace(each, acl="") for each in spec.subnets),
    )
    return revision(bare)


class NetworkDriver(Protocol):
    """Raises DriverError from any method if the world says no for now."""

    async def observe(self) -> list[NetworkSeen]:
        """Every network that exists here, whole or in part."""
        ...

    async def ensure(self, spec: NetworkSpec) -> None:
        """Make the network be just this. Safe to repeat; connections that stay allowed stay open.

        Firewall changes take effect in one transaction; nothing is open in between that is not open in either.
        """
        ...

    async def remove(self, id: str) -> None:
        """Make it not exist. Safe to repeat, and on one never made."""
        ...

    async def teardown(self) -> None:
        """Make none of it exist: every network, and whatever joins them. Safe to repeat."""
        ...

    def open_socket(
        self, id: str, kind: Literal["tcp", "udp"], address: str, port: int, *, listen: bool = True
    ) -> socket.socket:
        """A bound, non-blocking socket inside the network, for metadata and DNS. One of TCP listens, or may connect."""
        ...
