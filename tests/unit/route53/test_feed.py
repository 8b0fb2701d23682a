"""What name servers are told: everything at first, then what changed; and what they answer from it."""

import pytest
from tests.unit.route53.conftest import alias, record, vpc

from cloudstead.dataplane.dns import zones as told
from cloudstead.dataplane.dns.feed import Source
from cloudstead.dataplane.dns.image import Image
from cloudstead.dataplane.dns.places import REGIONS
from cloudstead.dataplane.dns.wirenames import to_wire
from cloudstead.services.route53 import directory
from cloudstead.services.route53.operations import feed as feed_of
from cloudstead.services.route53.operations import forgotten


@pytest.fixture
def feed(store):
    source: Source = feed_of(store, REGIONS.get)
    return source


@pytest.fixture
def answers(api, id):
    """The data and code that a name gets."""

    def ask(name, type="A", **more):
        answer = api.test_dns_answer(HostedZoneId=id, RecordName=name, RecordType=type, **more)
        return answer["ResponseCode"], sorted(answer["RecordData"])

    return ask


def test_a_new_name_server_is_told_everything(feed, api, id, change):
    change("CREATE", record("*.Example.com", "TXT", '"\\303\\274"'))
    batch = feed.since(0)
    assert batch.number == 2
    assert batch.changes[0] == told.PutZone(told.Zone(id=id, name="example.com."))
    assert {(each.name, each.type) for each in batch.changes[1:]} == {
        ("example.com.", "NS"),
        ("example.com.", "SOA"),
        ("*.example.com.", "TXT"),
    }
    assert batch.changes[-1].sets[0].values == ('"\\195\\188"',)
    assert feed.since(batch.number) is None


def test_what_changed_is_told_once_and_as_it_is_now(feed, change, id):
    at = feed.since(0).number
    change("CREATE", record("a.example.com", "A", "192.0.2.1"), record("b.example.com", "A", "192.0.2.2"))
    change("UPSERT", record("a.example.com", "A", "192.0.2.9"))
    change("DELETE", record("b.example.com", "A", "192.0.2.2"))
    batch = feed.since(at)
    assert batch.number == at + 3
    a = told.RecordSet(name="a.example.com.", type="A", ttl_s=300, values=("192.0.2.9",))
    assert batch.changes == (
        told.PutRecords(id, "a.example.com.", "A", (a,)),
        told.PutRecords(id, "b.example.com.", "A", ()),
    )


def test_a_zone_that_went_is_told_to_be_gone(feed, api, zone, id):
    at = feed.since(0).number
    api.delete_hosted_zone(Id=zone)
    assert feed.since(at).changes == (told.DropZone(id),)


def test_a_private_zone_is_told_with_its_networks(feed, api):
    made = api.create_hosted_zone(Name="corp.test", CallerReference="p", VPC=vpc("vpc-1"))
    at = feed.since(0).number
    api.associate_vpc_with_hosted_zone(HostedZoneId=made["HostedZone"]["Id"], VPC=vpc("vpc-2", "eu-west-1"))
    (change,) = feed.since(at).changes
    assert change.zone.networks == ("vpc-1", "vpc-2")


def test_who_is_too_far_behind_is_told_everything(feed, change, monkeypatch):
    monkeypatch.setattr(directory, "CHANGES_KEPT", 2)
    at = feed.since(0).number
    for n in range(4):
        change("CREATE", record(f"{n}.example.com", "A", "192.0.2.1"))
    assert len(feed.since(at).changes) == 1 + 2 + 4
    assert len(feed.since(at + 3).changes) == 1


@pytest.mark.parametrize("again", [False, True], ids=["and nothing came after", "and zones came after"])
def test_when_all_was_forgotten_no_name_server_keeps_a_zone(feed, api, store, id, again):
    image = Image()
    image.apply(feed.since(0))
    assert image.zone(id) is not None
    kept = forgotten(store)
    store.wipe()
    for row in kept:
        store.insert(row)
    if again:
        api.create_hosted_zone(Name="example.net", CallerReference="new")

    image.apply(feed.since(image.number))

    assert image.zone(id) is None
    assert image.zone_of(None, to_wire("example.com.")) is None
    assert (image.zone_of(None, to_wire("example.net.")) is not None) == again
    assert feed.since(image.number) is None


def test_the_evaluator_of_name_servers_answers(change, answers, id):
    change(
        "CREATE",
        record("www.example.com", "A", "192.0.2.1", "192.0.2.2"),
        record("*.w.example.com", "TXT", '"hello" "you"'),
        record("c.example.com", "CNAME", "www.example.com"),
        alias("example.com", "www.example.com", id),
    )
    both = ["192.0.2.1", "192.0.2.2"]
    assert answers("WWW.example.com") == answers("example.com.") == ("NOERROR", both)
    assert answers("c.example.com") == ("NOERROR", [*both, "www.example.com."])
    assert answers("x.w.example.com", "TXT") == ("NOERROR", ['"hello" "you"'])
    assert answers("none.example.com") == ("NXDOMAIN", [])
    assert answers("www.example.com", "AAAA") == ("NOERROR", [])


def test_a_failed_primary_gives_way_to_the_secondary(change, answers, api, servers):
    check = api.create_health_check(
        CallerReference="1", HealthCheckConfig={"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 80}
    )["HealthCheck"]["Id"]
    change(
        "CREATE",
        record("f.example.com", "A", "192.0.2.1", SetIdentifier="1", Failover="PRIMARY", HealthCheckId=check),
        record("f.example.com", "A", "192.0.2.2", SetIdentifier="2", Failover="SECONDARY"),
    )
    assert answers("f.example.com") == ("NOERROR", ["192.0.2.1"])
    servers.unhealthy.add(check)
    assert answers("f.example.com") == ("NOERROR", ["192.0.2.2"])


def test_a_block_of_addresses_is_answered_by_its_location(change, answers, api):
    made = api.create_cidr_collection(Name="isp", CallerReference="1")["Collection"]["Id"]
    blocks = [{"LocationName": "home", "Action": "PUT", "CidrList": ["198.51.100.0/24"]}]
    api.change_cidr_collection(Id=made, Changes=blocks)
    for n, location in enumerate(("home", "*"), 1):
        routing = {"CollectionId": made, "LocationName": location}
        change(
            "CREATE",
            record("i.example.com", "A", f"192.0.2.{n}", SetIdentifier=location, CidrRoutingConfig=routing),
        )
    assert answers("i.example.com", ResolverIP="198.51.100.7") == ("NOERROR", ["192.0.2.1"])
    assert answers("i.example.com", ResolverIP="203.0.113.7") == ("NOERROR", ["192.0.2.2"])
    asked = {"EDNS0ClientSubnetIP": "198.51.100.0", "EDNS0ClientSubnetMask": "24"}
    assert answers("i.example.com", ResolverIP="203.0.113.7", **asked) == ("NOERROR", ["192.0.2.1"])
