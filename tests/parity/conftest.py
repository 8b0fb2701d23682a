"""A whole cloud with simulated machines that believes any key: a key of twelve digits is an account, a new one for each test."""

import itertools

import pytest
from tests.parity.account import Account
from tests.support.cloud import Cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("parity"), machines="fake", auth="open")
    cloud.up()
    try:
        yield cloud
    finally:
        cloud.down()


@pytest.fixture(scope="session")
def _numbers():
    return itertools.count(200000000001)


@pytest.fixture
def account(cloud, _numbers):
    return Account(cloud, str(next(_numbers)))
