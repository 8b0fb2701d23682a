"""Which service a request is meant for, and in which region.

A signature says it best: the service is part of its scope, so what was signed is what is called. Only where
the scope leaves it open (two services share a signing name) do target, version and path decide; and only
unsigned requests are told by host, target, version and path alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.http import HttpRequest
from cloudstead.gateway import wire
from cloudstead.gateway.canonical import normalized_path
from cloudstead.gateway.claim import Claim
from cloudstead.gateway.wire import WireRequest

#: Signing names that are not botocore's name of the service. A test compares this with botocore's data.
SIGNING_NAMES: dict[str, str] = {
    "airflow": "mwaa",
    "aoss": "opensearchserverless",
    "aps": "amp",
    "awsssoportal": "sso",
    "cassandra": "keyspaces",
    "cloudcontrolapi": "cloudcontrol",
    "elasticfilesystem": "efs",
    "elasticmapreduce": "emr",
    "geo": "location",
    "iotdata": "iot-data",
    "mobiletargeting": "pinpoint",
    "monitoring": "cloudwatch",
    "neptune-db": "neptunedata",
    "servicequotas": "service-quotas",
    "sso": "sso-admin",
    "sso-oauth": "sso-oidc",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}

#: Version parameters that belong to one service only: how an unsigned query request is told.
_VERSIONS = {
    "2016-11-15": "ec2",
    "2011-06-15": "sts",
    "2010-05-08": "iam",
    "2015-12-01": "elbv2",
    "2012-06-01": "elb",
    "2011-01-01": "autoscaling",
    "2014-10-31": "rds",
    "2010-08-01": "cloudwatch",
}
_TARGETS = {
    "AmazonSSM": "ssm",
    "TrentService": "kms",
    "Logs_20140328": "logs",
    "CertificateManager": "acm",
    "Route53Resolver": "route53resolver",
    "Route53Domains_v20140515": "route53domains",
    "GraniteServiceVersion20100801": "cloudwatch",
    "DynamoDBStreams_20120810": "dynamodbstreams",
    "DynamoDB_20120810": "dynamodb",
}
#: With it every path of S3's control plane begins, whose requests are signed for S3.
CONTROL_PREFIX = "/v20180820/"
_PATHS = (
    ("/2013-04-01/", "route53"),
    ("/2020-05-31/", "cloudfront"),
    ("/2015-02-01/", "efs"),
    (CONTROL_PREFIX, "s3control"),
)
_QUERY_VERSION = re.compile(rb"(?:^|&)Version=(\d{4}-\d{2}-\d{2})(?:&|$)")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z0-9]{1,128})(?:&|$)")
_PATH_VERSION = re.compile(r"/(\d{4}-\d{2}-\d{2})/?$")
_RPC = re.compile(r"/service/([^/]+)/operation/")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d{1,2}")
_SUFFIXES = (".amazonaws.com.cn", ".amazonaws.com", ".api.aws", ".localhost")


@dataclass(slots=True)
class Route:
    service: str  # botocore's name
    region: str
    wire: WireRequest
    host: "Host"

    @property
    def bucket(self) -> str:
        """The bucket that an S3 request is about, if it is about one."""
        return unquote(self.wire.path.removeprefix("/").partition("/")[0])


class UnknownService(ServiceError):
    code = "UnknownService"
    status = 400


def route(request: HttpRequest, claim: Claim | None, default_region: str) -> Route:
    """Raises UnknownService."""
    host = read_host(request.headers.get("host", ""))
    if claim is not None:
        service = _of_scope(claim.service, request, host)
        region = claim.region or host.region or default_region
    else:
        service = _of_unsigned(request, host)
        region = host.region or default_region
    path = _in_path_style(request.path, host) if service == "s3" else normalized_path(request.path)
    wire_request = WireRequest(request.method, path, request.query, request.headers, request.body)
    return Route(service, region, wire_request, host)


def _in_path_style(path: str, host: "Host") -> str:
    return f"/{host.bucket}{path}" if host.bucket else path


# -- signed


def _of_scope(signing_name: str, request: HttpRequest, host: "Host") -> str:
    shared = _SHARED.get(signing_name)
    if shared is not None:
        return shared(request, host)
    service = SIGNING_NAMES.get(signing_name, signing_name)
    if not wire.exists(service):
        raise UnknownService(f"No AWS service signs its requests as '{signing_name}'.")
    return service


def _load_balancing(request: HttpRequest, _: "Host") -> str:
    version = _query_version(request)
    if version is not None:
        return "elb" if version < "2015-12-01" else "elbv2"
    action = _form_value(_ACTION, request) or ""
    return "elb" if wire.load("elbv2").operation(action) is None else "elbv2"


def _s3_or_control(request: HttpRequest, host: "Host") -> str:
    control = host.service == "s3-control" or request.path.startswith(CONTROL_PREFIX)
    return "s3control" if control else "s3"


def _by_path(prefix: str, then: str, otherwise: str) -> Callable[[HttpRequest, "Host"], str]:
    return lambda request, _: then if request.path.startswith(prefix) else otherwise


def _dynamodb(request: HttpRequest, _: "Host") -> str:
    streams = request.headers.get("x-amz-target", "").startswith("DynamoDBStreams_")
    return "dynamodbstreams" if streams else "dynamodb"


_SHARED: dict[str, Callable[[HttpRequest, "Host"], str]] = {
    "elasticloadbalancing": _load_balancing,
    "s3": _s3_or_control,
    "ses": _by_path("/v2/", "sesv2", "ses"),
    "apigateway": _by_path("/v2/", "apigatewayv2", "apigateway"),
    "es": _by_path("/2021-01-01/", "opensearch", "es"),
    "dynamodb": _dynamodb,
}


# -- not signed


def _of_unsigned(request: HttpRequest, host: "Host") -> str:
    target = request.headers.get("x-amz-target")
    if target is None and (rpc := _RPC.match(request.path)):
        target = rpc[1]
    if target is not None:
        service = _TARGETS.get(target.partition(".")[0])
        if service is None:
            raise UnknownService(f"No AWS service has the target '{target}'.")
        return service
    if host.service:
        return _of_scope(host.service, request, host)
    if (version := _query_version(request)) in _VERSIONS:
        return _VERSIONS[version]
    for prefix, service in _PATHS:
        if request.path.startswith(prefix):
            return service
    if _form_value(_ACTION, request) is not None:
        raise UnknownService(
            "Nothing in the request tells which AWS service it is meant for: it is not signed, "
            "and its Host and Version name none."
        )
    return "s3"  # a plain URL: public objects have those


def _query_version(request: HttpRequest) -> str | None:
    found = _form_value(_QUERY_VERSION, request)
    if found is None and (in_path := _PATH_VERSION.match(request.path)):
        return in_path[1]
    return found


def _form_value(what: re.Pattern[bytes], request: HttpRequest) -> str | None:
    found = what.search(request.query.encode("latin-1")) or what.search(request.body)
    return found[1].decode() if found else None


class Host:
    """What a host name says: `BUCKET.s3.us-east-1.amazonaws.com`, `sts.amazonaws.com`, `BUCKET.s3.localhost`."""

    def __init__(self, header: str) -> None:
        self.service = ""
        self.region = ""
        self.bucket = ""
        self.website = False
        name = header.lower() if header.startswith("[") else header.lower().partition(":")[0]
        suffix = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), None)
        if suffix is not None:
            self._read(name.removesuffix(suffix).split("."), local=suffix == ".localhost")

    def _read(self, labels: list[str], *, local: bool) -> None:
        if len(labels) > 1 and _REGION.fullmatch(labels[-1]):
            self.region = labels.pop()
        if labels[-1] == "dualstack":
            labels.pop()
        last = labels.pop().removesuffix("-fips")
        if site := re.fullmatch(r"s3-website(?:-([a-z]{2,}(?:-[a-z]+)+-\d))?", last):
            last, self.region, self.website = "s3", site[1] or self.region, True
        elif old := re.fullmatch(r"(s3)-([a-z]{2,}(?:-[a-z]+)+-\d)", last):
            last, self.region = old[1], old[2]
        if local and not self.region and last != "s3" and not _is_service(last):
            labels.append(last)  # boto3 with http://localhost as its endpoint: BUCKET.localhost
        else:
            self.service = last
        self.bucket = unquote(".".join(labels))


#: Clients say the same few names again and again.
read_host = lru_cache(maxsize=1024)(Host)


def _is_service(name: str) -> bool:
    return name in SIGNING_NAMES or name in _SHARED or wire.exists(name)
