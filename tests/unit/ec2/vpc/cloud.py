"""A region as it is opened, with instances in it: every part of EC2 over one store, over fakes of the drivers."""

from tests.unit.ec2.instances.world import TINY, evaluated
from tests.unit.ec2.vpc.world import World

from cloudstead.control.reconciler import Reconciler
from cloudstead.dataplane.block.fake import FakeVolumes
from cloudstead.dataplane.images.fake import FakeImages
from cloudstead.dataplane.instances.fake import FakeMachines
from cloudstead.services.ec2.instance_reconcile import Instances
from cloudstead.services.ec2.instances_launch import Neighbours
from cloudstead.services.ec2.operations import instance_parts
from cloudstead.services.ec2.volume_reconcile import Volumes
from cloudstead.services.ec2.vpc_networking import VpcNetworking


class Cloud(World):
    def __init__(self, **more):
        super().__init__(opened=True, **more)
        self.network = VpcNetworking(self.resources)
        self.machines, self.disks, self.images = FakeMachines(), FakeVolumes(), FakeImages()
        neighbours = Neighbours(
            network=self.network,
            find_profile=lambda *_: None,
            read_parameter=lambda *_: None,
            machines_missing=lambda: None,
        )
        self._parts += instance_parts(self.resources, neighbours, lambda _: b"")

    def run(self, **more):
        """Launch one; return its id."""
        asked = {"ImageId": TINY, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **more}
        (one,) = self.run_instances(**asked)["Instances"]
        return evaluated(one)["InstanceId"]

    def running(self, **more):
        """Launch one and let it come up; return its id."""
        id = self.run(**more)
        self.settle()
        assert self.instance(id)["State"]["Name"] == "running"
        return id

    def instance(self, id):
        (reservation,) = self.describe_instances(InstanceIds=[id])["Reservations"]
        (one,) = evaluated(reservation)["Instances"]
        return evaluated(one)

    def interface(self, id):
        (one,) = self.describe_network_interfaces(NetworkInterfaceIds=[id])["NetworkInterfaces"]
        return one

    def interfaces_of(self, instance_id):
        by_instance = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
        return self.describe_network_interfaces(Filters=by_instance)["NetworkInterfaces"]

    def default_vpc(self):
        return next(vpc["VpcId"] for vpc in self.describe_vpcs()["Vpcs"] if vpc["IsDefault"])

    def default_subnet(self, zone="us-east-1a"):
        found = self.describe_subnets(Filters=[{"Name": "availability-zone", "Values": [zone]}])["Subnets"]
        return found[0]["SubnetId"]

    def default_group(self, vpc_id=None):
        filters = [
            {"Name": "vpc-id", "Values": [vpc_id or self.default_vpc()]},
            {"Name": "group-name", "Values": ["default"]},
        ]
        return self.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]

    def reconcilers(self):
        instances = Instances(
            self.store,
            self.clock,
            self.machines,
            self.images,
            self.network,
            host_boot="first",
            terminated_visible_s=self.resources.settings.terminated_visible_s,
        )
        controllers = (Volumes(self.store, self.disks), instances)
        return [
            *super().reconcilers(),
            *(Reconciler(controller, self.store, self.clock) for controller in controllers),
        ]
