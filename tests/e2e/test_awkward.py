"""Starting and running where something is in the way: a port, another version, another cloud, a disk that is full."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tests.e2e.conftest import REAL
from tests.e2e.machines import open_to_host
from tests.support.cloud import Cloud, until
from tests.support.netns import apart


@pytest.fixture
def cloud(tmp_path):
    cloud = Cloud(tmp_path, machines="fake")
    yield cloud
    cloud.down()


def said_by(cloud, *words, status=1):
    """What a command that fails says."""
    done = subprocess.run(
        [sys.executable, "-m", "cloudstead", *words],
        env=cloud.environment,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("which", ["port", "dns_port"])
def test_a_port_that_is_taken_is_said_with_its_number(cloud, which):
    port = getattr(cloud, which)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        said = said_by(cloud, "up", "--detach")
        assert f"127.0.0.1 port {port} cannot be used: Address already in use" in said
        assert f"127.0.0.1 port {port} cannot be used: Address already in use" in said_by(cloud, "up")
        assert f"port {port}: Address already in use" in said_by(cloud, "doctor")
    cloud.up()


def test_another_cloud_s_ports_are_taken_too(cloud, tmp_path):
    cloud.up()
    other = Cloud(tmp_path / "other", machines="fake", port=str(cloud.port))
    assert f"port {cloud.port} cannot be used: Address already in use" in said_by(other, "up", "--detach")
    other.environment |= {"CLOUDSTEAD_PORT": str(other.port), "CLOUDSTEAD_DNS_PORT": str(cloud.dns_port)}
    assert f"port {cloud.dns_port} cannot be used: Address already in use" in said_by(other, "up", "--detach")


def test_an_address_that_is_not_this_machine_s_is_refused_at_once(cloud):
    for flag in ("--host", "--dns-host"):
        said = said_by(cloud, "up", "--detach", flag, "203.0.113.9")
        assert "cannot be used: Cannot assign requested address" in said


def test_what_is_damaged_or_out_of_reach_is_named(cloud):
    assert "/proc/nowhere: No such file or directory" in said_by(cloud, "up", "--data", "/proc/nowhere")
    assert "cloudstead.toml: Not a directory" in said_by(cloud, "up", "--data", "/etc/passwd", status=2)
    cloud.environment["AWS_CONFIG_FILE"] = "/proc/nowhere/config"
    assert "/proc/nowhere: No such file or directory" in said_by(cloud, "up", "--detach")
    del cloud.environment["AWS_CONFIG_FILE"]
    database, identity = cloud.data / "state.sqlite", cloud.data / "cloud.json"
    database.write_bytes(b"not a database " * 1000)
    assert "file is not a database. Put back a copy of it, or begin anew:" in said_by(cloud, "up", "--detach")
    kept = identity.read_bytes()
    identity.write_text("{")
    assert f"{identity} is damaged" in said_by(cloud, "up", "--detach")
    identity.write_bytes(kept)
    cloud.command("reset", "--yes")
    cloud.up()


def test_state_of_a_newer_version_is_left_alone(cloud):
    cloud.up()
    cloud.client("ssm").put_parameter(Name="/kept", Value="x", Type="String")
    cloud.down(everything=False)
    database = cloud.data / "state.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (known,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {known + 1}")
    said = said_by(cloud, "up", "--detach")
    assert f"was written by a newer Cloudstead (schema {known + 1}, this one knows {known})" in said
    for words in (["up"], ["image", "list"]):
        assert "was written by a newer Cloudstead" in said_by(cloud, *words)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA user_version = {known}")
    cloud.up()
    assert cloud.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "x"


def test_https_is_trusted_by_the_certificate_that_ca_prints(cloud):
    cloud.up()
    bundle = cloud.folder / "ca.pem"
    bundle.write_text(cloud.command("ca"))
    keys = {name: cloud.credential(name) for name in ("aws_access_key_id", "aws_secret_access_key")}
    for host in ("127.0.0.1", "localhost"):
        url = f"https://{host}:{cloud.port}"
        asked = {"endpoint_url": url, "region_name": "us-east-1", **keys}
        assert boto3.client("sts", verify=str(bundle), **asked).get_caller_identity()["Account"]
        with pytest.raises(BotoCoreError, match="certificate verify failed"):
            boto3.client(
                "sts", config=Config(retries={"total_max_attempts": 1}), **asked
            ).get_caller_identity()
    cloud.environment["AWS_CA_BUNDLE"] = str(bundle)
    assert cloud.aws("sts", "get-caller-identity", "--endpoint-url", f"https://localhost:{cloud.port}")


def test_a_connection_that_is_kept_outlives_the_worker_at_its_end(cloud):
    cloud.environment["CLOUDSTEAD_WORKERS"] = "1"
    cloud.up()
    keys = {name: cloud.credential(name) for name in ("aws_access_key_id", "aws_secret_access_key")}
    sts = boto3.client("sts", endpoint_url=cloud.endpoint, region_name="us-east-1", **keys)
    for _ in range(3):
        before = cloud.processes()["gateway-1"]
        assert sts.get_caller_identity()["Account"]
        os.kill(before, signal.SIGKILL)
        until(lambda before=before: cloud.processes().get("gateway-1", before) != before)
        assert sts.get_caller_identity()["Account"], "with the retries of an ordinary client"


def test_two_clouds_on_one_machine_know_nothing_of_each_other(tmp_path):
    pools = ("198.18.0.0/16", "198.19.0.0/16")
    clouds = [
        Cloud(tmp_path / name, machines="fake", public_pool=pool)
        for name, pool in zip(("one", "two"), pools, strict=True)
    ]
    try:
        for cloud in clouds:
            cloud.up()
            cloud.client("ec2").create_key_pair(KeyName="same")
            address = cloud.client("ec2").allocate_address()["PublicIp"]
            assert address.startswith(cloud.environment["CLOUDSTEAD_PUBLIC_POOL"][:6])
        one, two = (cloud.health() for cloud in clouds)
        assert (one["cloud"], one["account"]) != (two["cloud"], two["account"])
        first, second = clouds
        with pytest.raises(ClientError, match="AuthFailure"):
            boto3.client(
                "ec2",
                endpoint_url=second.endpoint,
                region_name="us-east-1",
                aws_access_key_id=first.credential("aws_access_key_id"),
                aws_secret_access_key=first.credential("aws_secret_access_key"),
            ).describe_vpcs()
        first.down()
        assert second.status()["status"] == "running"
        assert [key["KeyName"] for key in second.client("ec2").describe_key_pairs()["KeyPairs"]] == ["same"]
    finally:
        for cloud in clouds:
            cloud.down()


@pytest.mark.skipif(not REAL, reason="needs root and the parts of `cloudstead setup`")
@apart
def test_two_clouds_run_machines_side_by_side(tmp_path, images):
    pools = {"198.18.0.0/16": "198.18.", "198.19.0.0/16": "198.19."}
    clouds = [
        Cloud(tmp_path / f"of-{start}", machines="oci", images=images, public_pool=pool)
        for pool, start in pools.items()
    ]
    try:
        addresses = [_address_of_an_instance(cloud) for cloud in clouds]
        assert [address[:7] for address in addresses] == list(pools.values())
        for address in addresses:
            until(lambda address=address: _answers(address))
        clouds[0].down()
        assert not _answers(addresses[0])
        assert _answers(addresses[1]), "the end of one cloud is nothing to the other"
    finally:
        for cloud in clouds:
            cloud.down()


def _address_of_an_instance(cloud):
    cloud.up()
    ec2 = cloud.client("ec2")
    group = open_to_host(cloud, ec2.describe_vpcs()["Vpcs"][0]["VpcId"])
    tiny = ec2.describe_images(Filters=[{"Name": "name", "Values": ["cloudstead-tiny-*"]}])["Images"][0]
    asked = {"ImageId": tiny["ImageId"], "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}
    (one,) = ec2.run_instances(**asked, SecurityGroupIds=[group])["Instances"]
    ids = {"InstanceIds": [one["InstanceId"]]}
    ec2.get_waiter("instance_running").wait(**ids, WaiterConfig={"Delay": 0.1, "MaxAttempts": 400})
    return ec2.describe_instances(**ids)["Reservations"][0]["Instances"][0]["PublicIpAddress"]


def _answers(address):
    """Whether somebody accepts ssh connections there."""
    try:
        with socket.create_connection((address, 22), timeout=1) as sock:
            return sock.recv(4) == b"SSH-"
    except OSError:
        return False


@pytest.mark.root
@apart
def test_a_full_disk_is_an_error_and_harms_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    cloud = Cloud(disk, machines="fake")
    try:
        cloud.up()
        ssm = cloud.client("ssm")
        ssm.put_parameter(Name="/before", Value="x", Type="String")
        ballast = disk / "ballast"
        _fill(ballast)
        made = _put_until_full(ssm)
        assert ssm.get_parameter(Name="/before")["Parameter"]["Value"] == "x", "reading goes on"
        with pytest.raises(
            ClientError, match=r"ServiceUnavailable.*disk that holds Cloudstead's state is full"
        ):
            cloud.client("ec2").create_key_pair(KeyName="k")
        fallen = cloud.processes()["gateway-1"]
        os.kill(fallen, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{fallen}").exists())
        until(lambda: _reads(cloud), 30)
        assert cloud.status()["status"] == "running", "what falls is started again all the same"
        ballast.unlink()
        until(lambda: _put(ssm, "/after"))
        cloud.down(everything=False)
        _fill(ballast)
        said = said_by(cloud, "up", "--detach")
        assert f"The disk that holds {cloud.data} is full; free some space and try again." in said
        ballast.unlink()
        with contextlib.closing(sqlite3.connect(cloud.data / "state.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        cloud.up()
        kept = cloud.client("ssm").get_paginator("describe_parameters").paginate().build_full_result()
        assert {one["Name"] for one in kept["Parameters"]} == {"/before", "/after", *made}
    finally:
        cloud.down()
        subprocess.run(["umount", disk], check=True)


def _reads(cloud):
    """Whether every worker answers: one alone would not be asked twenty times in a row."""
    try:
        return all(cloud.client("sts").get_caller_identity() for _ in range(20))
    except BotoCoreError:
        return False


def _fill(ballast):
    """Take all the room that is left."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def _put(ssm, name):
    try:
        return ssm.put_parameter(Name=name, Value="v" * 4000, Type="String")
    except ClientError as e:
        told = e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]
    assert told == ("ServiceUnavailable", 503)
    return None


def _put_until_full(ssm):
    """Write what there is room for; the names of what was written."""
    names = []
    for number in range(2000):
        if not _put(ssm, f"/p{number}"):
            return names
        names.append(f"/p{number}")
    raise AssertionError("the disk is never full")
