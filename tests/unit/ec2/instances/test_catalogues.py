"""Images, instance types, regions, volumes and tags: what is looked up."""

import random

import pytest
from tests.unit.ec2.instances.world import ACCOUNT, CALLER, TINY, World, refusal

from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.dataplane.images.driver import Recipe
from cloudstead.services.ec2 import image_catalogue, instance_types, operations
from cloudstead.services.ec2.images import register_imported
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.instance_types import InstanceTypes
from cloudstead.services.ec2.regions import REGIONS, Regions, zones

TOOLS = Tools(clock=ManualClock(), random=random.Random(7))


@pytest.fixture
def world():
    return World()


def by(name, *values):
    return [{"Name": name, "Values": list(values)}]


# --- images


def names(world, **asked):
    return [image["Name"] for image in world.describe_images(**asked)["Images"]]


def test_public_images_are_found_as_tutorials_look_for_them(world):
    assert names(world, Owners=["amazon"], Filters=by("name", "al2023-ami-2023.*-x86_64")) != []
    assert names(world, Owners=["137112412989"], Filters=by("name", "amzn2-ami-hvm-*-gp2")) != []
    assert (
        names(
            world,
            Owners=["099720109477"],
            Filters=by("name", "ubuntu/images/hvm-ssd*/ubuntu-*-amd64-server-*"),
        )
        != []
    )
    assert names(world, Owners=["136693071363"], Filters=by("name", "debian-12-amd64-*")) != []
    assert names(world, Filters=by("name", "cloudstead-tiny-*")) == ["cloudstead-tiny-1-x86_64"]
    assert names(world, Owners=["self"]) == []
    assert (
        names(world, ExecutableUsers=["all"]) == names(world, Filters=by("is-public", "true")) == names(world)
    )


def test_an_image_says_what_it_really_is(world):
    for image in world.describe_images()["Images"]:
        tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
        assert tags["cloudstead:login"] in image["Description"]
        assert tags["cloudstead:inside"] in image["Description"]
        root = image["BlockDeviceMappings"][0]
        assert root["DeviceName"] == image["RootDeviceName"]


def test_ids_follow_from_region_and_name():
    here, there = image_catalogue.images("us-east-1"), image_catalogue.images("eu-west-1")
    assert set(here).isdisjoint(there)
    assert [image.name for image in here.values()] == [image.name for image in there.values()]
    parameters = operations.public_parameters("us-east-1")
    assert set(parameters.values()) == set(here)
    assert here[parameters["/aws/service/debian/release/12/latest/amd64"]].recipe.login == "admin"


def test_an_imported_image_is_ones_own(world):
    recipe = Recipe(name="mine", source="imported", login="root")
    image = register_imported(
        world.store,
        TOOLS,
        account=ACCOUNT,
        region="us-east-1",
        name="mine",
        recipe=recipe,
        size_bytes=9 << 30,
    )
    assert (
        register_imported(
            world.store, TOOLS, account=ACCOUNT, region="us-east-1", name="mine", recipe=recipe, size_bytes=1
        )
        == image
    )
    shown = world.describe_images(Owners=["self"])["Images"][0]
    assert (shown["ImageId"], shown["Public"], shown["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"]) == (
        image.id,
        False,
        10,
    )
    (id,) = world.run(ImageId=image.id)
    other = Caller(account="000000000001", region="us-east-1", arn="", user_id="")
    assert refusal(world.describe_images, caller=other, ImageIds=[image.id])[0] == "InvalidAMIID.NotFound"
    assert world.deregister_image(ImageId=image.id) == {"Return": True}
    assert refusal(world.run, ImageId=image.id)[0] == "InvalidAMIID.NotFound"
    assert world.store.get(Instance, id).recipe == recipe


def test_what_is_not_ones_own_cannot_be_changed(world):
    for call in (world.deregister_image, world.describe_image_attribute):
        asked = {"ImageId": TINY} | (
            {"Attribute": "description"} if call == world.describe_image_attribute else {}
        )
        assert refusal(call, **asked) == ("AuthFailure", f"Not authorized for image:{TINY}")
    two = ["ami-00000000000000001", "ami-00000000000000002"]
    assert refusal(world.describe_images, ImageIds=two) == (
        "InvalidAMIID.NotFound",
        "The image ids '[ami-00000000000000001, ami-00000000000000002]' do not exist",
    )


# --- instance types


def types(**asked):
    return [
        type["InstanceType"]
        for type in InstanceTypes().describe_instance_types(CALLER, asked)["InstanceTypes"]
    ]


@pytest.mark.parametrize(
    ("name", "vcpus", "mib", "interfaces", "addresses", "architecture"),
    [
        ("t2.micro", 1, 1024, 2, 2, "x86_64"),
        ("t3.micro", 2, 1024, 2, 2, "x86_64"),
        ("t4g.nano", 2, 512, 2, 2, "arm64"),
        ("m5.large", 2, 8192, 3, 10, "x86_64"),
        ("m6i.4xlarge", 16, 65536, 8, 30, "x86_64"),
        ("c5.9xlarge", 36, 73728, 8, 30, "x86_64"),
        ("r5.24xlarge", 96, 786432, 15, 50, "x86_64"),
        ("m7g.medium", 1, 4096, 2, 4, "arm64"),
    ],
)
def test_types_have_their_true_figures(name, vcpus, mib, interfaces, addresses, architecture):
    type = instance_types.find(name)
    assert (type.vcpus, type.memory_mib) == (vcpus, mib)
    assert (type.interfaces_max, type.addresses_max) == (interfaces, addresses)
    assert architecture in type.architectures


def test_types_are_filtered_and_paged():
    assert len(instance_types.every()) >= 120
    free = types(Filters=by("free-tier-eligible", "true"))
    assert "t3.micro" in free
    arm = types(
        Filters=[*by("processor-info.supported-architecture", "arm64"), *by("vcpu-info.default-vcpus", "1")]
    )
    assert "m7g.medium" in arm
    assert not [name for name in arm if name.startswith("t3.")]
    assert types(Filters=by("instance-type", "t3.m*")) == ["t3.micro", "t3.medium"]
    assert types(
        Filters=by("instance-storage-info.disk.size-in-gb", "75"), InstanceTypes=["m5d.large", "m5.large"]
    ) == ["m5d.large"]
    every, token = [], None
    while True:
        page = InstanceTypes().describe_instance_types(CALLER, {"NextToken": token} if token else {})
        every += page["InstanceTypes"]
        token = page["NextToken"]
        if token is None:
            break
        assert len(page["InstanceTypes"]) == 100
    assert [type["InstanceType"] for type in every] == list(instance_types.every())
    assert refusal(types, InstanceTypes=["x9.huge"]) == (
        "InvalidInstanceType",
        "The following supplied instance types do not exist: [x9.huge]",
    )


def test_types_are_offered_everywhere():
    asked = {"LocationType": "availability-zone", "Filters": by("instance-type", "t3.micro")}
    found = InstanceTypes().describe_instance_type_offerings(CALLER, asked)["InstanceTypeOfferings"]
    assert [one["Location"] for one in found] == [zone.name for zone in zones("us-east-1")]


# --- regions


def test_regions_and_zones():
    found = Regions().describe_regions(CALLER, {"RegionNames": ["us-east-1"]})["Regions"]
    assert found == [
        {
            "RegionName": "us-east-1",
            "Endpoint": "ec2.us-east-1.amazonaws.com",
            "OptInStatus": "opt-in-not-required",
        }
    ]
    assert len(REGIONS) > 30
    shown = Regions().describe_availability_zones(CALLER, {})["AvailabilityZones"]
    assert [zone["ZoneName"][-1] for zone in shown] == list("abcdef")
    assert len({zone["ZoneId"] for zone in shown}) == 6
    one = Regions().describe_availability_zones(CALLER, {"Filters": by("zone-name", "*b")})[
        "AvailabilityZones"
    ]
    assert [zone["ZoneName"] for zone in one] == ["us-east-1b"]
    assert all(len(region.zones) >= 2 for region in REGIONS.values())


# --- tags and volumes


def test_tags_on_anything(world):
    (id,) = world.run()
    key = world.create_key_pair(KeyName="mine", KeyType="ed25519")["KeyPairId"]
    world.create_tags(
        Resources=[id, key, "vpc-00000000000000001"], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}]
    )
    found = world.describe_tags(Filters=by("key", "a"))["Tags"]
    assert {(tag["ResourceId"], tag["ResourceType"], tag["Value"]) for tag in found} == {
        (id, "instance", "1"),
        (key, "key-pair", "1"),
        ("vpc-00000000000000001", "vpc", "1"),
    }
    assert [tag["Key"] for tag in world.describe_tags(Filters=by("resource-id", id))["Tags"]] == ["a", "b"]
    assert len(world.describe_tags(Filters=by("tag:a", "1"))["Tags"]) == 3
    world.delete_tags(Resources=[id], Tags=[{"Key": "a", "Value": "other"}])
    assert len(world.describe_tags(Filters=by("resource-id", id))["Tags"]) == 2
    world.delete_tags(Resources=[id], Tags=[{"Key": "a"}])
    assert len(world.describe_tags(Filters=by("resource-id", id))["Tags"]) == 1
    world.delete_tags(Resources=[id])
    assert world.describe_tags(Filters=by("resource-id", id))["Tags"] == []


def test_tags_that_may_not_be(world):
    (id,) = world.run()
    mine = [{"Key": "a", "Value": "1"}]
    assert (
        refusal(world.create_tags, Resources=[id, "i-00000000000000009"], Tags=mine)[0]
        == "InvalidInstanceID.NotFound"
    )
    assert world.describe_tags()["Tags"] == []
    assert refusal(world.create_tags, Resources=["nonsense"], Tags=mine) == (
        "InvalidID",
        "The ID 'nonsense' is not valid",
    )
    assert refusal(world.create_tags, Resources=[id], Tags=[{"Key": "aws:a"}])[0] == "InvalidParameterValue"
    many = [{"Key": f"k{number}"} for number in range(51)]
    assert refusal(world.create_tags, Resources=[id], Tags=many)[0] == "TagLimitExceeded"


def test_volumes_are_shown_with_their_attachments(world):
    (id,) = world.run()
    volume = world.describe_volumes()["Volumes"][0]
    assert (volume["State"], volume["Attachments"][0]["State"]) == ("in-use", "attaching")
    world.settle()
    attached = by("attachment.status", "attached")
    volume = world.describe_volumes(Filters=[*attached, *by("attachment.instance-id", id)])["Volumes"][0]
    assert (volume["Size"], volume["Attachments"][0]["Device"]) == (1, "/dev/xvda")
    assert refusal(world.delete_volume, VolumeId=volume["VolumeId"]) == (
        "VolumeInUse",
        f"Volume {volume['VolumeId']} is currently attached to {id}",
    )
    assert refusal(world.describe_volumes, VolumeIds=["vol-00000000000000001"]) == (
        "InvalidVolume.NotFound",
        "The volume 'vol-00000000000000001' does not exist.",
    )
    assert world.describe_volume_status()["VolumeStatuses"][0]["VolumeStatus"]["Status"] == "ok"
