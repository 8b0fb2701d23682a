"""Users and groups: made, shown, renamed, tagged, and deleted only when nothing hangs on them."""

import pytest
from tests.support.api import ACCOUNT, refusal

from cloudstead.core.caller import Caller
from cloudstead.services.iam import directory
from cloudstead.services.iam.model import User

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'


def tagged(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


# --- users


def test_a_user_is_shown_as_it_was_made(iam, world):
    made = iam.create_user(UserName="ann", Path="/eng/", Tags=tagged(team="blue"))["User"]
    assert made.pop("UserId").startswith("AIDA")
    assert made == {
        "UserName": "ann",
        "Path": "/eng/",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/eng/ann",
        "CreateDate": world.clock.now(),
        "Tags": tagged(team="blue"),
    }
    assert iam.get_user(UserName="ann")["User"]["Tags"] == tagged(team="blue")
    (listed,) = iam.list_users()["Users"]
    assert "Tags" not in listed


def test_get_user_without_a_name_shows_who_calls(iam, world):
    ann = world.user("ann")
    assert iam.by(ann).get_user()["User"]["UserName"] == "ann"
    root = iam.get_user()["User"]
    assert (root["UserId"], root["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")


@pytest.mark.parametrize("taken", ["ann", "ANN"])
def test_names_that_differ_by_case_alone_are_the_same(iam, taken):
    iam.create_user(UserName="ann")
    assert refusal(iam.create_user, UserName=taken) == (
        "EntityAlreadyExists",
        f"User with name {taken} already exists.",
    )


def test_accounts_do_not_see_each_other(iam):
    iam.create_user(UserName="ann")
    other = Caller(
        account="999999999999", region="us-east-1", arn="arn:aws:iam::999999999999:root", user_id="x"
    )
    assert iam.by(other).list_users()["Users"] == []
    assert iam.by(other).create_user(UserName="ann")["User"]["Arn"].startswith("arn:aws:iam::999999999999:")


def test_a_user_that_is_not_there(iam):
    for call in (iam.get_user, iam.delete_user, iam.list_user_tags, iam.list_groups_for_user):
        assert refusal(call, UserName="ann") == (
            "NoSuchEntity",
            "The user with name ann cannot be found.",
        )


def test_a_user_is_renamed_and_moved_with_all_that_hangs_on_it(iam, world):
    ann = world.user("ann")
    iam.create_group(GroupName="eng")
    iam.add_user_to_group(GroupName="eng", UserName="ann")
    iam.update_user(UserName="ann", NewUserName="anna", NewPath="/x/")
    assert [user["Arn"] for user in iam.get_group(GroupName="eng")["Users"]] == [
        f"arn:aws:iam::{ACCOUNT}:user/x/anna"
    ]
    assert world.credentials.find(ann.access_key_id).arn == f"arn:aws:iam::{ACCOUNT}:user/x/anna"
    assert refusal(iam.get_user, UserName="ann")[0] == "NoSuchEntity"
    iam.update_user(UserName="anna", NewUserName="Anna")
    iam.create_user(UserName="bob")
    assert refusal(iam.update_user, UserName="bob", NewUserName="ANNA") == (
        "EntityAlreadyExists",
        "User with name ANNA already exists.",
    )


def test_there_is_room_for_so_many_users_and_renaming_takes_none(iam, monkeypatch):
    monkeypatch.setitem(directory.QUOTAS, User, ("UsersPerAccount", 2))
    iam.create_user(UserName="ann")
    iam.create_user(UserName="bob")
    assert refusal(iam.create_user, UserName="eve") == (
        "LimitExceeded",
        "Cannot exceed quota for UsersPerAccount: 2",
    )
    iam.update_user(UserName="bob", NewUserName="ben")
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["ann", "ben"]


def test_a_user_goes_only_after_all_that_belongs_to_it(iam, world):
    world.user("ann")
    (key,) = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    iam.create_group(GroupName="eng")
    iam.add_user_to_group(GroupName="eng", UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=READ)
    iam.put_user_policy(UserName="ann", PolicyName="mine", PolicyDocument=POLICY)
    iam.create_login_profile(UserName="ann", Password="Correct-Horse-1")
    undo = [
        ("must delete login profile first.", lambda: iam.delete_login_profile(UserName="ann")),
        (
            "must delete access keys first.",
            lambda: iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"]),
        ),
        (
            "must remove users from group first.",
            lambda: iam.remove_user_from_group(GroupName="eng", UserName="ann"),
        ),
        (
            "must detach all policies first.",
            lambda: iam.detach_user_policy(UserName="ann", PolicyArn=READ),
        ),
        (
            "must delete policies first.",
            lambda: iam.delete_user_policy(UserName="ann", PolicyName="mine"),
        ),
    ]
    for complaint, mend in undo:
        assert refusal(iam.delete_user, UserName="ann") == (
            "DeleteConflict",
            f"Cannot delete entity, {complaint}",
        )
        mend()
    iam.delete_user(UserName="ann")
    assert iam.list_users()["Users"] == []


@pytest.mark.parametrize("path", ["eng", "/eng", "eng/", "/e ng/"])
def test_paths_begin_and_end_with_a_slash(iam, path):
    code, message = refusal(iam.create_user, UserName="ann", Path=path)
    assert code == "ValidationError"
    assert message == (
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
        "characters and/or / characters."
    )


def test_names_have_letters_aws_takes(iam):
    iam.create_user(UserName="A+n=n,.@_-1")
    for name in ("a b", "ä", "a/b"):
        assert refusal(iam.create_user, UserName=name) == (
            "ValidationError",
            "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        )


def test_lists_are_narrowed_by_path(iam):
    for name, path in (("ann", "/eng/"), ("bob", "/eng/ops/"), ("eve", "/")):
        iam.create_user(UserName=name, Path=path)
    assert [user["UserName"] for user in iam.list_users(PathPrefix="/eng/")["Users"]] == ["ann", "bob"]
    assert refusal(iam.list_users, PathPrefix="eng")[0] == "ValidationError"


# --- tags


def test_tags_are_added_replaced_without_regard_to_case_and_removed(iam):
    iam.create_user(UserName="ann", Tags=tagged(team="blue", room="1"))
    iam.tag_user(UserName="ann", Tags=tagged(TEAM="red", floor="2"))
    assert iam.list_user_tags(UserName="ann")["Tags"] == tagged(TEAM="red", floor="2", room="1")
    iam.tag_user(UserName="ann", Tags=tagged(team="green"))
    assert iam.list_user_tags(UserName="ann")["Tags"] == tagged(floor="2", room="1", team="green")
    iam.untag_user(UserName="ann", TagKeys=["Team", "none"])
    assert iam.list_user_tags(UserName="ann")["Tags"] == tagged(floor="2", room="1")


def test_tags_that_aws_does_not_take_are_refused(iam):
    assert refusal(iam.create_user, UserName="ann", Tags=tagged(a="1", A="2")) == (
        "InvalidInput",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    )
    assert (
        refusal(iam.create_user, UserName="ann", Tags=[{"Key": "aws:x", "Value": "1"}])[0] == "InvalidInput"
    )
    iam.create_user(UserName="ann", Tags=tagged(**{f"k{n}": "v" for n in range(50)}))
    assert refusal(iam.tag_user, UserName="ann", Tags=tagged(more="v")) == (
        "LimitExceeded",
        "The number of tags has reached the maximum limit.",
    )


# --- groups


def test_a_group_is_shown_with_its_members(iam, world):
    made = iam.create_group(GroupName="eng", Path="/x/")["Group"]
    assert made.pop("GroupId").startswith("AGPA")
    assert made == {
        "GroupName": "eng",
        "Path": "/x/",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/x/eng",
        "CreateDate": world.clock.now(),
    }
    iam.create_user(UserName="ann")
    for _ in range(2):  # adding twice is adding
        iam.add_user_to_group(GroupName="eng", UserName="ann")
    shown = iam.get_group(GroupName="eng")
    assert [user["UserName"] for user in shown["Users"]] == ["ann"]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="ann")["Groups"]] == ["eng"]
    iam.remove_user_from_group(GroupName="eng", UserName="ann")
    assert iam.get_group(GroupName="eng")["Users"] == []
    assert refusal(iam.remove_user_from_group, GroupName="eng", UserName="ann")[0] == "NoSuchEntity"


def test_membership_needs_both_to_be_there(iam):
    iam.create_user(UserName="ann")
    assert refusal(iam.add_user_to_group, GroupName="eng", UserName="ann") == (
        "NoSuchEntity",
        "The group with name eng cannot be found.",
    )
    iam.create_group(GroupName="eng")
    assert refusal(iam.add_user_to_group, GroupName="eng", UserName="bob") == (
        "NoSuchEntity",
        "The user with name bob cannot be found.",
    )


def test_a_user_is_in_ten_groups_at_most(iam):
    iam.create_user(UserName="ann")
    for number in range(11):
        iam.create_group(GroupName=f"g{number}")
    for number in range(10):
        iam.add_user_to_group(GroupName=f"g{number}", UserName="ann")
    assert refusal(iam.add_user_to_group, GroupName="g10", UserName="ann") == (
        "LimitExceeded",
        "Cannot exceed quota for GroupsPerUser: 10",
    )


def test_a_group_is_renamed_with_its_members_in_it(iam):
    iam.create_group(GroupName="eng")
    iam.create_user(UserName="ann")
    iam.add_user_to_group(GroupName="eng", UserName="ann")
    iam.update_group(GroupName="eng", NewGroupName="dev", NewPath="/x/")
    assert [user["UserName"] for user in iam.get_group(GroupName="dev")["Users"]] == ["ann"]
    assert iam.list_groups()["Groups"][0]["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/x/dev"


def test_a_group_goes_only_after_all_that_belongs_to_it(iam):
    iam.create_group(GroupName="eng")
    iam.create_user(UserName="ann")
    iam.add_user_to_group(GroupName="eng", UserName="ann")
    iam.attach_group_policy(GroupName="eng", PolicyArn=READ)
    iam.put_group_policy(GroupName="eng", PolicyName="mine", PolicyDocument=POLICY)
    for complaint, mend in (
        (
            "must remove users from group first.",
            lambda: iam.remove_user_from_group(GroupName="eng", UserName="ann"),
        ),
        (
            "must detach all policies first.",
            lambda: iam.detach_group_policy(GroupName="eng", PolicyArn=READ),
        ),
        (
            "must delete policies first.",
            lambda: iam.delete_group_policy(GroupName="eng", PolicyName="mine"),
        ),
    ):
        assert refusal(iam.delete_group, GroupName="eng") == (
            "DeleteConflict",
            f"Cannot delete entity, {complaint}",
        )
        mend()
    iam.delete_group(GroupName="eng")
    assert refusal(iam.get_group, GroupName="eng")[0] == "NoSuchEntity"
