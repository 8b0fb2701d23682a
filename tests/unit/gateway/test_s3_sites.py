"""Buckets as pages see them: whom their CORS rules let in, how they answer as websites, and what their logs tell."""

import asyncio
import json
import re

import pytest
from msgspec.structs import replace

from cloudstead.app.buckets import Buckets
from cloudstead.app.operations import operations_of
from cloudstead.core.caller import Caller, Credential
from cloudstead.core.tools import Tools
from cloudstead.dataplane.http import HttpRequest, HttpResponse
from cloudstead.dataplane.objects.fake import FakeObjects
from cloudstead.gateway import wire
from cloudstead.gateway.buckets import Served
from cloudstead.gateway.chain import Gateway
from cloudstead.gateway.wire.serialize.envelope import host_id
from cloudstead.services.s3 import access_logs
from cloudstead.services.s3.access_log_delivery import Deliveries
from cloudstead.services.s3.operations import parts
from cloudstead.store import Store

ACCOUNT = "123456789012"
ROOT = Caller(account=ACCOUNT, region="us-east-1", arn=f"arn:aws:iam::{ACCOUNT}:root", user_id=ACCOUNT)
PAGE = "http://page.test"
SITE = "www.s3-website-us-east-1.localhost:4566"


class Nobody:
    def find(self, access_key_id) -> Credential | None:
        return None


class Everybody:
    def authorize(self, caller, service, operation, request):
        pass


class World:
    """A public bucket `www` with a few pages, behind a gateway; and `private`."""

    def __init__(self):
        self.store = Store(None)
        tools = Tools()
        made = parts(self.store, tools, FakeObjects(), bytes(32))
        self.operations = operations_of(dict.fromkeys(wire.load("s3").operation_names), *made)
        self.access_logs = Deliveries(self.store, tools, self.operations["PutObject"])
        self.gateway = Gateway(
            {"s3": self.operations, "sts": {}},
            Nobody(),
            Everybody(),
            tools=tools,
            buckets=Buckets(self.store, tools, self.access_logs),
        )

    def call(self, operation, **request):
        answer = self.operations[operation](ROOT, request)
        return answer if isinstance(answer, dict) else asyncio.run(_awaited(answer))

    def ask(self, method, path, host="127.0.0.1:4566", **headers):
        told = {
            "host": host,
            "content-length": "0",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        path, _, query = path.partition("?")
        answer = self.gateway.handle(HttpRequest(method, path, query, told))
        response = answer if isinstance(answer, HttpResponse) else asyncio.run(_awaited(answer))
        return response.status, {name.lower(): value for name, value in response.headers}, _body(response)

    def put(self, key, body, **more):
        self.call("PutObject", Bucket="www", Key=key, Body=body, **more)


def _body(response):
    async def read():
        return b"".join([piece async for piece in response.stream])

    return bytes(response.body) if response.stream is None else asyncio.run(read())


async def _awaited(answer):
    return await answer


@pytest.fixture
def world():
    world = World()
    for bucket in ("www", "private"):
        world.call("CreateBucket", Bucket=bucket)
    world.call("DeletePublicAccessBlock", Bucket="www")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::www/*",
    }
    world.call(
        "PutBucketPolicy",
        Bucket="www",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    yield world
    world.store.close()


@pytest.fixture
def cors(world):
    rule = {
        "AllowedOrigins": [PAGE],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["x-amz-*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 60,
    }
    world.call("PutBucketCors", Bucket="www", CORSConfiguration={"CORSRules": [rule]})
    world.put("k", b"hello")
    return world


def test_a_preflight_is_answered_by_the_buckets_rules(cors):
    wanted = {
        "origin": PAGE,
        "access_control_request_method": "PUT",
        "access_control_request_headers": "x-amz-acl",
    }
    for path, host in (("/www/k", "127.0.0.1:4566"), ("/k", "www.s3.localhost:4566")):
        status, headers, body = cors.ask("OPTIONS", path, host, **wanted)
        assert (status, body) == (200, b"")
        assert headers["access-control-allow-origin"] == PAGE
        assert headers["access-control-allow-headers"] == "x-amz-acl"
        assert headers["access-control-max-age"] == "60"
    for change in ({"origin": "http://other.test"}, {"access_control_request_method": "DELETE"}):
        status, headers, body = cors.ask("OPTIONS", "/www/k", **{**wanted, **change})
        assert (status, b"<Code>AccessForbidden</Code>" in body) == (403, True)
        assert "access-control-allow-origin" not in headers
    assert cors.ask("OPTIONS", "/private/k", **wanted)[0] == 403
    assert cors.ask("OPTIONS", "/k", "none.s3.localhost", **wanted)[0] == 403
    status, _, body = cors.ask("OPTIONS", "/www/k")
    assert (status, b"Insufficient information" in body) == (400, True)


def test_other_services_still_let_every_page_call(cors):
    wanted = {"origin": PAGE, "access_control_request_method": "POST"}
    status, headers, _ = cors.ask("OPTIONS", "/", **wanted)
    assert (status, headers["access-control-allow-origin"]) == (200, "*")


def test_answers_carry_what_lets_the_page_read_them(cors):
    status, headers, body = cors.ask("GET", "/www/k", origin=PAGE)
    assert (status, body) == (200, b"hello")
    assert headers["access-control-allow-origin"] == PAGE
    assert headers["access-control-expose-headers"] == "ETag"
    status, headers, body = cors.ask("GET", "/www/k", origin="http://other.test")
    assert (status, body) == (200, b"hello")
    assert "access-control-allow-origin" not in headers
    status, headers, _ = cors.ask("GET", "/www/none", origin=PAGE)
    assert (status, headers["access-control-allow-origin"]) == (403, PAGE)


@pytest.mark.parametrize(("method", "asked", "fits"), [("DELETE", "GET", True), ("GET", "DELETE", False)])
def test_the_method_that_is_asked_about_outranks_the_requests_own(cors, method, asked, fits):
    _, headers, _ = cors.ask(method, "/www/k", origin=PAGE, access_control_request_method=asked)
    assert ("access-control-allow-origin" in headers) is fits


@pytest.fixture
def site(world):
    website = {
        "IndexDocument": {"Suffix": "index.html"},
        "ErrorDocument": {"Key": "error.html"},
        "RoutingRules": [
            {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}
        ],
    }
    world.call("PutBucketWebsite", Bucket="www", WebsiteConfiguration=website)
    world.put("index.html", b"<h1>home</h1>", ContentType="text/html")
    world.put("docs/index.html", b"docs", ContentType="text/html")
    world.put("error.html", b"oh no", ContentType="text/html")
    world.put("moved", b"", WebsiteRedirectLocation="/docs/")
    return world


def test_a_website_has_index_documents(site):
    for path, body in (("/", b"<h1>home</h1>"), ("/docs/", b"docs"), ("/index.html", b"<h1>home</h1>")):
        status, headers, found = site.ask("GET", path, SITE)
        assert (status, found, headers["content-type"]) == (200, body, "text/html")
    assert site.ask("HEAD", "/", SITE)[0::2] == (200, b"")
    status, headers, _ = site.ask("GET", "/docs", SITE)
    assert (status, headers["location"]) == (302, "/docs/")


def test_a_website_keeps_the_visitors_conditions_and_range(site):
    etag = site.ask("GET", "/", SITE)[1]["etag"]
    assert site.ask("GET", "/", SITE, if_none_match=etag)[0] == 304
    assert site.ask("GET", "/", SITE, range="bytes=0-3")[0::2] == (206, b"<h1>")


def test_a_website_sends_its_visitors_on(site):
    assert site.ask("GET", "/old/a%20b", SITE)[1]["location"] == f"http://{SITE}/new/a%20b"
    status, headers, _ = site.ask("GET", "/moved", SITE)
    assert (status, headers["location"]) == (301, "/docs/")


def test_a_website_has_error_pages(site):
    assert site.ask("GET", "/none", SITE)[0::2] == (403, b"oh no")  # nobody may list, so none is not found
    site.call("DeleteObject", Bucket="www", Key="error.html")
    status, headers, body = site.ask("GET", "/none", SITE)
    assert (status, headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert b"<h1>403 Forbidden</h1>" in body
    status, _, body = site.ask("POST", "/", SITE)
    assert (status, b"<li>Code: MethodNotAllowed</li>" in body) == (405, True)
    for host, code in (("private", b"NoSuchWebsiteConfiguration"), ("none", b"NoSuchBucket")):
        status, _, body = site.ask("GET", "/", f"{host}.s3-website.us-east-1.amazonaws.com")
        assert (status, code in body) == (404, True)


def test_the_api_answers_the_bucket_as_ever(site):
    status, _, body = site.ask("GET", "/www/index.html")
    assert (status, body) == (200, b"<h1>home</h1>")
    assert b"AccessDenied" in site.ask("GET", "/www")[2]


# --- access logs


def _answered(world, *requests, tls=None):
    """What is noted of requests is delivered when the gateway ends, in the loop that answered them."""

    async def main():
        for method, target, headers in requests:
            path, _, query = target.partition("?")
            answer = world.gateway.handle(
                HttpRequest(method, path, query, headers, peer="203.0.113.7", tls=tls)
            )
            if not isinstance(answer, HttpResponse):
                answer = await answer
            if answer.stream is not None:
                async for _ in answer.stream:
                    pass
        await world.access_logs.close()

    asyncio.run(main())


def _log_of(world):
    listed = world.call("ListObjectsV2", Bucket="private").get("Contents")
    return [
        line
        for one in (listed.lines() if listed else ())
        for line in world.call("GetObject", Bucket="private", Key=one["Key"])["Body"].decode().splitlines()
    ]


def test_a_bucket_that_is_logged_tells_each_request_and_how_it_was_answered(world):
    delivery = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::private/*",
    }
    world.call("PutBucketPolicy", Bucket="private", Policy=json.dumps({"Statement": [delivery]}))
    enabled = {"TargetBucket": "private", "TargetPrefix": "log/"}
    world.call("PutBucketLogging", Bucket="www", BucketLoggingStatus={"LoggingEnabled": enabled})
    world.put("a b", b"hello")
    here = {"host": "127.0.0.1:4566", "user-agent": "curl/8"}
    _answered(
        world,
        ("GET", "/www/a%20b?partNumber=1", here),
        ("PUT", "/www/new", {**here, "content-length": "0"}),
        ("GET", "/", here),
        ("GET", "/private/x", here),
    )
    got, refused = _log_of(world)
    assert " www [" in got
    assert "] 203.0.113.7 - " in got
    assert ' REST.GET.OBJECT a%2520b "GET /www/a%20b?partNumber=1 HTTP/1.1" 206 - 5 ' in got
    assert ' "-" "curl/8" ' in got
    assert ' REST.PUT.OBJECT new "PUT /www/new HTTP/1.1" 403 AccessDenied ' in refused


def test_a_log_tells_how_much_there_was_and_was_sent_how_long_it_took_and_over_what(world):
    delivery = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::private/*",
    }
    world.call("PutBucketPolicy", Bucket="private", Policy=json.dumps({"Statement": [delivery]}))
    enabled = {"TargetBucket": "private", "TargetPrefix": "log/"}
    world.call("PutBucketLogging", Bucket="www", BucketLoggingStatus={"LoggingEnabled": enabled})
    world.put("a", b"x" * 3_000_000)
    here = {"host": "127.0.0.1:4566"}
    _answered(
        world,
        ("GET", "/www/a", {**here, "range": "bytes=0-1999999"}),
        ("GET", "/www/a", here),
        ("HEAD", "/www/a", here),
        tls=("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    )
    part, whole, head = _log_of(world)
    assert re.search(r'" 206 - 2000000 3000000 \d+ \d+ "-" ', part)
    assert re.search(r'" 200 - 3000000 3000000 \d+ \d+ "-" ', whole)
    assert re.search(r'" 200 - - 3000000 \d+ \d+ "-" ', head)
    assert " TLS_AES_256_GCM_SHA384 - 127.0.0.1:4566 TLSv1.3 - -" in part


@pytest.mark.parametrize(
    ("query", "signature"),
    [
        ("versionId=v1", "SigV4 - AuthHeader"),
        ("versionId=v1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0", "SigV4 - QueryString"),
        ("versionId=v1&AWSAccessKeyId=AKIA&Expires=1&Signature=0", "SigV2 - QueryString"),
    ],
)
def test_a_log_tells_how_a_request_was_signed_and_its_version(world, query, signature):
    served = Served(
        caller=replace(ROOT, access_key_id="AKIA", request_id="3E57427F33A59F07"),
        operation="GetObject",
        method="GET",
        target=f"/www/a?{query}",
        key="a",
        status=200,
        error_code="",
        bytes_sent=5,
        headers={},
        presigned="QueryString" in signature,
    )
    noted = []

    class Deliveries:
        def note(self, bucket, caller, served):
            noted.append(access_logs.line(bucket, caller, served))

    Buckets(world.store, Tools(), Deliveries()).log("www", served)
    assert f' "-" v1 {host_id("3E57427F33A59F07")} {signature} ' in noted[0]


def test_a_bucket_that_is_not_logged_tells_nothing(world):
    world.put("a", b"hello")
    _answered(world, ("GET", "/www/a", {"host": "127.0.0.1:4566"}))
    assert _log_of(world) == []
