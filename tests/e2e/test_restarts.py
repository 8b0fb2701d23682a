"""Instances are no children of ours: what happens to the control plane does not happen to them."""

import os
import re
import signal
import subprocess
import time

from tests.e2e.machines import instances, log_in, open_to_host, shown, wait
from tests.support.cloud import ssh_words, until


def open_group(cloud):
    ec2 = cloud.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    return open_to_host(cloud, vpc)


def test_sessions_stay_open_while_the_control_plane_is_down_and_up_again(fresh_cloud, fresh_key, tiny):
    cloud = fresh_cloud
    group = open_group(cloud)
    with instances(cloud, tiny, key=fresh_key, SecurityGroupIds=[group]) as (instance,):
        uptime = log_in(cloud, fresh_key, instance, "cat /proc/1/stat | cut -d' ' -f22")
        words = [*ssh_words(fresh_key[1]), f"ec2-user@{instance['PublicIpAddress']}", "cat"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as session:
            _echoes(session, b"before\n")
            cloud.down(everything=False)
            _echoes(session, b"while it is down\n")
            cloud.up()
            _echoes(session, b"after\n")
            session.stdin.close()
            ec2 = cloud.client("ec2")
            assert shown(ec2, [instance["InstanceId"]])[0]["State"]["Name"] == "running"
            ask = "wget -q -O - http://169.254.169.254/latest/meta-data/instance-id"
            until(lambda: log_in(cloud, fresh_key, instance, ask) == instance["InstanceId"], 10)
            assert log_in(cloud, fresh_key, instance, "cat /proc/1/stat | cut -d' ' -f22") == uptime


def test_every_process_of_ours_may_be_killed_at_any_moment(fresh_cloud, tiny):
    """Kill one after the other while instances come and go; then everything has come to what was asked for."""
    cloud = fresh_cloud
    ec2 = cloud.client("ec2")
    asked = {"ImageId": tiny, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    ids = []
    for round in range(12):
        ids.append(
            _retried(lambda: ec2.run_instances(**asked, ClientToken=f"round-{round}"))["Instances"][0][
                "InstanceId"
            ]
        )
        if round % 3 == 2:
            _retried(lambda: ec2.terminate_instances(InstanceIds=[ids[round - 2]]))
        if round % 4 == 3:
            _retried(lambda: ec2.stop_instances(InstanceIds=[ids[round]]))
        names = sorted(cloud.processes())
        victim = names[round % len(names)]
        os.kill(cloud.processes()[victim], signal.SIGKILL)
        until(lambda victim=victim: cloud.processes().get(victim), 10)
    ended = {ids[round - 2] for round in range(12) if round % 3 == 2}
    stopped = {ids[round] for round in range(12) if round % 4 == 3} - ended
    _retried(lambda: wait(ec2, "terminated", sorted(ended)))
    if stopped:
        _retried(lambda: wait(ec2, "stopped", sorted(stopped)))
    _retried(lambda: wait(ec2, "running", sorted(set(ids) - ended - stopped)))
    until(lambda: not [id for id in ended if (cloud.data / "instances" / id).exists()])
    assert len(ec2.describe_instances()["Reservations"]) == len(ids)


def test_a_killed_supervisor_takes_the_control_plane_along_and_up_starts_it_again(fresh_cloud, tiny):
    cloud = fresh_cloud
    with instances(cloud, tiny) as (instance,):
        os.kill(cloud.status()["processes"]["supervisor"]["pid"], signal.SIGKILL)
        until(lambda: "not up" in cloud.command("status", check=False), 15)
        cloud.up()
        until(lambda: shown(cloud.client("ec2"), [instance["InstanceId"]])[0]["State"]["Name"] == "running")


def test_the_cloud_that_is_reset_is_empty_and_works(fresh_cloud, tiny):
    cloud = fresh_cloud
    with instances(cloud, tiny):
        pass
    cloud.command("reset", "--yes")
    cloud.up()
    assert cloud.client("ec2").describe_instances()["Reservations"] == []
    with instances(cloud, tiny) as (instance,):
        assert instance["State"]["Name"] == "running"


def _echoes(session, line):
    session.stdin.write(line)
    session.stdin.flush()
    assert session.stdout.readline() == line


def _retried(call):
    """Ask again what was cut off by a kill, under the same token, and what an instance is not yet ready for."""
    deadline = time.monotonic() + 15
    while True:
        try:
            return call()
        except OSError:
            pass
        except Exception as e:
            if (
                not re.search("Connection|IncorrectInstanceState", f"{type(e).__name__} {e}")
                or time.monotonic() > deadline
            ):
                raise
        time.sleep(0.05)
