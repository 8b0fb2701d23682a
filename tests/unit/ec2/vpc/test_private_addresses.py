"""Private addresses: none is given twice, none of AWS's own is given, and the last free one is found."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ec2.instances.world import CALLER, refusal
from tests.unit.ec2.vpc.bare import Bare, rows_read

from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import interfaces, private_addresses
from cloudstead.services.ec2.network_rows import NetworkInterface


def add(bare, **wanted):
    return interfaces.insert(bare.resources, CALLER, bare.subnet, **wanted)


def pick(bare):
    return private_addresses.pick(bare.store, bare.resources.tools.random, bare.subnet)


@settings(max_examples=60, deadline=None)
@given(
    prefix=st.integers(25, 28),
    seed=st.integers(0, 2**16),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 3)), st.tuples(st.just("drop"), st.integers(0, 200))
        )
    ),
)
def test_an_address_is_of_one_interface_and_never_a_reserved_one(prefix, seed, steps):
    bare = Bare(cidr=f"10.0.3.0/{prefix}", seed=seed)
    network = ipaddress.ip_network(bare.subnet.cidr)
    reserved = {str(network[number]) for number in (0, 1, 2, 3, -1)}
    for step, number in steps:
        rows = bare.store.rows(NetworkInterface)
        if step == "add":
            free = private_addresses.available(bare.store, bare.subnet)
            if free < 1 + number:
                with pytest.raises(ServiceError, match="not enough free addresses"), bare.store.transaction():
                    add(bare, more_private_ip_count=number)
            else:
                add(bare, more_private_ip_count=number)
        elif rows:
            interfaces.delete(bare.resources, rows[number % len(rows)])
        taken = [each.address for one in bare.store.rows(NetworkInterface) for each in one.addresses]
        assert len(set(taken)) == len(taken)
        assert not reserved & set(taken)
        assert all(ipaddress.ip_address(address) in network for address in taken)
        assert private_addresses.available(bare.store, bare.subnet) == network.num_addresses - 5 - len(taken)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), number=st.integers(4, 14))
def test_the_only_free_address_is_found(seed, number):
    bare = Bare(cidr="10.0.0.0/28", seed=seed)
    for taken in set(range(4, 15)) - {number}:
        add(bare, private_ip=f"10.0.0.{taken}")
    assert add(bare).primary.address == f"10.0.0.{number}"
    assert refusal(add, bare=bare)[0] == "InsufficientFreeAddressesInSubnet"


@pytest.mark.parametrize(
    ("address", "code", "message"),
    [
        ("10.0.0.0", "InvalidParameterValue", "Address 10.0.0.0 is in subnet's reserved address range"),
        ("10.0.0.3", "InvalidParameterValue", "Address 10.0.0.3 is in subnet's reserved address range"),
        ("10.0.0.255", "InvalidParameterValue", "Address 10.0.0.255 is in subnet's reserved address range"),
        ("10.0.1.4", "InvalidParameterValue", "Address 10.0.1.4 does not fall within the subnet's address range"),
        ("10.0.0.9", "InvalidIPAddress.InUse", "Address 10.0.0.9 is in use."),
        ("10.0.0.10", "InvalidIPAddress.InUse", "Address 10.0.0.10 is in use."),
        ("here", "InvalidParameterValue", "Value (here) for parameter privateIpAddress is invalid. Invalid IPv4 address."),
    ],
)  # fmt: skip
def test_an_address_asked_for_must_be_free_and_fit(address, code, message):
    bare = Bare()
    add(bare, private_ip="10.0.0.9", more_private_ips=["10.0.0.10"])
    assert refusal(add, bare=bare, private_ip=address) == (code, message)


def test_an_address_asked_for_twice_at_once_is_in_use():
    said = refusal(add, bare=Bare(), private_ip="10.0.0.9", more_private_ips=["10.0.0.9"])
    assert said == ("InvalidIPAddress.InUse", "Address 10.0.0.9 is in use.")


def test_the_same_address_may_be_taken_in_another_subnet():
    bare = Bare()
    other = bare.add_subnet(cidr="10.0.0.0/24")
    add(bare, private_ip="10.0.0.9")
    interfaces.insert(bare.resources, CALLER, other, private_ip="10.0.0.9")


def test_ipv6_addresses_come_from_the_subnets_range():
    bare = Bare(ipv6="2001:db8:c612:1::/64")
    one = add(bare, ipv6_count=2)
    two = add(bare, ipv6_addresses=["2001:db8:c612:1:0::A"])
    assert two.ipv6_addresses == ("2001:db8:c612:1::a",)
    assert len(set(one.ipv6_addresses)) == 2
    assert all(
        ipaddress.ip_address(each) in ipaddress.ip_network("2001:db8:c612:1::/64")
        for each in one.ipv6_addresses
    )
    for taken in (one.ipv6_addresses[1], "2001:db8:c612:1::a"):
        assert refusal(add, bare=bare, ipv6_addresses=[taken]) == (
            "InvalidIPAddress.InUse",
            f"Address {taken} is in use.",
        )
    assert refusal(add, bare=Bare(), ipv6_count=1)[0] == "InvalidParameterValue"


def test_a_subnet_that_says_so_gives_each_interface_an_ipv6_address():
    bare = Bare()
    subnet = bare.add_subnet(cidr="10.0.9.0/24", ipv6="2001:db8:c612:2::/64", ipv6_on_creation=True)
    made = interfaces.insert(bare.resources, CALLER, subnet)
    assert made.ipv6_addresses[0].startswith("2001:db8:c612:2:")
    assert interfaces.insert(bare.resources, CALLER, subnet, ipv6_count=0).ipv6_addresses == ()


def test_hardware_addresses_are_local_and_different():
    bare = Bare()
    macs = {add(bare).mac for _ in range(100)}
    assert len(macs) == 100
    assert all(len(mac) == 17 and mac.startswith("0a:") for mac in macs)


def test_no_more_is_looked_at_when_thousands_are_taken():
    bare = Bare(cidr="10.0.0.0/20")
    with bare.store.transaction():
        for _ in range(2000):
            add(bare)
    with rows_read(bare.store) as read, bare.store.transaction():
        for _ in range(100):
            pick(bare)
    assert read[0] < 100 * 10  # half of them are taken, so two tries for each
