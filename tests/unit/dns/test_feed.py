"""What name servers share: the numbers they have applied, and what is healthy."""

import os

import msgspec
import pytest

from cloudstead.dataplane.dns.feed import Acknowledgements, Follower
from cloudstead.dataplane.dns.health import Health, HealthFull
from cloudstead.dataplane.dns.image import Image
from cloudstead.dataplane.dns.zones import Alias, Batch, PutRecords, PutZone, RecordSet, Weighted, Zone


def in_another_process(work):
    child = os.fork()
    if child == 0:
        os._exit(work())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_change_is_acknowledged_by_the_slowest_server():
    told = Acknowledgements(2)
    assert told.acknowledged() == 0
    told.applied(0, 7)
    assert told.acknowledged() == 7, "the other is not there"
    told.applied(1, 5)
    assert told.acknowledged() == 5
    told.gone(1)
    assert told.acknowledged() == 7


def test_another_process_sees_what_was_applied_and_what_is_healthy():
    told, health = Acknowledgements(1), Health(room=2)
    before = health.generation
    assert in_another_process(lambda: (told.applied(0, 9), health.tell("hc-1", False), 0)[-1]) == 0
    assert told.acknowledged() == 9
    assert health.generation != before
    assert not health.of("hc-1")
    assert health.of("hc-2"), "nobody told of it"


def test_the_generation_moves_only_when_something_did():
    health = Health()
    health.tell("hc-1", True)
    before = health.generation
    health.tell("hc-1", True)
    assert health.generation == before
    health.tell("hc-1", False)
    assert health.generation != before


def test_a_check_that_was_forgotten_is_healthy_and_leaves_its_room():
    health = Health(room=1)
    health.tell("hc-1", False)
    with pytest.raises(HealthFull):
        health.tell("hc-2", False)
    health.forget("hc-1")
    assert health.of("hc-1")
    health.tell("hc-2", False)
    assert not health.of("hc-2")
    assert health.of("hc-1")


def test_a_batch_travels_as_json():
    alias = Alias(zone="Z2", name="b.example.", evaluate_target_health=True)
    sets = (RecordSet(name="a.example.", type="A", alias=alias, routing=Weighted(3), set_identifier="x"),)
    batch = Batch(4, (PutZone(Zone(id="Z1", name="example.")), PutRecords("Z1", "a.example.", "A", sets)))
    assert msgspec.json.decode(msgspec.json.encode(batch), type=Batch) == batch


def test_a_name_server_pulls_what_it_lacks_and_says_how_far_it_is():
    class Source:
        batches = [
            Batch(3, (PutZone(Zone(id="Z1", name="example.")),)),
            Batch(5, (PutZone(Zone(id="Z2", name="example.net.")),)),
        ]

        def since(self, number):
            return next((each for each in self.batches if each.number > number), None)

    image, told = Image(), Acknowledgements(2)
    follower = Follower(Source(), image, told, 1)
    assert [follower.catch_up() for _ in range(3)] == [True, True, False]
    assert told.acknowledged() == image.number == 5
    assert image.zone("Z1")
    assert image.zone("Z2")
