"""A region with one VPC, and everything of EC2's instances over fakes that keep the drivers' promises.

Its rows are made here, without the operations of the VPC side: one subnet, two groups that have no rules.
"""

import asyncio
import functools
import random

from tests.support.fuse import Crash

from cloudstead.app.operations import snake_case
from cloudstead.control.reconciler import Reconciler
from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.errors import ServiceError
from cloudstead.core.tools import Tools
from cloudstead.dataplane.block.fake import FakeVolumes
from cloudstead.dataplane.images.fake import FakeImages
from cloudstead.dataplane.instances.fake import FakeMachines
from cloudstead.gateway.wire import WireRequest, load, serialize
from cloudstead.services.ec2 import image_catalogue
from cloudstead.services.ec2.image_catalogue import CLOUDSTEAD
from cloudstead.services.ec2.images import Images
from cloudstead.services.ec2.instance_profiles import ProfileAssociations
from cloudstead.services.ec2.instance_reconcile import Instances
from cloudstead.services.ec2.instance_rows import Image, Instance, KeyPair, LaunchTemplate, Profile, Volume
from cloudstead.services.ec2.instances_attributes import InstanceAttributes
from cloudstead.services.ec2.instances_console import Console
from cloudstead.services.ec2.instances_describe import DescribeInstances
from cloudstead.services.ec2.instances_launch import Neighbours, RunInstances
from cloudstead.services.ec2.instances_lifecycle import Lifecycle
from cloudstead.services.ec2.instances_status import InstanceStatus
from cloudstead.services.ec2.key_pairs import KeyPairs
from cloudstead.services.ec2.launch_templates import LaunchTemplates
from cloudstead.services.ec2.network_rows import (
    CidrAssociation,
    NetworkInterface,
    SecurityGroup,
    Subnet,
    Vpc,
)
from cloudstead.services.ec2.rows import Resources, Settings
from cloudstead.services.ec2.tagging import Tags
from cloudstead.services.ec2.volume_reconcile import Volumes
from cloudstead.services.ec2.volumes import DescribeVolumes
from cloudstead.services.ec2.vpc_networking import VpcNetworking
from cloudstead.store import Store

ACCOUNT = "123456789012"
CALLER = Caller(account=ACCOUNT, region="us-east-1", arn=f"arn:aws:iam::{ACCOUNT}:root", user_id=ACCOUNT)
PROFILE = Profile(id="AIPA0000000000000001", arn=f"arn:aws:iam::{ACCOUNT}:instance-profile/web")
TINY = next(image.id for image in image_catalogue.images("us-east-1").values() if image.account == CLOUDSTEAD)


OPERATIONS = {snake_case(name): name for name in load("ec2").operation_names}


class PlacedNetwork(VpcNetworking):
    """The real networking, and no reconciler of networks: `place` says what that would have written."""

    def place(self):
        store = self._resources.store
        for interface in store.rows(NetworkInterface, placed=False):
            store.update(interface, placed=True)


class World:
    """All parts over one store. What is not a part is the world's own: drivers and reconcilers."""

    def __init__(self, *, settings=None, store=None):
        self.clock = ManualClock()
        self.store = store or Store(None)
        self.resources = Resources(
            self.store, Tools(clock=self.clock, random=random.Random(7)), settings or Settings()
        )
        self.network = PlacedNetwork(self.resources)
        self.missing = None
        self.parameters = {}
        self.machines, self.disks, self.images = FakeMachines(), FakeVolumes(), FakeImages()
        self.host_boot = "first"
        neighbours = Neighbours(
            network=self.network,
            find_profile=lambda account, name, arn: (
                PROFILE if "web" in (name, arn) or arn == PROFILE.arn else None
            ),
            read_parameter=lambda caller, name: self.parameters.get(name),
            machines_missing=lambda: self.missing,
        )
        kinds = (
            Instance,
            Volume,
            NetworkInterface,
            KeyPair,
            Image,
            LaunchTemplate,
            Vpc,
            Subnet,
            SecurityGroup,
        )
        self._parts = [
            RunInstances(self.resources, neighbours),
            DescribeInstances(self.resources),
            Lifecycle(self.resources, self.network, lambda: self.missing),
            InstanceStatus(self.resources),
            InstanceAttributes(self.resources, self.network),
            Console(self.resources, lambda _: b"hello"),
            ProfileAssociations(self.resources, neighbours.find_profile),
            DescribeVolumes(self.resources),
            Tags(self.resources, kinds),
            KeyPairs(self.resources),
            LaunchTemplates(self.resources),
            Images(self.resources),
        ]
        if not self.store.rows(Vpc):
            self._add_network()

    def _add_network(self):
        mine = {"account": ACCOUNT, "region": "us-east-1"}
        vpc = self.store.insert(
            Vpc(
                id="vpc-00000000000000001",
                **mine,
                cidrs=(CidrAssociation(id="vpc-cidr-assoc-1", cidr="172.31.0.0/16"),),
                dhcp_options_id="default",
                is_default=True,
                dns_hostnames=True,
            )
        )
        self.store.insert(
            Subnet(
                id="subnet-00000000000000001",
                **mine,
                vpc_id=vpc.id,
                zone="us-east-1a",
                zone_id="use1-az6",
                cidr="172.31.0.0/20",
                default_for_zone=True,
                public_ip_on_launch=True,
            )
        )
        for number, name in enumerate(("default", "web"), 1):
            self.store.insert(
                SecurityGroup(
                    id=f"sg-0000000000000000{number}", **mine, vpc_id=vpc.id, name=name, description=name
                )
            )

    def __getattr__(self, name):
        """An operation of any part, called as `world.run_instances(ImageId=…)`."""
        for part in self.__dict__.get("_parts", ()):
            if hasattr(part, name):
                return functools.partial(self._call, getattr(part, name))
        raise AttributeError(name)

    @staticmethod
    def _call(operation, caller=CALLER, **request):
        """Call an operation and see that its answer has the shape AWS says it has."""
        answer = operation(caller, request)
        action = OPERATIONS[operation.__name__]
        asked = WireRequest("POST", "/", body=f"Action={action}&Version=2016-11-15".encode())
        serialize(load("ec2").match(asked), answer, "id")
        return answer

    # --- short ways

    def run(self, **more):
        """Launch with the tiny image; return the instances' ids."""
        asked = {"ImageId": TINY, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **more}
        answer = self.run_instances(**asked)
        return [evaluated(one)["InstanceId"] for one in answer["Instances"]]

    def instances(self, **asked):
        found = self.describe_instances(**asked)["Reservations"]
        return [evaluated(one) for each in found for one in evaluated(each)["Instances"]]

    def instance(self, id):
        return self.instances(InstanceIds=[id])[0]

    def state(self, id):
        return self.instance(id)["State"]["Name"]

    def reconcilers(self):
        instances = Instances(
            self.store,
            self.clock,
            self.machines,
            self.images,
            self.network,
            host_boot=self.host_boot,
            terminated_visible_s=self.resources.settings.terminated_visible_s,
        )
        controllers = (Volumes(self.store, self.disks), instances)
        return [Reconciler(controller, self.store, self.clock) for controller in controllers]

    def settle(self, passes_max=50):
        """Reconcile until a pass finds nothing to do."""

        async def work():
            reconcilers = self.reconcilers()
            for _ in range(passes_max):
                self.network.place()
                steps = 0
                for reconciler in reconcilers:
                    steps += await reconciler.pass_once()
                    await finished(reconciler)
                self.clock.advance(0.5)
                if not steps:
                    return
            raise AssertionError("never settles")

        asyncio.run(work())


async def finished(reconciler):
    """Wait until no step is in flight; a crash in one is a crash of the process."""
    for outcome in await asyncio.gather(*reconciler._in_flight.values(), return_exceptions=True):
        if isinstance(outcome, Crash):
            raise outcome


def evaluated(one):
    """An element as it is written, whether it may be remembered or not."""
    return one.evaluate() if hasattr(one, "evaluate") else one


def refusal(call, **request):
    """The (code, message) an operation refuses with."""
    try:
        call(**request)
    except ServiceError as e:
        return e.code, e.message
    raise AssertionError("it was not refused")
