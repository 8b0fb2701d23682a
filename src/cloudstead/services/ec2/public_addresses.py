"""Public addresses: one pool for all accounts and regions, and whose private address each stands in front of.

An address is taken while its `PublicAddress` row exists. An automatic one belongs to the primary address of an
instance's only interface while the instance is up; an elastic one takes its place and gives it back.
"""

import ipaddress
from functools import lru_cache
from itertools import chain

import msgspec

from cloudstead.core import ids
from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.network.naming import Pool
from cloudstead.services.ec2.network_rows import (
    ElasticAddress,
    NetworkInterface,
    PublicAddress,
    PublicAssociation,
)
from cloudstead.services.ec2.rows import Resources

AUTOMATIC = "amazon"  # whose an automatic address is, as AWS shows it
_TRIES = 16


# --- the pool


def take(resources: Resources, owner: str) -> str:
    """A free address of the pool, from now on the owner's; a random one, so that none comes back soon."""
    _refuse_where_there_are_none(resources)
    first, count = _usable(resources.settings.public_pool)
    tries = (resources.tools.random.randrange(count) for _ in range(_TRIES))
    for number in chain(tries, range(count)):
        address = str(ipaddress.IPv4Address(first + number))
        if resources.store.get(PublicAddress, address) is None:
            return claim(resources, owner, address)
    raise ServiceError(
        "Not enough addresses available to satisfy your request.", code="InsufficientAddressCapacity"
    )


def claim(resources: Resources, owner: str, wanted: str) -> str:
    """This address of the pool, if it is free."""
    _refuse_where_there_are_none(resources)
    first, count = _usable(resources.settings.public_pool)
    try:
        address = ipaddress.IPv4Address(wanted)
    except ValueError:
        raise ServiceError(
            f"Invalid value '{wanted}' for address. Not an IPv4 address.", code="InvalidAddress.Malformed"
        ) from None
    if not first <= int(address) < first + count:
        raise ServiceError(f"Address '{wanted}' not found.", code="InvalidAddress.NotFound")
    if resources.store.get(PublicAddress, wanted) is not None:
        raise ServiceError(f"The address '{wanted}' is in use.", code="InvalidAddress.InUse")
    resources.store.insert(PublicAddress(id=wanted, owner=owner))
    return wanted


def _refuse_where_there_are_none(resources: Resources) -> None:
    if not resources.settings.public_addresses:
        raise ServiceError(
            "Instances of a Docker engine have no public addresses; `cloudstead ssh` logs in to them all the same.",
            code="Unsupported",
        )


def give_back(resources: Resources, address: str) -> None:
    row = resources.store.get(PublicAddress, address)
    assert row is not None, f"{address} was not taken"
    resources.store.delete(row)


@lru_cache(maxsize=8)
def _usable(cidr: str) -> tuple[int, int]:
    """The number of the first address that may be given away, and how many there are."""
    first = int(ipaddress.IPv4Network(cidr).network_address) + 1
    return first, int(Pool(cidr).reserved.network_address) - first


# --- automatic addresses


def automatic(resources: Resources, interface_id: str) -> PublicAssociation:
    return PublicAssociation(address=take(resources, interface_id), owner=AUTOMATIC)


def provide(resources: Resources, interface: NetworkInterface) -> NetworkInterface:
    """Give it an automatic address if it is to have one now. Safe to repeat."""
    if not resources.settings.public_addresses:
        return interface
    if not (interface.auto_public and interface.instance_up) or any(
        each.public for each in interface.addresses
    ):
        return interface
    if len(resources.store.rows(NetworkInterface, instance_id=interface.instance_id)) > 1:
        return interface
    return _put(resources, interface, interface.primary.address, automatic(resources, interface.id))


def withdraw(resources: Resources, interface: NetworkInterface) -> NetworkInterface:
    """Take its automatic address away. Safe to repeat."""
    public = interface.primary.public
    if public is None or public.owner != AUTOMATIC:
        return interface
    give_back(resources, public.address)
    return _put(resources, interface, interface.primary.address, None)


# --- elastic addresses


def associate(
    resources: Resources, elastic: ElasticAddress, interface: NetworkInterface, private_ip: str
) -> ElasticAddress:
    """Put a free elastic address in front of a private one, in place of the automatic one that may be there."""
    assert not elastic.association_id, elastic.id
    if private_ip == interface.primary.address:
        interface = withdraw(resources, interface)
    association_id = ids.new("eipassoc", resources.tools.random)
    public = PublicAssociation(
        address=elastic.address,
        owner=elastic.account,
        allocation_id=elastic.id,
        association_id=association_id,
    )
    _put(resources, interface, private_ip, public)
    return resources.store.update(
        elastic, association_id=association_id, interface_id=interface.id, private_ip=private_ip
    )


def disassociate(resources: Resources, elastic: ElasticAddress) -> ElasticAddress:
    """Make it stand in front of nothing. Safe to repeat."""
    if not elastic.association_id:
        return elastic
    interface = resources.store.get(NetworkInterface, elastic.interface_id)
    assert interface is not None, f"{elastic.id} stands in front of an interface that is gone"
    interface = _put(resources, interface, elastic.private_ip, None)
    freed = resources.store.update(elastic, association_id="", interface_id="", private_ip="")
    provide(resources, interface)
    return freed


def strip(resources: Resources, interface: NetworkInterface) -> NetworkInterface:
    """Take all its public addresses away, for it is about to go."""
    interface = resources.store.update(interface, auto_public=False)
    for elastic in resources.store.rows(ElasticAddress, interface_id=interface.id):
        disassociate(resources, elastic)
    current = resources.store.get(NetworkInterface, interface.id)
    assert current is not None
    return withdraw(resources, current)


def _put(
    resources: Resources, interface: NetworkInterface, private_ip: str, public: PublicAssociation | None
) -> NetworkInterface:
    changed = tuple(
        msgspec.structs.replace(each, public=public) if each.address == private_ip else each
        for each in interface.addresses
    )
    return resources.store.update(interface, addresses=changed)
