"""Users, roles and parameters as people use them: with the AWS CLI and boto3, on a cloud that runs no machines."""

import json
import sqlite3

import pytest
from botocore.exceptions import ClientError, WaiterError
from tests.support.cloud import Cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("cloud"), machines="none")
    cloud.up()
    try:
        yield cloud
    finally:
        cloud.down()


def signing(cloud, service, keys):
    """A client that signs with these keys, as CreateAccessKey or STS gave them."""
    return cloud.client(
        service, key=keys["AccessKeyId"], secret=keys["SecretAccessKey"], token=keys.get("SessionToken")
    )


def test_a_user_takes_on_a_role_and_acts_as_it(cloud):
    iam = cloud.client("iam")
    user = iam.create_user(UserName="ann")["User"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": user["Arn"]},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "agreed"}},
            }
        ],
    }
    role = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    assert role["AssumeRolePolicyDocument"] == trust
    sts = signing(cloud, "sts", iam.create_access_key(UserName="ann")["AccessKey"])
    asked = {"RoleArn": role["Arn"], "RoleSessionName": "build-7"}
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole on resource"):
        sts.assume_role(**asked)
    keys = sts.assume_role(**asked, ExternalId="agreed")["Credentials"]
    shown = signing(cloud, "sts", keys).get_caller_identity()
    assert shown["Arn"] == f"arn:aws:sts::{shown['Account']}:assumed-role/deploy/build-7"
    signing(cloud, "ssm", keys).put_parameter(Name="/by/role", Value="x", Type="String")
    (by,) = cloud.client("ssm").describe_parameters()["Parameters"]
    assert by["LastModifiedUser"] == shown["Arn"]
    cloud.client("ssm").delete_parameter(Name="/by/role")


@pytest.mark.parametrize(
    ("waiter", "make", "asked"),
    [
        ("user_exists", "create_user", {"UserName": "waited"}),
        ("instance_profile_exists", "create_instance_profile", {"InstanceProfileName": "waited"}),
    ],
)
def test_waiters_of_botocore_see_what_is_there_and_what_is_not(cloud, waiter, make, asked):
    iam = cloud.client("iam")
    once = {"Delay": 0, "MaxAttempts": 1}
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        iam.get_waiter(waiter).wait(**asked, WaiterConfig=once)
    getattr(iam, make)(**asked)
    iam.get_waiter(waiter).wait(**asked, WaiterConfig=once)


def test_parameters_from_the_command_line(cloud):
    put = ("ssm", "put-parameter", "--name", "/app/password", "--value", "s3cr3t", "--type", "SecureString")
    assert cloud.aws(*put)["Version"] == 1
    assert "(ParameterAlreadyExists)" in cloud.aws_error(*put)
    assert cloud.aws(*put, "--overwrite")["Version"] == 2
    read = ("ssm", "get-parameter", "--name", "/app/password")
    assert cloud.aws(*read, "--with-decryption")["Parameter"]["Value"] == "s3cr3t"
    assert cloud.aws(*read)["Parameter"]["Value"] != "s3cr3t"
    with sqlite3.connect(f"file:{cloud.data}/state.sqlite?mode=ro", uri=True) as database:
        bodies = b"".join(body for (body,) in database.execute("SELECT body FROM rows"))
    assert b"/app/password" in bodies
    assert b"s3cr3t" not in bodies


def test_the_newest_amazon_linux_is_a_public_parameter(cloud):
    path = "/aws/service/ami-amazon-linux-latest"
    found = cloud.aws("ssm", "get-parameters-by-path", "--path", path)["Parameters"]
    assert found
    images = cloud.client("ec2").describe_images(ImageIds=sorted({one["Value"] for one in found}))["Images"]
    assert {image["OwnerId"] for image in images} == {"137112412989"}
