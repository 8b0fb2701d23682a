"""Who is answered with what: every routing policy, alone and nested, healthy and not."""

from collections import Counter
from ipaddress import ip_address

import pytest
from tests.unit.dns.zoned import World, code, plain, putting, zone_of

from cloudstead.dataplane.dns.places import REGIONS, biased_km, distance_km
from cloudstead.dataplane.dns.zones import (
    Alias,
    Cidr,
    ClientLocation,
    Collection,
    DropCollection,
    Failover,
    Geolocation,
    Geoproximity,
    Latency,
    Multivalue,
    Place,
    PutClientLocations,
    PutCollection,
    RecordSet,
    Weighted,
)

NAME = "www.example."
BERLIN = Place(continent="EU", country="DE", latitude=52.5, longitude=13.4)
TOKYO = Place(continent="AS", country="JP", latitude=35.7, longitude=139.7)
TEXAS = Place(continent="NA", country="US", subdivision="TX", latitude=31.0, longitude=-100.0)
CLIENTS = {"192.0.2.1": BERLIN, "198.51.100.1": TOKYO, "203.0.113.1": TEXAS, "2001:db8::1": BERLIN}


def one(routing, value, check="", *, name=NAME, set_identifier=""):
    return plain(
        name, "A", value, routing=routing, health_check=check, set_identifier=set_identifier or value
    )


def alias(name, to, routing=None, *, check="", evaluate=True, zone="Z1"):
    more = {"routing": routing} if routing is not None else {}
    target = Alias(zone=zone, name=to, evaluate_target_health=evaluate)
    return RecordSet(name=name, type="A", alias=target, health_check=check, set_identifier=to, **more)


def world_of(*sets):
    located = tuple(ClientLocation(block=address, place=place) for address, place in CLIENTS.items())
    return World(zone_of("Z1", "example.", *sets), PutClientLocations(located))


def counted(world, times, **more):
    return Counter(tuple(world.values(NAME[:-1], **more)) for _ in range(times))


def test_weights_are_kept_within_three_sigma():
    world = world_of(
        one(Weighted(1), "192.0.2.1"), one(Weighted(3), "192.0.2.3"), one(Weighted(0), "192.0.2.9")
    )
    times = 10_000
    seen = counted(world, times)
    sigma = (times * 0.25 * 0.75) ** 0.5
    assert abs(seen["192.0.2.1",] - times / 4) < 3 * sigma
    assert seen["192.0.2.3",] + seen["192.0.2.1",] == times


def test_weight_zero_answers_when_all_others_are_unhealthy():
    world = world_of(one(Weighted(5), "192.0.2.1", "hc-1"), one(Weighted(0), "192.0.2.2", "hc-2"))
    assert world.values("www.example") == ["192.0.2.1"]
    world.health.tell("hc-1", False)
    assert world.values("www.example") == ["192.0.2.2"]
    world.health.tell("hc-2", False)
    assert world.values("www.example") == ["192.0.2.1"], "none is healthy, so all are"


def test_when_all_weights_are_zero_all_answer_alike():
    seen = counted(world_of(one(Weighted(0), "192.0.2.1"), one(Weighted(0), "192.0.2.2")), 200)
    assert min(seen["192.0.2.1",], seen["192.0.2.2",]) > 50


def test_of_a_failover_pair_the_primary_answers_while_it_is_healthy():
    world = world_of(
        one(Failover("SECONDARY"), "192.0.2.2", "hc-2"), one(Failover("PRIMARY"), "192.0.2.1", "hc-1")
    )
    assert world.values("www.example") == ["192.0.2.1"]
    world.health.tell("hc-1", False)
    assert world.values("www.example") == ["192.0.2.2"]
    world.health.tell("hc-2", False)
    assert world.values("www.example") == ["192.0.2.1"], "both are down"
    world.health.forget("hc-1")
    assert world.values("www.example") == ["192.0.2.1"]


def test_the_nearest_healthy_region_answers():
    world = world_of(
        one(Latency("eu-central-1"), "192.0.2.1", "hc-1"),
        one(Latency("ap-northeast-1"), "192.0.2.2"),
        one(Latency("us-east-1"), "192.0.2.3"),
    )
    assert [world.values("www.example", peer=peer) for peer in CLIENTS] == [
        ["192.0.2.1"],
        ["192.0.2.2"],
        ["192.0.2.3"],
        ["192.0.2.1"],
    ]
    world.health.tell("hc-1", False)
    assert world.values("www.example", peer="192.0.2.1") == ["192.0.2.3"]
    assert world.values("www.example", peer="10.9.8.7") == ["192.0.2.3"], "nobody knows where that is"


def test_the_closest_description_of_a_place_answers_with_the_default_last():
    world = world_of(
        one(Geolocation(country="*"), "192.0.2.1"),
        one(Geolocation(continent="NA"), "192.0.2.2"),
        one(Geolocation(country="US"), "192.0.2.3", "hc-us"),
        one(Geolocation(country="US", subdivision="TX"), "192.0.2.4", "hc-tx"),
    )
    assert world.values("www.example", peer="192.0.2.1") == ["192.0.2.1"]
    assert world.values("www.example", peer="203.0.113.1") == ["192.0.2.4"]
    world.health.tell("hc-tx", False)
    assert world.values("www.example", peer="203.0.113.1") == ["192.0.2.3"]
    world.health.tell("hc-us", False)
    assert world.values("www.example", peer="203.0.113.1") == ["192.0.2.2"]


def test_without_a_default_who_is_nowhere_is_answered_with_nothing():
    world = world_of(one(Geolocation(continent="EU"), "192.0.2.1"))
    assert world.values("www.example", peer="192.0.2.1") == ["192.0.2.1"]
    answer = world.ask("www.example", peer="198.51.100.1")
    assert (code(answer), answer.answer, len(answer.authority)) == ("NOERROR", [], 1)


def test_a_bias_draws_clients_nearer_or_pushes_them_away():
    paris, warsaw = (48.9, 2.4), (52.2, 21.0)

    def world(bias):
        return world_of(
            one(Geoproximity(latitude=paris[0], longitude=paris[1], bias=bias), "192.0.2.1"),
            one(Geoproximity(latitude=warsaw[0], longitude=warsaw[1]), "192.0.2.2"),
        )

    assert world(0).values("www.example") == ["192.0.2.2"], "Berlin is nearer to Warsaw"
    assert world(50).values("www.example") == ["192.0.2.1"]
    assert world(-50).values("www.example") == ["192.0.2.2"]
    assert (biased_km(1000, 20), biased_km(1000, -20), biased_km(1000, 0)) == (800, 1250, 1000)


def test_distances_are_those_of_the_globe():
    assert distance_km(REGIONS["us-east-1"], REGIONS["eu-west-1"]) == pytest.approx(5450, rel=0.02)
    assert distance_km((0, 179), (0, -179)) == pytest.approx(222, rel=0.01)


def test_up_to_eight_healthy_values_answer_together():
    world = world_of(*(one(Multivalue(), f"192.0.2.{n}", f"hc-{n}") for n in range(10)))
    seen = counted(world, 50)
    assert all(len(values) == 8 for values in seen)
    assert len(seen) > 10, "which eight is up to chance"
    for n in range(10):
        world.health.tell(f"hc-{n}", n == 3)
    assert world.values("www.example") == ["192.0.2.3"]
    world.health.tell("hc-3", False)
    assert len(world.values("www.example")) == 8, "none is healthy, so all are"


def test_the_longest_block_that_the_client_is_in_answers():
    world = world_of(
        one(Cidr("c-1", "*"), "192.0.2.1"),
        one(Cidr("c-1", "office"), "192.0.2.2"),
        one(Cidr("c-1", "lab"), "192.0.2.3", "hc-lab"),
    )
    blocks = {"office": ("10.0.0.0/8", "2001:db8::/32"), "lab": ("10.1.0.0/16",)}
    world.apply(PutCollection(Collection(id="c-1", locations=blocks)))
    asked = ("10.1.2.3", "10.2.2.3", "2001:db8::5", "192.0.2.1")
    assert [world.values("www.example", peer=peer)[0][-1] for peer in asked] == ["3", "2", "2", "1"]
    world.health.tell("hc-lab", False)
    assert world.values("www.example", peer="10.1.2.3") == ["192.0.2.2"]
    world.apply(DropCollection("c-1"))
    assert world.values("www.example", peer="10.1.2.3") == ["192.0.2.1"]


def test_a_tree_of_aliases_backs_out_of_branches_that_have_nothing_healthy():
    world = world_of(
        alias(NAME, "eu.example.", Latency("eu-central-1")),
        alias(NAME, "us.example.", Latency("us-east-1")),
        one(Weighted(1), "192.0.2.1", "hc-1", name="eu.example."),
        one(Weighted(1), "192.0.2.2", "hc-2", name="eu.example."),
        one(Weighted(1), "192.0.2.3", "hc-3", name="us.example."),
    )
    world.health.tell("hc-1", False)
    assert counted(world, 20).keys() == {("192.0.2.2",)}
    world.health.tell("hc-2", False)
    assert world.values("www.example") == ["192.0.2.3"]
    world.health.tell("hc-3", False)
    assert counted(world, 40).keys() == {("192.0.2.1",), ("192.0.2.2",)}, "all are down: as if nothing were"


def test_an_alias_that_does_not_look_is_healthy_whatever_it_leads_to():
    world = world_of(
        alias(NAME, "eu.example.", Failover("PRIMARY"), evaluate=False),
        one(Failover("SECONDARY"), "192.0.2.2"),
        plain("eu.example.", "A", "192.0.2.1", health_check="hc-1"),
    )
    world.health.tell("hc-1", False)
    assert world.values("www.example") == ["192.0.2.1"]


def test_an_alias_with_a_check_of_its_own_needs_both_to_be_healthy():
    world = world_of(
        alias(NAME, "eu.example.", Failover("PRIMARY"), check="hc-own"),
        one(Failover("SECONDARY"), "192.0.2.2"),
        plain("eu.example.", "A", "192.0.2.1", health_check="hc-1"),
    )
    assert world.values("www.example") == ["192.0.2.1"]
    for check in ("hc-own", "hc-1"):
        world.health.tell(check, False)
        assert world.values("www.example") == ["192.0.2.2"]
        world.health.tell(check, True)


def test_an_alias_to_a_balancer_fails_over_with_its_targets():
    world = world_of(
        alias(NAME, "lb-1.elb.amazonaws.com.", Failover("PRIMARY"), zone="ZELB"),
        one(Failover("SECONDARY"), "192.0.2.2"),
    )
    balancer = plain("lb-1.elb.amazonaws.com.", "A", "198.18.0.1", ttl_s=60, health_check="lb/lb-1")
    world.apply(zone_of("ZELB", "elb.amazonaws.com.", balancer))
    assert world.values("www.example") == ["198.18.0.1"]
    world.health.tell("lb/lb-1", False)
    assert world.values("www.example") == ["192.0.2.2"]
    assert world.values("lb-1.elb.amazonaws.com") == ["198.18.0.1"]


def test_a_weighted_cname_leads_where_it_chose():
    world = World(
        zone_of(
            "Z1",
            "example.",
            plain(NAME, "CNAME", "a.example.", routing=Weighted(1), health_check="hc-1"),
            plain(NAME, "CNAME", "b.example.", routing=Weighted(0)),
            plain("a.example.", "A", "192.0.2.1"),
            plain("b.example.", "A", "192.0.2.2"),
        )
    )
    assert world.values("www.example") == ["192.0.2.1"]
    world.health.tell("hc-1", False)
    assert world.values("www.example") == ["192.0.2.2"]


def test_policies_hold_behind_wildcards():
    world = world_of(
        one(Failover("PRIMARY"), "192.0.2.1", "hc-1", name="*.example."),
        one(Failover("SECONDARY"), "192.0.2.2", name="*.example."),
    )
    world.health.tell("hc-1", False)
    assert world.values("any.example") == ["192.0.2.2"]


@pytest.mark.parametrize("told", ["198.51.100.0/24", "198.51.100.1/32"])
def test_a_resolver_that_tells_of_its_client_is_answered_for_that_client(told):
    import dns.edns

    address, bits = told.split("/")
    world = world_of(one(Latency("eu-central-1"), "192.0.2.1"), one(Latency("ap-northeast-1"), "192.0.2.2"))
    world.apply(PutClientLocations((ClientLocation(block="198.51.100.0/24", place=TOKYO),)))
    option = dns.edns.ECSOption(address, int(bits))
    answer = world.ask("www.example", peer="192.0.2.1", use_edns=0, options=[option])
    assert [each.to_text() for each in answer.answer[0]] == ["192.0.2.2"]
    assert (answer.options[0].scopelen, answer.options[0].srclen) == (int(bits), int(bits))
    assert ip_address(answer.options[0].address) == ip_address(address)


def test_what_does_not_depend_on_the_client_has_scope_zero():
    import dns.edns

    world = world_of(plain(NAME, "A", "192.0.2.1"))
    answer = world.ask("www.example", use_edns=0, options=[dns.edns.ECSOption("198.51.100.0", 24)])
    assert answer.options[0].scopelen == 0


def test_changes_of_a_policy_take_over_at_once():
    world = world_of(one(Weighted(1), "192.0.2.1"))
    world.apply(putting("Z1", plain(NAME, "A", "192.0.2.5")))
    assert world.values("www.example") == ["192.0.2.5"]
