"""Every waiter that botocore has for a built operation ends where AWS's would, on a cloud with simulated machines."""

import json

import botocore.exceptions
import botocore.session
import pytest
from botocore.exceptions import WaiterError

from cloudstead.app.operations import snake_case
from cloudstead.app.tables import SERVICES, built_operations

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
_OFTEN = {"Delay": 0.05, "MaxAttempts": 400}
_FEW = {"Delay": 0.05, "MaxAttempts": 3}


def _waiters():
    session = botocore.session.get_session()
    for service in SERVICES:
        try:
            model = session.get_waiter_model(service)
        except botocore.exceptions.UnknownServiceError:
            continue  # one without waiters, as STS
        for name in model.waiter_names:
            if model.get_waiter(name).operation in built_operations(service):
                yield service, snake_case(name)


WAITERS = list(_waiters())


class World:
    """What waiters wait for: `world.MADE[waiter]` makes it, in time, and tells how to ask for it."""

    def __init__(self, cloud):
        self.clients = {service: cloud.client(service) for service in SERVICES}
        self.ec2, self.iam = self.clients["ec2"], self.clients["iam"]
        found = self.ec2.describe_images(Filters=[{"Name": "name", "Values": ["cloudstead-tiny-*"]}])
        self.image = found["Images"][0]["ImageId"]
        self.number = 0

    def wait(self, service, waiter, often=_OFTEN, **asked):
        self.clients[service].get_waiter(waiter).wait(**asked, WaiterConfig=often)

    def name(self):
        self.number += 1
        return f"waited-{self.number}"

    def instance(self, **more):
        asked = {"ImageId": self.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1, **more}
        return {"InstanceIds": [self.ec2.run_instances(**asked)["Instances"][0]["InstanceId"]]}

    def running(self, **more):
        instance = self.instance(**more)
        self.wait("ec2", "instance_running", **instance)
        return instance

    def stopping(self):
        instance = self.running()
        self.ec2.stop_instances(**instance)
        return instance

    def terminating(self):
        instance = self.running()
        self.ec2.terminate_instances(**instance)
        return instance

    def volume(self, *, kept=False):
        disk = {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": not kept}}
        instance = self.running(BlockDeviceMappings=[disk])
        by_instance = {"Name": "attachment.instance-id", "Values": instance["InstanceIds"]}
        volumes = self.ec2.describe_volumes(Filters=[by_instance])["Volumes"]
        return instance, {"VolumeIds": [volumes[0]["VolumeId"]]}

    def volume_of_an_instance_that_ends(self, *, kept):
        instance, volume = self.volume(kept=kept)
        self.ec2.terminate_instances(**instance)
        return volume

    def vpc(self):
        return self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]

    def subnet(self):
        return self.ec2.describe_subnets()["Subnets"][0]["SubnetId"]

    def nat_gateway(self):
        made = self.ec2.create_nat_gateway(SubnetId=self.subnet(), ConnectivityType="private")
        return {"NatGatewayIds": [made["NatGateway"]["NatGatewayId"]]}

    def nat_gateway_that_ends(self):
        gateway = self.nat_gateway()
        self.ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayIds"][0])
        return gateway

    def interface(self):
        made = self.ec2.create_network_interface(SubnetId=self.subnet())
        return {"NetworkInterfaceIds": [made["NetworkInterface"]["NetworkInterfaceId"]]}

    def internet_gateway(self):
        made = self.ec2.create_internet_gateway()["InternetGateway"]
        return {"InternetGatewayIds": [made["InternetGatewayId"]]}

    def key_pair(self):
        return {"KeyNames": [self.ec2.create_key_pair(KeyName=self.name())["KeyName"]]}

    def security_group(self):
        made = self.ec2.create_security_group(GroupName=self.name(), Description="waited for")
        return {"GroupIds": [made["GroupId"]]}

    def user(self):
        return {"UserName": self.iam.create_user(UserName=self.name())["User"]["UserName"]}

    def role(self):
        made = self.iam.create_role(RoleName=self.name(), AssumeRolePolicyDocument=TRUST)
        return {"RoleName": made["Role"]["RoleName"]}

    def policy(self):
        made = self.iam.create_policy(PolicyName=self.name(), PolicyDocument=POLICY)
        return {"PolicyArn": made["Policy"]["Arn"]}

    def profile(self):
        made = self.iam.create_instance_profile(InstanceProfileName=self.name())
        return {"InstanceProfileName": made["InstanceProfile"]["InstanceProfileName"]}

    def bucket(self):
        name = {"Bucket": self.name()}
        self.clients["s3"].create_bucket(**name)
        return name

    def kept_object(self):
        place = {**self.bucket(), "Key": "waited/for"}
        self.clients["s3"].put_object(**place, Body=b"it")
        return place

    def object_that_went(self):
        place = self.kept_object()
        self.clients["s3"].delete_object(**place)
        return place

    def bucket_that_went(self):
        name = self.bucket()
        self.clients["s3"].delete_bucket(**name)
        return name

    def change_of_a_zone(self):
        asked = {"Name": "waited.test", "CallerReference": self.name()}
        return {"Id": self.clients["route53"].create_hosted_zone(**asked)["ChangeInfo"]["Id"]}

    MADE = {
        "bucket_exists": bucket,
        "bucket_not_exists": bucket_that_went,
        "image_available": lambda world: {"ImageIds": [world.image]},
        "image_exists": lambda world: {"ImageIds": [world.image]},
        "instance_exists": instance,
        "instance_running": instance,
        "instance_status_ok": instance,
        "instance_stopped": stopping,
        "instance_terminated": terminating,
        "internet_gateway_exists": internet_gateway,
        "key_pair_exists": key_pair,
        "nat_gateway_available": nat_gateway,
        "nat_gateway_deleted": nat_gateway_that_ends,
        "network_interface_available": interface,
        "object_exists": kept_object,
        "object_not_exists": object_that_went,
        "resource_record_sets_changed": change_of_a_zone,
        "security_group_exists": security_group,
        "subnet_available": lambda world: {"SubnetIds": [world.subnet()]},
        "system_status_ok": instance,
        "volume_available": lambda world: world.volume_of_an_instance_that_ends(kept=True),
        "volume_deleted": lambda world: world.volume_of_an_instance_that_ends(kept=False),
        "volume_in_use": lambda world: world.volume()[1],
        "vpc_available": lambda world: {"VpcIds": [world.vpc()]},
        "vpc_exists": lambda world: {"VpcIds": [world.vpc()]},
        "user_exists": user,
        "role_exists": role,
        "policy_exists": policy,
        "instance_profile_exists": profile,
    }


#: Nothing here has a password of Windows, so this one never ends, as at AWS for any other system.
_ENDLESS = {"password_data_available"}


@pytest.fixture(scope="module")
def world(simulated):
    return World(simulated)


@pytest.mark.parametrize(("service", "waiter"), WAITERS, ids=[waiter for _, waiter in WAITERS])
def test_what_is_waited_for_comes(world, service, waiter):
    if waiter in _ENDLESS:
        with pytest.raises(WaiterError, match="Max attempts exceeded"):
            world.wait(service, waiter, _FEW, InstanceId=world.running()["InstanceIds"][0])
        return
    world.wait(service, waiter, **World.MADE[waiter](world))


_NOBODY = {
    "image_exists": {"ImageIds": ["ami-0123456789abcdef0"]},
    "instance_exists": {"InstanceIds": ["i-0123456789abcdef0"]},
    "instance_running": {"InstanceIds": ["i-0123456789abcdef0"]},
    "instance_status_ok": {"InstanceIds": ["i-0123456789abcdef0"]},
    "key_pair_exists": {"KeyNames": ["nobody"]},
    "nat_gateway_available": {"NatGatewayIds": ["nat-0123456789abcdef0"]},
    "security_group_exists": {"GroupIds": ["sg-0123456789abcdef0"]},
    "vpc_exists": {"VpcIds": ["vpc-0123456789abcdef0"]},
}


@pytest.mark.parametrize("waiter", _NOBODY)
def test_what_is_not_there_yet_is_waited_for(world, waiter):
    """The error is the very one that the waiter goes on after; any other would end it at once."""
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        world.wait("ec2", waiter, _FEW, **_NOBODY[waiter])


@pytest.mark.parametrize("waiter", ["user_exists", "role_exists", "policy_exists", "instance_profile_exists"])
def test_so_it_is_with_identities(world, waiter):
    member = {
        "user_exists": {"UserName": "nobody"},
        "role_exists": {"RoleName": "nobody"},
        "policy_exists": {"PolicyArn": "arn:aws:iam::123456789012:policy/nobody"},
        "instance_profile_exists": {"InstanceProfileName": "nobody"},
    }[waiter]
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        world.wait("iam", waiter, _FEW, **member)


@pytest.mark.parametrize("waiter", ["bucket_exists", "object_exists"])
def test_so_it_is_with_buckets_and_objects(world, waiter):
    place = {"Bucket": "nobody-made-this"} if waiter == "bucket_exists" else {**world.bucket(), "Key": "none"}
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        world.wait("s3", waiter, _FEW, **place)


def test_who_waits_for_an_instance_that_ends_is_told_so(world):
    instance = world.terminating()
    with pytest.raises(WaiterError, match=r'we matched expected path: "(shutting-down|terminated)"'):
        world.wait("ec2", "instance_running", **instance)


def test_who_waits_for_a_stop_of_an_instance_that_ends_is_told_so(world):
    instance = world.terminating()
    world.wait("ec2", "instance_terminated", **instance)
    with pytest.raises(WaiterError, match='we matched expected path: "terminated"'):
        world.wait("ec2", "instance_stopped", **instance)


def test_who_waits_for_an_interface_that_is_gone_is_told_so(world):
    interface = world.interface()
    world.ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceIds"][0])
    with pytest.raises(WaiterError, match=r"InvalidNetworkInterfaceID\.NotFound"):
        world.wait("ec2", "network_interface_available", **interface)
