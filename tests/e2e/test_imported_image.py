"""A root file system of one's own, brought as a tarball and launched like any image."""

import subprocess
from pathlib import Path

from tests.e2e.machines import instances, log_in


def test_an_imported_root_is_launched_and_its_login_let_in(cloud, key, tiny, tmp_path):
    with instances(cloud, tiny):
        pass  # now the tiny image is built
    root = Path(cloud.environment["CLOUDSTEAD_IMAGES"]) / "tiny" / "rootfs"
    tarball = tmp_path / "root.tar.gz"
    subprocess.run(["tar", "-C", root, "-czf", tarball, "."], check=True, timeout=60)
    cloud.command("image", "import", "mine", str(tarball), "--login", "visitor")
    try:
        (image,) = cloud.aws("ec2", "describe-images", "--owners", "self")["Images"]
        assert image["Name"] == "mine"
        with instances(cloud, image["ImageId"], key=key) as (instance,):
            assert log_in(cloud, key, instance, "id -un", login="visitor") == "visitor"
        assert "mine" in cloud.command("image", "list")
        cloud.client("ec2").deregister_image(ImageId=image["ImageId"])
        assert cloud.aws("ec2", "describe-images", "--owners", "self")["Images"] == []
    finally:
        subprocess.run(["rm", "-rf", str(root.parents[1] / "mine")], check=True, timeout=60)
