"""Which private addresses of a subnet are free.

Nothing is counted: an address is taken if an interface of the subnet has it. A random one is tried first, which costs
the same whether ten are taken or ten thousand; all are looked at only when the subnet is nearly full.
"""

import ipaddress
from collections.abc import Collection
from functools import lru_cache
from random import Random

from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2.network_rows import NetworkInterface, Subnet
from cloudstead.store import Store

#: The network's own address, the router's, the resolver's and one for later; and the last.
_FIRST_RESERVED, _LAST_RESERVED = 4, 1
_TRIES = 16


def pick(store: Store, chance: Random, subnet: Subnet, *, but: Collection[str] = ()) -> str:
    """A free IPv4 address; InsufficientFreeAddressesInSubnet if there is none. `but`: about to be taken."""
    network = _network4(subnet.cidr)
    first, count = _usable(network)
    for _ in range(_TRIES if count > 0 else 0):
        address = str(network[first + chance.randrange(count)])
        if address not in but and holder(store, subnet.id, address) is None:
            return address
    taken = {
        each.address for one in store.rows(NetworkInterface, subnet_id=subnet.id) for each in one.addresses
    }
    free = [number for number in range(first, first + count) if str(network[number]) not in taken]
    free = [number for number in free if str(network[number]) not in but]
    if not free:
        raise ServiceError(
            f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of instances.",
            code="InsufficientFreeAddressesInSubnet",
        )
    return str(network[chance.choice(free)])


def pick6(store: Store, chance: Random, subnet: Subnet, *, but: Collection[str] = ()) -> str:
    """A free IPv6 address: of the 2^64 hardly one is ever taken."""
    network = _network6(subnet)
    first, count = _usable(network)
    while True:
        address = str(network[first + chance.randrange(count)])
        if address not in but and holder(store, subnet.id, address) is None:
            return address


def claim(store: Store, subnet: Subnet, wanted: str, *, but: Collection[str] = ()) -> str:
    """This IPv4 address, if an interface of the subnet may have it and none has; AWS's error otherwise."""
    try:
        address = ipaddress.IPv4Address(wanted)
    except ValueError:
        raise _invalid(
            f"Value ({wanted}) for parameter privateIpAddress is invalid. Invalid IPv4 address."
        ) from None
    return _claimed(store, subnet, _network4(subnet.cidr), address, but)


def claim6(store: Store, subnet: Subnet, wanted: str, *, but: Collection[str] = ()) -> str:
    """This IPv6 address in its usual form, likewise."""
    return _claimed(store, subnet, _network6(subnet), ipaddress.IPv6Address(read6(wanted)), but)


def read6(text: str) -> str:
    """An IPv6 address in its usual form."""
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise _invalid(
            f"Value ({text}) for parameter ipv6Address is invalid. Invalid IPv6 address."
        ) from None


def holder(store: Store, subnet_id: str, address: str) -> NetworkInterface | None:
    """The interface that has this address, of either family, in the subnet."""
    place = (subnet_id, address)
    for interface in store.rows(NetworkInterface, **{"place6" if ":" in address else "place": place}):
        return interface
    for interface in store.rows(NetworkInterface, crowds=subnet_id):
        if address in interface.ipv6_addresses or any(
            each.address == address for each in interface.addresses
        ):
            return interface
    return None


def available(store: Store, subnet: Subnet) -> int:
    """How many IPv4 addresses are free."""
    _, count = _usable(_network4(subnet.cidr))
    return count - sum(len(one.addresses) for one in store.rows(NetworkInterface, subnet_id=subnet.id))


def _claimed(
    store: Store,
    subnet: Subnet,
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
    but: Collection[str],
) -> str:
    if address not in network:
        raise _invalid(f"Address {address} does not fall within the subnet's address range")
    first, count = _usable(network)
    if not first <= int(address) - int(network.network_address) < first + count:
        raise _invalid(f"Address {address} is in subnet's reserved address range")
    if str(address) in but or holder(store, subnet.id, str(address)) is not None:
        raise ServiceError(f"Address {address} is in use.", code="InvalidIPAddress.InUse")
    return str(address)


def _usable(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> tuple[int, int]:
    """The number of the first address that interfaces may have, and how many there are."""
    return _FIRST_RESERVED, network.num_addresses - _FIRST_RESERVED - _LAST_RESERVED


@lru_cache(maxsize=256)
def _network4(cidr: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(cidr)


def _network6(subnet: Subnet) -> ipaddress.IPv6Network:
    if subnet.ipv6_cidr is None:
        raise _invalid(f"The subnet '{subnet.id}' does not have an IPv6 CIDR block associated with it.")
    return ipaddress.IPv6Network(subnet.ipv6_cidr)


def _invalid(text: str) -> ServiceError:
    return ServiceError(text, code="InvalidParameterValue")
