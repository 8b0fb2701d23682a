"""IAM and STS over one store."""

import pytest
from tests.support.identity import World


@pytest.fixture
def world():
    world = World()
    yield world
    world.store.close()
