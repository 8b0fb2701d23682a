"""The fast way says what the slow way says, to every question, before and after it has been asked."""

import dns.edns
import dns.message
import dns.rdatatype
import pytest
from tests.unit.dns import fuzz
from tests.unit.dns.zoned import World, plain, putting, zone_of

from cloudstead.dataplane.dns.fast import FastResponder
from cloudstead.dataplane.dns.responder import Elsewhere, Said
from cloudstead.dataplane.dns.zones import (
    Alias,
    ClientLocation,
    Failover,
    Latency,
    Place,
    PutClientLocations,
    PutZone,
    RecordSet,
    Weighted,
    Zone,
)

CLIENT = "198.51.100.7"


def world_with_everything():
    return World(
        zone_of(
            "Z1",
            "example.com.",
            plain("www.example.com.", "A", "192.0.2.1", "192.0.2.2"),
            plain("www.example.com.", "AAAA", "2001:db8::1"),
            plain("alias.example.com.", "CNAME", "WWW.example.com."),
            plain("mail.example.com.", "MX", "10 www.example.com."),
            plain("a.b.example.com.", "TXT", '"x"'),
            plain("*.wild.example.com.", "A", "192.0.2.3"),
            plain("*.wild.example.com.", "MX", "5 www.example.com."),
            plain("*.cname.example.com.", "CNAME", "www.example.com."),
            plain("big.example.com.", "TXT", *(f'"{"x" * 200} {n}"' for n in range(4))),
            plain("huge.example.com.", "TXT", *(f'"{"x" * 200} {n}"' for n in range(9))),
            plain("https.example.com.", "HTTPS", "1 . alpn=h2"),
            plain("fail.example.com.", "A", "192.0.2.4", routing=Failover("PRIMARY"), health_check="hc"),
            plain("fail.example.com.", "A", "192.0.2.5", routing=Failover("SECONDARY")),
            plain("near.example.com.", "A", "192.0.2.6", routing=Latency("eu-west-1")),
            plain("near.example.com.", "A", "192.0.2.7", routing=Latency("ap-northeast-1")),
            RecordSet(name="to.example.com.", type="A", alias=Alias(zone="Z1", name="near.example.com.")),
        ),
        zone_of(
            "Z2",
            "cut.test.",
            plain("sub.cut.test.", "NS", "ns.sub.cut.test."),
            plain("ns.sub.cut.test.", "A", "192.0.2.8"),
            plain("*.cut.test.", "A", "192.0.2.9"),
        ),
        PutClientLocations(
            (ClientLocation(block="203.0.113.0/24", place=Place(latitude=35, longitude=139)),)
        ),
    )


NAMES = [
    "www",
    "alias",
    "mail",
    "b",
    "a.b",
    "x.b",
    "any.wild",
    "two.more.wild",
    "wild",
    "any.cname",
    "big",
    "huge",
    "https",
    "fail",
    "near",
    "to",
    "no",
    "no.www",
]
OTHERS = ("example.com", "sub.cut.test", "x.sub.cut.test", "free.cut.test", "elsewhere.org")
TYPES = ("A", "AAAA", "TXT", "MX", "CNAME", "SOA", "NS", "ANY", "HTTPS", "SPF", "DS", "TYPE97", "AXFR", "OPT")
ECS = [dns.edns.ECSOption("203.0.113.0", 24)]
OPTIONS = (
    {},
    {"use_edns": 0, "payload": 4096},
    {"use_edns": 0, "payload": 512, "want_dnssec": True},
    {"use_edns": 0, "payload": 1232, "options": ECS},
    {"use_edns": 0, "payload": 1232, "options": [dns.edns.ECSOption("0.0.0.0", 0)]},
    {"use_edns": 0, "payload": 1232, "options": [*ECS, dns.edns.GenericOption(10, b"12345678")]},
    {"use_edns": 1},
    {"flags": 0},
    {"flags": 0x0120},
    {"flags": 0x0110},
)


def slowly(world, message):
    said = world.responder().respond(message, CLIENT)
    return said.reply.over_udp() if isinstance(said, Said) else said


def messages():
    for name in [*(f"{name}.example.com" for name in NAMES), *OTHERS]:
        for type in TYPES:
            for options in OPTIONS:
                yield dns.message.make_query(name, dns.rdatatype.from_text(type), **options).to_wire()


def same(one, other):
    if one == other or not isinstance(one, bytes) or not isinstance(other, bytes):
        return one == other or (isinstance(one, Elsewhere) and isinstance(other, Elsewhere))
    read, expected = dns.message.from_wire(one), dns.message.from_wire(other)
    return (one[:12], read.to_text()) == (other[:12], expected.to_text())


@pytest.mark.parametrize("healthy", [True, False])
def test_fast_and_slow_say_the_same(healthy):
    world = world_with_everything()
    world.health.tell("hc", healthy)
    fast = FastResponder(world.responder())
    for message in messages():
        expected = slowly(world, message)
        for _ in range(2):
            fast.refresh()
            said = fast.answer(message, lambda: CLIENT)
            assert same(said, expected), dns.message.from_wire(message).to_text()


def test_the_case_of_a_question_is_kept_the_second_time_too():
    fast = FastResponder(world_with_everything().responder())
    for name in ("www.example.com", "wWw.eXample.cOm", "No.Such.eXample.com", "Any.wild.example.com"):
        message = dns.message.make_query(name, "A").to_wire()
        for _ in range(2):
            assert fast.answer(message, lambda: CLIENT)[12:].startswith(message[12:])


def ask(fast, name, type="A"):
    fast.refresh()
    said = fast.answer(dns.message.make_query(name, type).to_wire(), lambda: CLIENT)
    answer = dns.message.from_wire(said).answer
    return [each.to_text() for each in answer[0]] if answer else []


def test_what_is_kept_is_forgotten_when_it_is_no_longer_so():
    world = world_with_everything()
    fast = FastResponder(world.responder())
    names = ("fail.example.com", "www.example.com", "new.example.com", "x.wild.example.com")
    for _ in range(2):
        before = [ask(fast, name) for name in names]
    assert before == [["192.0.2.4"], ["192.0.2.1", "192.0.2.2"], [], ["192.0.2.3"]]
    world.health.tell("hc", False)
    assert ask(fast, "fail.example.com") == ["192.0.2.5"]
    world.apply(
        putting(
            "Z1",
            plain("www.example.com.", "A", "192.0.2.11"),
            plain("new.example.com.", "A", "192.0.2.12"),
            plain("*.wild.example.com.", "A", "192.0.2.13"),
        )
    )
    assert [ask(fast, name) for name in names[1:]] == [["192.0.2.11"], ["192.0.2.12"], ["192.0.2.13"]]


def test_a_choice_is_made_at_every_question():
    world = World(
        zone_of(
            "Z1",
            "example.",
            *(plain("w.example.", "A", f"192.0.2.{n}", routing=Weighted(n)) for n in (1, 2)),
        )
    )
    fast = FastResponder(world.responder())
    seen = [ask(fast, "w.example")[0] for _ in range(3000)]
    assert abs(seen.count("192.0.2.1") - 1000) < 3 * (3000 * 2 / 9) ** 0.5


def test_every_question_about_a_logged_zone_is_noted():
    noted = []

    class Log:
        def note(self, zone, question, code, asker, transport):
            noted.append((zone.zone.id, question.name, code, transport))

    world = world_with_everything()
    world.apply(PutZone(Zone(id="Z1", name="example.com.", logged=True)))
    responder = world.responder()
    responder._log = Log()
    fast = FastResponder(responder)
    for name in ("www.example.com", "www.example.com", "no.example.com", "no.example.com"):
        ask(fast, name)
    assert [(id, code, transport) for id, _, code, transport in noted] == [
        ("Z1", 0, "UDP"),
        ("Z1", 0, "UDP"),
        ("Z1", 3, "UDP"),
        ("Z1", 3, "UDP"),
    ]


def test_no_mutated_packet_breaks_it_and_each_answer_can_be_read():
    fuzz.run(world_with_everything(), list(messages()), count=20_000, seed=4)
