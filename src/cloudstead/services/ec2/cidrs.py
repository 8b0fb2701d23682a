"""Ranges of addresses as EC2 reads them, and its words for those it does not take.

EC2 takes a range with bits set behind its prefix and keeps it without them: 10.0.0.9/16 becomes 10.0.0.0/16.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from cloudstead.core.errors import ServiceError

Network = IPv4Network | IPv6Network


def read(text: str, parameter: str) -> Network:
    """The range, or InvalidParameterValue naming the parameter."""
    try:
        if "/" not in text:
            raise ValueError(text)
        return ip_network(text, strict=False)
    except ValueError:
        raise ServiceError(
            f"Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block.",
            code="InvalidParameterValue",
        ) from None


def read4(text: str, parameter: str = "cidrBlock") -> IPv4Network:
    network = read(text, parameter)
    if isinstance(network, IPv4Network):
        return network
    raise ServiceError(
        f"Value ({text}) for parameter {parameter} is invalid. This is not a valid IPv4 CIDR block.",
        code="InvalidParameterValue",
    )


def read6(text: str, parameter: str = "ipv6CidrBlock") -> IPv6Network:
    network = read(text, parameter)
    if isinstance(network, IPv6Network):
        return network
    raise ServiceError(
        f"Value ({text}) for parameter {parameter} is invalid. This is not a valid IPv6 CIDR block.",
        code="InvalidParameterValue",
    )


def within(inner: Network, outer: Iterable[str]) -> bool:
    """Whether one of the outer ranges holds all of the inner one."""
    return any(_holds(ip_network(each), inner) for each in outer)


def overlapping(network: Network, others: Iterable[str]) -> str | None:
    """The first of the others that shares an address with this one."""
    for other in others:
        if _overlap(network, other):
            return other
    return None


def _holds(outer: Network, inner: Network) -> bool:
    if isinstance(outer, IPv4Network) and isinstance(inner, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and isinstance(inner, IPv6Network) and inner.subnet_of(outer)


def _overlap(network: Network, other: str) -> bool:
    known = ip_network(other)
    return network.version == known.version and network.overlaps(known)
