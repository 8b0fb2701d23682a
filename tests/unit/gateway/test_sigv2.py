"""Version 2 in URLs and headers, as botocore writes them: taken while they last, and by nobody else's key."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from unittest import mock
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import HmacV1Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from cloudstead.core.caller import Credential
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.dataplane.http import HttpRequest
from cloudstead.gateway.chain import Gateway

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class Keys:
    def find(self, access_key_id):
        if access_key_id == "AKIANOBODY0000000000":
            return None
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
        "ListObjectsV2": lambda caller, request: {"Name": request["Bucket"]},
        "PutObject": lambda caller, request: {
            "ETag": request.get("ContentType") or str(request["_Http"].signature_version)
        },
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
    asked = {"Bucket": "bucket", "Key": "a b/ü.txt", **params}
    asked = {name: value for name, value in asked.items() if value is not None}
    url = client.generate_presigned_url(operation, Params=asked, ExpiresIn=expires)
    assert "X-Amz-Signature" not in url
    return url


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_a_url_is_taken_in_either_style(ask, style):
    assert ask(presigned(style=style)) == (200, "bucket/a b/ü.txt None")
    assert ask(presigned(style=style, VersionId="v1", ResponseContentType="text/x")) == (
        200,
        "bucket/a b/ü.txt v1",
    )


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_a_bucket_is_signed_with_or_without_a_slash(ask, style):
    url = presigned("list_objects_v2", style=style, Key=None, Prefix="a")
    assert ask(url)[0] == 200
    assert ask(url.replace("bucket", "basket"))[0] == 403
    for path in ("/bucket", "/bucket/"):
        request = AWSRequest("GET", f"http://s3.localhost:4566{path}?list-type=2")
        HmacV1Auth(Credentials(KEY, SECRET)).add_auth(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert ask("http://s3.localhost:4566/bucket?list-type=2", headers=headers)[0] == 200
        assert ask("http://s3.localhost:4566/basket?list-type=2", headers=headers)[0] == 403


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


@pytest.mark.parametrize("expires", ["9" * 12, "-1", "1.5", ""])
def test_a_moment_that_cannot_be_is_refused(ask, expires):
    status, body = ask(re.sub(r"Expires=\d+", f"Expires={expires}", presigned()))
    assert (status, "AccessDenied" in body) == (403, True)


# -- in headers


def in_header(clock, headers=None, key=KEY, token=None, query="", date="Date"):
    """The headers that botocore sends with such a request, for `bucket/a b`."""
    url = f"http://s3.localhost:4566/bucket/a%20b{query}"
    request = AWSRequest("PUT", url, headers=dict(headers or {}))
    now = format_datetime(clock.now(), usegmt=True)
    if date != "Date":
        request.headers[date] = now  # then Date itself is signed as if it were empty
    with mock.patch.object(HmacV1Auth, "_get_date", return_value=now if date == "Date" else ""):
        HmacV1Auth(Credentials(key, SECRET, token)).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def put(ask, headers, query=""):
    status, body = ask(f"http://s3.localhost:4566/bucket/a%20b{query}", "PUT", headers)
    return status, body.partition("<Code>")[2].partition("</Code>")[0]


@pytest.mark.parametrize("date", ["Date", "x-amz-date"])
def test_a_header_is_taken_with_either_date(ask, clock, date):
    more = {"Content-Type": "text/x", "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==", "x-amz-meta-b": "1"}
    assert put(ask, in_header(clock, more, date=date)) == (200, "")
    temporary = in_header(clock, key="ASIATEMPORARY0000000", token="the-token", date=date)
    assert put(ask, temporary) == (200, "")
    assert put(ask, {**temporary, "x-amz-security-token": "a-token"}) == (400, "InvalidToken")


def test_what_a_header_signs_cannot_be_changed(ask, clock):
    headers = in_header(clock, {"x-amz-meta-b": "1"})
    for changed in (
        {**headers, "x-amz-meta-b": "2"},
        {**headers, "x-amz-acl": "public-read"},
        {**headers, "content-type": "text/y"},
        {**headers, "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="},
        {**headers, "date": format_datetime(clock.now() + timedelta(seconds=1), usegmt=True)},
        {**headers, "authorization": headers["authorization"][:-1]},
    ):
        assert put(ask, changed) == (403, "SignatureDoesNotMatch")
    assert put(ask, headers, "?tagging") == (403, "SignatureDoesNotMatch")
    assert put(ask, headers, "?prefix=a") == (200, "")  # no part of what is asked for
    assert put(ask, in_header(clock, key="AKIANOBODY0000000000")) == (403, "InvalidAccessKeyId")


@pytest.mark.parametrize(
    ("date", "refusal"),
    [
        ("Bad Date", "AccessDenied"),
        ("", "AccessDenied"),
        ("Tue, 07 Jul 1950 21:53:04 GMT", "AccessDenied"),
        ("Tue, 07 Jul 2010 21:53:04 GMT", "RequestTimeTooSkewed"),
        ("Tue, 07 Jul 9999 21:53:04 GMT", "RequestTimeTooSkewed"),
    ],
)
def test_a_header_needs_a_date_of_now(ask, clock, date, refusal):
    for name in ("date", "x-amz-date"):
        assert put(ask, {**in_header(clock), name: date}) == (403, refusal)


@pytest.mark.parametrize("authorization", ["AWS HAHAHA", "AWS :", "AWS a:", "AWS a:b c", "AWS  "])
def test_a_header_that_cannot_be_read_is_refused(ask, clock, authorization):
    headers = {**in_header(clock), "authorization": authorization}
    assert put(ask, headers) == (400, "InvalidArgument")
    _, body = ask("http://s3.localhost:4566/bucket/a%20b", "PUT", headers)
    assert re.search("<RequestId>[0-9A-F]{16}</RequestId>", body)
