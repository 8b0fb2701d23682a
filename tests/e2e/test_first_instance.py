"""The first thing every AWS tutorial does, typed with the AWS CLI."""

import socket
import subprocess
from pathlib import Path

import pytest
from tests.e2e.machines import instances, log_in
from tests.support.cloud import ssh_words, until


def test_an_instance_is_created_and_logged_into(cloud, key, tiny):
    name, _ = key
    words = ["--image-id", tiny, "--instance-type", "t3.micro", "--key-name", name]
    ran = cloud.aws("ec2", "run-instances", *words)
    instance = ran["Instances"][0]["InstanceId"]
    assert ran["Instances"][0]["State"]["Name"] == "pending"
    cloud.aws("ec2", "wait", "instance-running", "--instance-ids", instance)
    found = cloud.aws("ec2", "describe-instances", "--instance-ids", instance)["Reservations"][0]
    shown = found["Instances"][0]
    address, host = shown["PublicIpAddress"], shown["PublicDnsName"]
    assert host == f"ec2-{address.replace('.', '-')}.compute-1.amazonaws.com"
    assert cloud.dig(host) == [address]
    said = log_in(cloud, key, shown, "id -un; hostname; echo hello from inside")
    assert said.splitlines() == ["ec2-user", shown["PrivateDnsName"].split(".")[0], "hello from inside"]

    ended = cloud.aws("ec2", "terminate-instances", "--instance-ids", instance)["TerminatingInstances"][0]
    assert (ended["PreviousState"]["Name"], ended["CurrentState"]["Name"]) == ("running", "shutting-down")
    cloud.aws("ec2", "wait", "instance-terminated", "--instance-ids", instance)


def test_a_name_is_enough_to_log_in_where_the_resolver_knows_us(cloud, key, tiny, group, tmp_path):
    """As after `cloudstead dns install`: this test's own /etc/resolv.conf asks our name server."""
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group]) as (instance,):
        log_in(cloud, key, instance, "true")
        conf = tmp_path / "resolv.conf"
        conf.write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:2\n")
        script = f'mount --bind {conf} /etc/resolv.conf && exec "$@"'
        login = f"ec2-user@{instance['PublicDnsName']}"
        words = ["unshare", "--mount", "sh", "-c", script, "sh", *ssh_words(key[1]), login, "echo", "by name"]
        assert until(lambda: _output(words), 15) == "by name\n"


def test_the_ssh_command_finds_the_instance_its_key_and_its_login(cloud, key, tiny, group):
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group]) as (instance,):
        log_in(cloud, key, instance, "true")
        said = cloud.command("ssh", "-i", str(key[1]), instance["InstanceId"], "--", "id", "-un")
        assert said.strip() == "ec2-user"


def test_no_password_and_no_other_key_opens_it(cloud, key, tiny, group, tmp_path):
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group]) as (instance,):
        log_in(cloud, key, instance, "true")
        other = tmp_path / "other"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
        words = [*ssh_words(Path(other)), f"ec2-user@{instance['PublicIpAddress']}", "true"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
        assert done.returncode == 255
        assert "Permission denied" in done.stderr


def test_a_port_that_no_group_opens_is_silent(cloud, key, tiny):
    """The default group lets in its own members alone; and this machine to the ssh port, unless that is revoked."""
    with instances(cloud, tiny, key=key) as (instance,):
        log_in(cloud, key, instance, "true")
        with pytest.raises(TimeoutError):  # one that is open and where nobody listens refuses
            socket.create_connection((instance["PublicIpAddress"], 2222), timeout=1)


def _output(words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    return done.stdout if done.returncode == 0 else ""
