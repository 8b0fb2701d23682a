"""Route 53 with three VPCs, two of the caller's and one of a stranger's, and name servers that acknowledge when told."""

import random

import pytest
from tests.support.api import ACCOUNT, Api

from cloudstead.app.zones import asking
from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.dataplane.dns.places import REGIONS
from cloudstead.services.route53.operations import Neighbours, parts
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
    """What they have acknowledged, and which health checks they know to fail."""

    def __init__(self):
        self.number = 0
        self.unhealthy = set()


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
    neighbours = Neighbours(
        network_owner=lambda *vpc: VPCS.get(vpc),
        acknowledged=lambda: servers.number,
        find_place=REGIONS.get,
        ask=asking(lambda check: check not in servers.unhealthy, random.Random(7)),
    )
    made = parts(store, tools, neighbours)
    return Route53("route53", *made)


@pytest.fixture
def zone(api):
    """The id of a public zone, example.com."""
    return api.create_hosted_zone(Name="example.com", CallerReference="zone")["HostedZone"]["Id"]


def record(name, type="A", *values, ttl=300, **more):
    """A record set as a client writes it."""
    contents = {"TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]} if values else {}
    return {"Name": name, "Type": type, **contents, **more}


def alias(name, target, zone, type="A", *, health=False, **more):
    to = {"HostedZoneId": zone, "DNSName": target, "EvaluateTargetHealth": health}
    return record(name, type, AliasTarget=to, **more)


@pytest.fixture
def id(zone):
    return zone.rpartition("/")[2]


@pytest.fixture
def change(api, id):
    """Change the zone: `change("CREATE", record, …)`."""

    def make(*given):
        changes, action = [], "CREATE"
        for each in given:
            if isinstance(each, str):
                action = each
            else:
                changes.append({"Action": action, "ResourceRecordSet": each})
        return api.change_resource_record_sets(HostedZoneId=id, ChangeBatch={"Changes": changes})

    return make
