"""A VPC with one subnet out of nothing but rows, for what needs no operations."""

import random
from contextlib import contextmanager

from tests.unit.ec2.instances.world import ACCOUNT

from cloudstead.core import ids
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.services.ec2 import security_groups
from cloudstead.services.ec2.network_rows import CidrAssociation, Subnet, Vpc
from cloudstead.services.ec2.rows import Resources, Settings
from cloudstead.services.ec2.vpc_networking import VpcNetworking
from cloudstead.store import Store

MINE = {"account": ACCOUNT, "region": "us-east-1"}


@contextmanager
def rows_read(store):
    """How many rows are handed out meanwhile, as a list of one number: what grows with them grows with the cloud."""
    found, rows = [0], store.rows

    def counted(kind, **equal):
        answer = rows(kind, **equal)
        found[0] += len(answer)
        return answer

    store.rows = counted
    try:
        yield found
    finally:
        del store.rows


class Bare:
    def __init__(self, *, cidr="10.0.0.0/24", ipv6=None, seed=7, **settings):
        tools = Tools(clock=ManualClock(), random=random.Random(seed))
        self.store = Store(None)
        self.resources = Resources(self.store, tools, Settings(**settings))
        self.network = VpcNetworking(self.resources)
        self.vpc = self.store.insert(
            Vpc(
                id=self.resources.new_id(Vpc),
                **MINE,
                cidrs=(CidrAssociation(id="vpc-cidr-assoc-1", cidr="10.0.0.0/16"),),
                dhcp_options_id="default",
                is_default=True,
                dns_hostnames=True,
            )
        )
        self.group = security_groups.insert_default(self.resources, self.vpc)
        self.subnet = self.add_subnet(cidr=cidr, ipv6=ipv6)

    def add_subnet(self, *, cidr, ipv6=None, zone="us-east-1a", **more):
        ranges = (CidrAssociation(id="subnet-cidr-assoc-1", cidr=ipv6),) if ipv6 else ()
        made = {
            "vpc_id": self.vpc.id,
            "zone": zone,
            "zone_id": "use1-az6",
            "cidr": cidr,
            "default_for_zone": True,
        }
        return self.store.insert(
            Subnet(id=self.resources.new_id(Subnet), **MINE, ipv6_cidrs=ranges, **{**made, **more})
        )

    def instance_id(self):
        return ids.new("i", self.resources.tools.random)
