"""The first thing every AWS tutorial does, typed with the AWS CLI."""

from tests.support.cloud import ssh_words, until


def test_an_instance_is_created_and_logged_into(cloud, key, tiny):
    name, pem = key
    ran = cloud.aws("ec2", "run-instances", "--image-id", tiny, "--instance-type", "t3.micro", "--key-name", name)
    instance = ran["Instances"][0]["InstanceId"]
    assert ran["Instances"][0]["State"]["Name"] == "pending"
    cloud.aws("ec2", "wait", "instance-running", "--instance-ids", instance)
    shown = cloud.aws("ec2", "describe-instances", "--instance-ids", instance)["Reservations"][0]["Instances"][0]
    address, host = shown["PublicIpAddress"], shown["PublicDnsName"]
    assert host == f"ec2-{address.replace('.', '-')}.compute-1.amazonaws.com"
    assert cloud.dig(host) == [address]
    said = until(lambda: _try_ssh(cloud, pem, f"ec2-user@{address}", "id -un; hostname; echo hello from inside"))
    assert said.splitlines() == ["ec2-user", shown["PrivateDnsName"].split(".")[0], "hello from inside"]

    ended = cloud.aws("ec2", "terminate-instances", "--instance-ids", instance)["TerminatingInstances"][0]
    assert (ended["PreviousState"]["Name"], ended["CurrentState"]["Name"]) == ("running", "shutting-down")
    cloud.aws("ec2", "wait", "instance-terminated", "--instance-ids", instance)


def _try_ssh(cloud, pem, login, command):
    try:
        return cloud._run([*ssh_words(pem), login, command], 30)
    except AssertionError:
        return ""
