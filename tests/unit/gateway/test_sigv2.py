"""URLs presigned by version 2, as botocore writes them: taken while they last, and by nobody else's key."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from cloudstead.core.caller import Credential
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.dataplane.http import HttpRequest
from cloudstead.gateway.chain import Gateway

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class Keys:
    def find(self, access_key_id):
        token = "the-token" if access_key_id == "ASIATEMPORARY0000000" else None
        return Credential(
            access_key_id=access_key_id,
            secret_access_key=SECRET,
            account="1",
            arn="a",
            user_id="1",
            principal="root",
            session_token=token,
        )


class Everybody:
    def authorize(self, caller, service, operation, request):
        pass


@pytest.fixture
def clock():
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def ask(clock):
    def get(caller, request):
        return {"Body": f"{request['Bucket']}/{request['Key']} {request.get('VersionId')}".encode()}

    operations = {
        "GetObject": get,
        "PutObject": lambda caller, request: {"ETag": request.get("ContentType", "")},
    }
    gateway = Gateway({"s3": operations}, Keys(), Everybody(), tools=Tools(clock))

    def ask(url, method="GET", headers=None):
        parts = urlsplit(url)
        answer = gateway.handle(
            HttpRequest(
                method,
                parts.path,
                parts.query,
                {"host": parts.netloc, "content-length": "0", **(headers or {})},
            )
        )
        return answer.status, bytes(answer.body).decode()

    return ask


def presigned(operation="get_object", style="path", token=None, key=KEY, expires=100, **params):
    config = Config(signature_version="s3", s3={"addressing_style": style})
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://s3.localhost:4566",
        aws_access_key_id=key,
        aws_secret_access_key=SECRET,
        aws_session_token=token,
        config=config,
    )
    url = client.generate_presigned_url(
        operation, Params={"Bucket": "bucket", "Key": "a b/ü.txt", **params}, ExpiresIn=expires
    )
    assert "X-Amz-Signature" not in url
    return url


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_a_url_is_taken_in_either_style(ask, style):
    assert ask(presigned(style=style)) == (200, "bucket/a b/ü.txt None")
    assert ask(presigned(style=style, VersionId="v1", ResponseContentType="text/x")) == (
        200,
        "bucket/a b/ü.txt v1",
    )


def test_it_ends(ask, clock):
    url = presigned()
    clock.advance(101)
    status, body = ask(url)
    assert status == 403
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in body


def test_what_was_signed_cannot_be_changed(ask):
    url = presigned(VersionId="v1")
    for changed in (
        url.replace("v1", "v2"),
        url.replace("/a%20b", "/b%20a"),
        re.sub(r"Expires=(\d)", r"Expires=9\1", url),
        url + "&x-amz-acl=public-read",
        url + "&tagging",
    ):
        status, body = ask(changed)
        assert (status, "SignatureDoesNotMatch" in body) == (403, True), changed
    assert ask(url, headers={"x-amz-acl": "public-read"})[0] == 403
    assert ask(re.sub(r"Expires=\d+", "Expires=soon", url))[0] == 403


def test_a_type_and_a_token_are_signed_too(ask):
    url = presigned("put_object", ContentType="text/x")
    assert ask(url, "PUT", {"content-type": "text/x"})[0] == 200
    assert ask(url.replace("text%2Fx", "text%2Fy"), "PUT", {"content-type": "text/y"})[0] == 403
    temporary = presigned(key="ASIATEMPORARY0000000", token="the-token")
    assert ask(temporary)[0] == 200
    assert ask(temporary.replace("the-token", "a-token"))[0] == 400
