"""One cloud for all end-to-end tests, and a check at the end that it left nothing behind."""

import os
import shutil
import sys

import pytest
from tests.e2e.machines import open_to_host
from tests.support import world
from tests.support.cloud import Cloud

REAL = sys.platform == "linux" and os.geteuid() == 0 and shutil.which("runc") and shutil.which("nft")


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """Where images are built once for all clouds under test, unless the environment says where they are already."""
    return os.environ.get("CLOUDSTEAD_IMAGES") or str(tmp_path_factory.mktemp("images"))


@pytest.fixture
def fresh_cloud(tmp_path, images):
    """A cloud with real machines that a test may kill, stop and start. Nothing of it may be left at the end."""
    yield from _running(tmp_path, images)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory, images):
    """A running cloud with real machines, the same for all tests that only use it."""
    yield from _running(tmp_path_factory.mktemp("cloud"), images, dns_port=53)


def _running(folder, images, dns_port=None):
    if not REAL:
        pytest.skip("needs root and the parts of `cloudstead setup`")
    links = world.links()
    cloud = Cloud(folder, dns_port=dns_port, machines="oci", images=images)
    cloud.up()
    cgroup = cloud.health()["cloud"]
    try:
        yield cloud
    finally:
        cloud.down()
        left = {
            "mounts": world.mounts(folder),
            "links": world.links() - links,
            "processes": world.processes(str(folder)),
            "control groups": world.cgroups(f"cloudstead-{cgroup}"),
            "rules": cgroup in world.rules(),
        }
        assert not any(left.values()), f"a cloud that is down with --all leaves nothing: {left}"


@pytest.fixture(scope="session")
def group(cloud):
    """A security group of the default VPC that lets ssh and pings in."""
    vpcs = cloud.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    return open_to_host(cloud, vpcs[0]["VpcId"])


@pytest.fixture
def key(cloud, tmp_path):
    """A fresh key pair: its name and the file of its private half."""
    yield from _key(cloud, tmp_path)


@pytest.fixture
def fresh_key(fresh_cloud, tmp_path):
    yield from _key(fresh_cloud, tmp_path)


def _key(cloud, folder):
    name = f"key-{folder.name}"
    words = ["--key-name", name, "--key-type", "ed25519", "--query", "KeyMaterial", "--output", "text"]
    path = folder / "key.pem"
    path.write_text(cloud.aws("ec2", "create-key-pair", *words) + "\n")
    path.chmod(0o400)
    yield name, path
    cloud.client("ec2").delete_key_pair(KeyName=name)


@pytest.fixture(scope="session")
def tiny(cloud):
    """The id of the tiny image, which is the same in every cloud."""
    images = cloud.aws("ec2", "describe-images", "--filters", "Name=name,Values=cloudstead-tiny-*")["Images"]
    return images[0]["ImageId"]
