"""The metadata service's rules: tokens, hops, versions, refusals."""

import random
from dataclasses import dataclass, field

import pytest

from cloudstead.core.clock import ManualClock
from cloudstead.dataplane.http.message import HttpRequest
from cloudstead.dataplane.metadata.service import MetadataService
from cloudstead.dataplane.metadata.tokens import Tokens

TTL = "x-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "x-aws-ec2-metadata-token"


@dataclass
class Machine:
    id: str = "i-1"
    enabled: bool = True
    tokens: str = "optional"
    hop_limit: int = 2
    tree: dict = field(default_factory=lambda: {"meta-data/instance-id": b"i-1"})

    def read(self, path):
        return self.tree.get(path)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def guests():
    return {("vpc-1", "10.0.0.5"): Machine(), ("vpc-1", "10.0.0.6"): Machine(id="i-2")}


@pytest.fixture
def ask(clock, guests):
    service = MetadataService(lambda net, peer: guests.get((net, peer)), Tokens(b"k" * 32), clock)

    def ask(method, path, *, peer="10.0.0.5", network="vpc-1", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return service.handler(network)(HttpRequest(method, path, "", names, peer=peer))

    return ask


def token(ask, ttl="60", **more):
    return ask("PUT", "/latest/api/token", **{TTL: ttl}, **more).body.decode()


def test_the_first_version_answers_without_a_token(ask):
    assert ask("GET", "/latest/meta-data/instance-id").body == b"i-1"
    assert ask("GET", "/2021-07-15/meta-data/instance-id").body == b"i-1"


def test_a_required_token_must_be_there_and_right(ask, guests):
    guests["vpc-1", "10.0.0.5"].tokens = "required"
    assert ask("GET", "/latest/meta-data/instance-id").status == 401
    assert ask("GET", "/latest/meta-data/instance-id", **{TOKEN: "x"}).status == 401
    assert ask("GET", "/latest/meta-data/instance-id", **{TOKEN: token(ask)}).body == b"i-1"


def test_a_token_expires_after_its_time_to_live(ask, clock):
    issued = token(ask, "60")
    clock.advance(59.9)
    assert ask("GET", "/latest/meta-data/instance-id", **{TOKEN: issued}).status == 200
    clock.advance(0.2)
    assert ask("GET", "/latest/meta-data/instance-id", **{TOKEN: issued}).status == 401


def test_a_token_is_worth_nothing_to_another_instance(ask):
    stolen = token(ask, peer="10.0.0.6")
    assert ask("GET", "/latest/meta-data/instance-id", **{TOKEN: stolen}).status == 401


def test_no_changed_token_is_accepted(ask):
    chance, good = random.Random(3), token(ask)
    assert len(good) == 56
    for _ in range(300):
        at = chance.randrange(len(good) - 3)
        bad = good[:at] + chance.choice("abcXYZ019-_") + good[at + 1 :]
        if bad != good:
            assert ask("GET", "/latest/meta-data/instance-id", **{TOKEN: bad}).status == 401


@pytest.mark.parametrize("ttl", ["", "0", "21601", "-1", "x", "1e3", "999999999999"])
def test_a_token_needs_a_time_to_live_in_range(ask, ttl):
    assert ask("PUT", "/latest/api/token", **({TTL: ttl} if ttl else {})).status == 400


def test_a_proxied_request_gets_no_token(ask):
    assert ask("PUT", "/latest/api/token", **{TTL: "60", "x-forwarded-for": "1.2.3.4"}).status == 403


def test_the_token_travels_as_far_as_the_instance_allows(ask):
    assert ask("PUT", "/latest/api/token", **{TTL: "60"}).hop_limit == 2


def test_a_stranger_and_a_machine_with_the_service_off_are_refused(ask, guests):
    assert ask("GET", "/latest/meta-data/", peer="10.0.0.9").status == 403
    assert ask("GET", "/latest/meta-data/", network="vpc-2").status == 403
    guests["vpc-1", "10.0.0.5"].enabled = False
    assert ask("GET", "/latest/meta-data/instance-id").status == 403


def test_versions_and_their_parts_are_listed(ask, guests):
    assert ask("GET", "/").body.splitlines()[-1] == b"latest"
    assert ask("GET", "/latest/").body == b"dynamic\nmeta-data"
    guests["vpc-1", "10.0.0.5"].tree["user-data"] = b"#!/bin/sh"
    assert ask("GET", "/latest").body == b"dynamic\nmeta-data\nuser-data"


def test_what_is_not_there_is_not_found_and_nothing_can_be_written(ask):
    assert ask("GET", "/latest/meta-data/nothing").status == 404
    assert ask("GET", "/1999-01-01/meta-data/instance-id").status == 404
    assert ask("PUT", "/latest/meta-data/instance-id", **{TTL: "60"}).status == 404
    assert ask("POST", "/latest/meta-data/instance-id").status == 405
