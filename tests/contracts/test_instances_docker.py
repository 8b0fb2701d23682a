"""What is particular to machines of a Docker engine: ssh by a published port, a seed instead of metadata, one layer."""

import asyncio

import msgspec
import pytest
from tests.contracts.engine_worlds import ID, VOLUME, VPC, machine
from tests.contracts.network_worlds import interface, network
from tests.support.cloud import until

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.block.docker import DockerVolumes
from cloudstead.dataplane.engine import Engine
from cloudstead.dataplane.instances.docker import DockerMachines

pytestmark = pytest.mark.root


def test_ssh_user_data_and_the_disk_outlive_a_stop(docker):
    asyncio.run(docker.machines.ensure(machine()))
    docker.booted()
    until(lambda: "ended with status" in docker.console())
    assert docker.ssh("whoami; hostname").split() == ["ec2-user", "ip-10-0-0-5"]
    assert "10.0.0.5/16" in docker.ssh("ip address")
    docker.ssh("echo kept >mine")
    asyncio.run(docker.machines.stop(ID))
    assert asyncio.run(docker.machines.ssh_at(ID)) is None
    asyncio.run(docker.machines.ensure(machine(boot=1)))
    docker.booted(2)
    assert docker.ssh("cat mine") == "kept\n"
    assert docker.ssh("cat /var/log/user-data") == "ran by 0\n"


def test_what_an_older_version_made_boots_as_today(docker, podman, tmp_path):
    (tmp_path / "Dockerfile").write_text(
        "FROM cloudstead-c0ffee/tiny\nRUN echo '#!/no/such/thing' >/usr/lib/cloudstead/init\n"
    )
    podman("build", "--tag", "docker.io/cloudstead-c0ffee/tiny", str(tmp_path))
    asyncio.run(docker.machines.ensure(machine()))
    docker.booted()


def test_user_data_is_for_the_guest_s_root_alone(docker):
    asyncio.run(docker.machines.ensure(machine()))
    docker.booted()
    assert docker.ssh("cat /usr/lib/cloudstead/seed/user-data 2>&1 || true").endswith("Permission denied\n")


def test_the_root_volume_outlives_its_machine_and_then_is_removed(docker):
    asyncio.run(docker.machines.ensure(machine()))
    docker.booted()
    docker.ssh("echo kept >mine")
    with pytest.raises(DriverError, match="still stands on it"):
        asyncio.run(docker.volumes.remove("vol-1"))
    asyncio.run(docker.machines.remove(ID))
    assert docker.seen() == []
    assert [one.id for one in asyncio.run(docker.volumes.observe())] == ["vol-1"]
    asyncio.run(docker.machines.ensure(machine()))
    docker.booted(2)
    assert docker.ssh("cat mine") == "kept\n"
    asyncio.run(docker.machines.remove(ID))
    asyncio.run(docker.volumes.remove("vol-1"))
    assert asyncio.run(docker.volumes.observe()) == []
    asyncio.run(docker.networks.remove(VPC))
    assert asyncio.run(docker.networks.observe()) == []


def test_machines_of_one_network_reach_each_other_by_their_private_addresses(docker):
    both = [interface(n, "subnet-0a", f"10.0.0.{n + 4}", instance=id) for n, id in ((1, ID), (2, "i-0f"))]
    asyncio.run(docker.networks.ensure(network(*both, id=VPC)))
    asyncio.run(docker.volumes.ensure(msgspec.structs.replace(VOLUME, id="vol-2")))
    asyncio.run(docker.machines.ensure(machine()))
    asyncio.run(docker.machines.ensure(machine(id="i-0f", root_volume="vol-2", hostname="ip-10-0-0-6")))
    docker.booted()
    until(lambda: docker.ssh("nc -w 5 10.0.0.6 22 </dev/null | head -c 4 || true") == "SSH-")


def test_what_is_missing_is_named(docker):
    for changed, words in (
        ({"root_volume": "vol-9"}, "vol-9 is not there yet"),
        ({"image": "none"}, "there is no image none"),
        ({"id": "i-09"}, "its network is not there yet"),
    ):
        with pytest.raises(DriverError, match=words):
            asyncio.run(docker.machines.ensure(machine(**changed)))
    assert docker.seen() == []


def test_made_and_never_started_is_seen_and_started(docker):
    asyncio.run(docker.machines._create(machine()))
    assert docker.seen() == [(ID, -1, False)]
    asyncio.run(docker.machines.ensure(machine()))
    assert docker.seen() == [(ID, 0, True)]


def test_power_off_inside_ends_the_machine(docker, podman):
    asyncio.run(docker.machines.ensure(machine()))
    docker.booted()
    podman("exec", f"cloudstead-c0ffee-{ID}-0", "/bin/sh", "-lc", "poweroff")
    until(lambda: docker.seen() == [(ID, 0, False)])
    assert "going down" in docker.console()


def test_limits_that_change_while_it_is_stopped_are_in_force_or_refused(docker, podman):
    asyncio.run(docker.machines.ensure(machine()))
    asyncio.run(docker.machines.stop(ID))
    smaller, refused = machine(boot=1, memory_bytes=128 << 20), None
    try:
        asyncio.run(docker.machines.ensure(smaller))
    except DriverError as e:
        refused = str(e)
    if refused is not None:
        assert "cannot change the limits" in refused
        assert docker.seen() == [(ID, 0, False)]
    else:
        name = f"cloudstead-c0ffee-{ID}-1"
        assert podman("inspect", "--format", "{{.HostConfig.Memory}}", name).strip() == str(128 << 20)


def test_another_cloud_s_machines_are_not_ours(docker, podman, request):
    asyncio.run(docker.machines.ensure(machine()))
    other = Engine(podman.socket, "0ther1")
    request.addfinalizer(other.close)
    machines = DockerMachines(other, lambda *_: None, docker.networks.address)
    assert asyncio.run(machines.observe()) == []
    asyncio.run(machines.remove(ID))
    assert asyncio.run(DockerVolumes(other).observe()) == []
    assert docker.seen() == [(ID, 0, True)]


def test_an_engine_that_is_gone_is_named(tmp_path):
    machines = DockerMachines(Engine(str(tmp_path / "sock"), "c0ffee"), lambda *_: None, lambda _: None)
    with pytest.raises(DriverError, match="no Docker engine at"):
        asyncio.run(machines.observe())
