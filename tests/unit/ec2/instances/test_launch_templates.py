"""Launch templates and their versions."""

import pytest
from tests.unit.ec2.instances.world import TINY, World, evaluated, refusal

DATA = {"ImageId": TINY, "InstanceType": "t3.micro"}


@pytest.fixture
def world():
    world = World()
    world.create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData=DATA, VersionDescription="first"
    )
    return world


def add(world, **content):
    answer = world.create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="$Latest", LaunchTemplateData=content
    )
    return answer["LaunchTemplateVersion"]


def numbers(world, **asked):
    found = world.describe_launch_template_versions(LaunchTemplateName="web", **asked)
    return [version["VersionNumber"] for version in found["LaunchTemplateVersions"]]


def test_versions_count_up_and_build_on_another(world):
    version = add(world, InstanceType="t3.small")
    assert (version["VersionNumber"], version["DefaultVersion"]) == (2, False)
    assert version["LaunchTemplateData"] == {"ImageId": TINY, "InstanceType": "t3.small"}
    template = world.describe_launch_templates(LaunchTemplateNames=["web"])["LaunchTemplates"][0]
    assert (template["DefaultVersionNumber"], template["LatestVersionNumber"]) == (1, 2)
    assert numbers(world) == [2, 1]
    assert numbers(world, Versions=["$Default", "$Latest"]) == [1, 2]
    assert numbers(world, MinVersion="2") == [2]
    assert numbers(world, Filters=[{"Name": "instance-type", "Values": ["t3.small"]}]) == [2]
    assert numbers(world, Filters=[{"Name": "is-default-version", "Values": ["true"]}]) == [1]


def test_the_default_version_is_what_launches_unless_said_otherwise(world):
    add(world, InstanceType="t3.small")

    def launched(**specification):
        answer = world.run_instances(
            MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "web", **specification}
        )
        return evaluated(answer["Instances"][0])["InstanceType"]

    assert (launched(), launched(Version="$Latest"), launched(Version="2")) == (
        "t3.micro",
        "t3.small",
        "t3.small",
    )
    world.modify_launch_template(LaunchTemplateName="web", DefaultVersion="2")
    assert launched() == "t3.small"
    assert refusal(launched, Version="7")[0] == "InvalidLaunchTemplateId.VersionNotFound"


def test_versions_are_deleted_but_the_default_one(world):
    add(world, InstanceType="t3.small")
    answer = world.delete_launch_template_versions(LaunchTemplateName="web", Versions=["1", "2", "9"])
    assert [one["VersionNumber"] for one in answer["SuccessfullyDeletedLaunchTemplateVersions"]] == [2]
    kept = {
        one["VersionNumber"]: one["ResponseError"]["Code"]
        for one in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    }
    assert kept == {1: "unexpectedError", 9: "launchTemplateVersionDoesNotExist"}
    assert add(world, InstanceType="t3.nano")["VersionNumber"] == 3


def test_names_are_unique_and_tokens_idempotent(world):
    assert refusal(world.create_launch_template, LaunchTemplateName="web", LaunchTemplateData=DATA) == (
        "InvalidLaunchTemplateName.AlreadyExistsException",
        "Launch template name already in use.",
    )
    again = {"LaunchTemplateName": "other", "LaunchTemplateData": DATA, "ClientToken": "t"}
    first = world.create_launch_template(**again)["LaunchTemplate"]
    assert world.create_launch_template(**again)["LaunchTemplate"] == first
    assert refusal(world.create_launch_template, LaunchTemplateName="a", LaunchTemplateData=DATA)[0] == (
        "InvalidLaunchTemplateName.MalformedException"
    )


def test_a_deleted_template_is_gone_with_its_versions(world):
    id = world.delete_launch_template(LaunchTemplateName="web")["LaunchTemplate"]["LaunchTemplateId"]
    assert refusal(world.describe_launch_templates, LaunchTemplateNames=["web"]) == (
        "InvalidLaunchTemplateName.NotFoundException",
        "The specified launch template, with template name web, does not exist.",
    )
    assert refusal(world.describe_launch_templates, LaunchTemplateIds=[id]) == (
        "InvalidLaunchTemplateId.NotFound",
        f"The specified launch template, with template ID {id}, does not exist.",
    )


def test_an_instance_gives_a_template_that_launches_its_like(world):
    (id,) = world.run(InstanceType="t3.small", UserData="aGVsbG8=")
    data = world.get_launch_template_data(InstanceId=id)["LaunchTemplateData"]
    assert (data["ImageId"], data["InstanceType"], data["UserData"]) == (TINY, "t3.small", "aGVsbG8=")
    # On AWS too its own address has to be taken out.
    data["NetworkInterfaces"][0].pop("PrivateIpAddresses")
    world.create_launch_template(LaunchTemplateName="like", LaunchTemplateData=data)
    answer = world.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "like"})
    assert evaluated(answer["Instances"][0])["InstanceType"] == "t3.small"


@pytest.mark.parametrize("text", ["first", "-1", "9" * 5000])
def test_a_version_that_is_no_number_is_refused(world, text):
    for bound in ("MinVersion", "MaxVersion"):
        code, _ = refusal(world.describe_launch_template_versions, LaunchTemplateName="web", **{bound: text})
        assert code == "InvalidParameterValue"
    kept = world.delete_launch_template_versions(LaunchTemplateName="web", Versions=[text])
    assert len(kept["UnsuccessfullyDeletedLaunchTemplateVersions"]) == 1
