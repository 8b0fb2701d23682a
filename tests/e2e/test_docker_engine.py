"""Machines on a Docker engine, seen as a person without root would: launch, log in, stop, start, terminate, down."""

import re
import subprocess

import pytest
from tests.e2e.machines import instances, shown, wait
from tests.support import engine as engines
from tests.support.cloud import Cloud, until

pytestmark = pytest.mark.root


@pytest.fixture
def engine():
    why_not = engines.missing()
    if why_not is not None:
        pytest.skip(why_not)
    podman = engines.Podman()
    yield podman
    podman.close()


@pytest.fixture
def docker_cloud(engine, tmp_path, images):
    cloud = Cloud(tmp_path, machines="docker", images=images)
    cloud.environment["DOCKER_HOST"] = f"unix://{engine.socket}"
    cloud.up()
    yield cloud
    cloud.down()
    assert engine("ps", "--all", "--quiet") == ""
    assert "cloudstead" not in engine("network", "ls")


def test_a_machine_of_an_engine_lives_as_others_do(docker_cloud, engine, tmp_path):
    ec2 = docker_cloud.client("ec2")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["cloudstead-tiny-*"]}])["Images"][0]
    key = tmp_path / "key.pem"
    key.write_text(ec2.create_key_pair(KeyName="mine", KeyType="ed25519")["KeyMaterial"])
    key.chmod(0o400)

    def ssh(id, command):
        return until(
            lambda: docker_cloud.command("ssh", "--identity", str(key), id, command, check=False), 20
        ).strip()

    script = "#!/bin/sh\necho ran >>/var/log/mine\n"
    with instances(docker_cloud, image["ImageId"], key=("mine", key), UserData=script) as (instance,):
        id = instance["InstanceId"]
        assert ssh(id, "hostname -i").split() == [instance["PrivateIpAddress"]]
        assert "END SSH HOST KEY" in ec2.get_console_output(InstanceId=id, Latest=True)["Output"]
        ec2.stop_instances(InstanceIds=[id])
        wait(ec2, "stopped", [id])
        ec2.start_instances(InstanceIds=[id])
        wait(ec2, "running", [id])
        assert ssh(id, "cat /var/log/mine") == "ran"
    assert shown(ec2, [id])[0]["State"]["Name"] == "terminated"
    until(lambda: engine("volume", "ls", "--quiet") == "")


def test_what_was_running_goes_on_without_the_cloud(docker_cloud, engine):
    ec2 = docker_cloud.client("ec2")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["cloudstead-tiny-*"]}])["Images"][0]
    with instances(docker_cloud, image["ImageId"]) as (instance,):
        docker_cloud.down(everything=False)
        names = engine("ps", "--format", "{{.Names}}")
        assert instance["InstanceId"] in names
        docker_cloud.up()
        wait(ec2, "running", [instance["InstanceId"]])
        assert engine("ps", "--format", "{{.Names}}") == names


def test_an_image_that_was_imported_into_the_engine_starts(docker_cloud, images, tmp_path):
    docker_cloud.command("image", "build", "tiny")
    archive = tmp_path / "mine.tar"
    subprocess.run(["tar", "-cf", archive, "-C", f"{images}/tiny/rootfs", "."], check=True)
    said = docker_cloud.command("image", "import", f"mine-{tmp_path.name}", str(archive), "--login", "root")
    image = re.search(r"ami-\w+", said)[0]
    with instances(docker_cloud, image) as (instance,):
        assert instance["ImageId"] == image
