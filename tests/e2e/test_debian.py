"""An instance with a whole Debian inside: what a tutorial's server is."""

import os
from pathlib import Path

import pytest
from tests.e2e.machines import instances, log_in

_BUILT = Path(os.environ.get("CLOUDSTEAD_IMAGES", "nowhere")) / "debian-12" / "image.json"


@pytest.mark.skipif(
    not _BUILT.exists(), reason="no Debian image: `./cloudstead test` builds it before all tests"
)
def test_debian_lets_its_admin_in_and_up(cloud, key, group):
    name = [
        {"Name": "name", "Values": ["debian-12-amd64-*"]},
        {"Name": "owner-id", "Values": ["136693071363"]},
    ]
    image = cloud.client("ec2").describe_images(Filters=name)["Images"][0]["ImageId"]
    script = '#!/bin/bash\nset -e\necho "$(id -un) by $BASH" > /var/tmp/made\n'
    with instances(cloud, image, key=key, SecurityGroupIds=[group], UserData=script) as (instance,):

        def said(command):
            return log_in(cloud, key, instance, command, login="admin")

        assert said("sudo -n id -un") == "root"
        assert said("hostname -f") == instance["PrivateDnsName"]
        assert "bookworm" in said("cat /etc/os-release")
        assert (
            said("until [ -s /var/tmp/made ]; do sleep 0.1; done; cat /var/tmp/made") == "root by /bin/bash"
        )
        assert said("getent hosts ip-172-31-0-9.ec2.internal").split()[0] == "172.31.0.9"
