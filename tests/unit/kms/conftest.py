"""KMS over a store that stays looked into, called by two accounts."""

import asyncio
import random

import pytest
from tests.support.api import Api

from cloudstead.control.reconciler import Reconciler
from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.services.kms.operations import key_lives, parts
from cloudstead.store import Store

SEALING_KEY = bytes(range(32))
DAY_S = 86400
STRANGER = Caller(
    account="999999999999", region="us-east-1", arn="arn:aws:iam::999999999999:root", user_id="999999999999"
)


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
def kms(store, tools):
    return Api("kms", *parts(store, tools, SEALING_KEY))


@pytest.fixture
def key(kms):
    """The id of a key."""
    return kms.create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture
def controller(store, tools):
    """What the controller does when it comes by."""
    reconciler = Reconciler(key_lives(store, tools, SEALING_KEY), store, tools.clock)

    async def come_by():
        await reconciler.pass_once()
        await reconciler.idle()

    return lambda: asyncio.run(come_by())
