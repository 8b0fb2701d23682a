"""DescribeInstances: filters, pages, order, and what is remembered."""

import botocore.session
import pytest
from tests.unit.ec2.instances.world import CALLER, TINY, World, evaluated, refusal

from cloudstead.core.caller import Caller
from cloudstead.services.ec2.instance_filters import FIELDS
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import Vpc
from cloudstead.store import Store


@pytest.fixture
def world():
    return World()


def found(world, name, *values):
    return [one["InstanceId"] for one in world.instances(Filters=[{"Name": name, "Values": list(values)}])]


def test_instances_of_one_launch_are_one_reservation(world):
    first, second = world.run(MinCount=2, MaxCount=2), world.run()
    answer = [evaluated(one) for one in world.describe_instances()["Reservations"]]
    assert [[evaluated(one)["InstanceId"] for one in each["Instances"]] for each in answer] == [first, second]
    assert [evaluated(one)["AmiLaunchIndex"] for one in answer[0]["Instances"]] == [0, 1]


def test_another_account_and_another_region_see_nothing(world):
    (id,) = world.run()
    for account, region in (("000000000001", "us-east-1"), (CALLER.account, "eu-west-1")):
        other = Caller(account=account, region=region, arn="", user_id="")
        assert world.describe_instances(caller=other)["Reservations"] == []
        assert (
            refusal(world.describe_instances, caller=other, InstanceIds=[id])[0]
            == "InvalidInstanceID.NotFound"
        )


def test_pages_hold_instances_and_do_not_repeat(world):
    ids = world.run(MinCount=12, MaxCount=12)
    seen, token = [], None
    while True:
        answer = world.describe_instances(MaxResults=5, **({"NextToken": token} if token else {}))
        seen += [
            evaluated(one)["InstanceId"]
            for each in answer["Reservations"]
            for one in evaluated(each)["Instances"]
        ]
        token = answer["NextToken"]
        if token is None:
            break
    assert seen == ids
    assert refusal(world.describe_instances, MaxResults=4)[0] == "InvalidParameterValue"
    assert refusal(world.describe_instances, MaxResults=5, InstanceIds=ids) == (
        "InvalidParameterCombination",
        "The parameter InstanceIds cannot be used with the parameter MaxResults",
    )


def test_filters_look_at_everything_an_instance_has(world):
    tagged = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web-1"}]}]
    (web,) = world.run(TagSpecifications=tagged, SecurityGroupIds=["sg-00000000000000002"])
    (other,) = world.run(InstanceType="t2.micro")
    world.settle()
    world.stop_instances(InstanceIds=[other])
    shown = world.instance(web)
    wanted = {
        "instance-state-name": "running",
        "instance-state-code": "16",
        "instance-type": "t3.*",
        "tag:Name": "web-?",
        "tag-key": "Name",
        "ip-address": shown["PublicIpAddress"],
        "dns-name": shown["PublicDnsName"],
        "private-ip-address": shown["PrivateIpAddress"],
        "private-dns-name": shown["PrivateDnsName"],
        "instance.group-name": "web",
        "network-interface.group-id": "sg-00000000000000002",
        "network-interface.addresses.association.public-ip": shown["PublicIpAddress"],
        "network-interface.attachment.attachment-id": shown["NetworkInterfaces"][0]["Attachment"][
            "AttachmentId"
        ],
        "block-device-mapping.volume-id": shown["BlockDeviceMappings"][0]["Ebs"]["VolumeId"],
        "reservation-id": world.store.get(Instance, web).reservation_id,
    }
    for name, value in wanted.items():
        assert found(world, name, value) == [web], name
    assert found(world, "reason", "User initiated*") == [other]
    assert found(world, "instance-state-name", "running", "stopping") == [web, other]
    assert found(world, "availability-zone", "us-east-1a") == [web, other]
    assert found(world, "network-interface.addresses.primary", "true") == [web, other]
    assert found(world, "platform", "windows") == []
    assert refusal(world.describe_instances, Filters=[{"Name": "nonsense", "Values": ["x"]}]) == (
        "InvalidParameterValue",
        "The filter 'nonsense' is invalid",
    )


def test_every_filter_of_the_reference_is_known():
    service = botocore.session.Session().get_service_model("ec2")
    text = service.operation_model("DescribeInstances").input_shape.members["Filters"].documentation
    names = {part.partition("</code>")[0] for part in text.split("<li> <p> <code>")[1:]}
    assert len(names) > 100
    assert {name for name in names if not name.startswith("tag")} <= set(FIELDS)


def test_every_filter_can_be_asked(world):
    world.run()
    world.settle()
    for name in FIELDS:
        found(world, name, "no such value")


def test_what_is_remembered_is_named_by_all_that_is_shown(world):
    """The key changes with every row that stands behind what is shown."""
    (id,) = world.run()

    def key():
        return world.describe_instances()["Reservations"][0].key

    keys = [key()]
    world.settle()  # instance, volume and interface were written
    keys.append(key())
    world.modify_instance_attribute(InstanceId=id, Groups=["sg-00000000000000002"])
    keys.append(key())
    world.create_tags(Resources=[id], Tags=[{"Key": "a", "Value": "b"}])
    keys.append(key())
    world.store.update(world.store.rows(Vpc)[0], dns_hostnames=False)
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert key() == key()
    assert world.instance(id)["PublicDnsName"] == ""


def test_a_list_that_is_remembered_shows_every_change_of_any_process(tmp_path):
    world = World(store=Store(tmp_path / "state.sqlite"))
    other = World(store=Store(tmp_path / "state.sqlite"))
    assert world.instances() == []
    (id,) = other.run()
    assert world.describe_instances()["Reservations"] is world.describe_instances()["Reservations"]
    assert [one["State"]["Name"] for one in world.instances()] == ["pending"]
    other.settle()
    assert world.state(id) == world.instances()[0]["State"]["Name"] == "running"
    world.create_tags(Resources=[id], Tags=[{"Key": "Name", "Value": "web"}])
    assert world.instances()[0]["Tags"] == other.instances()[0]["Tags"] == [{"Key": "Name", "Value": "web"}]
    world.store.close()
    other.store.close()


def test_names_of_other_regions(world):
    (id,) = world.run(ImageId=TINY)
    assert world.instance(id)["PrivateDnsName"].endswith(".ec2.internal")
    world.modify_private_dns_name_options(InstanceId=id, PrivateDnsHostnameType="resource-name")
    assert world.instance(id)["PrivateDnsName"] == f"{id}.ec2.internal"
