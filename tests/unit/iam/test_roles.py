"""Roles, the policies they trust by, and the boxes in which instances get them."""

import json
from urllib.parse import unquote

import pytest
from tests.support.api import ACCOUNT, refusal
from tests.support.identity import allow

from cloudstead.services.iam.operations import find_instance_profile, role_of

EC2 = {"Service": "ec2.amazonaws.com"}
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'


def trusting(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements or [allow(EC2)])})


def create(iam, name="web", document=None, **more):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=document or trusting(), **more)["Role"]


def tagged(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_a_role_is_shown_as_it_was_made(iam, world):
    made = create(iam, Path="/x/", Description="of the web", MaxSessionDuration=7200, Tags=tagged(a="1"))
    shown = iam.get_role(RoleName="web")["Role"]
    assert shown.pop("RoleLastUsed") == {}
    assert made == shown
    assert made.pop("RoleId").startswith("AROA")
    # botocore decodes the document that came percent-encoded
    document = made.pop("AssumeRolePolicyDocument")
    document = json.loads(unquote(document)) if isinstance(document, str) else document
    assert document == json.loads(trusting())
    assert made == {
        "RoleName": "web",
        "Path": "/x/",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/x/web",
        "CreateDate": world.clock.now(),
        "Description": "of the web",
        "MaxSessionDuration": 7200,
        "Tags": tagged(a="1"),
    }


def test_a_role_lasts_an_hour_unless_told_otherwise(iam):
    assert create(iam)["MaxSessionDuration"] == 3600
    iam.update_role(RoleName="web", MaxSessionDuration=43_200)
    assert iam.get_role(RoleName="web")["Role"]["MaxSessionDuration"] == 43_200
    assert refusal(iam.update_role, RoleName="web", MaxSessionDuration=3599)[0] == "ValidationError"


def test_updating_leaves_alone_what_is_not_named(iam):
    create(iam, Description="first", MaxSessionDuration=7200)
    iam.update_role(RoleName="web", Description="second")
    role = iam.get_role(RoleName="web")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("second", 7200)
    assert iam.update_role_description(RoleName="web", Description="third")["Role"]["Description"] == "third"


@pytest.mark.parametrize("name", ["web", "WEB"])
def test_a_name_is_taken_once(iam, name):
    create(iam)
    assert refusal(create, iam=iam, name=name) == (
        "EntityAlreadyExists",
        f"Role with name {name} already exists.",
    )


def test_the_path_of_service_linked_roles_is_reserved(iam):
    assert refusal(create, iam=iam, Path="/aws-service-role/x/")[0] == "InvalidInput"


def test_a_trust_policy_names_who_is_there(iam):
    ann = f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert refusal(create, iam=iam, document=trusting(allow({"AWS": ann}))) == (
        "MalformedPolicyDocument",
        f'Invalid principal in policy: "AWS":"{ann}"',
    )
    iam.create_user(UserName="ann")
    create(iam, document=trusting(allow({"AWS": [ann, "999999999999", "arn:aws:iam::999999999999:user/x"]})))


def test_a_trust_policy_has_two_kilobytes(iam):
    ids = [f"id{number:04}" for number in range(300)]
    long = trusting(allow(EC2, Condition={"StringEquals": {"sts:ExternalId": ids}}))
    assert refusal(create, iam=iam, document=long) == (
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
    )


def test_a_role_goes_only_after_all_that_hangs_on_it(iam):
    create(iam)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    iam.attach_role_policy(RoleName="web", PolicyArn=READ)
    iam.put_role_policy(RoleName="web", PolicyName="mine", PolicyDocument=POLICY)
    for complaint, mend in (
        (
            "must remove roles from instance profile first.",
            lambda: iam.remove_role_from_instance_profile(InstanceProfileName="web", RoleName="web"),
        ),
        (
            "must detach all policies first.",
            lambda: iam.detach_role_policy(RoleName="web", PolicyArn=READ),
        ),
        (
            "must delete policies first.",
            lambda: iam.delete_role_policy(RoleName="web", PolicyName="mine"),
        ),
    ):
        assert refusal(iam.delete_role, RoleName="web") == (
            "DeleteConflict",
            f"Cannot delete entity, {complaint}",
        )
        mend()
    iam.delete_role(RoleName="web")
    assert refusal(iam.get_role, RoleName="web") == (
        "NoSuchEntity",
        "The role with name web cannot be found.",
    )


def test_tags_of_roles(iam):
    create(iam, Tags=tagged(a="1"))
    iam.tag_role(RoleName="web", Tags=tagged(b="2"))
    iam.untag_role(RoleName="web", TagKeys=["A"])
    assert iam.list_role_tags(RoleName="web")["Tags"] == tagged(b="2")


# --- service-linked


def test_a_service_linked_role_is_the_services_alone(iam):
    made = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", Description="d")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForAutoScaling"
    assert made["Arn"] == (
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )
    name = {"RoleName": made["RoleName"]}
    refused = (
        "UnmodifiableEntity",
        f"Cannot perform the operation on the protected role '{made['RoleName']}' - this role is only modifiable by AWS",
    )
    assert refusal(iam.delete_role, **name) == refused
    assert refusal(iam.attach_role_policy, **name, PolicyArn=READ) == refused
    assert refusal(iam.update_assume_role_policy, **name, PolicyDocument=trusting()) == refused
    assert refusal(iam.tag_role, **name, Tags=tagged(a="1")) == refused
    assert refusal(iam.create_service_linked_role, AWSServiceName="autoscaling.amazonaws.com") == (
        "InvalidInput",
        "Service role name AWSServiceRoleForAutoScaling has been taken in this account, please try a different suffix.",
    )


def test_a_service_linked_role_is_deleted_by_a_task(iam):
    made = iam.create_service_linked_role(AWSServiceName="spot.amazonaws.com", CustomSuffix="two")["Role"]
    assert made["RoleName"].endswith("_two")
    task = iam.delete_service_linked_role(RoleName=made["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task) == {"Status": "SUCCEEDED"}
    assert refusal(iam.get_role, RoleName=made["RoleName"])[0] == "NoSuchEntity"
    assert (
        refusal(iam.get_service_linked_role_deletion_status, DeletionTaskId="task/none")[0] == "NoSuchEntity"
    )


def test_other_roles_are_not_deleted_that_way(iam):
    create(iam)
    assert refusal(iam.delete_service_linked_role, RoleName="web")[0] == "InvalidInput"


# --- instance profiles


def test_an_instance_profile_holds_one_role(iam, world):
    made = iam.create_instance_profile(InstanceProfileName="box", Path="/x/", Tags=tagged(a="1"))
    made = made["InstanceProfile"]
    assert made["InstanceProfileId"].startswith("AIPA")
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/x/box"
    assert (made["Roles"], made["Tags"]) == ([], tagged(a="1"))
    create(iam)
    create(iam, name="db")
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="web")
    (role,) = iam.get_instance_profile(InstanceProfileName="box")["InstanceProfile"]["Roles"]
    assert role["RoleName"] == "web"
    assert refusal(iam.add_role_to_instance_profile, InstanceProfileName="box", RoleName="db") == (
        "LimitExceeded",
        "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
    )
    (listed,) = iam.list_instance_profiles_for_role(RoleName="web")["InstanceProfiles"]
    assert listed["InstanceProfileName"] == "box"
    assert iam.list_instance_profiles_for_role(RoleName="db")["InstanceProfiles"] == []


def test_an_instance_profile_goes_only_when_it_is_empty(iam):
    create(iam)
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="web")
    assert refusal(iam.delete_instance_profile, InstanceProfileName="box") == (
        "DeleteConflict",
        "Cannot delete entity, must remove roles from instance profile first.",
    )
    assert refusal(iam.remove_role_from_instance_profile, InstanceProfileName="box", RoleName="db") == (
        "NoSuchEntity",
        "The role with name db cannot be found.",
    )
    iam.remove_role_from_instance_profile(InstanceProfileName="box", RoleName="web")
    iam.delete_instance_profile(InstanceProfileName="box")
    assert refusal(iam.get_instance_profile, InstanceProfileName="box") == (
        "NoSuchEntity",
        "Instance Profile box cannot be found.",
    )


def test_names_of_instance_profiles_are_taken_once(iam):
    iam.create_instance_profile(InstanceProfileName="box")
    assert refusal(iam.create_instance_profile, InstanceProfileName="Box") == (
        "EntityAlreadyExists",
        "Instance Profile Box already exists.",
    )


def test_a_service_linked_role_goes_into_no_instance_profile(iam):
    name = iam.create_service_linked_role(AWSServiceName="ec2.amazonaws.com")["Role"]["RoleName"]
    iam.create_instance_profile(InstanceProfileName="box")
    answer = refusal(iam.add_role_to_instance_profile, InstanceProfileName="box", RoleName=name)
    assert answer[0] == "UnmodifiableEntity"


def test_other_services_find_profiles_and_the_roles_in_them(iam, world):
    create(iam, Path="/x/")
    arn = iam.create_instance_profile(InstanceProfileName="box")["InstanceProfile"]["Arn"]
    assert role_of(world.store, arn) is None
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="web")
    assert role_of(world.store, arn).name == "web"
    assert role_of(world.store, f"arn:aws:iam::{ACCOUNT}:role/x/web").name == "web"
    for nobody in (f"arn:aws:iam::{ACCOUNT}:role/web", "arn:aws:iam::999999999999:role/x/web", "x"):
        assert role_of(world.store, nobody) is None
    for asked in ({"name": "box"}, {"arn": arn}):
        assert find_instance_profile(world.store, ACCOUNT, **asked).name == "box"
    assert find_instance_profile(world.store, "999999999999", name="box") is None
