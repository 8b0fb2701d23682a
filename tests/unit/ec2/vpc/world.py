"""An account and a region, with every part of the VPC side over one store and a network that carries nothing.

No default VPC is there unless a test opens the region: `World(opened=True)`.
"""

import asyncio
import functools
import random

from tests.unit.ec2.instances.world import ACCOUNT, CALLER, OPERATIONS, evaluated, finished, refusal

from cloudstead.control.reconciler import Reconciler
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.dataplane.network.fake import FakeNetworks
from cloudstead.gateway.wire import WireRequest, load, serialize
from cloudstead.services.ec2.default_vpc import open_region
from cloudstead.services.ec2.network_reconcile import NatGateways, Networks
from cloudstead.services.ec2.rows import Resources, Settings
from cloudstead.services.ec2.tagging import Tags
from cloudstead.services.ec2.vpc_operations import VPC_KINDS, vpc_parts
from cloudstead.store import Store

__all__ = ["ACCOUNT", "CALLER", "World", "evaluated", "finished", "refusal"]


class World:
    """`world.create_vpc(CidrBlock=…)` calls an operation and sees that its answer has the shape AWS says it has."""

    def __init__(self, *, settings=None, store=None, opened=False):
        self.clock = ManualClock()
        self.store = store or Store(None)
        self.resources = Resources(
            self.store, Tools(clock=self.clock, random=random.Random(7)), settings or Settings()
        )
        self.networks = FakeNetworks()
        self._parts = [*vpc_parts(self.resources), Tags(self.resources, VPC_KINDS)]
        if opened:
            open_region(self.resources, ACCOUNT, "us-east-1")

    def __getattr__(self, name):
        for part in self.__dict__.get("_parts", ()):
            if hasattr(part, name):
                return functools.partial(self._call, getattr(part, name))
        raise AttributeError(name)

    @staticmethod
    def _call(operation, caller=CALLER, **request):
        answer = operation(caller, request)
        action = OPERATIONS[operation.__name__]
        asked = WireRequest("POST", "/", body=f"Action={action}&Version=2016-11-15".encode())
        serialize(load("ec2").match(asked), answer, "id")
        return answer

    # --- short ways

    def insert(self, kind, **fields):
        """A row of the caller's, with an id of its own."""
        mine = {"id": self.resources.new_id(kind), "account": ACCOUNT, "region": "us-east-1"}
        return self.store.insert(kind(**{**mine, **fields}))

    def vpc(self, cidr="10.0.0.0/16", **more):
        """The id of a new VPC."""
        return self.create_vpc(CidrBlock=cidr, **more)["Vpc"]["VpcId"]

    def subnet(self, vpc, cidr="10.0.1.0/24", **more):
        """The id of a new subnet."""
        return self.create_subnet(VpcId=vpc, CidrBlock=cidr, **more)["Subnet"]["SubnetId"]

    # --- the world

    def reconcilers(self):
        controllers = (Networks(self.resources, self.networks), NatGateways(self.resources))
        return [Reconciler(controller, self.store, self.clock) for controller in controllers]

    def settle(self, passes_max=50):
        """Reconcile until a pass finds nothing to do."""

        async def work():
            reconcilers = self.reconcilers()
            for _ in range(passes_max):
                steps = 0
                for reconciler in reconcilers:
                    steps += await reconciler.pass_once()
                    await finished(reconciler)
                if not steps:
                    return
                self.clock.advance(0.5)
            raise AssertionError("never settles")

        asyncio.run(work())
