"""Who calls, from where, and how it is proven: on clouds that run no machines, through boto3."""

import datetime as dt
import json
import urllib.error
import urllib.request

import botocore.auth
import pytest
from botocore.exceptions import ClientError
from tests.support.cloud import Cloud, until

UNKNOWN = "AKIAIOSFODNN7EXAMPLE"
CALLS = {
    "ec2": lambda client: client.describe_vpcs(),
    "iam": lambda client: client.list_users(),
    "ssm": lambda client: client.describe_parameters(),
    "sts": lambda client: client.get_caller_identity(),
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    yield from _running(tmp_path_factory.mktemp("cloud"), machines="none")


@pytest.fixture(scope="module")
def open_cloud(tmp_path_factory):
    yield from _running(tmp_path_factory.mktemp("open"), machines="none", auth="open", allow_reset="yes")


def _running(folder, **settings):
    cloud = Cloud(folder, **settings)
    cloud.up()
    try:
        yield cloud
    finally:
        cloud.down()


def refusal(call):
    with pytest.raises(ClientError) as refused:
        call()
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


# --- signatures


@pytest.mark.parametrize(
    ("service", "unknown", "wrong", "late"),
    [
        ("ec2", ("AuthFailure", 401), ("AuthFailure", 401), ("AuthFailure", 401)),
        (
            "iam",
            ("InvalidClientTokenId", 403),
            ("SignatureDoesNotMatch", 403),
            ("SignatureDoesNotMatch", 403),
        ),
        (
            "sts",
            ("InvalidClientTokenId", 403),
            ("SignatureDoesNotMatch", 403),
            ("SignatureDoesNotMatch", 403),
        ),
        (
            "ssm",
            ("UnrecognizedClientException", 400),
            ("InvalidSignatureException", 400),
            ("InvalidSignatureException", 400),
        ),
    ],
)
def test_who_does_not_prove_it_is_refused(cloud, monkeypatch, service, unknown, wrong, late):
    call = CALLS[service]
    assert refusal(lambda: call(cloud.client(service, key=UNKNOWN, secret="x"))) == unknown
    assert refusal(lambda: call(cloud.client(service, secret="wrong"))) == wrong
    assert refusal(lambda: call(cloud.client(service, token="nobody-gave-it")))[0] in (
        "AuthFailure",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    )
    then = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=20)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: then)
    monkeypatch.setitem(
        botocore.auth.AUTH_TYPE_MAPS, "v4", botocore.auth.SigV4Auth
    )  # not awscrt's, if it is there
    assert refusal(lambda: call(cloud.client(service))) == late


def test_a_key_that_is_switched_off_or_gone_is_refused(cloud):
    iam = cloud.client("iam")
    iam.create_user(UserName="switched")
    key = iam.create_access_key(UserName="switched")["AccessKey"]
    signed = cloud.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert signed.get_caller_identity()["Arn"].endswith(":user/switched")
    told = {"UserName": "switched", "AccessKeyId": key["AccessKeyId"]}
    iam.update_access_key(**told, Status="Inactive")
    assert refusal(signed.get_caller_identity) == ("InvalidClientTokenId", 403)
    iam.update_access_key(**told, Status="Active")
    assert signed.get_caller_identity()["Arn"].endswith(":user/switched")
    iam.delete_access_key(**told)
    assert refusal(signed.get_caller_identity) == ("InvalidClientTokenId", 403)


def test_a_dry_run_does_nothing_and_says_that_it_would(cloud):
    ec2 = cloud.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    for call, asked in (
        (ec2.create_vpc, {"CidrBlock": "10.0.0.0/16"}),
        (ec2.create_key_pair, {"KeyName": "k"}),
        (ec2.describe_vpcs, {}),
    ):
        assert refusal(lambda call=call, asked=asked: call(**asked, DryRun=True)) == ("DryRunOperation", 412)
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    assert not ec2.describe_key_pairs()["KeyPairs"]


# --- accounts and regions


def test_in_an_open_cloud_twelve_digits_are_an_account(open_cloud):
    seen = []
    for account in ("111111111111", "222222222222"):
        clients = {name: open_cloud.client(name, key=account, secret="any") for name in CALLS}
        assert clients["sts"].get_caller_identity()["Account"] == account
        clients["iam"].create_user(UserName="same")
        clients["ssm"].put_parameter(Name="/same", Value=account, Type="String")
        clients["ec2"].create_key_pair(KeyName="same")
        assert [user["Arn"] for user in clients["iam"].list_users()["Users"]] == [
            f"arn:aws:iam::{account}:user/same"
        ]
        (vpc,) = clients["ec2"].describe_vpcs()["Vpcs"]
        assert vpc["OwnerId"] == account
        seen.append((clients, vpc["VpcId"]))
    (first, vpc), (second, other) = seen
    assert vpc != other
    assert first["ssm"].get_parameter(Name="/same")["Parameter"]["Value"] == "111111111111"
    assert second["ssm"].get_parameter(Name="/same")["Parameter"]["Value"] == "222222222222"
    assert refusal(lambda: second["ec2"].describe_vpcs(VpcIds=[vpc])) == ("InvalidVpcID.NotFound", 400)


def test_in_an_open_cloud_any_other_key_is_the_clouds_own_account(open_cloud):
    told = open_cloud.client("sts", key="test", secret="test").get_caller_identity()
    assert told["Account"] == open_cloud.client("sts").get_caller_identity()["Account"]
    unsigned = urllib.request.urlopen(
        f"{open_cloud.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15", timeout=10
    )
    assert told["Account"] in unsigned.read().decode()


def test_regions_know_nothing_of_each_other(cloud):
    here, there = cloud.client("ec2", "us-east-1"), cloud.client("ec2", "eu-west-1")
    (vpc,), (other,) = here.describe_vpcs()["Vpcs"], there.describe_vpcs()["Vpcs"]
    assert vpc["VpcId"] != other["VpcId"]
    here.create_key_pair(KeyName="of-one-region")
    assert refusal(lambda: there.describe_key_pairs(KeyNames=["of-one-region"])) == (
        "InvalidKeyPair.NotFound",
        400,
    )
    assert refusal(lambda: there.describe_vpcs(VpcIds=[vpc["VpcId"]])) == ("InvalidVpcID.NotFound", 400)
    here.delete_key_pair(KeyName="of-one-region")
    cloud.client("ssm", "us-east-1").put_parameter(Name="/where", Value="here", Type="String")
    assert (
        refusal(lambda: cloud.client("ssm", "eu-west-1").get_parameter(Name="/where"))[0]
        == "ParameterNotFound"
    )
    cloud.client("iam", "us-east-1").create_user(UserName="everywhere")
    assert (
        cloud.client("iam", "eu-west-1").get_user(UserName="everywhere")["User"]["UserName"] == "everywhere"
    )


# --- what is ours


def _post(cloud, path):
    asked = urllib.request.Request(f"{cloud.endpoint}{path}", method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_a_cloud_forgets_everything_when_told_if_that_was_switched_on(open_cloud):
    ssm, ec2 = open_cloud.client("ssm"), open_cloud.client("ec2")
    ssm.put_parameter(Name="/forgotten", Value="x", Type="String")
    before = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]]
    status, _ = _post(open_cloud, "/_cloudstead/reset")
    assert status == 200
    assert refusal(lambda: ssm.get_parameter(Name="/forgotten"))[0] == "ParameterNotFound"
    until(lambda: [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]] not in ([], before))
    root = open_cloud.client("sts").get_caller_identity()
    assert root["Arn"] == f"arn:aws:iam::{root['Account']}:root", "the root key is kept"


def test_otherwise_it_refuses_and_forgets_nothing(cloud):
    cloud.client("ssm").put_parameter(Name="/kept", Value="x", Type="String")
    status, said = _post(cloud, "/_cloudstead/reset")
    assert (status, "--allow-reset" in said) == (403, True), said
    assert cloud.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "x"
    assert json.loads(_get(cloud, "/_cloudstead/health"))["status"] == "running"


def _get(cloud, path):
    with urllib.request.urlopen(f"{cloud.endpoint}{path}", timeout=10) as answer:
        return answer.read()
