"""Names and numbers of what one cloud makes in the kernel.

Everything follows from the resource's id and nothing is remembered. The one thing a reader would get wrong: the
kernel allows 15 characters for an interface, so the tail of the id stands for it; only the host link shares a
namespace with other clouds' and carries the cloud's id.
"""

import ipaddress
import zlib

import msgspec

#: Services of the VPC itself, at the addresses AWS gives them.
METADATA, METADATA6 = "169.254.169.254", "fd00:ec2::254"
RESOLVER, RESOLVER6 = "169.254.169.253", "fd00:ec2::253"
GATEWAY6 = "fe80::1"  # the router as every instance sees it
ROUTER6 = "fe80::2"  # the router as the edge sees it
EDGE = "edge"  # namespace of the edge; in a router, the device that leads to it
GATEWAY_PORT = 4566

#: Packet marks, which are also the numbers of routing tables: where a packet goes next.
LOCAL, NOWHERE, INTERNET, API = 0, 1, 2, 3
TO_INTERFACE, TO_NAT, KIND_MASK = 0x1000_0000, 0x2000_0000, 0xF000_0000


class Pool(msgspec.Struct, frozen=True):
    """Public addresses of one cloud. The last thirty-second of them is the cloud's own: never allocate there."""

    cidr: str = "198.18.0.0/15"

    def __post_init__(self) -> None:
        if not 8 <= ipaddress.IPv4Network(self.cidr).prefixlen <= 19:
            raise ValueError(f"{self.cidr}: a pool of public addresses has a prefix from /8 to /19")

    @property
    def reserved(self) -> ipaddress.IPv4Network:
        network = ipaddress.IPv4Network(self.cidr)
        bits = network.prefixlen + 5
        return ipaddress.IPv4Network((int(network.broadcast_address) >> (32 - bits) << (32 - bits), bits))

    @property
    def host(self) -> str:
        """The host as instances see it; the API gateway's address (198.19.255.1 by default)."""
        return str(self.reserved.broadcast_address - 254)

    @property
    def edge(self) -> str:
        """The edge's end of the host link (198.19.255.2 by default)."""
        return str(self.reserved.broadcast_address - 253)

    @property
    def cidr6(self) -> str:
        """Where networks get their /56 of IPv6, but for the last, which is the cloud's own.

        It follows from `cidr`, so that clouds on one host differ here too.
        """
        return f"2001:db8:{int(ipaddress.IPv4Network(self.cidr).network_address) >> 16:x}::/48"

    @property
    def host6(self) -> str:
        """The host as instances see it by IPv6 (2001:db8:c612:ffff::1 by default)."""
        last = int(ipaddress.IPv6Network(self.cidr6).broadcast_address)
        return str(ipaddress.IPv6Address(last >> 64 << 64 | 1))

    def free_transit(self, taken: set[str]) -> str | None:
        """An address for one more router, for its own traffic; None if all are taken."""
        first = self.reserved.network_address
        last = int(self.reserved.broadcast_address) - 256
        return next(
            (str(first + n) for n in range(1, last - int(first)) if str(first + n) not in taken), None
        )


def _tail(id: str) -> str:
    tail = id.rpartition("-")[2][-14:]
    assert tail.isascii(), id
    assert tail.isalnum(), id
    return tail


def veth(interface: str) -> str:
    """An interface's end in its router."""
    return "e" + _tail(interface)


def uplink(network: str) -> str:
    """A router's link, as named in the edge."""
    return "v" + _tail(network)


def host_link(cloud: str) -> str:
    return "cs" + cloud


def mark_of_interface(interface: str) -> int:
    return TO_INTERFACE | zlib.crc32(interface.encode()) & ~KIND_MASK


def mark_of_nat(nat_gateway: str) -> int:
    return TO_NAT | zlib.crc32(nat_gateway.encode()) & ~KIND_MASK
