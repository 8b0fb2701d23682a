"""Roles are taken on by whom their trust policy names, for as long as they allow, and by nobody else."""

import json
from datetime import timedelta

import pytest
from tests.support.api import ACCOUNT, Refusal, refusal
from tests.support.identity import allow

from cloudstead.core.caller import Caller

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ACCOUNT_ROOT = {"AWS": ACCOUNT}


def denied(caller, role, action="sts:AssumeRole"):
    return (
        "AccessDenied",
        f"User: {caller.arn} is not authorized to perform: {action} on resource: {role}",
    )


def test_an_assumed_role_has_keys_that_are_the_role_and_the_session(world):
    ann = world.user("ann")
    role = world.role("deploy", allow({"AWS": ANN}), Path="/ci/")
    answer = world.assume(ann, role, "build-7")
    role_id = world.iam.get_role(RoleName="deploy")["Role"]["RoleId"]
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role_id}:build-7",
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/build-7",
    }
    assert "PackedPolicySize" not in answer
    keys = answer["Credentials"]
    assert keys["AccessKeyId"].startswith("ASIA")
    assert keys["Expiration"] == world.clock.now() + timedelta(hours=1)
    found = world.credentials.find(keys["AccessKeyId"])
    assert found.secret_access_key == keys["SecretAccessKey"]
    assert found.session_token == keys["SessionToken"]
    assert found.expires_at == keys["Expiration"]
    assert world.sts.by(world.caller(keys["AccessKeyId"])).get_caller_identity() == {
        "UserId": f"{role_id}:build-7",
        "Account": ACCOUNT,
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/build-7",
    }


def test_who_is_not_named_hears_the_same_as_of_a_role_that_is_not_there(world):
    ann, bob = world.user("ann"), world.user("bob")
    role = world.role("deploy", allow({"AWS": ANN}))
    assert world.assume(ann, role)
    missing = role.replace("deploy", "none")
    for asked in (role, missing):
        assert refusal(world.sts.by(bob).assume_role, RoleArn=asked, RoleSessionName="xx") == denied(
            bob, asked
        )


@pytest.mark.parametrize(
    "principal",
    [
        ACCOUNT_ROOT,
        {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        {"AWS": [ANN, f"arn:aws:iam::{ACCOUNT}:root"]},
        {"AWS": "*"},
        "*",
    ],
)
def test_an_account_stands_for_everybody_in_it(world, principal):
    world.user("ann")
    bob = world.user("bob")
    assert world.assume(bob, world.role("deploy", allow(principal)))


def test_another_account_must_be_named(world):
    stranger = Caller(
        account="999999999999",
        region="us-east-1",
        arn="arn:aws:iam::999999999999:user/eve",
        user_id="AIDAEVE",
        principal="user",
    )
    with pytest.raises(Refusal, match="AccessDenied"):
        world.assume(stranger, world.role("mine", allow(ACCOUNT_ROOT)))
    shared = world.role("shared", allow({"AWS": "999999999999"}))
    assert world.assume(stranger, shared)["AssumedRoleUser"]["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:")


def test_a_service_role_is_for_the_service_alone(world):
    role = world.role("web", allow({"Service": "ec2.amazonaws.com"}))
    with pytest.raises(Refusal, match="AccessDenied"):
        world.assume(world.user("ann"), role)


def test_a_denial_outweighs_what_is_allowed(world):
    ann, bob = world.user("ann"), world.user("bob")
    role = world.role("deploy", allow(ACCOUNT_ROOT), {**allow({"AWS": ANN}), "Effect": "Deny"})
    assert world.assume(bob, role)
    with pytest.raises(Refusal, match="AccessDenied"):
        world.assume(ann, role)


def test_root_may_assume_no_role(world):
    role = world.role("deploy", allow(ACCOUNT_ROOT))
    assert refusal(world.sts.assume_role, RoleArn=role, RoleSessionName="xx") == (
        "AccessDenied",
        "Roles may not be assumed by root accounts.",
    )


def test_the_trust_policy_in_force_is_the_newest(world):
    ann = world.user("ann")
    role = world.role("deploy", allow({"AWS": ANN}))
    assert world.assume(ann, role)
    nobody = {"Version": "2012-10-17", "Statement": [allow({"Service": "ec2.amazonaws.com"})]}
    world.iam.update_assume_role_policy(RoleName="deploy", PolicyDocument=json.dumps(nobody))
    with pytest.raises(Refusal, match="AccessDenied"):
        world.assume(ann, role)


@pytest.mark.parametrize(
    "arn", ["nothing-valid-in-here", "arn::b:::something/test-role", "arn:a:a::aaaaaaaaaa:"]
)
def test_an_arn_that_is_none_is_called_invalid(world, arn):
    assert refusal(world.sts.by(world.user("ann")).assume_role, RoleArn=arn, RoleSessionName="xx") == (
        "ValidationError",
        f"{arn} is invalid",
    )


def test_a_session_name_has_letters_aws_takes(world):
    code, message = refusal(
        world.sts.by(world.user("ann")).assume_role, RoleArn=ANN, RoleSessionName="Session1:2"
    )
    assert code == "ValidationError"
    assert message == (
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\w+=,.@-]*"
    )


# --- conditions


def test_an_external_id_must_be_the_one_agreed_on(world):
    ann = world.user("ann")
    condition = {"StringEquals": {"sts:ExternalId": "agreed"}}
    role = world.role("partner", allow(ACCOUNT_ROOT, Condition=condition))
    assert world.assume(ann, role, ExternalId="agreed")
    for wrong in ({}, {"ExternalId": "Agreed"}):
        with pytest.raises(Refusal, match="AccessDenied"):
            world.assume(ann, role, **wrong)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringLike": {"sts:RoleSessionName": "build-*"}}, True),
        ({"StringLike": {"sts:RoleSessionName": "${aws:username}-*"}}, False),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/a*"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "blue"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:username": "bob"}}, False),
    ],
)
def test_conditions_see_who_asks_and_how(world, condition, holds):
    ann = world.user("ann", Tags=[{"Key": "Team", "Value": "blue"}])
    role = world.role("deploy", allow(ACCOUNT_ROOT, Condition=condition))
    if holds:
        assert world.assume(ann, role, "build-7")
    else:
        with pytest.raises(Refusal, match="AccessDenied"):
            world.assume(ann, role, "build-7")


# --- how long


def test_a_session_lasts_as_long_as_the_role_allows(world):
    ann = world.user("ann")
    role = world.role("deploy", allow(ACCOUNT_ROOT), MaxSessionDuration=7200)
    keys = world.assume(ann, role, DurationSeconds=7200)["Credentials"]
    assert keys["Expiration"] == world.clock.now() + timedelta(hours=2)
    assert refusal(
        world.sts.by(ann).assume_role, RoleArn=role, RoleSessionName="xx", DurationSeconds=7201
    ) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )


@pytest.mark.parametrize("seconds", [899, 43_201])
def test_a_session_lasts_between_fifteen_minutes_and_twelve_hours(world, seconds):
    role = world.role("deploy", allow(ACCOUNT_ROOT), MaxSessionDuration=43_200)
    with pytest.raises(Refusal, match="ValidationError: 1 validation error detected"):
        world.assume(world.user("ann"), role, DurationSeconds=seconds)


def test_a_role_taken_on_from_a_role_lasts_an_hour_at_most(world):
    first = world.role("first", allow(ACCOUNT_ROOT))
    second = world.role("second", allow({"AWS": first}), MaxSessionDuration=43_200)
    through = world.assumed(world.user("ann"), first)
    assert world.assume(through, second, DurationSeconds=3600)
    assert refusal(
        world.sts.by(through).assume_role, RoleArn=second, RoleSessionName="xx", DurationSeconds=3601
    ) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    )


def test_a_session_of_a_role_goes_by_its_own_name_and_by_the_roles(world):
    ann = world.user("ann")
    first = world.role("first", allow(ACCOUNT_ROOT))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/first/one"
    second = world.role("second", allow({"AWS": session}))
    assert world.assume(world.assumed(ann, first, "one"), second)
    with pytest.raises(Refusal, match="AccessDenied"):
        world.assume(world.assumed(ann, first, "two"), second)


# --- tags


def tagged(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_tags_need_to_be_allowed_by_the_trust_policy(world):
    ann = world.user("ann")
    without = world.role("without", allow(ACCOUNT_ROOT))
    asked = {"RoleArn": without, "RoleSessionName": "xx", "Tags": tagged(a="1")}
    assert refusal(world.sts.by(ann).assume_role, **asked) == denied(ann, without, "sts:TagSession")
    with_tags = world.role("with", allow(ACCOUNT_ROOT, "sts:AssumeRole", "sts:TagSession"))
    assert world.assume(ann, with_tags, Tags=tagged(a="1"))["PackedPolicySize"] == 1


def test_transitive_tags_go_on_and_may_not_be_set_again(world):
    ann = world.user("ann")
    both = ("sts:AssumeRole", "sts:TagSession")
    first = world.role("first", allow(ACCOUNT_ROOT, *both))
    blue = {"StringEquals": {"aws:RequestTag/team": "blue"}}
    second = world.role("second", allow(ACCOUNT_ROOT, *both, Condition=blue))
    tags = {"Tags": tagged(Team="blue", other="x"), "TransitiveTagKeys": ["Team"]}
    through = world.assumed(ann, first, **tags)
    assert world.assume(through, second)
    with pytest.raises(Refusal, match="AccessDenied"):
        world.assume(world.assumed(ann, first), second)
    assert refusal(
        world.sts.by(through).assume_role,
        RoleArn=second,
        RoleSessionName="xx",
        Tags=tagged(tEAM="red"),
    ) == (
        "InvalidParameterValue",
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"Tags": tagged(a="1"), "TransitiveTagKeys": ["b"]},
            "The specified transitive tag key must be included in the requested tags.",
        ),
        (
            {"Tags": tagged(a="1", A="2")},
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
    ],
)
def test_tags_that_aws_does_not_take_are_refused(world, asked, message):
    role = world.role("deploy", allow(ACCOUNT_ROOT, "sts:AssumeRole", "sts:TagSession"))
    answer = refusal(world.sts.by(world.user("ann")).assume_role, RoleArn=role, RoleSessionName="xx", **asked)
    assert answer == ("InvalidParameterValue", message)


def test_a_source_identity_stays_through_all_that_follows(world):
    ann = world.user("ann")
    actions = ("sts:AssumeRole", "sts:SetSourceIdentity")
    first = world.role("first", allow(ACCOUNT_ROOT, *actions))
    second = world.role("second", allow(ACCOUNT_ROOT, *actions))
    plain = world.role("plain", allow(ACCOUNT_ROOT))
    through = world.assumed(ann, first, SourceIdentity="ann@home")
    assert world.assume(through, second)["SourceIdentity"] == "ann@home"
    for role, more in ((plain, {}), (second, {"SourceIdentity": "bob@home"})):
        asked = {"RoleArn": role, "RoleSessionName": "xx", **more}
        assert refusal(world.sts.by(through).assume_role, **asked) == denied(
            through, role, "sts:SetSourceIdentity"
        )


# --- session policies


def test_session_policies_are_checked_and_kept(world):
    from cloudstead.services.iam.model import Session

    ann = world.user("ann")
    role = world.role("deploy", allow(ACCOUNT_ROOT))
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    managed = [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]
    answer = world.assume(ann, role, Policy=policy, PolicyArns=managed)
    assert 0 < answer["PackedPolicySize"] <= 100
    session = world.store.get(Session, answer["Credentials"]["AccessKeyId"])
    assert (session.policy, session.policy_arns) == (policy, [managed[0]["arn"]])


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/None"}]}, "ValidationError"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}] * 11}, "ValidationError"),
        ({"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/ann", "TokenCode": "123456"}, "NotImplemented"),
    ],
)
def test_what_cannot_be_met_is_refused(world, more, code):
    role = world.role("deploy", allow(ACCOUNT_ROOT))
    caller = world.sts.by(world.user("ann"))
    assert refusal(caller.assume_role, RoleArn=role, RoleSessionName="xx", **more)[0] == code


def test_a_policy_larger_than_its_room_is_refused(world):
    actions = [f"s3:Action{number:04}" for number in range(200)]
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
        }
    )
    role = world.role("deploy", allow(ACCOUNT_ROOT))
    code, message = refusal(
        world.sts.by(world.user("ann")).assume_role, RoleArn=role, RoleSessionName="xx", Policy=policy
    )
    assert code == "PackedPolicyTooLarge"
    assert message.startswith("Packed policy consumes 1")
