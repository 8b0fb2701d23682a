"""EC2's names, inside networks and outside."""

import pytest

from cloudstead.core.clock import ManualClock
from cloudstead.services.ec2.name_answers import Ec2Names
from cloudstead.services.ec2.network_rows import (
    CidrAssociation,
    ElasticAddress,
    NetworkInterface,
    PrivateAddress,
    PublicAddress,
    PublicAssociation,
    Vpc,
)
from cloudstead.store import Store

API = "198.19.255.1"
HOME, AWAY = "vpc-00000000000000001", "vpc-00000000000000002"
MINE = {"account": "123456789012"}


def vpc(id, region, cidr):
    return Vpc(
        id=id,
        region=region,
        **MINE,
        cidrs=(CidrAssociation(id="vpc-cidr-assoc-1", cidr=cidr),),
        dhcp_options_id="default",
    )


def interface(id, vpc_id, region, private, public, allocation=""):
    there = PublicAssociation(address=public, owner="amazon", allocation_id=allocation)
    return NetworkInterface(
        id=id,
        region=region,
        **MINE,
        vpc_id=vpc_id,
        subnet_id="subnet-1",
        zone=f"{region}a",
        mac="02:00:00:00:00:01",
        addresses=(PrivateAddress(address="10.0.0.4"), PrivateAddress(address=private, public=there)),
        created_at=ManualClock().now(),
    )


@pytest.fixture
def names():
    store = Store(None)
    store.insert(vpc(HOME, "us-east-1", "10.0.0.0/16"))
    store.insert(vpc(AWAY, "eu-west-1", "10.0.0.0/16"))
    store.insert(interface("eni-1", HOME, "us-east-1", "10.0.0.5", "198.18.0.1"))
    store.insert(PublicAddress(id="198.18.0.1", owner="eni-1"))
    store.insert(interface("eni-2", AWAY, "eu-west-1", "10.0.0.6", "198.18.0.2", "eipalloc-1"))
    store.insert(
        ElasticAddress(
            id="eipalloc-1", region="eu-west-1", **MINE, address="198.18.0.2", interface_id="eni-2"
        )
    )
    store.insert(PublicAddress(id="198.18.0.2", owner="eipalloc-1"))
    return Ec2Names(store, api_address=API)


def records(names, view, name, type="A"):
    found = names.lookup(view, name, type)
    return found if found is None else found.records


@pytest.mark.parametrize(
    ("view", "name", "there"),
    [
        (None, "ec2-198-18-0-1.compute-1.amazonaws.com", ("198.18.0.1",)),
        (HOME, "ec2-198-18-0-1.compute-1.amazonaws.com", ("10.0.0.5",)),
        (AWAY, "ec2-198-18-0-1.compute-1.amazonaws.com", ("198.18.0.1",)),
        (None, "ec2-198-18-0-2.eu-west-1.compute.amazonaws.com", ("198.18.0.2",)),
        (AWAY, "ec2-198-18-0-2.eu-west-1.compute.amazonaws.com", ("10.0.0.6",)),
        (None, "ec2-198-18-0-2.compute-1.amazonaws.com", None),
        (None, "ec2-198-18-0-9.compute-1.amazonaws.com", None),
        (None, "compute-1.amazonaws.com", ()),
    ],
)
def test_a_public_name_leads_to_the_private_address_in_its_own_network_alone(names, view, name, there):
    assert records(names, view, name) == there
    assert records(names, view, name, "AAAA") == (() if there else there)


def test_private_names_are_those_of_the_network_s_region_and_ranges(names):
    assert records(names, HOME, "ip-10-0-7-7.ec2.internal") == ("10.0.7.7",)
    assert records(names, HOME, "ip-10-1-0-1.ec2.internal") is None
    assert names.lookup(HOME, "ip-10-1-0-1.ec2.internal", "A").zone == "ec2.internal"
    assert records(names, AWAY, "ip-10-0-0-6.eu-west-1.compute.internal") == ("10.0.0.6",)
    assert names.lookup(AWAY, "ip-10-0-0-6.ec2.internal", "A") is None
    assert names.lookup(None, "ip-10-0-7-7.ec2.internal", "A") is None


def test_an_address_has_its_name_by_the_same_rules(names):
    assert records(names, HOME, "5.0.0.10.in-addr.arpa", "PTR") == ("ip-10-0-0-5.ec2.internal.",)
    assert records(names, None, "1.0.18.198.in-addr.arpa", "PTR") == (
        "ec2-198-18-0-1.compute-1.amazonaws.com.",
    )
    assert names.lookup(None, "5.0.0.10.in-addr.arpa", "PTR") is None
    assert names.lookup(None, "9.0.18.198.in-addr.arpa", "PTR") is None


def test_the_apis_are_found_from_inside_and_the_world_s_own_names_are_left_alone(names):
    assert records(names, HOME, "sts.us-east-1.amazonaws.com") == (API,)
    assert records(names, HOME, "sts.us-east-1.amazonaws.com", "AAAA") == ()
    assert names.lookup(None, "sts.us-east-1.amazonaws.com", "A") is None
    assert names.lookup(HOME, "example.com", "A") is None


def test_a_network_without_dns_support_has_no_resolver():
    store = Store(None)
    home = store.insert(vpc(HOME, "us-east-1", "10.0.0.0/16"))
    names = Ec2Names(store, api_address=API)
    assert names.serves(HOME)
    assert names.serves(None)
    store.update(home, dns_support=False)
    assert not names.serves(HOME)
    assert names.serves(None)
