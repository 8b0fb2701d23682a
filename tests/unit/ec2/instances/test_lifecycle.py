"""What callers see of an instance's life, over drivers that keep their promises."""

import pytest
from tests.unit.ec2.instances.world import World, refusal

from cloudstead.services.ec2.instance_rows import Instance, Volume
from cloudstead.services.ec2.network_rows import NetworkInterface
from cloudstead.services.ec2.rows import Settings


@pytest.fixture
def world():
    return World()


@pytest.fixture
def running(world):
    (id,) = world.run()
    world.settle()
    return id


def test_an_instance_comes_to_run(world, running):
    shown = world.instance(running)
    assert shown["State"] == {"Code": 16, "Name": "running"}
    assert shown["StateReason"] is None
    assert shown["StateTransitionReason"] == ""
    assert shown["PublicIpAddress"].startswith("198.18.")
    assert (
        shown["PublicDnsName"] == f"ec2-{shown['PublicIpAddress'].replace('.', '-')}.compute-1.amazonaws.com"
    )
    assert shown["BlockDeviceMappings"][0]["Ebs"]["Status"] == "attached"
    assert shown["NetworkInterfaces"][0]["Attachment"]["Status"] == "attached"
    assert world.machines._kept[running].running


def test_stop_and_start(world, running):
    changed = world.stop_instances(InstanceIds=[running])["StoppingInstances"]
    assert changed == [
        {
            "InstanceId": running,
            "CurrentState": {"Code": 64, "Name": "stopping"},
            "PreviousState": {"Code": 16, "Name": "running"},
        }
    ]
    shown = world.instance(running)
    assert shown["State"]["Name"] == "stopping"
    assert shown["StateTransitionReason"].startswith("User initiated (2026-01-01 00:00:0")
    assert shown["StateTransitionReason"].endswith(" GMT)")
    assert shown["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert "PublicIpAddress" not in shown
    world.settle()
    assert world.state(running) == "stopped"
    assert not world.machines._kept[running].running
    launched = world.instance(running)["LaunchTime"]

    changed = world.start_instances(InstanceIds=[running])["StartingInstances"][0]
    assert (changed["PreviousState"]["Name"], changed["CurrentState"]["Name"]) == ("stopped", "pending")
    world.settle()
    shown = world.instance(running)
    assert shown["State"]["Name"] == "running"
    assert shown["LaunchTime"] > launched
    assert "PublicIpAddress" in shown
    assert world.machines._kept[running].boot == 2


def test_a_reboot_is_another_boot_of_the_same_instance(world, running):
    assert world.reboot_instances(InstanceIds=[running]) is None
    assert world.state(running) == "running"
    world.settle()
    assert world.machines._kept[running].boot == 2
    assert world.state(running) == "running"


def test_terminate_takes_everything_and_stays_visible_for_a_while(world, running):
    changed = world.terminate_instances(InstanceIds=[running])["TerminatingInstances"][0]
    assert (changed["PreviousState"]["Name"], changed["CurrentState"]["Name"]) == ("running", "shutting-down")
    world.settle()
    shown = world.instance(running)
    assert shown["State"] == {"Code": 48, "Name": "terminated"}
    assert (shown["NetworkInterfaces"], shown["BlockDeviceMappings"], shown["PrivateDnsName"]) == ([], [], "")
    assert "VpcId" not in shown
    assert world.machines._kept == {}
    assert world.disks._volumes == {}
    assert [world.store.rows(kind) for kind in (Volume, NetworkInterface)] == [[], []]
    again = world.terminate_instances(InstanceIds=[running])["TerminatingInstances"][0]
    assert again["CurrentState"] == again["PreviousState"] == {"Code": 48, "Name": "terminated"}
    world.clock.advance(3601)
    world.settle()
    assert world.store.rows(Instance) == []
    assert refusal(world.describe_instances, InstanceIds=[running])[0] == "InvalidInstanceID.NotFound"


def test_a_volume_may_outlive_its_instance(world):
    mapping = [{"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False}}]
    (id,) = world.run(BlockDeviceMappings=mapping)
    world.settle()
    world.terminate_instances(InstanceIds=[id])
    world.settle()
    volume = world.describe_volumes()["Volumes"][0]
    assert (volume["State"], volume["Attachments"]) == ("available", [])
    world.delete_volume(VolumeId=volume["VolumeId"])
    world.settle()
    assert world.describe_volumes()["Volumes"] == []


@pytest.mark.parametrize(("behavior", "end"), [("stop", "stopped"), ("terminate", "terminated")])
def test_a_machine_that_shuts_itself_down(world, behavior, end):
    (id,) = world.run(InstanceInitiatedShutdownBehavior=behavior)
    world.settle()
    _power_off(world, id)
    world.settle()
    shown = world.instance(id)
    assert shown["State"]["Name"] == end
    assert shown["StateReason"] == {
        "Code": "Client.InstanceInitiatedShutdown",
        "Message": "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
    }
    assert "PublicIpAddress" not in shown
    if end == "stopped":
        world.start_instances(InstanceIds=[id])
        world.settle()
        assert world.state(id) == "running"


def test_what_a_shutdown_came_to_is_not_changed_afterwards(world, running):
    _power_off(world, running)
    world.settle()
    world.modify_instance_attribute(
        InstanceId=running, InstanceInitiatedShutdownBehavior={"Value": "terminate"}
    )
    world.settle()
    assert world.state(running) == "stopped"


def test_starting_keeps_within_the_limit_on_vcpus():
    world = World(settings=Settings(vcpus_max=3))
    (first,) = world.run(InstanceType="t3.micro")
    world.settle()
    world.stop_instances(InstanceIds=[first])
    world.run(InstanceType="t3.micro")
    world.settle()
    assert refusal(world.start_instances, InstanceIds=[first])[0] == "VcpuLimitExceeded"
    assert world.state(first) == "stopped"


def test_a_machine_lost_with_its_host_is_started_again(world, running):
    _power_off(world, running)
    world.host_boot = "second"
    world.settle()
    assert world.state(running) == "running"
    assert world.machines._kept[running].running


def test_protection(world):
    (id,) = world.run(DisableApiTermination=True, DisableApiStop=True)
    world.settle()
    assert refusal(world.terminate_instances, InstanceIds=[id]) == (
        "OperationNotPermitted",
        f"The instance '{id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
    )
    assert refusal(world.stop_instances, InstanceIds=[id])[0] == "OperationNotPermitted"
    world.modify_instance_attribute(InstanceId=id, DisableApiTermination={"Value": False})
    world.terminate_instances(InstanceIds=[id])
    assert world.state(id) == "shutting-down"


def test_a_call_changes_all_it_names_or_nothing(world, running):
    unknown = ["i-00000000000000001", "i-00000000000000002"]
    assert refusal(world.terminate_instances, InstanceIds=[running, *unknown]) == (
        "InvalidInstanceID.NotFound",
        "The instance IDs 'i-00000000000000001, i-00000000000000002' do not exist",
    )
    assert refusal(world.stop_instances, InstanceIds=[running, unknown[0]]) == (
        "InvalidInstanceID.NotFound",
        "The instance ID 'i-00000000000000001' does not exist",
    )
    assert refusal(world.stop_instances, InstanceIds=["i-xyz"]) == (
        "InvalidInstanceID.Malformed",
        'Invalid id: "i-xyz"',
    )
    assert world.state(running) == "running"


ALLOWED = {
    "start": {"pending", "running", "stopped"},
    "stop": {"running", "stopping", "stopped"},
    "reboot": {"running"},
    "terminate": {"pending", "running", "stopping", "stopped", "shutting-down", "terminated"},
}


@pytest.mark.parametrize("verb", sorted(ALLOWED))
@pytest.mark.parametrize(
    "state", ["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]
)
def test_which_state_takes_which_call(world, verb, state):
    (id,) = world.run()
    if state != "pending":
        world.settle()
    if state in ("stopping", "stopped"):
        world.stop_instances(InstanceIds=[id])
    if state in ("shutting-down", "terminated"):
        world.terminate_instances(InstanceIds=[id])
    if state in ("stopped", "terminated"):
        world.settle()
    assert world.state(id) == state
    call = getattr(world, f"{verb}_instances")
    if state in ALLOWED[verb]:
        call(InstanceIds=[id])
        world.settle()
        wanted = {"start": "running", "stop": "stopped", "reboot": "running", "terminate": "terminated"}[verb]
        assert world.state(id) == wanted
    else:
        done = {"start": "started", "stop": "stopped", "reboot": "rebooted"}[verb]
        assert refusal(call, InstanceIds=[id]) == (
            "IncorrectInstanceState",
            f"The instance '{id}' is not in a state from which it can be {done}.",
        )


def test_attributes_change_only_where_they_may(world, running):
    assert refusal(
        world.modify_instance_attribute, InstanceId=running, InstanceType={"Value": "t3.small"}
    ) == (
        "IncorrectInstanceState",
        f"The instance '{running}' is not in the 'stopped' state.",
    )
    world.stop_instances(InstanceIds=[running])
    world.settle()
    world.modify_instance_attribute(InstanceId=running, InstanceType={"Value": "m5.large"})
    world.modify_instance_attribute(InstanceId=running, Attribute="userData", Value="aGVsbG8=")
    world.modify_instance_attribute(InstanceId=running, Groups=["sg-00000000000000002"])
    world.modify_instance_attribute(InstanceId=running, SourceDestCheck={"Value": False})
    shown = world.instance(running)
    assert shown["InstanceType"] == "m5.large"
    assert shown["SourceDestCheck"] is False
    assert [group["GroupName"] for group in shown["SecurityGroups"]] == ["web"]
    assert refusal(world.modify_instance_attribute, InstanceId=running, InstanceType={"Value": "t4g.nano"})[
        0
    ] == ("InvalidParameterValue")
    both = {"InstanceType": {"Value": "t3.small"}, "EbsOptimized": {"Value": True}}
    assert refusal(world.modify_instance_attribute, InstanceId=running, **both) == (
        "InvalidParameterCombination",
        "Fields for multiple attribute types specified",
    )
    world.reset_instance_attribute(InstanceId=running, Attribute="sourceDestCheck")
    asked = world.describe_instance_attribute(InstanceId=running, Attribute="sourceDestCheck")
    assert asked["SourceDestCheck"] == {"Value": True}


@pytest.mark.parametrize(
    "attribute",
    [
        "instanceType", "kernel", "ramdisk", "userData", "disableApiTermination", "instanceInitiatedShutdownBehavior",
        "rootDeviceName", "blockDeviceMapping", "productCodes", "sourceDestCheck", "groupSet", "ebsOptimized",
        "sriovNetSupport", "enaSupport", "enclaveOptions", "disableApiStop",
    ],
)  # fmt: skip
def test_every_attribute_can_be_asked_for(world, running, attribute):
    assert len(world.describe_instance_attribute(InstanceId=running, Attribute=attribute)) == 2


def test_metadata_options_change_one_by_one(world, running):
    answer = world.modify_instance_metadata_options(InstanceId=running, HttpTokens="required")
    assert answer["InstanceMetadataOptions"]["State"] == "pending"
    world.modify_instance_metadata_options(
        InstanceId=running, HttpPutResponseHopLimit=3, InstanceMetadataTags="enabled"
    )
    options = world.instance(running)["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 3)
    assert (options["InstanceMetadataTags"], options["State"]) == ("enabled", "applied")


def test_status_speaks_of_running_instances_unless_asked_for_all(world, running):
    (pending,) = world.run()
    found = world.describe_instance_status()["InstanceStatuses"]
    assert [one["InstanceId"] for one in found] == [running]
    assert found[0]["InstanceStatus"] == {
        "Status": "ok",
        "Details": [{"Name": "reachability", "Status": "passed"}],
    }
    both = world.describe_instance_status(IncludeAllInstances=True)["InstanceStatuses"]
    assert {one["InstanceId"]: one["SystemStatus"]["Status"] for one in both} == {
        running: "ok",
        pending: "not-applicable",
    }


def test_monitoring(world, running):
    assert (
        world.monitor_instances(InstanceIds=[running])["InstanceMonitorings"][0]["Monitoring"]["State"]
        == "enabled"
    )
    assert world.instance(running)["Monitoring"] == {"State": "enabled"}
    world.unmonitor_instances(InstanceIds=[running])
    assert world.instance(running)["Monitoring"] == {"State": "disabled"}


def test_the_console_comes_in_base64(world, running):
    assert world.get_console_output(InstanceId=running)["Output"] == "aGVsbG8="
    assert world.get_password_data(InstanceId=running)["PasswordData"] == ""


def test_starting_keeps_within_the_means_of_the_host():
    world = World(settings=Settings())
    (id,) = world.run()
    world.settle()
    world.stop_instances(InstanceIds=[id])
    world.settle()
    world.missing = "Run: sudo cloudstead setup"
    assert refusal(world.start_instances, InstanceIds=[id]) == ("Unsupported", "Run: sudo cloudstead setup")


def _power_off(world, id):
    import msgspec

    world.machines._kept[id] = msgspec.structs.replace(world.machines._kept[id], running=False)
