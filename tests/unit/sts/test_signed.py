"""The keys that STS gives out, as the gateway takes them: signed by botocore, proven, and refused when they are over."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.support.api import ACCOUNT
from tests.support.identity import World, allow

from cloudstead.core.clock import ManualClock
from cloudstead.dataplane.http import HttpRequest
from cloudstead.gateway.chain import Gateway
from cloudstead.services.sts.operations import Sts

URL = "http://localhost:4566/"


class Anybody:
    def authorize(self, caller, service, operation, request):
        pass


@pytest.fixture
def world():
    """At the time of botocore's signatures."""
    world = World(ManualClock(datetime.now(UTC)))
    yield world
    world.store.close()


@pytest.fixture
def ask(world):
    sts = Sts(world.store, world.tools)
    operations = {"sts": {"GetCallerIdentity": sts.get_caller_identity}}
    gateway = Gateway(operations, world.credentials, Anybody(), tools=world.tools)

    def ask(keys, token=None):
        """Status and body of a GetCallerIdentity signed with these keys."""
        credentials = Credentials(
            keys["AccessKeyId"], keys["SecretAccessKey"], token or keys.get("SessionToken")
        )
        body = "Action=GetCallerIdentity&Version=2011-06-15"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": "localhost:4566"}
        request = AWSRequest(method="POST", url=URL, data=body, headers=headers)
        SigV4Auth(credentials, "sts", "us-east-1").add_auth(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = urlsplit(URL).path
        response = gateway.handle(HttpRequest("POST", path, "", headers, body.encode()))
        return response.status, bytes(response.body).decode()

    return ask


@pytest.fixture
def keys(world):
    role = world.role("deploy", allow({"AWS": ACCOUNT}))
    return world.assume(world.user("ann"), role, "build-7", DurationSeconds=900)["Credentials"]


def test_the_keys_of_a_role_sign_as_the_role(ask, keys):
    status, body = ask(keys)
    assert status == 200
    assert f"<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/deploy/build-7</Arn>" in body


def test_they_need_their_session_token(ask, keys):
    for token in ("x" + keys["SessionToken"], None):
        asked = keys if token else {name: keys[name] for name in ("AccessKeyId", "SecretAccessKey")}
        status, body = ask(asked, token)
        assert status == 403
        assert "<Code>InvalidClientTokenId</Code>" in body


def test_they_end_when_they_were_said_to(world, ask, keys):
    world.clock.advance(899)
    assert ask(keys)[0] == 200
    world.clock.advance(1)
    status, body = ask(keys)
    assert status == 403
    assert "<Code>ExpiredToken</Code>" in body


def test_they_go_on_working_when_the_user_who_asked_for_them_is_gone(world, ask, keys):
    (key,) = world.iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    world.iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    world.iam.delete_user(UserName="ann")
    assert ask(keys)[0] == 200
