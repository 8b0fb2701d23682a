"""S3's buckets over objects in memory, called by two accounts and by nobody."""

import random

import pytest
from tests.support.api import ACCOUNT, Api

from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.fake import FakeObjects
from cloudstead.services.s3.bucket_operations import bucket_parts
from cloudstead.services.s3.rows import BEFORE_APRIL_2023
from cloudstead.store import Store

OTHER_ACCOUNT = "210987654321"


def caller_of(account, *, region="us-east-1", name="root", endpoint="http://localhost:4566", **more):
    return Caller(
        account=account,
        region=region,
        arn=f"arn:aws:iam::{account}:{name}",
        user_id=account,
        access_key_id="AKIA" + account,
        source_ip="203.0.113.7",
        endpoint=endpoint,
        **more,
    )


OWNER = caller_of(ACCOUNT)
OTHER = caller_of(OTHER_ACCOUNT)
NOBODY = Caller(
    account="",
    region="us-east-1",
    arn="",
    user_id="",
    principal="anonymous",
    source_ip="203.0.113.7",
    endpoint="http://localhost:4566",
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
def objects():
    return FakeObjects()


@pytest.fixture
def s3(store, tools, objects):
    return Api("s3", *bucket_parts(store, tools, objects), caller=OWNER)


@pytest.fixture
def old_s3(store, tools, objects):
    """With ACLs, and nothing blocked, as new buckets were before April 2023."""
    return Api("s3", *bucket_parts(store, tools, objects, BEFORE_APRIL_2023), caller=OWNER)
