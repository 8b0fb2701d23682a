"""Route 53 with three VPCs, two of the caller's and one of a stranger's, and name servers that acknowledge when told."""

import random

import pytest
from tests.support.api import ACCOUNT, Api

from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.services.route53.operations import parts
from cloudstead.store import Store

OTHER = "999999999999"
STRANGER = Caller(account=OTHER, region="us-east-1", arn=f"arn:aws:iam::{OTHER}:root", user_id=OTHER)
VPCS = {
    ("us-east-1", "vpc-1"): ACCOUNT,
    ("eu-west-1", "vpc-2"): ACCOUNT,
    ("us-east-1", "vpc-9"): OTHER,
}


def vpc(id, region="us-east-1"):
    return {"VPCRegion": region, "VPCId": id}


class Route53(Api):
    """As botocore does it: ids are sent without the paths they are answered with."""

    def by(self, caller):
        other = super().by(caller)
        other.__class__ = Route53
        return other

    def _call(self, operation, **params):
        bare = {
            name: value.rpartition("/")[2] if name.endswith("Id") and isinstance(value, str) else value
            for name, value in params.items()
        }
        return super()._call(operation, **bare)


class NameServers:
    """What they have acknowledged."""

    number = 0


@pytest.fixture
def servers():
    return NameServers()


@pytest.fixture
def store():
    with Store(None) as store:
        yield store


@pytest.fixture
def tools():
    return Tools(clock=ManualClock(), random=random.Random(7))


@pytest.fixture
def api(store, tools, servers):
    made = parts(
        store,
        tools,
        network_owner=lambda *vpc: VPCS.get(vpc),
        acknowledged=lambda: servers.number,
    )
    return Route53("route53", *made)


@pytest.fixture
def zone(api):
    """The id of a public zone, example.com."""
    return api.create_hosted_zone(Name="example.com", CallerReference="zone")["HostedZone"]["Id"]
