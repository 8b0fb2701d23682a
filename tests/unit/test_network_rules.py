"""What a network's spec means for packets, before any kernel is asked."""

import ipaddress
import itertools
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.network_worlds import allow, changed, group, interface, network, subnet, to
from tests.support.netns import apart

from cloudstead.dataplane.network import firewall, links, naming, permits, routing
from cloudstead.dataplane.network.driver import AclEntry, NetworkAcl, PortRule

POOL = naming.Pool()

prefixes = st.builds(
    lambda address, length: ipaddress.ip_network((address >> (32 - length) << (32 - length), length)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 32),
)


@given(
    st.dictionaries(prefixes, st.integers(0, 5), max_size=12), st.lists(st.integers(0, 2**32 - 1), min_size=5)
)
def test_flattened_the_longest_prefix_still_wins(marks, addresses):
    marks = {ipaddress.ip_network("0.0.0.0/0"): 9, **marks}
    intervals = routing.flatten(marks)
    assert intervals[0][0] == 0
    assert intervals[-1][1] == 2**32 - 1
    assert all(a[1] + 1 == b[0] for a, b in itertools.pairwise(intervals))
    borders = [int(each) for network in marks for each in (network[0], network[-1])]
    for address in (*addresses, *borders):
        longest = max((n for n in marks if ipaddress.ip_address(address) in n), key=lambda n: n.prefixlen)
        assert [mark for first, last, mark in intervals if first <= address <= last] == [marks[longest]]


def test_a_network_s_own_range_is_local_and_what_no_route_names_goes_nowhere():
    spec = network(subnets=(subnet("subnet-0a", "10.0.0.0/24", to("192.0.2.0/24", "internet")),))
    intervals = routing.next_hops(spec, spec.subnets[0], 4)
    assert _mark(intervals, "10.0.200.1") == naming.LOCAL
    assert _mark(intervals, "192.0.2.7") == naming.INTERNET
    assert _mark(intervals, "192.0.3.7") == naming.NOWHERE


def test_a_route_whose_target_cannot_carry_it_goes_nowhere():
    def mark(route, *interfaces):
        home = subnet("subnet-0a", "10.0.0.0/24", route)
        spec = network(
            *interfaces, subnets=(home, subnet("subnet-0b", "10.0.1.0/24", to("0.0.0.0/0", "internet")))
        )
        return _mark(routing.next_hops(spec, home, 4), "192.0.2.1")

    nat = interface(1, "subnet-0b", "10.0.1.4", public="198.18.0.1", instance=None, nat_gateway="nat-01")
    assert mark(to("0.0.0.0/0", "nat", "nat-01"), nat) == naming.mark_of_nat("nat-01")
    assert mark(to("0.0.0.0/0", "nat", "nat-02"), nat) == naming.NOWHERE
    assert mark(to("0.0.0.0/0", "nat", "nat-01"), changed(nat, public=())) == naming.NOWHERE
    assert mark(to("0.0.0.0/0", "nat", "nat-01"), changed(nat, subnet="subnet-0a")) == naming.NOWHERE
    router = interface(2, "subnet-0b", "10.0.1.5", source_dest_check=False)
    assert mark(to("0.0.0.0/0", "interface", router.id), router) == naming.mark_of_interface(router.id)
    assert (
        mark(to("0.0.0.0/0", "interface", router.id), changed(router, source_dest_check=True))
        == naming.NOWHERE
    )
    assert mark(to("0.0.0.0/0", "interface", router.id), changed(router, instance=None)) == naming.NOWHERE
    assert mark(to("0.0.0.0/0", "blackhole")) == naming.NOWHERE


def test_public_addresses_work_only_where_there_is_an_internet_route():
    inside = interface(1, "subnet-0a", "10.0.0.4", public="198.18.0.1")
    away = interface(2, "subnet-0b", "10.0.1.4", public="198.18.0.2")
    spec = network(
        inside,
        away,
        changed(inside, id="eni-0f", instance=None, public=(("10.0.0.9", "198.18.0.3"),)),
        subnets=(
            subnet("subnet-0a", "10.0.0.0/24", to("0.0.0.0/0", "internet")),
            subnet("subnet-0b", "10.0.1.0/24", to("::/0", "internet")),
        ),
    )
    assert routing.public_addresses(spec) == ["198.18.0.1"]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (allow("tcp", 22, 22, cidr="10.0.0.0/8"), "ip saddr 10.0.0.0/8 tcp dport 22 accept"),
        (allow("17", 53, 60, cidr="::/0"), "meta nfproto ipv6 udp dport 53-60 accept"),
        (allow("tcp", cidr="10.0.0.0/8"), "ip saddr 10.0.0.0/8 meta l4proto 6 accept"),
        (allow("-1", 5, 6, cidr="10.0.0.0/8"), "ip saddr 10.0.0.0/8 accept"),
        (allow("icmp", 8, -1, cidr="10.0.0.0/8"), "ip saddr 10.0.0.0/8 icmp type 8 accept"),
        (allow("icmp", 3, 4, cidr="10.0.0.0/8"), "ip saddr 10.0.0.0/8 icmp type 3 icmp code 4 accept"),
        (allow("58", cidr="2001:db8::/32"), "ip6 saddr 2001:db8::/32 meta l4proto 58 accept"),
        (allow("47", cidr="10.0.0.0/8"), "ip saddr 10.0.0.0/8 meta l4proto 47 accept"),
    ],
)
def test_a_permission_in_nftables_words(rule, line):
    assert permits.accepts([rule], "saddr", "accept") == [line]


def test_peers_of_one_port_are_collapsed():
    rules = [
        allow("tcp", 22, 22, cidr=cidr)
        for cidr in ("10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16", "192.0.2.1/32")
    ]
    assert permits.accepts(rules, "saddr", "accept") == [
        "ip saddr { 10.0.0.0/8, 192.0.2.1/32 } tcp dport 22 accept"
    ]


def test_an_acl_s_lowest_number_comes_first_and_denial_last():
    acl = NetworkAcl(
        id="acl-0a",
        entries=(
            AclEntry(number=200, allow=True, egress=False, protocol="-1", cidr="0.0.0.0/0"),
            AclEntry(
                number=100,
                allow=False,
                egress=False,
                protocol="6",
                cidr="10.0.0.0/8",
                from_port=22,
                to_port=22,
            ),
            AclEntry(number=50, allow=True, egress=True, protocol="-1", cidr="0.0.0.0/0"),
        ),
    )
    assert permits.acl_chain(acl, egress=False) == [
        "ip saddr 10.0.0.0/8 tcp dport 22 drop",
        "meta nfproto ipv4 return",
        "drop",
    ]
    assert not permits.allows_all(acl, egress=False, ipv6=False)
    assert permits.allows_all(acl, egress=True, ipv6=False)
    assert not permits.allows_all(acl, egress=True, ipv6=True)


def test_the_cloud_s_own_addresses():
    assert (POOL.host, POOL.edge) == ("198.19.255.1", "198.19.255.2")
    assert str(POOL.reserved) == "198.19.240.0/20"
    assert POOL.free_transit({"198.19.240.1"}) == "198.19.240.2"
    assert (POOL.cidr6, POOL.host6) == ("2001:db8:c612::/48", "2001:db8:c612:ffff::1")
    with pytest.raises(ValueError, match="/24"):
        naming.Pool("198.18.0.0/24")


def test_names_fit_the_kernel():
    id = "eni-0123456789abcdef0"
    assert naming.veth(id) == "e3456789abcdef0"
    assert len(naming.veth(id)) == len(naming.uplink("vpc-0123456789abcdef0")) == 15
    assert naming.mark_of_interface(id) & naming.KIND_MASK == naming.TO_INTERFACE


def test_what_is_as_it_should_be_needs_no_command():
    spec = network(interface(1, "subnet-0a", "10.0.0.4"))
    now = links.Seen(
        links={naming.veth(spec.interfaces[0].id): True, naming.EDGE: True},
        services=frozenset(links.services(spec)),
        hops=frozenset(links.hops(spec, POOL)),
        rules=frozenset(links.rules(spec)),
    )
    placed = {
        each.id: links.Placed(each.instance, 0, each.mac, links.addresses(each, spec))
        for each in spec.interfaces
    }
    lines = links.router_commands(spec, POOL, "198.19.240.1", now, placed=placed, files={})
    assert lines == ["link set lo up"]
    gone = links.router_commands(changed(spec, interfaces=()), POOL, "198.19.240.1", now, placed={}, files={})
    name = naming.veth(spec.interfaces[0].id)
    assert gone == ["link set lo up", f"link set {name} group 4242", "link del group 4242"]


@pytest.mark.root
@apart
def test_nftables_takes_every_ruleset():
    """Also on a machine whose /etc/protocols and /etc/services came with no package yet: a bare Debian's."""
    for file in ("/etc/protocols", "/etc/services"):
        if Path(file).exists():
            subprocess.run(["mount", "--bind", "/dev/null", file], check=True)
    chance = random.Random(20)
    for n in range(25):
        rules = _rules(_some_network(chance))
        done = subprocess.run(
            ["nft", "-c", "-f", "-"], input=rules, capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode == 0, f"network {n}: {done.stderr}\n{rules}"


def _rules(spec):
    return firewall.ruleset(spec, transit="198.19.240.1", pool=POOL, gateway_port=4566)


def _mark(intervals, address):
    wanted = ipaddress.ip_address(address)
    (mark,) = [mark for first, last, mark in intervals if first <= wanted <= last]
    return mark


def _some_network(chance):
    """A network with some of everything; often with nothing of something."""
    groups = tuple(group(f"sg-0{n}", *_rules_of(chance), egress=tuple(_rules_of(chance))) for n in range(4))
    acls = tuple(
        NetworkAcl(
            id=f"acl-0{n}",
            entries=tuple(
                AclEntry(
                    number=k,
                    allow=chance.random() < 0.7,
                    egress=chance.random() < 0.5,
                    protocol=rule.protocol,
                    cidr=rule.cidr,
                    from_port=rule.from_port,
                    to_port=rule.to_port,
                )
                for k, rule in enumerate(_rules_of(chance))
                if rule.cidr
            ),
        )
        for n in range(2)
    )
    targets = [
        to("0.0.0.0/0", chance.choice(["internet", "blackhole"])),
        to("0.0.0.0/0", "nat", "nat-01"),
        to("192.0.2.0/24", "interface", f"eni-0{1:016x}"),
        to("198.51.100.7/32", "internet"),
        to("::/0", "internet"),
        to("::/0", "egress"),
        to("2001:db8:1::/48", "internet"),
    ]
    subnets = tuple(
        subnet(
            f"subnet-0{n}",
            f"10.0.{n}.0/24",
            *chance.sample(targets, chance.randint(0, len(targets))),
            ipv6=f"2001:db8:0:{n}::/64",
            acl=chance.choice(["acl-0open", "acl-00", "acl-01"]),
        )
        for n in range(3)
    )
    interfaces = tuple(
        interface(
            n,
            f"subnet-0{n % 3}",
            f"10.0.{n % 3}.{n + 4}",
            *chance.sample([each.id for each in groups], chance.randint(0, 4)),
            public=chance.choice([None, f"198.18.0.{n}"]),
            ipv6_addresses=chance.choice([(), (f"2001:db8:0:{n % 3}::{n:x}",)]),
            source_dest_check=chance.random() < 0.7,
            **chance.choice([{}, {}, {"instance": None}, {"instance": None, "nat_gateway": "nat-01"}]),
        )
        for n in range(chance.randint(0, 8))
    )
    ipv6 = chance.choice([(), ("2001:db8::/56",)])
    return network(*interfaces, subnets=subnets, groups=groups, acls=acls, ipv6_cidrs=ipv6)


def _rules_of(chance):
    return [
        PortRule(
            protocol=chance.choice(["tcp", "udp", "icmp", "icmpv6", "-1", "47", "6", "58"]),
            **chance.choice(
                [
                    {},
                    {"from_port": 22, "to_port": 22},
                    {"from_port": 3, "to_port": 8},
                    {"from_port": -1, "to_port": -1},
                ]
            ),
            **chance.choice(
                [{"cidr": c} for c in ("0.0.0.0/0", "::/0", "10.0.0.0/16", "2001:db8::/32", "10.0.0.9/32")]
                + [{"group": f"sg-0{n}"} for n in range(4)]
            ),
        )
        for _ in range(chance.randint(0, 6))
    ]
