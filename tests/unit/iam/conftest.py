"""IAM over an account with its root user alone."""

import pytest
from tests.support.identity import World


@pytest.fixture
def world():
    world = World()
    yield world
    world.store.close()


@pytest.fixture
def iam(world):
    return world.iam
