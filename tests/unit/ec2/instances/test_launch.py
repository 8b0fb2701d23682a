"""RunInstances: what it makes, what it refuses and in which words."""

import base64

import pytest
from tests.unit.ec2.instances.world import CALLER, PROFILE, TINY, World, evaluated, refusal

from cloudstead.core.errors import NotBuilt
from cloudstead.services.ec2 import image_catalogue
from cloudstead.services.ec2.instance_rows import Instance, Launch, Volume
from cloudstead.services.ec2.network_rows import NetworkInterface
from cloudstead.services.ec2.rows import Settings


@pytest.fixture
def world():
    return World()


def test_the_first_answer_is_pending_and_complete(world):
    pair = world.create_key_pair(KeyName="mine", KeyType="ed25519")
    answer = world.run_instances(
        ImageId=TINY,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        KeyName="mine",
        SecurityGroupIds=["sg-00000000000000002"],
    )
    one = evaluated(answer["Instances"][0])
    assert one["State"] == {"Code": 0, "Name": "pending"}
    assert one["StateReason"] == {"Code": "pending", "Message": "pending"}
    assert (one["KeyName"], one["InstanceType"], one["ImageId"]) == ("mine", "t3.micro", TINY)
    assert one["PrivateDnsName"] == f"ip-{one['PrivateIpAddress'].replace('.', '-')}.ec2.internal"
    assert one["SecurityGroups"] == [{"GroupId": "sg-00000000000000002", "GroupName": "web"}]
    assert one["CpuOptions"] == {"CoreCount": 1, "ThreadsPerCore": 2}
    assert one["Placement"]["AvailabilityZoneId"] == "use1-az6"
    assert answer["OwnerId"] == CALLER.account
    assert answer["ReservationId"].startswith("r-0")
    row = world.store.get(Instance, one["InstanceId"])
    assert row.public_key.endswith(" mine")
    assert pair["KeyName"] == "mine"


def test_all_of_it_is_stored_or_nothing(world):
    def refuse(*_, **__):
        raise RuntimeError("no address left")

    world.network.create_for_instance = refuse
    with pytest.raises(RuntimeError):
        world.run(MinCount=3, MaxCount=3)
    assert [world.store.rows(kind) for kind in (Instance, Volume, NetworkInterface, Launch)] == [
        [],
        [],
        [],
        [],
    ]


def test_a_client_token_launches_once(world):
    first = world.run(ClientToken="t", MinCount=2, MaxCount=2)
    assert world.run(ClientToken="t", MinCount=2, MaxCount=2) == first
    assert refusal(world.run, ClientToken="t", MinCount=1, MaxCount=1) == (
        "IdempotentParameterMismatch",
        "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
    )
    assert len(world.instances()) == 2


def test_tokens_of_what_is_long_gone_are_forgotten_whatever_runs_on(world):
    for number in range(25):
        world.run(ClientToken=f"for years {number}")
    for number in range(100):
        (id,) = world.run(ClientToken=f"for a moment {number}")
        world.terminate_instances(InstanceIds=[id])
    world.settle()
    world.clock.advance(2 * 24 * 3600)
    world.settle()
    assert len(world.instances()) == 25
    for number in range(60):
        world.run(ClientToken=f"again {number}")
    assert len(world.store.rows(Launch)) < 25 + 60 + 15


def test_tags_go_where_they_are_asked_for(world):
    specifications = [
        {"ResourceType": kind, "Tags": [{"Key": "for", "Value": kind}]}
        for kind in ("instance", "volume", "network-interface")
    ]
    (id,) = world.run(TagSpecifications=specifications)
    assert world.instance(id)["Tags"] == [{"Key": "for", "Value": "instance"}]
    assert world.describe_volumes()["Volumes"][0]["Tags"] == [{"Key": "for", "Value": "volume"}]
    assert world.store.rows(NetworkInterface)[0].tags == {"for": "network-interface"}
    wrong = [{"ResourceType": "vpc", "Tags": []}]
    assert refusal(world.run, TagSpecifications=wrong) == (
        "InvalidParameterValue",
        "'vpc' is not a valid taggable resource type for this operation.",
    )


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({"ImageId": "ami-00000000000000000"}, "InvalidAMIID.NotFound", "The image id '[ami-00000000000000000]' does not exist"),
        ({"ImageId": "nonsense"}, "InvalidAMIID.Malformed", 'Invalid id: "nonsense" (expecting "ami-...")'),
        ({"ImageId": None}, "MissingParameter", "The request must contain the parameter ImageId"),
        ({"InstanceType": "x9.huge"}, "InvalidParameterValue", "Invalid value 'x9.huge' for InstanceType."),
        ({"KeyName": "none"}, "InvalidKeyPair.NotFound", "The key pair 'none' does not exist"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound", None),
        ({"Placement": {"AvailabilityZone": "us-east-1z"}}, "InvalidParameterValue", "Invalid availability zone: [us-east-1z]"),
        ({"UserData": "%%%"}, "InvalidUserData.Malformed", "Invalid BASE64 encoding of user data."),
        ({"IamInstanceProfile": {"Name": "none"}}, "InvalidParameterValue", "Value (none) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"),
        ({"MinCount": 0}, "InvalidParameterValue", None),
        ({"MinCount": 2}, "InvalidParameterValue", None),
        ({"MetadataOptions": {"HttpPutResponseHopLimit": 65}}, "InvalidParameterValue", None),
        ({"InstanceType": "m5.large", "CreditSpecification": {"CpuCredits": "unlimited"}}, "InvalidParameterCombination", None),
        ({"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeType": "sc1"}}]}, "InvalidParameterValue", None),
        ({"SubnetId": "subnet-00000000000000001", "SecurityGroups": ["web"]}, "InvalidParameterCombination", "The parameter groupName cannot be used with the parameter subnet"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0}], "SubnetId": "subnet-00000000000000001"}, "InvalidParameterCombination", "Network interfaces and an instance-level subnet ID may not be specified on the same request"),
        ({"NetworkInterfaces": [{"DeviceIndex": index} for index in range(3)]}, "AttachmentLimitExceeded", "Interface count 3 exceeds the limit for t3.micro"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_aws_words(world, asked, code, message):
    said = refusal(world.run, **asked)
    assert said[0] == code
    assert message is None or said[1] == message
    assert world.store.rows(Instance) == []


def test_user_data_is_limited_by_what_it_decodes_to(world):
    fits, too_long = (base64.b64encode(b"x" * size).decode() for size in (16384, 16385))
    assert refusal(world.run, UserData=too_long) == (
        "InvalidParameterValue",
        "User data is limited to 16384 bytes",
    )
    (id,) = world.run(UserData=fits)
    shown = world.describe_instance_attribute(InstanceId=id, Attribute="userData")
    assert shown["UserData"] == {"Value": fits}


def test_an_image_for_another_architecture_is_refused(world):
    code, message = refusal(world.run, InstanceType="t4g.micro")
    assert code == "InvalidParameterValue"
    assert message.startswith(
        "The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64'"
    )


def test_a_root_volume_is_at_least_as_large_as_its_image(world):
    larger = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "DeleteOnTermination": False}}]
    world.run(BlockDeviceMappings=larger)
    volume = world.describe_volumes()["Volumes"][0]
    assert (volume["Size"], volume["VolumeType"], volume["Iops"], volume["Throughput"]) == (
        20,
        "gp3",
        3000,
        125,
    )
    assert volume["Attachments"][0]["DeleteOnTermination"] is False
    debian = next(
        image for image in image_catalogue.images("us-east-1").values() if image.name.startswith("debian")
    )
    smaller = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 4}}]
    assert refusal(world.run, ImageId=debian.id, BlockDeviceMappings=smaller) == (
        "InvalidBlockDeviceMapping",
        f"Volume of size 4GB is smaller than snapshot '{debian.root.snapshot_id}', expect size >= 8GB",
    )


def test_more_volumes_are_said_not_to_be_built(world):
    with pytest.raises(NotBuilt, match="volumes besides the root"):
        world.run(BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1}}])
    with pytest.raises(NotBuilt, match="InstanceMarketOptions"):
        world.run(InstanceMarketOptions={"MarketType": "spot"})


def test_the_limit_on_vcpus_cuts_a_launch_short_or_refuses_it():
    world = World(settings=Settings(vcpus_max=5))
    assert len(world.run(MinCount=1, MaxCount=4)) == 2
    code, message = refusal(world.run)
    assert code == "VcpuLimitExceeded"
    assert message.startswith(
        "You have requested more vCPU capacity than your current vCPU limit of 5 allows"
    )


def test_without_machines_a_launch_says_what_to_do(world):
    world.missing = "No machine can be run here. Run: sudo cloudstead setup"
    assert refusal(world.run) == ("Unsupported", "No machine can be run here. Run: sudo cloudstead setup")


def test_metadata_options_follow_the_image_unless_told_otherwise(world):
    al2023 = next(
        image for image in image_catalogue.images("us-east-1").values() if image.name.startswith("al2023")
    )
    (plain,), (strict,) = world.run(), world.run(ImageId=al2023.id)
    assert world.instance(plain)["MetadataOptions"]["HttpTokens"] == "optional"
    assert world.instance(strict)["MetadataOptions"]["HttpTokens"] == "required"
    assert world.instance(strict)["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    (loose,) = world.run(ImageId=al2023.id, MetadataOptions={"HttpTokens": "optional"})
    assert world.instance(loose)["MetadataOptions"]["HttpTokens"] == "optional"


def test_an_image_may_be_named_by_a_parameter(world):
    world.parameters["mine"] = TINY
    for name in ("mine", "/aws/service/cloudstead/tiny/latest/x86_64"):
        (id,) = world.run(ImageId=f"resolve:ssm:{name}")
        assert world.instance(id)["ImageId"] == TINY
    assert refusal(world.run, ImageId="resolve:ssm:none")[0] == "InvalidParameterValue"


def test_a_profile_is_found_by_name_and_arn(world):
    for asked in ({"Name": "web"}, {"Arn": PROFILE.arn}):
        (id,) = world.run(IamInstanceProfile=asked)
        assert world.instance(id)["IamInstanceProfile"] == {"Arn": PROFILE.arn, "Id": PROFILE.id}
    associations = world.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    assert [one["State"] for one in associations] == ["associated", "associated"]


def test_burstable_types_have_credits(world):
    (t3,), (t2,), (m5,) = world.run(), world.run(InstanceType="t2.micro"), world.run(InstanceType="m5.large")
    shown = world.describe_instance_credit_specifications(InstanceIds=[t3, t2])[
        "InstanceCreditSpecifications"
    ]
    assert shown == [
        {"InstanceId": t3, "CpuCredits": "unlimited"},
        {"InstanceId": t2, "CpuCredits": "standard"},
    ]
    assert refusal(world.describe_instance_credit_specifications, InstanceIds=[m5])[0] == (
        "InstanceCreditSpecification.NotSupported"
    )


def test_a_template_launches_and_the_request_counts_more(world):
    data = {
        "ImageId": TINY,
        "InstanceType": "t3.small",
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}]}
        ],
    }
    template = world.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)[
        "LaunchTemplate"
    ]
    answer = world.run_instances(
        MinCount=1,
        MaxCount=1,
        LaunchTemplate={"LaunchTemplateName": "web"},
        InstanceType="t3.micro",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "b", "Value": "2"}]}],
    )
    one = evaluated(answer["Instances"][0])
    assert (one["ImageId"], one["InstanceType"]) == (TINY, "t3.micro")
    assert {tag["Key"]: tag["Value"] for tag in one["Tags"]} == {
        "a": "1",
        "b": "2",
        "aws:ec2launchtemplate:id": template["LaunchTemplateId"],
        "aws:ec2launchtemplate:version": "1",
    }
