"""Session and federation tokens, what a key tells, and the keys of instances."""

import json
from datetime import timedelta

import pytest
from tests.support.api import ACCOUNT, Refusal, refusal
from tests.support.identity import allow

from cloudstead.services.iam.model import Session
from cloudstead.services.iam.operations import PoliciesOf, policies_of
from cloudstead.services.sts.operations import role_credentials

READ = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'
EC2 = {"Service": "ec2.amazonaws.com"}


# --- GetSessionToken


def test_a_session_token_acts_for_the_very_same_user(world):
    ann = world.user("ann")
    keys = world.sts.by(ann).get_session_token()["Credentials"]
    assert keys["Expiration"] == world.clock.now() + timedelta(hours=12)
    session = world.caller(keys["AccessKeyId"])
    assert (session.arn, session.user_id, session.principal) == (ann.arn, ann.user_id, "user")
    assert world.iam.by(session).get_user()["User"]["UserName"] == "ann"


def test_a_session_token_lasts_as_long_as_asked_and_the_roots_an_hour(world):
    ann, root = world.user("ann"), world.caller(world.root_key)

    def lasts(caller, **more):
        keys = world.sts.by(caller).get_session_token(**more)["Credentials"]
        return keys["Expiration"] - world.clock.now()

    assert lasts(ann, DurationSeconds=129_600) == timedelta(hours=36)
    assert lasts(root) == timedelta(hours=1)
    assert lasts(root, DurationSeconds=7200) == timedelta(hours=1)
    assert lasts(root, DurationSeconds=900) == timedelta(minutes=15)
    with pytest.raises(Refusal, match="ValidationError"):
        lasts(ann, DurationSeconds=129_601)


@pytest.mark.parametrize(
    ("operation", "asked"), [("get_session_token", {}), ("get_federation_token", {"Name": "bob"})]
)
def test_temporary_keys_give_no_others(world, operation, asked):
    keys = world.sts.by(world.user("ann")).get_session_token()["Credentials"]
    session = world.sts.by(world.caller(keys["AccessKeyId"]))
    name = "".join(word.capitalize() for word in operation.split("_"))
    assert refusal(getattr(session, operation), **asked) == (
        "AccessDenied",
        f"Cannot call {name} with session credentials",
    )


def test_a_session_of_a_user_may_take_on_a_role_for_its_full_time(world):
    role = world.role("deploy", allow({"AWS": ACCOUNT}), MaxSessionDuration=43_200)
    keys = world.sts.by(world.user("ann")).get_session_token()["Credentials"]
    answer = world.assume(world.caller(keys["AccessKeyId"]), role, DurationSeconds=43_200)
    assert answer["Credentials"]["Expiration"] == world.clock.now() + timedelta(hours=12)


def test_a_multi_factor_code_is_not_built(world):
    asked = {"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/ann", "TokenCode": "123456"}
    assert refusal(world.sts.by(world.user("ann")).get_session_token, **asked)[0] == "NotImplemented"


# --- GetFederationToken


def test_a_federated_user_has_a_name_of_its_own(world):
    answer = world.sts.by(world.user("ann")).get_federation_token(Name="bob", Policy=READ)
    assert answer["FederatedUser"] == {
        "FederatedUserId": f"{ACCOUNT}:bob",
        "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
    }
    assert answer["PackedPolicySize"] > 0
    bob = world.caller(answer["Credentials"]["AccessKeyId"])
    assert world.sts.by(bob).get_caller_identity() == {
        "UserId": f"{ACCOUNT}:bob",
        "Account": ACCOUNT,
        "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
    }


def test_a_federated_user_may_take_on_no_role(world):
    role = world.role("deploy", allow("*"))
    keys = world.sts.by(world.user("ann")).get_federation_token(Name="bob")["Credentials"]
    with pytest.raises(Refusal, match="AccessDenied"):
        world.assume(world.caller(keys["AccessKeyId"]), role)


def test_what_a_federated_user_may_is_what_its_issuer_and_its_session_may(world):
    ann, root = world.user("ann"), world.caller(world.root_key)
    world.iam.put_user_policy(UserName="ann", PolicyName="read", PolicyDocument=READ)

    def policies(issuer, **more):
        keys = world.sts.by(issuer).get_federation_token(Name="bob", **more)["Credentials"]
        return policies_of(world.store, world.caller(keys["AccessKeyId"]))

    assert policies(ann) == PoliciesOf(identity=[READ], session=[])
    assert policies(ann, Policy=READ) == PoliciesOf(identity=[READ], session=[READ])
    of_root = policies(root, Policy=READ)
    assert of_root.session == [READ]
    (everything,) = of_root.identity
    assert json.loads(everything)["Statement"] == {"Effect": "Allow", "Action": "*", "Resource": "*"}


# --- GetAccessKeyInfo


def test_a_key_tells_its_account_whether_it_is_known_or_not(world):
    ann = world.user("ann")
    for key in (world.root_key, ann.access_key_id):
        assert world.sts.get_access_key_info(AccessKeyId=key) == {"Account": ACCOUNT}
    assert world.sts.get_access_key_info(AccessKeyId="AKIAIOSFODNN7EXAMPLE") == {"Account": "581039954779"}
    assert refusal(world.sts.get_access_key_info, AccessKeyId="AKIA0000000000000000")[0] == "ValidationError"


# --- instances


def profile(world, *statements, role="web"):
    world.role(role, *statements)
    made = world.iam.create_instance_profile(InstanceProfileName="web")["InstanceProfile"]
    world.iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName=role)
    return made["Arn"]


def test_an_instance_gets_keys_of_its_role_for_six_hours(world):
    arn = profile(world, allow(EC2))
    made = role_credentials(world.store, world.tools, arn, "i-0123456789abcdef0")
    assert made.role == "web"
    assert made.issued_at == world.clock.now()
    assert made.expires_at == world.clock.now() + timedelta(hours=6)
    found = world.credentials.find(made.access_key_id)
    assert (found.secret_access_key, found.session_token) == (made.secret_access_key, made.token)
    assert found.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/web/i-0123456789abcdef0"
    assert found.user_id.endswith(":i-0123456789abcdef0")


def test_an_instance_gets_no_keys_of_a_role_that_does_not_trust_ec2(world):
    arn = profile(world, allow({"Service": "lambda.amazonaws.com"}))
    assert role_credentials(world.store, world.tools, arn, "i-0123456789abcdef0") is None


def test_an_instance_gets_no_keys_where_there_is_no_role(world):
    arn = profile(world, allow(EC2))
    world.iam.remove_role_from_instance_profile(InstanceProfileName="web", RoleName="web")
    for asked in (arn, arn.replace("web", "none")):
        assert role_credentials(world.store, world.tools, asked, "i-0123456789abcdef0") is None


def test_an_instances_role_may_take_on_another(world):
    made = role_credentials(world.store, world.tools, profile(world, allow(EC2)), "i-0123456789abcdef0")
    other = world.role("other", allow({"AWS": f"arn:aws:iam::{ACCOUNT}:role/web"}))
    assert world.assume(world.caller(made.access_key_id), other)


# --- rows


def test_sessions_are_forgotten_a_day_after_they_are_over(world):
    ann = world.sts.by(world.user("ann"))
    old = ann.get_session_token(DurationSeconds=900)["Credentials"]["AccessKeyId"]
    world.clock.advance(900 + 86_400)
    ann.get_session_token()
    assert world.credentials.find(old) is not None
    world.clock.advance(1)
    ann.get_session_token()
    assert world.credentials.find(old) is None
    assert len(world.store.rows(Session)) == 2
