"""The runtime configuration gives a machine what it was sold and never more than this host may give."""

import json
from pathlib import Path

from cloudstead.dataplane.instances.driver import InstanceSpec
from cloudstead.dataplane.instances.oci_config import BOOT, HostRights, runtime_config


def config(**changed):
    wanted = {
        "id": "i-1", "image": "tiny", "root_volume": "vol-1", "boot": 3, "vcpus": 0.5, "memory_bytes": 1 << 29,
        "hostname": "ip-10-0-0-5", "network": "vpc-1", "login": "ec2-user",
    }  # fmt: skip
    rights = HostRights(capabilities=frozenset({"CAP_CHOWN", "CAP_SYS_MODULE"}), open_files_max=20000)
    return runtime_config(
        InstanceSpec(**{**wanted, **changed}),
        rootfs=Path("/d/i-1/rootfs"),
        network=Path("/d/netns/i-1"),
        cgroup="/cloudstead-c0ffee/i-1",
        rights=rights,
    )


def test_limits_are_the_instance_types():
    resources = config()["linux"]["resources"]
    assert resources["cpu"] == {"period": 100_000, "quota": 50_000}
    assert resources["memory"] == {"limit": 1 << 29}


def test_the_kernels_least_quota_is_kept():
    assert config(vcpus=0.001)["linux"]["resources"]["cpu"]["quota"] == 1000


def test_rights_are_ours_and_a_machines_in_common():
    process = config()["process"]
    assert process["capabilities"]["bounding"] == ["CAP_CHOWN"]
    assert process["rlimits"] == [{"type": "RLIMIT_NOFILE", "hard": 20000, "soft": 1024}]


def test_a_run_carries_its_boot_and_joins_its_network():
    made = config()
    assert made["annotations"] == {BOOT: "3"}
    assert {"type": "network", "path": "/d/netns/i-1"} in made["linux"]["namespaces"]
    json.dumps(made)
