"""A resolver over real VPCs of two accounts; networks that carry no packets, endpoints that listen on loopback."""

import asyncio
import random
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from tests.support.api import Api

from cloudstead.control.reconciler import Reconciler
from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.errors import ServiceError
from cloudstead.core.tools import Tools
from cloudstead.dataplane.dns.inbound import InboundEndpoints
from cloudstead.dataplane.network.fake import FakeNetworks
from cloudstead.services.ec2.network_reconcile import Networks
from cloudstead.services.ec2.operations import ServiceInterfaces, vpc_parts
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.route53resolver.operations import controllers, parts
from cloudstead.store import Store

STRANGER = Caller(
    account="999999999999", region="us-east-1", arn="arn:aws:iam::999999999999:root", user_id="999999999999"
)
BUCKETS = {("123456789012", "logs")}


@dataclass
class Listener:
    sockets: list

    async def stop(self):
        for sock in self.sockets:
            sock.close()


class World:
    def __init__(self, store):
        self.store, self.clock = store, ManualClock()
        tools = Tools(clock=self.clock, random=random.Random(7))
        resources = Resources(store, tools)
        vpcs = ServiceInterfaces(resources)
        self.ec2 = Api("ec2", *vpc_parts(resources))
        self.api = Api(
            "route53resolver",
            *parts(store, tools, vpcs, lambda account, name: (account, name) in BUCKETS, self._read),
        )
        self.files = {}
        self.networks = FakeNetworks()
        self.inbound = InboundEndpoints(self.networks.open_socket, self._start)
        self._controllers = (
            Networks(resources, self.networks),
            *controllers(store, vpcs, self.inbound),
        )

    async def _read(self, caller, bucket, key):
        try:
            return self.files[bucket, key]
        except KeyError:
            raise ServiceError("The specified key does not exist.", code="NoSuchKey", status=404) from None

    async def _start(self, network, sockets):
        return Listener(list(sockets))

    def settle(self):
        """What the controllers do until nothing is left to do."""

        async def passes():
            for _ in range(6):
                for each in self._controllers:
                    reconciler = Reconciler(each, self.store, self.clock)
                    await reconciler.pass_once()
                    await reconciler.idle()

        asyncio.run(passes())

    def vpc(self, cidr="10.0.0.0/16", ipv6=False):
        """A VPC with two subnets and an open group."""
        vpc = self.ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]
        start = cidr.rsplit(".", 2)[0]
        six = {}
        if ipv6:
            found = self.ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]
            six["Ipv6CidrBlock"] = found["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace(
                "/56", "/64"
            )
        subnets = [
            self.ec2.create_subnet(
                VpcId=vpc["VpcId"], CidrBlock=f"{start}.{n}.0/24", **(six if n == 0 else {})
            )["Subnet"]["SubnetId"]
            for n in range(2)
        ]
        group = self.ec2.create_security_group(GroupName="dns", Description="dns", VpcId=vpc["VpcId"])
        return SimpleNamespace(id=vpc["VpcId"], subnets=subnets, group=group["GroupId"])

    def endpoint(self, vpc, direction="OUTBOUND", token=None, **more):
        return self.api.create_resolver_endpoint(
            **{
                "CreatorRequestId": token or f"{direction}-{vpc.id}",
                "Direction": direction,
                "SecurityGroupIds": [vpc.group],
                "IpAddresses": [{"SubnetId": each} for each in vpc.subnets],
                **more,
            }
        )["ResolverEndpoint"]


@pytest.fixture
def world():
    with Store(None) as store:
        made = World(store)
        yield made
        asyncio.run(made.inbound.stop())


@pytest.fixture
def api(world):
    return world.api


@pytest.fixture
def stranger(api):
    return api.by(STRANGER)


@pytest.fixture
def vpc(world):
    return world.vpc()
