"""What zones answer: names, wildcards, chains, cuts, and what is not there, as the RFCs and AWS have it."""

import pytest
from tests.unit.dns.zoned import SOA, World, authoritative, code, lines, plain, putting, zone_of

from cloudstead.dataplane.dns.responder import Elsewhere
from cloudstead.dataplane.dns.zones import Alias, DropZone, PutRecords, PutZone, RecordSet, Zone

NEGATIVE = [f"example.com. 900 IN SOA {SOA}"]


@pytest.fixture
def world():
    return World(
        zone_of(
            "Z1",
            "example.com.",
            plain("www.example.com.", "A", "192.0.2.1", "192.0.2.2"),
            plain("mail.example.com.", "MX", "10 www.example.com."),
            plain("say.example.com.", "TXT", '"one" "two"'),
            plain("alias.example.com.", "CNAME", "www.example.com."),
            plain("out.example.com.", "CNAME", "elsewhere.test."),
            plain("gone.example.com.", "CNAME", "nothing.example.com."),
            plain("round.example.com.", "CNAME", "round.example.com."),
            plain("a.b.c.example.com.", "A", "192.0.2.3"),
            plain("\\042.wild.example.com.", "A", "192.0.2.4"),
            plain("deep.x.wild.example.com.", "TXT", '"here"'),
            plain("sub.example.com.", "NS", "ns.sub.example.com.", "ns.other.test."),
            plain("ns.sub.example.com.", "A", "192.0.2.53"),
            plain("ns.sub.example.com.", "AAAA", "2001:db8::53"),
        )
    )


def test_a_name_has_its_values_with_authority(world):
    answer = world.ask("www.example.com")
    assert lines(answer.answer) == [
        "www.example.com. 300 IN A 192.0.2.1",
        "www.example.com. 300 IN A 192.0.2.2",
    ]
    assert (code(answer), authoritative(answer), answer.authority) == ("NOERROR", True, [])


@pytest.mark.parametrize(
    ("name", "type", "expected"),
    [
        ("www.example.com", "AAAA", "NOERROR"),
        ("no.example.com", "A", "NXDOMAIN"),
        ("b.c.example.com", "A", "NOERROR"),
        ("x.b.c.example.com", "A", "NXDOMAIN"),
        ("x.www.example.com", "A", "NXDOMAIN"),
    ],
    ids=["no such type", "no such name", "an empty non-terminal", "below one", "below a host"],
)
def test_what_is_not_there_is_denied_with_the_soa(world, name, type, expected):
    answer = world.ask(name, type)
    assert (code(answer), answer.answer, lines(answer.authority)) == (expected, [], NEGATIVE)


@pytest.mark.parametrize(("ttl_s", "minimum_s", "lives_s"), [(900, 86400, 900), (900, 60, 60)])
def test_a_denial_lives_as_long_as_the_shorter_of_the_soas_times(ttl_s, minimum_s, lives_s):
    soa = f"ns.example. host.example. 1 7200 900 1209600 {minimum_s}"
    world = World(zone_of("Z1", "example."), putting("Z1", plain("example.", "SOA", soa, ttl_s=ttl_s)))
    assert world.ask("no.example").authority[0].ttl == lives_s
    assert world.ask("example", "SOA").answer[0].ttl == ttl_s


def test_a_wildcard_covers_what_does_not_exist_and_nothing_else(world):
    assert lines(world.ask("any.wild.example.com").answer) == ["any.wild.example.com. 300 IN A 192.0.2.4"]
    assert world.values("two.labels.wild.example.com") == ["192.0.2.4"]
    assert code(world.ask("any.wild.example.com", "MX")) == "NOERROR"
    assert world.values("wild.example.com") == []
    assert code(world.ask("x.wild.example.com")) == "NOERROR", "it exists, for what is below it"
    assert code(world.ask("y.x.wild.example.com")) == "NXDOMAIN", "x is the closest name, and has no star"
    assert world.values("*.wild.example.com") == ["192.0.2.4"]


def test_a_chain_is_followed_and_its_end_says_the_code(world):
    assert lines(world.ask("alias.example.com").answer) == [
        "alias.example.com. 300 IN CNAME www.example.com.",
        "www.example.com. 300 IN A 192.0.2.1",
        "www.example.com. 300 IN A 192.0.2.2",
    ]
    assert len(world.ask("alias.example.com", "CNAME").answer) == 1
    gone = world.ask("gone.example.com")
    assert (code(gone), len(gone.answer), lines(gone.authority)) == ("NXDOMAIN", 1, NEGATIVE)
    assert len(world.ask("out.example.com").answer) == 1
    assert len(lines(world.ask("round.example.com").answer)) <= 16


def test_a_network_is_told_where_a_chain_leads_out_of_our_zones(world):
    _, outcome = world.said("out.example.com", view="vpc-1")
    assert isinstance(outcome, Elsewhere)
    assert outcome.begun.onward == b"\x09elsewhere\x04test\x00"
    assert lines(world.ask("out.example.com").answer) == ["out.example.com. 300 IN CNAME elsewhere.test."]


@pytest.mark.parametrize("name", ["sub.example.com", "x.y.sub.example.com", "ns.sub.example.com"])
def test_below_a_cut_the_question_is_referred_with_glue(world, name):
    answer = world.ask(name)
    assert (code(answer), authoritative(answer), answer.answer) == ("NOERROR", False, [])
    assert [line.split()[-1] for line in lines(answer.authority)] == ["ns.sub.example.com.", "ns.other.test."]
    assert lines(answer.additional) == [
        "ns.sub.example.com. 300 IN A 192.0.2.53",
        "ns.sub.example.com. 300 IN AAAA 2001:db8::53",
    ]


def test_a_ds_at_a_cut_is_the_upper_zones(world):
    answer = world.ask("sub.example.com", "DS")
    assert (code(answer), authoritative(answer), lines(answer.authority)) == ("NOERROR", True, NEGATIVE)
    world.apply(zone_of("Z2", "sub.example.com."))
    assert authoritative(world.ask("sub.example.com", "NS"))
    assert lines(world.ask("sub.example.com", "DS").authority) == NEGATIVE


def test_any_is_answered_with_next_to_nothing(world):
    assert lines(world.ask("www.example.com", "ANY").answer) == [
        'www.example.com. 3600 IN HINFO "RFC8482" ""'
    ]
    assert code(world.ask("no.example.com", "ANY")) == "NXDOMAIN"


def test_the_closest_zone_answers_and_other_names_are_not_ours(world):
    world.apply(zone_of("Z2", "c.example.com.", plain("c.example.com.", "A", "192.0.2.9")))
    assert world.values("c.example.com") == ["192.0.2.9"]
    assert code(world.ask("a.b.c.example.com")) == "NXDOMAIN"
    _, outcome = world.said("www.example.org")
    assert isinstance(outcome, Elsewhere)
    world.apply(DropZone("Z2"))
    assert world.values("a.b.c.example.com") == ["192.0.2.3"]


def test_of_two_zones_with_one_name_the_delegated_one_answers():
    world = World(
        zone_of("Z1", "example.", plain("example.", "A", "192.0.2.1"), rank=1),
        zone_of("Z2", "example.", plain("example.", "A", "192.0.2.2"), rank=1),
    )
    assert world.values("example") == ["192.0.2.1"]
    world.apply(PutZone(Zone(id="Z2", name="example.", rank=0)))
    assert world.values("example") == ["192.0.2.2"]
    world.apply(DropZone("Z2"))
    assert world.values("example") == ["192.0.2.1"]


def test_a_private_zone_is_heard_in_its_networks_and_hides_public_ones():
    world = World(
        zone_of(
            "Z1", "example.", plain("a.example.", "A", "192.0.2.1"), plain("b.example.", "A", "192.0.2.2")
        ),
        zone_of("Z2", "example.", plain("a.example.", "A", "10.0.0.1"), networks=("vpc-1",)),
    )
    assert world.values("a.example") == ["192.0.2.1"]
    assert world.values("a.example", view="vpc-1") == ["10.0.0.1"]
    assert code(world.ask("b.example", view="vpc-1")) == "NXDOMAIN"
    assert world.values("a.example", view="vpc-2") == ["192.0.2.1"]
    world.apply(PutZone(Zone(id="Z2", name="example.", networks=("vpc-2",))))
    assert world.values("a.example", view="vpc-1") == ["192.0.2.1"]
    assert world.values("a.example", view="vpc-2") == ["10.0.0.1"]


def test_a_zone_without_its_soa_is_not_ready():
    assert code(World(PutZone(Zone(id="Z1", name="example."))).ask("example")) == "SERVFAIL"


def test_what_was_taken_away_leaves_nothing_behind(world):
    before = dict.fromkeys(world.image.zone("Z1").nodes)
    world.apply(putting("Z1", plain("p.q.r.example.com.", "A", "192.0.2.7")))
    assert code(world.ask("q.r.example.com")) == "NOERROR"
    world.apply(PutRecords("Z1", "p.q.r.example.com.", "A", ()))
    assert code(world.ask("q.r.example.com")) == "NXDOMAIN"
    assert world.image.zone("Z1").nodes.keys() == before.keys()
    world.apply(PutRecords("Z1", "sub.example.com.", "NS", ()))
    assert world.values("ns.sub.example.com") == ["192.0.2.53"]


def test_a_name_that_loses_its_records_stays_for_those_below_it(world):
    world.apply(putting("Z1", plain("b.c.example.com.", "A", "192.0.2.7")))
    world.apply(PutRecords("Z1", "b.c.example.com.", "A", ()))
    assert world.values("a.b.c.example.com") == ["192.0.2.3"]
    world.apply(PutRecords("Z1", "a.b.c.example.com.", "A", ()))
    assert code(world.ask("c.example.com")) == "NXDOMAIN"


def test_an_alias_answers_as_its_own_with_the_targets_life(world):
    alias = Alias(zone="Z2", name="lb.example.net.")
    world.apply(
        zone_of("Z2", "example.net.", plain("lb.example.net.", "A", "192.0.2.80", ttl_s=60)),
        putting("Z1", RecordSet(name="example.com.", type="A", alias=alias)),
    )
    assert lines(world.ask("example.com").answer) == ["example.com. 60 IN A 192.0.2.80"]
    world.apply(putting("Z2", plain("lb.example.net.", "A", "192.0.2.81", ttl_s=60)))
    assert world.values("example.com") == ["192.0.2.81"]
    world.apply(DropZone("Z2"))
    answer = world.ask("example.com")
    assert (code(answer), lines(answer.authority)) == ("NOERROR", NEGATIVE)


def test_aliases_in_a_circle_lead_nowhere():
    there = {"evaluate_target_health": True}
    world = World(
        zone_of(
            "Z1",
            "example.",
            RecordSet(name="a.example.", type="A", alias=Alias(zone="Z1", name="b.example.", **there)),
            RecordSet(name="b.example.", type="A", alias=Alias(zone="Z1", name="a.example.", **there)),
        )
    )
    assert code(world.ask("a.example")) == "NOERROR"
