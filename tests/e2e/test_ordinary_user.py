"""As a person who is not root: all that needs no machine works, and the rest says what to do.

The person may read every file and nothing more, for Python itself may lie in root's home.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.support.cloud import Cloud

NOBODY = 65534
_BECOME = [
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--no-new-privs",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
]

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to be somebody else"
)


class Theirs(Cloud):
    """A cloud that nobody runs."""

    def __init__(self, folder, **settings):
        super().__init__(folder, **settings)
        for path in (folder, self.home):
            os.chown(path, NOBODY, NOBODY)

    def _run(self, words, timeout_s, *, check=True):
        return super()._run([*_BECOME, *words], timeout_s, check=check)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Theirs(tmp_path_factory.mktemp("theirs"))
    said = cloud.up()
    assert "machines  none. Instances need root on this machine. Run: cloudstead down && sudo" in said
    try:
        yield cloud
    finally:
        cloud.down()
        assert "not up" in cloud.command("status", check=False)


def test_everything_of_it_is_theirs(cloud):
    owners = {path.stat().st_uid for place in (cloud.data, cloud.home) for path in place.rglob("*")}
    assert owners == {NOBODY}
    processes = cloud.status()["processes"]
    assert {name.partition("-")[0] for name in processes} == {
        "supervisor",
        "gateway",
        "controller",
        "checks",
        "names",
    }
    for process in processes.values():
        assert Path(f"/proc/{process['pid']}").stat().st_uid == NOBODY


def test_what_needs_no_machine_works(cloud):
    assert cloud.aws("sts", "get-caller-identity")["Account"] == cloud.health()["account"]
    iam, ssm, ec2 = (cloud.client(service) for service in ("iam", "ssm", "ec2"))
    iam.create_user(UserName="ann")
    ssm.put_parameter(Name="/secret", Value="x", Type="SecureString")
    assert ssm.get_parameter(Name="/secret", WithDecryption=True)["Parameter"]["Value"] == "x"
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)
    assert ec2.create_key_pair(KeyName="k")["KeyMaterial"]
    ec2.get_waiter("vpc_available").wait(VpcIds=[vpc])
    assert ec2.describe_images()["Images"]
    assert ec2.describe_instances()["Reservations"] == []
    assert cloud.dig("ec2-198-18-0-9.compute-1.amazonaws.com") == []


def test_an_instance_is_refused_with_what_to_do(cloud):
    ec2 = cloud.client("ec2")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["cloudstead-tiny-*"]}])["Images"][0]
    asked = {"ImageId": image["ImageId"], "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    with pytest.raises(ClientError) as refused:
        ec2.run_instances(**asked)
    error = refused.value.response["Error"]
    assert error["Code"] == "Unsupported"
    assert error["Message"].endswith("Run: cloudstead down && sudo cloudstead up")
    assert ec2.describe_instances()["Reservations"] == []
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_doctor_says_what_is_missing_and_fails_only_if_that_was_asked_for(cloud):
    cloud.command("doctor")
    found = {one["name"]: one for one in json.loads(cloud.command("doctor", "--json"))}
    for name in ("root", "namespaces", "overlayfs"):
        assert (found[name]["state"], found[name]["mend"]) == ("missing", "sudo cloudstead up")
    assert (found["endpoint port"]["state"], found["python"]["state"]) == ("ok", "ok")
    asked = cloud.command("doctor", "--machines", "oci", check=False)
    assert re.search(r"^missing +root +real networks and machines need root", asked, re.MULTILINE)
    with pytest.raises(AssertionError, match="status 1"):
        cloud.command("doctor", "--machines", "oci")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["image", "build", "tiny"], "needs root"),
        (["ssh", "i-0123456789abcdef0"], "does not exist"),
        (["dns", "install"], "dig @127.0.0.1"),
    ],
)
def test_commands_that_need_more_say_so(cloud, words, said):
    with pytest.raises(AssertionError) as failed:
        cloud.command(*words)
    assert said in str(failed.value)
    assert "Traceback" not in str(failed.value)


def test_roots_cloud_is_not_theirs_to_stop(cloud, tmp_path):
    roots = Cloud(tmp_path, machines="none")
    roots.up()
    try:
        with pytest.raises(AssertionError) as failed:
            cloud.command("down", "--data", str(roots.data))
        assert "permission denied; is it root's cloud? Then use sudo." in str(failed.value)
        assert roots.status()["status"] == "running"
    finally:
        roots.down()
