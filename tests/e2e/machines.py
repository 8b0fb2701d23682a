"""What end-to-end tests do with instances: launch, log in, look inside, and know that they are gone."""

import subprocess
from contextlib import contextmanager

from tests.support.cloud import ssh_words, until


@contextmanager
def instances(cloud, image, *, count=1, key=None, **more):
    """Launch and wait until they run; terminated at the end. Yields what DescribeInstances shows of them."""
    ec2 = cloud.client("ec2")
    asked = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": count, "MaxCount": count, **more}
    if key is not None:
        asked["KeyName"] = key[0]
    ids = [one["InstanceId"] for one in ec2.run_instances(**asked)["Instances"]]
    try:
        wait(ec2, "running", ids)
        yield shown(ec2, ids)
    finally:
        ec2.terminate_instances(InstanceIds=ids)
        wait(ec2, "terminated", ids)


def shown(ec2, ids):
    found = ec2.describe_instances(InstanceIds=ids)["Reservations"]
    by_id = {one["InstanceId"]: one for reservation in found for one in reservation["Instances"]}
    return [by_id[id] for id in ids]


def wait(ec2, state, ids, timeout_s=60):
    """What botocore's waiter does, without its fifteen seconds between looks."""
    until(lambda: all(one["State"]["Name"] == state for one in shown(ec2, ids)), timeout_s)


def log_in(cloud, key, instance, command, *, login="ec2-user", timeout_s=20):
    """The output of a command, as soon as the instance lets us in."""
    words = [*ssh_words(key[1]), f"{login}@{instance['PublicIpAddress']}", command]

    def attempt():
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return None
        return (done.stdout,) if done.returncode == 0 else None

    return until(attempt, timeout_s)[0].strip()


def open_to_host(cloud, vpc_id):
    """A security group of a VPC that lets ssh and pings in."""
    ec2 = cloud.client("ec2")
    group = ec2.create_security_group(GroupName=f"open-{vpc_id}", Description="ssh and ping", VpcId=vpc_id)
    permissions = [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    ]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=permissions)
    return group["GroupId"]
