"""Stop, start, reboot, terminate: what is kept and what goes."""

from tests.e2e.machines import instances, log_in, shown, wait
from tests.support import world
from tests.support.cloud import until


def test_a_stopped_instance_keeps_its_disk_and_private_address_and_gets_another_public_one(
    cloud, key, tiny, group
):
    ec2 = cloud.client("ec2")
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group]) as (before,):
        id = before["InstanceId"]
        log_in(cloud, key, before, "sudo -n true 2>/dev/null; echo kept > /home/ec2-user/file; sync")
        changed = ec2.stop_instances(InstanceIds=[id])["StoppingInstances"][0]
        assert (changed["PreviousState"]["Name"], changed["CurrentState"]["Name"]) == ("running", "stopping")
        wait(ec2, "stopped", [id])
        stopped = shown(ec2, [id])[0]
        assert "PublicIpAddress" not in stopped
        assert stopped["StateTransitionReason"].startswith("User initiated")
        assert stopped["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
        ec2.start_instances(InstanceIds=[id])
        wait(ec2, "running", [id])
        after = shown(ec2, [id])[0]
        assert after["PrivateIpAddress"] == before["PrivateIpAddress"]
        assert log_in(cloud, key, after, "cat /home/ec2-user/file") == "kept"


def test_a_reboot_keeps_everything_but_what_was_running(cloud, key, tiny, group):
    ec2 = cloud.client("ec2")
    with instances(cloud, tiny, key=key, SecurityGroupIds=[group]) as (instance,):
        log_in(cloud, key, instance, "touch /dev/shm/here /home/ec2-user/here")
        ec2.reboot_instances(InstanceIds=[instance["InstanceId"]])
        until(lambda: log_in(cloud, key, instance, "ls /dev/shm") == "")
        assert log_in(cloud, key, instance, "ls /home/ec2-user") == "here"
        assert shown(ec2, [instance["InstanceId"]])[0]["PublicIpAddress"] == instance["PublicIpAddress"]


def test_shutting_down_from_inside_stops_or_terminates_as_it_is_set(cloud, key, tiny, group):
    ec2 = cloud.client("ec2")
    script = "#!/bin/sh\nuntil [ -e /tmp/enough ]; do sleep 0.1; done\npoweroff\n"
    asked = {"SecurityGroupIds": [group], "UserData": script}
    with instances(cloud, tiny, count=2, key=key, **asked) as (one, other):
        ids = [one["InstanceId"], other["InstanceId"]]
        ec2.modify_instance_attribute(
            InstanceId=ids[1], InstanceInitiatedShutdownBehavior={"Value": "terminate"}
        )
        for each in (one, other):
            log_in(cloud, key, each, "touch /tmp/enough")
        until(lambda: [i["State"]["Name"] for i in shown(ec2, ids)] == ["stopped", "terminated"], 20)


def test_what_is_terminated_leaves_nothing_on_the_machine(cloud, key, tiny, group):
    with instances(cloud, tiny, count=3, key=key, SecurityGroupIds=[group]) as launched:
        ids = [one["InstanceId"] for one in launched]
        assert all((cloud.data / "instances" / id).exists() for id in ids)
    ec2 = cloud.client("ec2")

    def left():
        return [path.name for path in (cloud.data / "instances").iterdir() if path.name in ids] + [
            path.name for path in (cloud.data / "run" / "netns").iterdir() if path.name in ids
        ]

    until(lambda: not left(), 20)
    assert [mount for mount in world.mounts(cloud.data) if any(id in mount for id in ids)] == []
    assert ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": ids}])["Volumes"] == []


def test_termination_protection_protects(cloud, tiny):
    ec2 = cloud.client("ec2")
    with instances(cloud, tiny, DisableApiTermination=True) as (instance,):
        words = ("ec2", "terminate-instances", "--instance-ids", instance["InstanceId"])
        assert "(OperationNotPermitted)" in cloud.aws_error(*words)
        ec2.modify_instance_attribute(
            InstanceId=instance["InstanceId"], DisableApiTermination={"Value": False}
        )
