"""What a NetworkDriver promises, asked of a Docker engine: each call twice, and after a crash."""

import asyncio

import pytest
from tests.contracts.network_worlds import changed, interface, network

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.network.docker import DockerNetworks
from cloudstead.dataplane.network.driver import NetworkSeen, revision

pytestmark = pytest.mark.root

EMPTY = network()
ONE = network(interface(1, "subnet-0a", "10.0.0.10"))
BOTH = changed(ONE, interfaces=(*ONE.interfaces, interface(2, "subnet-0a", "10.0.0.11")))


@pytest.fixture
def networks(engine, tmp_path):
    return DockerNetworks(engine, tmp_path / "networks")


def seen(networks):
    return asyncio.run(networks.observe())


def test_each_step_twice(networks, podman):
    for _ in range(2):
        asyncio.run(networks.remove(ONE.id))
        assert seen(networks) == []
    for spec in (EMPTY, EMPTY, ONE, ONE, BOTH, BOTH):
        asyncio.run(networks.ensure(spec))
        assert seen(networks) == [NetworkSeen(id=spec.id, revision=revision(spec))]
    assert networks.address("i-00000000000000002") == "10.0.0.11"
    for _ in range(2):
        asyncio.run(networks.remove(ONE.id))
        assert seen(networks) == []
    assert networks.address("i-00000000000000002") is None
    assert "cloudstead" not in podman("network", "ls")


def test_a_new_driver_finds_what_an_earlier_one_made(engine, tmp_path):
    asyncio.run(DockerNetworks(engine, tmp_path).ensure(ONE))
    assert seen(DockerNetworks(engine, tmp_path)) == [NetworkSeen(id=ONE.id, revision=revision(ONE))]


def test_half_of_one_is_seen_as_such_and_made_whole(networks, engine, tmp_path, podman):
    asyncio.run(networks.ensure(ONE))
    podman("network", "rm", engine.name(ONE.id))
    assert seen(networks) == [NetworkSeen(id=ONE.id, revision="")]
    asyncio.run(networks.ensure(ONE))
    (tmp_path / "networks" / f"{ONE.id}.json").unlink()
    assert seen(networks) == [NetworkSeen(id=ONE.id, revision="")]
    asyncio.run(networks.ensure(ONE))
    assert seen(networks) == [NetworkSeen(id=ONE.id, revision=revision(ONE))]


def test_equal_ranges_are_refused_only_where_both_have_instances(networks):
    other = changed(ONE, id="vpc-0000000000000000b")
    asyncio.run(networks.ensure(ONE))
    asyncio.run(networks.ensure(changed(other, interfaces=())))
    with pytest.raises(DriverError, match=r"10\.0\.0\.0/16"):
        asyncio.run(networks.ensure(other))
