"""Answers: namespaces, request ids, what is escaped, what is refused, what is remembered."""

import datetime as dt
import logging
from xml.etree import ElementTree as ET

import msgspec
import pytest
from tests.unit.wire.asking import form, json, numbered, rest

from cloudstead.core.cached import Cached
from cloudstead.core.errors import ServiceError
from cloudstead.gateway.wire import ResultMismatch, serialize, serialize_error
from cloudstead.gateway.wire.serialize.fragments import Fragments

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def body(asked, result, **how) -> str:
    return serialize(asked[0], result, "req-1", **how).body.decode()


def root(text: str) -> ET.Element:
    return ET.fromstring(text)


ROOTS = [
    (
        lambda: form("ec2", "Action=DescribeVpcs&Version=2014-02-01"),
        {},
        "{http://ec2.amazonaws.com/doc/2014-02-01/}DescribeVpcsResponse",
    ),
    (
        lambda: form("elb", "Action=DescribeLoadBalancers", "/2011-11-15/"),
        {},
        "{http://elasticloadbalancing.amazonaws.com/doc/2011-11-15/}DescribeLoadBalancersResponse",
    ),
    (
        lambda: form("iam", "Action=ListUsers"),
        {},
        "{https://iam.amazonaws.com/doc/2010-05-08/}ListUsersResponse",
    ),
    (
        lambda: rest("route53", "GET", "/2012-02-29/hostedzone"),
        {},
        "{https://route53.amazonaws.com/doc/2012-02-29/}ListHostedZonesResponse",
    ),
    (
        lambda: rest("cloudfront", "GET", "/2019-03-26/distribution/E1"),
        {"Distribution": {"Id": "E1"}},
        "{http://cloudfront.amazonaws.com/doc/2019-03-26/}Distribution",
    ),
    (
        lambda: rest("s3", "GET", "/"),
        {},
        "{http://s3.amazonaws.com/doc/2006-03-01/}ListAllMyBucketsResult",
    ),
    (
        lambda: rest("s3", "GET", "/b?list-type=2"),
        {},
        "{http://s3.amazonaws.com/doc/2006-03-01/}ListBucketResult",
    ),
]


@pytest.mark.parametrize(("asked", "result", "tag"), ROOTS, ids=numbered(ROOTS))
def test_the_root_is_in_the_namespace_that_was_asked_for(asked, result, tag):
    assert root(body(asked(), result)).tag == tag


def test_ec2_says_true_where_there_is_nothing_to_say():
    assert "<requestId>req-1</requestId><return>true</return>" in body(
        form("ec2", "Action=DeleteVpc&VpcId=v"), None
    )


def test_times_have_milliseconds_where_old_clients_want_them():
    asked = form("ec2", "Action=DescribeVolumes")
    assert "<createTime>2026-01-02T03:04:05.000Z</createTime>" in body(
        asked, {"Volumes": [{"CreateTime": MOMENT}]}
    )
    asked = form("sts", "Action=GetSessionToken")
    text = body(asked, {"Credentials": {"Expiration": MOMENT}})
    assert "<Expiration>2026-01-02T03:04:05Z</Expiration>" in text


def test_text_is_escaped_and_what_xml_cannot_hold_is_replaced():
    hostile = "a<b>&\"'\r\n\t\x00\x1b\ud800\ufffe é😀"
    asked = form("ec2", "Action=DescribeTags")
    text = serialize(asked[0], {"Tags": [{"Value": hostile}]}, "id").body
    value = root(text.decode()).find(".//{*}value")
    assert value.text == "a<b>&\"'\r\n\t\ufffd\ufffd\ufffd\ufffd é😀"


def test_none_is_absent():
    assert "<nextToken" not in body(form("ec2", "Action=DescribeVpcs"), {"NextToken": None})
    assert body(json("kms", "ListKeys", {}), {"NextMarker": None}) == "{}"


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ({"Vpcs": [{"VpcIdd": "x"}]}, "Vpcs: Vpc has no member VpcIdd"),
        ({"Vpcs": [{"VpcId": 1}]}, "Vpcs.VpcId: 1 is not a string"),
        ({"Vpcs": [{"IsDefault": "true"}]}, "'true' is not a boolean"),
        ({"Vpcs": "x"}, "'x' is not a list"),
        ({"Vpcs": ["x"]}, "'x' is not a structure Vpc"),
        ({"Nope": 1}, "DescribeVpcsResult has no member Nope"),
    ],
)
def test_a_result_that_its_shape_does_not_have_is_refused(result, problem):
    with pytest.raises(ResultMismatch, match=problem):
        body(form("ec2", "Action=DescribeVpcs"), result)


ANSWERS = [
    lambda: form("ec2", "Action=DeleteVpc&VpcId=v"),
    lambda: form("iam", "Action=DeleteUser&UserName=u"),
    lambda: json("kms", "EnableKey", {"KeyId": "k"}),
    lambda: rest("efs", "DELETE", "/2015-02-01/file-systems/fs-1"),
    lambda: rest("s3", "PUT", "/b?versioning"),
    lambda: rest("s3", "PUT", "/b/k"),
    lambda: rest("s3", "GET", "/b/k"),
    lambda: rest("ebs", "GET", "/snapshots/s-1/blocks/1"),
]


@pytest.mark.parametrize("asked", ANSWERS, ids=numbered(ANSWERS))
def test_nothing_that_is_answered_is_lost_in_silence(asked):
    with pytest.raises(ResultMismatch):
        body(asked(), {"Surprise": 1})


def test_a_missing_required_member_is_refused_when_strict_and_logged_once_otherwise(caplog):
    asked = form("iam", "Action=GetUser")
    with pytest.raises(ResultMismatch, match="User lacks CreateDate"):
        body(asked, {"User": {"Path": "/", "UserName": "u", "UserId": "i", "Arn": "a"}}, strict=True)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            body(asked, {"User": {"Path": "/", "UserName": "u"}})
    assert [record.message for record in caplog.records] == [
        "result shape User lacks Arn, CreateDate, UserId"
    ]


def test_a_naive_time_is_refused():
    asked = form("ec2", "Action=DescribeVolumes")
    with pytest.raises(ResultMismatch, match="time with a zone"):
        body(asked, {"Volumes": [{"CreateTime": dt.datetime(2026, 1, 1)}]})  # noqa: DTZ001 - the point of it


def test_a_cached_element_is_written_once():
    asked, made = form("ec2", "Action=DescribeVpcs"), []

    def vpc():
        made.append(1)
        return {"VpcId": "vpc-1", "State": "available"}

    answers = {body(asked, {"Vpcs": [Cached(("test-once", 1), vpc), {"VpcId": "vpc-2"}]}) for _ in range(3)}
    assert len(made) == 1
    assert answers == {body(asked, {"Vpcs": [vpc(), {"VpcId": "vpc-2"}]})}


def test_a_cached_element_is_kept_apart_by_shape_and_protocol():
    key = ("test-apart", 1)
    vpcs = body(form("ec2", "Action=DescribeVpcs"), {"Vpcs": [Cached(key, {"VpcId": "v"})]})
    volumes = body(form("ec2", "Action=DescribeVolumes"), {"Volumes": [Cached(key, {"VolumeId": "v"})]})
    keys = body(json("kms", "ListKeys", {}), {"Keys": [Cached(key, {"KeyId": "k"})]})
    assert "<vpcId>v</vpcId>" in vpcs
    assert "<volumeId>v</volumeId>" in volumes
    assert msgspec.json.decode(keys) == {"Keys": [{"KeyId": "k"}]}


def test_what_is_remembered_is_bounded():
    kept = Fragments(bytes_max=10_000)
    for number in range(1000):
        kept.text(1, Cached(number, {}), lambda _: "x" * 100)
    assert len(kept._young) + len(kept._old) <= 10_000 // 350 + 1
    assert kept.text(1, Cached("big", {}), lambda _: "x" * 20_000) == "x" * 20_000
    assert (1, "big") not in kept._young


def test_what_is_used_is_kept():
    kept, written = Fragments(bytes_max=10_000), []

    def write(_):
        written.append(1)
        return "x" * 100

    for number in range(200):
        kept.text(1, Cached("often", {}), write)
        kept.text(1, Cached(number, {}), lambda _: "y" * 100)
    assert len(written) == 1


def test_a_header_cannot_begin_another():
    asked = rest("s3", "GET", "/b/k")
    response = serialize(asked[0], {"ContentDisposition": "a\r\nSet-Cookie: b", "Body": b""}, "id")
    assert ("Content-Disposition", "a Set-Cookie: b") in response.headers


def test_status_headers_and_body_of_an_object():
    asked = rest("s3", "GET", "/b/k")
    result = {
        "Body": b"bytes",
        "ContentType": "text/plain",
        "LastModified": MOMENT,
        "Metadata": {"a": "1"},
        "ContentLength": 5,
    }
    response = serialize(asked[0], result, "id", status=206)
    assert (response.status, response.body) == (206, b"bytes")
    headers = dict(response.headers)
    assert headers["Last-Modified"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert (headers["x-amz-meta-a"], headers["Content-Type"], headers["x-amz-request-id"]) == (
        "1",
        "text/plain",
        "id",
    )


def test_a_bucket_location_is_the_text_of_the_root():
    text = body(rest("s3", "GET", "/b?location"), {"LocationConstraint": "eu-west-1"})
    assert root(text).text == "eu-west-1"
    assert root(body(rest("s3", "GET", "/b?location"), {})).text is None


def test_a_grantee_says_its_type_in_an_attribute():
    grants = [{"Grantee": {"Type": "CanonicalUser", "ID": "i"}, "Permission": "READ"}]
    grantee = root(body(rest("s3", "GET", "/b?acl"), {"Grants": grants})).find(".//{*}Grantee")
    assert grantee.attrib == {"{http://www.w3.org/2001/XMLSchema-instance}type": "CanonicalUser"}


def test_a_head_has_no_body():
    asked = rest("s3", "HEAD", "/b/k")
    error = ServiceError("Not Found", code="NoSuchKey")
    response = serialize_error(asked[0], error, "id")
    assert (response.status, response.body) == (404, b"")


def test_an_s3_error_has_no_wrapper_and_names_what_it_is_about():
    asked = rest("s3", "GET", "/b/k")
    error = ServiceError("The specified key does not exist.", code="NoSuchKey", fields={"Key": "k<"})
    found = root(serialize_error(asked[0], error, "req").body.decode())
    assert found.tag == "Error"
    told = {child.tag: child.text for child in found}
    assert len(told.pop("HostId")) == 76
    assert told == {
        "Code": "NoSuchKey",
        "Message": "The specified key does not exist.",
        "Key": "k<",
        "RequestId": "req",
    }
