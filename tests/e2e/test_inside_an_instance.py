"""What a guest finds: its metadata, its names, its role's keys, the APIs, and what its user data did."""

import json
from pathlib import Path

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.e2e.machines import instances, log_in, shown, wait
from tests.support import world

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_TOKEN = (
    "token=$(printf 'PUT /latest/api/token HTTP/1.0\\r\\nX-aws-ec2-metadata-token-ttl-seconds: 60\\r\\n"
    "Content-Length: 0\\r\\n\\r\\n' | nc 169.254.169.254 80 | tail -n 1)"
)


def ask(path):
    return f'wget -q -O - --header "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/{path}'


def test_metadata_says_who_it_is_by_both_versions(cloud, key, tiny, group):
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group]) as (instance,):
        old = log_in(cloud, key, instance, "wget -q -O - http://169.254.169.254/latest/meta-data/instance-id")
        new = log_in(
            cloud,
            key,
            instance,
            f"{_TOKEN}; {ask('meta-data/local-ipv4')}; echo; {ask('meta-data/public-ipv4')}",
        )
        document = log_in(cloud, key, instance, f"{_TOKEN}; {ask('dynamic/instance-identity/document')}")
    assert old == instance["InstanceId"]
    assert new.split() == [instance["PrivateIpAddress"], instance["PublicIpAddress"]]
    told = json.loads(document)
    assert (told["instanceId"], told["instanceType"]) == (instance["InstanceId"], "t3.micro")


def test_required_tokens_are_required(cloud, key, tiny, group):
    options = {"HttpTokens": "required", "HttpEndpoint": "enabled"}
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group], MetadataOptions=options) as (instance,):
        command = "wget -q -O - http://169.254.169.254/latest/meta-data/instance-id 2>&1 || echo refused"
        assert "refused" in log_in(cloud, key, instance, command)
        assert (
            log_in(cloud, key, instance, f"{_TOKEN}; {ask('meta-data/instance-id')}")
            == instance["InstanceId"]
        )


def test_user_data_runs_once_for_a_root_disk(cloud, key, tiny, group):
    script = "#!/bin/sh\necho ran >> /var/runs\n"
    ec2 = cloud.client("ec2")
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group], UserData=script) as (instance,):
        id = instance["InstanceId"]
        log_in(cloud, key, instance, "until [ -s /var/runs ]; do sleep 0.1; done")
        ec2.stop_instances(InstanceIds=[id])
        wait(ec2, "stopped", [id])
        ec2.start_instances(InstanceIds=[id])
        wait(ec2, "running", [id])
        again = shown(ec2, [id])[0]
        assert log_in(cloud, key, again, "cat /var/runs") == "ran"


def test_a_role_s_keys_work_from_inside(cloud, key, tiny, group):
    iam = cloud.client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(_TRUST))
    iam.create_instance_profile(InstanceProfileName="worker")
    iam.add_role_to_instance_profile(InstanceProfileName="worker", RoleName="worker")
    profile = {"Name": "worker"}
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group], IamInstanceProfile=profile) as (instance,):
        command = f"{_TOKEN}; {ask('meta-data/iam/security-credentials/worker')}"
        told = json.loads(log_in(cloud, key, instance, command))
        url = f"http://sts.us-east-1.amazonaws.com:{cloud.port}/?Action=GetCallerIdentity&Version=2011-06-15"
        request = AWSRequest("GET", url)
        keys = Credentials(told["AccessKeyId"], told["SecretAccessKey"], told["Token"])
        SigV4QueryAuth(keys, "sts", "us-east-1").add_auth(request)
        answer = log_in(cloud, key, instance, f"wget -q -O - '{request.prepare().url}'")
    assert f":assumed-role/worker/{instance['InstanceId']}" in answer


def test_names_inside_lead_to_private_addresses(cloud, key, tiny, group):
    with instances(cloud, tiny, count=2, key=key, SecurityGroupIds=[group]) as (one, other):
        said = log_in(
            cloud, key, one, f"nslookup {other['PublicDnsName']}; nslookup {other['PrivateDnsName']}"
        )
        assert (
            said.count(f"Address: {other['PrivateIpAddress']}") == 2
            or said.count(other["PrivateIpAddress"]) >= 2
        )
        assert other["PublicIpAddress"] not in said


def test_the_console_shows_how_it_booted(cloud, key, tiny, group):
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group]) as (instance,):
        log_in(cloud, key, instance, "true")
        said = cloud.client("ec2").get_console_output(InstanceId=instance["InstanceId"])["Output"]
    assert "BEGIN SSH HOST KEY FINGERPRINTS" in said


def test_vcpus_and_memory_are_those_of_the_type(cloud, tiny):
    with instances(cloud, tiny, InstanceType="t3.small") as (instance,):
        found = [Path(path) for path in world.cgroups(instance["InstanceId"])]
        memory = _read(found, "memory.max", "memory.limit_in_bytes")
        quota = _read(found, "cpu.max", "cpu.cfs_quota_us")
    assert memory == str(2 * 2**30)
    assert quota.split()[0] == "200000"  # two processors, in microseconds of each tenth of a second


def _read(folders, *names):
    """The limit, by its name in the second or the first version of control groups."""
    files = (folder / name for folder in folders for name in names)
    return next(file.read_text().strip() for file in files if file.exists())
