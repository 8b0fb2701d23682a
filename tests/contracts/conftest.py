"""What several contracts are tried on."""

import asyncio

import pytest
from tests.contracts.engine_worlds import TINY, World
from tests.support import engine as engines

from cloudstead.dataplane.engine import Engine
from cloudstead.dataplane.images.store import Images


@pytest.fixture(scope="session")
def tiny_images(tmp_path_factory):
    """A folder of the image store with the tiny image in it."""
    folder = tmp_path_factory.mktemp("images")
    asyncio.run(Images(folder).ensure(TINY))
    return folder


@pytest.fixture(scope="session")
def podman():
    why_not = engines.missing()
    if why_not is not None:
        pytest.skip(why_not)
    service = engines.Podman()
    yield service
    service.close()


@pytest.fixture
def engine(podman):
    """An engine that has nothing of ours before the test, nor after it."""
    made = Engine(podman.socket, "c0ffee")
    yield made
    made.close()
    for kind in ("container", "volume", "network"):
        ids = podman(
            kind, "ls", "--quiet", "--filter", "label=dev.cloudstead.cloud=c0ffee", *_ALL.get(kind, ())
        ).split()
        if ids:
            podman(kind, "rm", "--force", *ids)
    podman("image", "prune", "--all", "--force", "--filter", "label=dev.cloudstead.cloud=c0ffee")


_ALL = {"container": ("--all",)}


@pytest.fixture
def docker(engine, tiny_images, tmp_path):
    return World(engine, Images(tiny_images), tmp_path)
