"""A whole cloud whose machines are simulated, for what clients' own helpers expect of it."""

import pytest
from tests.support.cloud import Cloud


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("simulated"), machines="fake")
    cloud.up()
    try:
        yield cloud
    finally:
        cloud.down()
