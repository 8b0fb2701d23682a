"""The account as a whole: its alias, counts and details, and the rules for passwords."""

import json
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from tests.support.api import refusal
from tests.support.identity import World, allow

from cloudstead.core.clock import ManualClock
from cloudstead.services.iam.model import LoginProfile
from cloudstead.services.iam.operations.passwords import password_is

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'


def test_an_account_has_one_alias(iam):
    assert iam.list_account_aliases()["AccountAliases"] == []
    for alias in ("first", "second"):
        iam.create_account_alias(AccountAlias=alias)
        assert iam.list_account_aliases()["AccountAliases"] == [alias]
    assert refusal(iam.delete_account_alias, AccountAlias="first")[0] == "NoSuchEntity"
    iam.delete_account_alias(AccountAlias="second")
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_the_summary_counts_what_there_is(iam, world):
    world.user("ann")
    iam.create_group(GroupName="eng")
    arn = iam.create_policy(PolicyName="mine", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY)
    summary = iam.get_account_summary()["SummaryMap"]
    counts = {name: summary[name] for name in ("Users", "Groups", "Roles", "Policies", "PolicyVersionsInUse")}
    assert counts == {"Users": 1, "Groups": 1, "Roles": 0, "Policies": 1, "PolicyVersionsInUse": 2}
    assert (summary["UsersQuota"], summary["AccountAccessKeysPresent"]) == (5000, 1)


@pytest.fixture
def full(iam, world):
    """An account with one of each."""
    arn = iam.create_policy(PolicyName="mine", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.create_group(GroupName="eng")
    iam.create_user(UserName="ann", Tags=[{"Key": "a", "Value": "1"}], PermissionsBoundary=arn)
    iam.add_user_to_group(GroupName="eng", UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="in", PolicyDocument=POLICY)
    iam.attach_group_policy(GroupName="eng", PolicyArn=READ)
    world.role("web", allow({"Service": "ec2.amazonaws.com"}))
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="web")
    return iam


def test_the_details_show_everything(full):
    shown = full.get_account_authorization_details()
    (user,), (group,), (role,) = shown["UserDetailList"], shown["GroupDetailList"], shown["RoleDetailList"]
    assert (user["UserName"], user["GroupList"], user["Tags"]) == (
        "ann",
        ["eng"],
        [{"Key": "a", "Value": "1"}],
    )
    (inline,) = user["UserPolicyList"]
    text = inline["PolicyDocument"]
    assert (json.loads(unquote(text)) if isinstance(text, str) else text) == json.loads(POLICY)
    assert group["AttachedManagedPolicies"] == [{"PolicyName": "ReadOnlyAccess", "PolicyArn": READ}]
    assert [one["InstanceProfileName"] for one in role["InstanceProfileList"]] == ["box"]
    assert {one["PolicyName"] for one in shown["Policies"]} == {"mine", "ReadOnlyAccess"}
    (mine,) = (one for one in shown["Policies"] if one["PolicyName"] == "mine")
    assert [one["VersionId"] for one in mine["PolicyVersionList"]] == ["v1"]


@pytest.mark.parametrize(
    ("asked", "lists"),
    [
        (["User"], {"UserDetailList": 1}),
        (["Group", "Role"], {"GroupDetailList": 1, "RoleDetailList": 1}),
        (["LocalManagedPolicy"], {"Policies": 1}),
        (["AWSManagedPolicy"], {"Policies": 1}),
    ],
)
def test_the_details_are_narrowed(full, asked, lists):
    shown = full.get_account_authorization_details(Filter=asked)
    names = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    assert {name: len(shown[name]) for name in names if shown[name]} == lists


# --- passwords


def stored(world):
    (profile,) = world.store.rows(LoginProfile)
    return profile


def test_a_password_is_kept_as_a_hash_that_knows_it(iam, world):
    iam.create_user(UserName="ann")
    made = iam.create_login_profile(UserName="ann", Password="Correct-Horse-1", PasswordResetRequired=True)
    assert made["LoginProfile"] == {
        "UserName": "ann",
        "CreateDate": world.clock.now(),
        "PasswordResetRequired": True,
    }
    bodies = b"".join(body for (body,) in world.store._connection.execute("SELECT body FROM rows"))
    assert b"Correct-Horse-1" not in bodies
    assert password_is(stored(world), "Correct-Horse-1")
    assert not password_is(stored(world), "Correct-Horse-2")
    assert refusal(iam.create_login_profile, UserName="ann", Password="Correct-Horse-1") == (
        "EntityAlreadyExists",
        "Login Profile for user ann already exists.",
    )
    iam.update_login_profile(UserName="ann", Password="Battery-Staple-2", PasswordResetRequired=False)
    assert password_is(stored(world), "Battery-Staple-2")
    assert iam.get_login_profile(UserName="ann")["LoginProfile"]["PasswordResetRequired"] is False
    iam.delete_login_profile(UserName="ann")
    for call in (iam.get_login_profile, iam.delete_login_profile):
        assert refusal(call, UserName="ann") == (
            "NoSuchEntity",
            "Login Profile for User ann cannot be found.",
        )


def test_a_user_changes_its_own_password_knowing_the_old_one(iam, world):
    ann = iam.by(world.user("ann"))
    iam.create_login_profile(UserName="ann", Password="Correct-Horse-1")
    wrong = {"OldPassword": "Wrong-Horse-1", "NewPassword": "Battery-Staple-2"}
    assert refusal(ann.change_password, **wrong)[1] == "The old password was incorrect."
    ann.change_password(OldPassword="Correct-Horse-1", NewPassword="Battery-Staple-2")
    assert password_is(stored(world), "Battery-Staple-2")
    assert refusal(iam.change_password, **wrong)[0] == "InvalidUserType"


@pytest.mark.parametrize(
    ("rule", "bad", "message"),
    [
        ({"MinimumPasswordLength": 12}, "Short-1", "Password should have a minimum length of 12"),
        (
            {"RequireUppercaseCharacters": True},
            "lower-case-1",
            "Password should have at least one uppercase letter",
        ),
        (
            {"RequireLowercaseCharacters": True},
            "UPPER-CASE-1",
            "Password should have at least one lowercase letter",
        ),
        ({"RequireNumbers": True}, "No-Numbers", "Password should have at least one number"),
        ({"RequireSymbols": True}, "NoSymbols1", "Password should have at least one symbol"),
    ],
)
def test_passwords_obey_the_accounts_rules(iam, rule, bad, message):
    iam.create_user(UserName="ann")
    iam.update_account_password_policy(**rule)
    assert refusal(iam.create_login_profile, UserName="ann", Password=bad) == (
        "PasswordPolicyViolation",
        message,
    )
    iam.create_login_profile(UserName="ann", Password="Long-Enough-Now-1")


def test_an_account_without_rules_has_awss(iam):
    iam.create_user(UserName="ann")
    for bad in ("Short-1", "onlylowercase"):
        answer = refusal(iam.create_login_profile, UserName="ann", Password=bad)
        assert answer[0] == "PasswordPolicyViolation"
    missing = refusal(iam.get_account_password_policy)
    assert missing == (
        "NoSuchEntity",
        "The Password Policy with domain name 123456789012 cannot be found.",
    )
    assert refusal(iam.delete_account_password_policy) == missing


def test_rules_are_set_as_a_whole(iam):
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireSymbols=True, MaxPasswordAge=90)
    shown = iam.get_account_password_policy()["PasswordPolicy"]
    assert (shown["MinimumPasswordLength"], shown["ExpirePasswords"], shown["MaxPasswordAge"]) == (
        12,
        True,
        90,
    )
    iam.update_account_password_policy(RequireNumbers=True)
    shown = iam.get_account_password_policy()["PasswordPolicy"]
    assert (shown["MinimumPasswordLength"], shown["RequireSymbols"], shown["ExpirePasswords"]) == (
        6,
        False,
        False,
    )
    iam.delete_account_password_policy()
    assert refusal(iam.get_account_password_policy)[0] == "NoSuchEntity"


def test_times_are_told_to_the_second():
    world = World(clock=ManualClock(datetime(2026, 1, 1, 12, 0, 1, 839_000, tzinfo=UTC)))
    made = world.iam.create_user(UserName="ann")["User"]["CreateDate"]
    key = world.iam.create_access_key(UserName="ann")["AccessKey"]["CreateDate"]
    policy = world.iam.create_policy(PolicyName="p", PolicyDocument=POLICY)["Policy"]["CreateDate"]
    assert {made, key, policy} == {datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC)}
    world.store.close()
