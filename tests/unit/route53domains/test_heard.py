"""Of several hosted zones with one name the one is heard that the registry leads to."""

import random

import pytest
from tests.unit.route53domains.conftest import HOSTED

from cloudstead.dataplane import dns
from cloudstead.dataplane.dns import zones as told
from cloudstead.dataplane.dns.evaluate import Circumstances, resolve
from cloudstead.dataplane.dns.wirenames import to_wire
from cloudstead.services.route53domains.operations import Heard, delegated_to

OTHERS = ["ns-9.awsdns-01.com", "ns-700.awsdns-23.net"]


class Zones:
    """A source of zones: each is told once, whole from the beginning to who asks for all."""

    def __init__(self):
        self.changes, self.servers = [], {}

    def put(self, id, servers, address, networks=None):
        name = "example.org"
        self.servers[id] = servers
        self.changes.append(told.PutZone(told.Zone(id=id, name=f"{name}.", networks=networks)))
        for kind, value in (("SOA", "a. b. 1 2 3 4 60"), ("A", address)):
            sets = (told.RecordSet(name=name, type=kind, ttl_s=60, values=(value,)),)
            self.changes.append(told.PutRecords(id, name, kind, sets))

    def drop(self, id):
        self.changes.append(told.DropZone(id))

    def since(self, number):
        if number == len(self.changes):
            return None
        return told.Batch(len(self.changes), tuple(self.changes[number:]))


@pytest.fixture
def zones():
    return Zones()


@pytest.fixture
def heard(world, zones):
    """The address that who asks is told."""
    image = dns.Image()
    source = Heard(zones, lambda name: delegated_to(world.store, name), zones.servers.__getitem__)
    follower = dns.Follower(source, image, dns.Acknowledgements(1), 0)

    def ask():
        while follower.catch_up():
            pass
        around = Circumstances(b"", lambda _: True, random.Random(7))
        answer = resolve(image, None, to_wire("example.org"), 1, around)
        return ".".join(map(str, answer.answer[0].values[0])) if answer else None

    return ask


def test_the_zone_that_the_registry_leads_to_is_heard(world, zones, heard):
    zones.put("Z1", OTHERS, "192.0.2.1")
    zones.put("Z2", HOSTED, "192.0.2.2")
    assert heard() == "192.0.2.1"
    world.register("example.org")
    assert heard() == "192.0.2.2"
    others = [{"Name": name} for name in OTHERS]
    world.api.update_domain_nameservers(DomainName="example.org", Nameservers=others)
    world.settle()
    assert heard() == "192.0.2.1"
    zones.drop("Z1")
    assert heard() == "192.0.2.2"
    zones.drop("Z2")
    assert heard() is None


def test_a_zone_that_comes_later_does_not_take_the_name(world, zones, heard):
    world.register("example.org")
    zones.put("Z2", HOSTED, "192.0.2.2")
    assert heard() == "192.0.2.2"
    zones.put("Z1", OTHERS, "192.0.2.1")
    zones.put("Z0", OTHERS, "192.0.2.9", networks=("vpc-1",))
    assert heard() == "192.0.2.2"
