"""A Parameter Store with two public parameters, over a store that stays looked into."""

import random

import pytest
from tests.support.api import Api

from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.services.ssm.operations import parts
from cloudstead.store import Store

KEY = bytes(range(32))
IMAGES = "/aws/service/ami-amazon-linux-latest"


def published(region):
    return {
        f"{IMAGES}/al2023-ami-kernel-default-x86_64": f"ami-0{region}",
        "/aws/service/debian/release/12/latest/amd64": "ami-0debian",
    }


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def tools(clock):
    return Tools(clock=clock, random=random.Random(7))


@pytest.fixture
def store():
    with Store(None) as store:
        yield store


@pytest.fixture
def ssm(store, tools):
    return Api("ssm", *parts(store, tools, KEY, published))
