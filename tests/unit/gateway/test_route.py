"""Which service is meant, for every service of botocore and for what unsigned requests leave to guess."""

import gzip
import json
from pathlib import Path

import botocore
import pytest

from cloudstead.dataplane.http import HttpRequest
from cloudstead.gateway.claim import Claim
from cloudstead.gateway.route import SIGNING_NAMES, Route, UnknownService, route

DATA = Path(botocore.__file__).parent / "data"


def metadata(service: str) -> dict:
    newest = max(path for path in (DATA / service).iterdir() if (path / "service-2.json.gz").exists())
    return json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes()))["metadata"]


def claim(signing_name: str, region: str = "eu-west-1") -> Claim:
    return Claim("AKID", "20261124", region, signing_name, "host", "0" * 64, "20261124T140000Z")


def ask(
    path: str = "/", *, query: str = "", body: bytes = b"", host: str = "127.0.0.1:4566", **headers: str
) -> HttpRequest:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest("POST" if body else "GET", path, query, {"host": host, **told}, body)


def found(request: HttpRequest, signing_name: str | None = None) -> Route:
    return route(request, claim(signing_name) if signing_name else None, "us-east-1")


def form(action: str, version: str) -> bytes:
    return f"Action={action}&Version={version}".encode()


MISSION = [
    "acm",
    "autoscaling",
    "cloudfront",
    "ebs",
    "ec2",
    "iam",
    "logs",
    "rds",
    "route53",
    "route53domains",
    "route53resolver",
    "s3",
    "ssm",
    "sts",
]


@pytest.mark.parametrize("service", [*MISSION, *SIGNING_NAMES.values(), "lambda", "kms", "sqs", "sns", "ecs"])
def test_a_signing_name_is_its_services(service):
    told = metadata(service)
    assert found(ask(), told.get("signingName", told["endpointPrefix"])).service == service


@pytest.mark.parametrize(
    ("signing_name", "request_", "service"),
    [
        ("elasticloadbalancing", ask(body=form("DescribeLoadBalancers", "2015-12-01")), "elbv2"),
        ("elasticloadbalancing", ask(body=form("DescribeLoadBalancers", "2012-06-01")), "elb"),
        ("elasticloadbalancing", ask(body=form("DescribeLoadBalancers", "2011-11-15")), "elb"),
        ("elasticloadbalancing", ask("/2012-06-01/", query="Action=DescribeLoadBalancers"), "elb"),
        ("elasticloadbalancing", ask("/", query="Action=DescribeTargetGroups"), "elbv2"),
        ("elasticloadbalancing", ask("/", query="Action=RegisterInstancesWithLoadBalancer"), "elb"),
        ("s3", ask("/bucket/key"), "s3"),
        ("s3", ask("/v20180820/configuration/publicAccessBlock"), "s3control"),
        ("s3", ask("/x", host="123456789012.s3-control.eu-west-1.amazonaws.com"), "s3control"),
        ("ses", ask("/v2/email/identities"), "sesv2"),
        ("ses", ask(body=form("ListIdentities", "2010-12-01")), "ses"),
        ("apigateway", ask("/v2/apis"), "apigatewayv2"),
        ("apigateway", ask("/restapis"), "apigateway"),
        ("es", ask("/2021-01-01/domain"), "opensearch"),
        ("dynamodb", ask(x_amz_target="DynamoDBStreams_20120810.ListStreams"), "dynamodbstreams"),
        ("dynamodb", ask(x_amz_target="DynamoDB_20120810.ListTables"), "dynamodb"),
        ("rds", ask(body=form("DescribeDBInstances", "2014-10-31")), "rds"),
    ],
)
def test_a_shared_signing_name_is_told_apart(signing_name, request_, service):
    assert found(request_, signing_name).service == service


def test_the_scope_outranks_all_else():
    request = ask(host="ec2.eu-west-1.amazonaws.com", x_amz_target="AmazonSSM.GetParameter")
    told = found(request, "sts")
    assert (told.service, told.region) == ("sts", "eu-west-1")


@pytest.mark.parametrize("name", ["nosuch", "../../etc", "", "S3"])
def test_an_unknown_signing_name_is_refused(name):
    with pytest.raises(UnknownService):
        route(ask(), claim(name), "us-east-1")


@pytest.mark.parametrize(
    ("request_", "service", "region"),
    [
        (ask(host="ec2.eu-west-1.amazonaws.com"), "ec2", "eu-west-1"),
        (ask(host="ec2.eu-west-1.api.aws"), "ec2", "eu-west-1"),
        (ask(host="ec2-fips.us-west-2.amazonaws.com"), "ec2", "us-west-2"),
        (ask(host="sts.amazonaws.com"), "sts", "us-east-1"),
        (ask(host="monitoring.eu-west-1.amazonaws.com"), "cloudwatch", "eu-west-1"),
        (ask(host="iam.localhost:4566"), "iam", "us-east-1"),
        (ask(host="sts.eu-central-1.localhost:4566"), "sts", "eu-central-1"),
        (ask(x_amz_target="AmazonSSM.GetParameter"), "ssm", "us-east-1"),
        (ask("/service/GraniteServiceVersion20100801/operation/ListMetrics"), "cloudwatch", "us-east-1"),
        (ask(body=form("DescribeInstances", "2016-11-15")), "ec2", "us-east-1"),
        (ask(query="Action=GetCallerIdentity&Version=2011-06-15"), "sts", "us-east-1"),
        (ask("/2013-04-01/hostedzone"), "route53", "us-east-1"),
        (ask("/2020-05-31/distribution"), "cloudfront", "us-east-1"),
        (ask("/2015-02-01/file-systems"), "efs", "us-east-1"),
        (ask("/bucket/key"), "s3", "us-east-1"),
        (ask("/"), "s3", "us-east-1"),
    ],
)
def test_an_unsigned_request_is_told_by_the_rest(request_, service, region):
    told = found(request_)
    assert (told.service, told.region) == (service, region)


@pytest.mark.parametrize(
    "request_",
    [
        ask(x_amz_target="NoSuch.Operation"),
        ask("/service/NoSuch/operation/Any"),
        ask(body=b"Action=DescribeInstances"),
        ask(body=form("DescribeInstances", "1999-01-01")),
        ask(host="nosuch.us-east-1.amazonaws.com"),
    ],
)
def test_what_tells_nothing_is_refused(request_):
    with pytest.raises(UnknownService):
        found(request_)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("localhost:4566", "/k"),
        ("127.0.0.1:4566", "/k"),
        ("[::1]:4566", "/k"),
        ("s3.localhost:4566", "/k"),
        ("s3.us-east-1.localhost:4566", "/k"),
        ("s3.amazonaws.com", "/k"),
        ("s3-us-west-2.amazonaws.com", "/k"),
        ("s3.dualstack.us-west-2.amazonaws.com", "/k"),
        ("bucket.localhost:4566", "/bucket/k"),
        ("a.b.localhost:4566", "/a.b/k"),
        ("bucket.s3.localhost:4566", "/bucket/k"),
        ("a.b.s3.localhost", "/a.b/k"),
        ("bucket.s3.amazonaws.com", "/bucket/k"),
        ("bucket.s3.eu-west-1.amazonaws.com", "/bucket/k"),
        ("bucket.s3-eu-west-1.amazonaws.com", "/bucket/k"),
        ("bucket.s3.dualstack.eu-west-1.amazonaws.com", "/bucket/k"),
        ("BUCKET.s3.localhost", "/bucket/k"),
        ("my.host.example:4566", "/k"),
    ],
)
def test_s3_is_put_in_path_style_whatever_the_host_says(host, path):
    assert found(ask("/k", host=host), "s3").wire.path == path


def test_what_a_signature_covers_is_what_is_looked_at():
    assert found(ask("/2013-04-01//hostedzone/./x/../Z1"), "route53").wire.path == "/2013-04-01/hostedzone/Z1"
    assert found(ask("/b//a/../k"), "s3").wire.path == "/b//a/../k"


@pytest.mark.parametrize(
    "host", ["", ".", "..localhost", ".localhost", "a:b:c", "[", "x" * 5000, "é.localhost"]
)
def test_any_host_is_read(host):
    assert found(ask("/", host=host), "sts").service == "sts"
