"""One cloud for all end-to-end tests, and a check at the end that it left nothing behind."""

import os
import shutil
import sys

import pytest
from tests.support import world
from tests.support.cloud import Cloud

REAL = sys.platform == "linux" and os.geteuid() == 0 and shutil.which("runc") and shutil.which("nft")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    """A running cloud with real machines."""
    if not REAL:
        pytest.skip("needs root and the parts of `cloudstead setup`")
    folder = tmp_path_factory.mktemp("cloud")
    links = world.links()
    cloud = Cloud(folder, machines="oci")
    cloud.up()
    try:
        yield cloud
    finally:
        cloud.down()
        left = world.mounts(folder), world.links() - links, world.processes(str(folder))
        assert left == ([], set(), []), "a cloud that is down with --all leaves nothing"


@pytest.fixture
def key(cloud, tmp_path):
    """A fresh key pair: its name and the file of its private half."""
    name = f"key-{tmp_path.name}"
    material = cloud.aws("ec2", "create-key-pair", "--key-name", name, "--query", "KeyMaterial", "--output", "text")
    path = tmp_path / "key.pem"
    path.write_text(material + "\n")
    path.chmod(0o400)
    yield name, path
    cloud.aws("ec2", "delete-key-pair", "--key-name", name)


@pytest.fixture(scope="session")
def tiny(cloud):
    """The id of the tiny image."""
    images = cloud.aws("ec2", "describe-images", "--filters", "Name=name,Values=cloudstead-tiny-*")["Images"]
    return images[0]["ImageId"]
