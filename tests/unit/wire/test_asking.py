"""What clients old and new may write, and be understood."""

import datetime as dt
import subprocess
import sys

import pytest
from botocore import xform_name
from tests.compat.test_wire_every_operation import SERVICES
from tests.unit.wire.asking import form, json, parsed, rest

from cloudstead.gateway.wire import UnknownService, WireRequest, load
from cloudstead.gateway.wire.scalars import header_list, read_timestamp, rfc822


def test_an_older_api_version_is_accepted_wherever_it_is_written():
    for body, path in (
        ("Action=DescribeLoadBalancers&Version=2011-11-15", "/"),
        ("Action=DescribeLoadBalancers", "/2011-11-15/"),
        ("Action=DescribeLoadBalancers&Version=2011-11-15", "/2012-06-01/"),
    ):
        assert form("elb", body, path)[0].api_version == "2011-11-15"
    assert rest("route53", "GET", "/2012-02-29/hostedzone")[0].api_version == "2012-02-29"
    assert form("ec2", "Action=DescribeVpcs")[0].api_version == "2016-11-15"


def test_a_query_string_works_like_a_form():
    request = WireRequest("GET", "/", "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60")
    match = load("sts").match(request)
    assert (match.operation.name, parsed((match, request))) == ("GetCallerIdentity", {})


def test_signatures_in_the_form_are_no_parameters_of_ec2():
    body = "Action=DescribeVpcs&AWSAccessKeyId=a&Signature=b&SignatureVersion=2&Timestamp=c&X-Amz-Date=d"
    assert parsed(form("ec2", body)) == {}


def test_lists_may_have_gaps_and_come_in_any_order():
    body = "Action=DescribeInstances&InstanceId.10=c&InstanceId.2=b&InstanceId.1=a"
    assert parsed(form("ec2", body)) == {"InstanceIds": ["a", "b", "c"]}


def test_a_list_may_be_written_by_its_members_name_or_as_member():
    for name in ("Filter", "member"):
        body = f"Action=DescribeDBInstances&Filters.{name}.1.Name=a&Filters.{name}.1.Values.member.1=b"
        assert parsed(form("rds", body)) == {"Filters": [{"Name": "a", "Values": ["b"]}]}


def test_an_empty_list_is_a_list():
    body = "Action=SetSecurityGroups&LoadBalancerArn=a&SecurityGroups="
    assert parsed(form("elbv2", body)) == {"LoadBalancerArn": "a", "SecurityGroups": []}


def test_json_passes_over_what_it_does_not_know():
    assert parsed(json("kms", "DescribeKey", {"KeyId": "a", "New": {"x": 1}, "GrantTokens": None})) == {
        "KeyId": "a"
    }


def test_cloudwatch_is_spoken_in_three_ways():
    model = load("cloudwatch")
    prefix = model.metadata.target_prefix
    requests = {
        "smithy-rpc-v2-cbor": WireRequest(
            "POST", f"/service/{prefix}/operation/DescribeAlarms", body=b"\xa0"
        ),
        "json": WireRequest("POST", "/", headers={"x-amz-target": f"{prefix}.DescribeAlarms"}, body=b"{}"),
        "query": WireRequest("POST", "/", body=b"Action=DescribeAlarms"),
    }
    for protocol, request in requests.items():
        match = model.match(request)
        assert (match.protocol, match.operation.name) == (protocol, "DescribeAlarms")


@pytest.mark.parametrize(
    ("method", "uri", "headers", "operation"),
    [
        ("GET", "/", {}, "ListBuckets"),
        ("GET", "/b", {}, "ListObjects"),
        ("GET", "/b/", {}, "ListObjects"),
        ("GET", "/b?list-type=2", {}, "ListObjectsV2"),
        ("GET", "/b/k", {}, "GetObject"),
        ("GET", "/b/k/", {}, "GetObject"),
        ("GET", "/b/k?x-id=GetObject", {}, "GetObject"),
        ("GET", "/b/k?uploadId=1", {}, "ListParts"),
        ("PUT", "/b/k", {}, "PutObject"),
        ("PUT", "/b/k", {"x-amz-copy-source": "/a/b"}, "CopyObject"),
        ("PUT", "/b/k?partNumber=1&uploadId=2", {}, "UploadPart"),
        ("PUT", "/b/k?partNumber=1&uploadId=2", {"x-amz-copy-source": "/a/b"}, "UploadPartCopy"),
        ("PUT", "/b/k?tagging", {}, "PutObjectTagging"),
        ("PUT", "/b?lifecycle", {}, "PutBucketLifecycleConfiguration"),
        ("GET", "/b?analytics", {}, "ListBucketAnalyticsConfigurations"),
        ("GET", "/b?analytics&id=1", {}, "GetBucketAnalyticsConfiguration"),
        ("POST", "/b/k?uploads", {}, "CreateMultipartUpload"),
        ("POST", "/b?delete", {}, "DeleteObjects"),
        ("DELETE", "/b/k?uploadId=1", {}, "AbortMultipartUpload"),
        ("HEAD", "/b", {}, "HeadBucket"),
    ],
)
def test_s3_is_told_by_query_and_headers(method, uri, headers, operation):
    assert rest("s3", method, uri, headers=headers)[0].operation.name == operation


@pytest.mark.parametrize(
    ("path", "key"),
    [("/b/a%2Fb", "a/b"), ("/b/a//b/", "a//b/"), ("/b//", "/"), ("/b/%C3%A9+x", "é+x"), ("/b/../c", "../c")],
)
def test_a_key_keeps_every_character(path, key):
    assert rest("s3", "GET", path)[0].uri == {"Bucket": "b", "Key": key}


def test_metadata_headers_become_a_map():
    headers = {"x-amz-meta-a": "1", "x-amz-meta-b-c": "2", "content-type": "text/plain"}
    got = parsed(rest("s3", "PUT", "/b/k", b"body", headers))
    assert got["Metadata"] == {"a": "1", "b-c": "2"}
    assert (got["Body"], got["ContentType"]) == (b"body", "text/plain")


def test_xml_is_read_under_any_namespace():
    for namespace in ("", ' xmlns="https://route53.amazonaws.com/doc/2012-02-29/"', ' xmlns="urn:x"'):
        body = f"<C{namespace}><Name>a.b</Name><CallerReference>c</CallerReference><New/></C>".encode()
        got = parsed(rest("route53", "POST", "/2013-04-01/hostedzone", body))
        assert got == {"Name": "a.b", "CallerReference": "c"}


@pytest.mark.parametrize(
    "text",
    [
        "2019-12-16T23:48:18Z",
        "2019-12-16T23:48:18.000000Z",
        "2019-12-17T00:48:18+01:00",
        "20191216T234818Z",
        "Mon, 16 Dec 2019 23:48:18 GMT",
        "1576540098",
        "1.576540098E9",
    ],
)
def test_a_moment_may_be_written_in_many_ways(text):
    assert read_timestamp(text) == dt.datetime(2019, 12, 16, 23, 48, 18, tzinfo=dt.UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "Mon, 16 Foo 2019 23:48:18 GMT", "1e400", "2019-13-01"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError):
        read_timestamp(text)


def test_header_lists_may_be_quoted():
    assert header_list(r'a, "b,c" ,"d\"e", f') == ["a", "b,c", 'd"e', "f"]
    assert header_list("") == []
    assert rfc822(dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)) == "Fri, 02 Jan 2026 03:04:05 GMT"


@pytest.mark.parametrize("service", SERVICES)
def test_methods_are_named_as_boto3_names_them(service):
    model = load(service)
    for name in model.operation_names:
        assert model.operation(name).method_name == xform_name(name)


@pytest.mark.parametrize("name", ["nope", "../data/ec2", "", "EC2"])
def test_an_unknown_service_is_said_to_be_one(name):
    with pytest.raises(UnknownService):
        load(name)


def test_botocore_is_read_and_never_run():
    script = """
import sys
from cloudstead.gateway.wire import WireRequest, load, parse, serialize
model = load("ec2")
request = WireRequest("POST", "/", body=b"Action=DescribeVpcs")
match = model.match(request)
parse(match, request), serialize(match, {"Vpcs": []}, "id")
heavy = {"botocore", "boto3", "cbor2", "email", "xml.etree.ElementTree"} & sys.modules.keys()
sys.exit(f"imported {heavy}" if heavy else 0)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
