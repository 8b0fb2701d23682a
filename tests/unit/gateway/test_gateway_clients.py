"""boto3 against a gateway in this process: what real clients send is understood, what we answer they can parse."""

import asyncio
import io
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import uvloop
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudstead.core.caller import Caller, Credential
from cloudstead.core.clock import SystemClock
from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.http import HttpServer, Limits, listen, serve
from cloudstead.gateway import tls
from cloudstead.gateway.chain import Gateway
from cloudstead.gateway.failing import refuse
from cloudstead.gateway.internal import Internal

ACCOUNT = "123456789012"
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def credential(key: str = KEY, **changes: Any) -> Credential:
    told = {
        "access_key_id": key,
        "secret_access_key": SECRET,
        "account": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "user_id": ACCOUNT,
        "principal": "root",
    }
    return Credential(**{**told, **changes})


class Keys:
    def __init__(self, *credentials: Credential) -> None:
        self.by_id = {c.access_key_id: c for c in credentials}

    def find(self, access_key_id: str) -> Credential | None:
        return self.by_id.get(access_key_id)


NOW = datetime.now(UTC)
KEYS = Keys(
    credential(),
    credential("AKIAINACTIVE00000000", active=False),
    credential("ASIATEMPORARY0000000", session_token="the-token", expires_at=NOW + timedelta(hours=1)),
    credential("ASIAEXPIRED000000000", session_token="the-token", expires_at=NOW - timedelta(hours=1)),
)


class Allow:
    def authorize(self, caller: Caller, service: str, operation: str, request: dict[str, object]) -> None:
        if operation == "DeleteVpc":
            raise ServiceError(
                "You are not authorized to perform this operation.", code="UnauthorizedOperation", status=403
            )


def get_caller_identity(caller: Caller, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def describe_regions(caller: Caller, request: Mapping[str, Any]) -> Mapping[str, Any]:
    names = request.get("RegionNames") or [caller.region]
    return {"Regions": [{"RegionName": name, "Endpoint": caller.endpoint} for name in names]}


def get_parameter(caller: Caller, request: Mapping[str, Any]) -> Mapping[str, Any]:
    if request["Name"] == "/missing":
        raise ServiceError("", code="ParameterNotFound")
    return {"Parameter": {"Name": request["Name"], "Value": caller.region, "Type": "String", "Version": 1}}


OBJECTS: dict[str, Mapping[str, Any]] = {}


def put_object(caller: Caller, request: Mapping[str, Any]) -> Mapping[str, Any]:
    OBJECTS[f"{request['Bucket']}/{request['Key']}"] = request
    return {}


def get_object(caller: Caller, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Body": OBJECTS[f"{request['Bucket']}/{request['Key']}"]["Body"]}


def broken(caller: Caller, request: Mapping[str, Any]) -> Mapping[str, Any]:
    raise RuntimeError("the secret path is /etc/shadow")


OPERATIONS = {
    "sts": {"GetCallerIdentity": get_caller_identity},
    "ec2": {
        "DescribeRegions": describe_regions,
        "DeleteVpc": broken,
        "DescribeVpcs": broken,
        "StopInstances": broken,
    },
    "ssm": {"GetParameter": get_parameter, "GetParameters": broken},
    "efs": {"DescribeFileSystems": lambda caller, request: {"FileSystems": []}},
    "route53": {"ListHostedZones": broken},
    "s3": {"PutObject": put_object, "GetObject": get_object},
    "elbv2": {},
}


@contextmanager
def running(gateway: Gateway, host: str = "127.0.0.1", **settings: Any) -> Iterator[int]:
    """A gateway in a thread with a loop of its own; yields its port."""
    started, port = threading.Event(), 0
    loop = uvloop.new_event_loop()
    stop = asyncio.Event()

    async def main() -> None:
        nonlocal port
        server: HttpServer = await serve(listen(host, 0), gateway.handle, refuse=refuse, **settings)
        port = server.ports[0]
        started.set()
        await stop.wait()
        await server.stop(within_s=1)

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    try:
        assert started.wait(5)
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        loop.close()
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    gateway = Gateway(OPERATIONS, KEYS, Allow(), internal=Internal())
    with running(gateway, limits=Limits(body_bytes_max=100_000, linger_timeout_s=0.1)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def client(endpoint: str) -> Iterator[Callable[..., Any]]:
    made = []

    def make(
        service: str, key: str = KEY, secret: str = SECRET, token: str | None = None, **options: Any
    ) -> Any:
        session = boto3.Session(key, secret, token, region_name=options.pop("region", "eu-west-1"))
        options.setdefault("endpoint_url", endpoint)
        config = Config(retries={"max_attempts": 1}, **options.pop("config", {}))
        found = session.client(service, config=config, **options)
        made.append(found)
        return found

    yield make
    for found in made:
        found.close()


def error_of(call: Callable[[], Any]) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    assert answer["ResponseMetadata"].get("RequestId") or answer["ResponseMetadata"]["HTTPStatusCode"] == 413
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def test_the_protocols_answer(client, endpoint):
    assert client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    regions = client("ec2").describe_regions(RegionNames=["a", "b"])["Regions"]
    assert regions == [{"RegionName": "a", "Endpoint": endpoint}, {"RegionName": "b", "Endpoint": endpoint}]
    assert client("ssm", region="us-west-2").get_parameter(Name="/x")["Parameter"]["Value"] == "us-west-2"
    assert client("efs").describe_file_systems()["FileSystems"] == []


def test_a_service_answers_its_own_errors(client):
    assert error_of(lambda: client("ssm").get_parameter(Name="/missing"))[:2] == ("ParameterNotFound", 400)
    assert error_of(lambda: client("ec2").delete_vpc(VpcId="vpc-1"))[:2] == ("UnauthorizedOperation", 403)


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("ec2", lambda c: c.describe_instances()),
        ("s3", lambda c: c.list_buckets()),
        ("cloudwatch", lambda c: c.list_metrics()),
        ("lambda", lambda c: c.list_functions()),
        ("dynamodb", lambda c: c.list_tables()),
        ("route53", lambda c: c.list_health_checks()),
        ("elbv2", lambda c: c.describe_load_balancers()),
        ("elb", lambda c: c.describe_load_balancers()),
    ],
)
def test_what_is_not_built_says_so(client, service, call):
    code, status, message = error_of(lambda: call(client(service)))
    assert (code, status) == ("NotImplemented", 501)
    assert message.startswith(f"The operation {service}:")
    assert message.endswith("is not built in Cloudstead yet.")


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", lambda c: c.describe_vpcs(), "InternalError"),
        ("ssm", lambda c: c.get_parameters(Names=["a"]), "InternalFailure"),
        ("route53", lambda c: c.list_hosted_zones(), "InternalFailure"),
    ],
)
def test_a_fault_of_ours_is_logged_and_not_told(client, service, call, code, caplog):
    found = error_of(lambda: call(client(service)))
    assert found[:2] == (code, 500)
    assert "shadow" not in found[2]
    assert "/etc/shadow" in caplog.text


WRONG_SECRET = {"secret": "x" * 40}
REFUSED = [
    ("sts", WRONG_SECRET, "SignatureDoesNotMatch", 403, "The request signature we calculated does not match"),
    (
        "sts",
        {"key": "AKIAUNKNOWN000000000"},
        "InvalidClientTokenId",
        403,
        "The security token included in the request is invalid.",
    ),
    ("sts", {"key": "AKIAINACTIVE00000000"}, "InvalidClientTokenId", 403, "The security token"),
    ("sts", {"key": "ASIATEMPORARY0000000"}, "InvalidClientTokenId", 403, "The security token"),
    (
        "sts",
        {"key": "ASIATEMPORARY0000000", "token": "other"},
        "InvalidClientTokenId",
        403,
        "The security token",
    ),
    ("sts", {"token": "unasked"}, "InvalidClientTokenId", 403, "The security token"),
    (
        "sts",
        {"key": "ASIAEXPIRED000000000", "token": "the-token"},
        "ExpiredToken",
        403,
        "The security token included in the request is expired",
    ),
    ("ec2", WRONG_SECRET, "AuthFailure", 401, "AWS was not able to validate the provided access credentials"),
    (
        "ec2",
        {"key": "AKIAUNKNOWN000000000"},
        "AuthFailure",
        401,
        "AWS was not able to validate the provided access credentials",
    ),
    (
        "ec2",
        {"key": "ASIAEXPIRED000000000", "token": "the-token"},
        "RequestExpired",
        400,
        "Request has expired.",
    ),
    (
        "ssm",
        WRONG_SECRET,
        "InvalidSignatureException",
        400,
        "The request signature we calculated does not match",
    ),
    (
        "ssm",
        {"key": "AKIAUNKNOWN000000000"},
        "UnrecognizedClientException",
        400,
        "The security token included in the request is invalid.",
    ),
    (
        "ssm",
        {"key": "ASIAEXPIRED000000000", "token": "the-token"},
        "ExpiredTokenException",
        400,
        "The security token included in the request is expired",
    ),
    (
        "efs",
        {"key": "AKIAUNKNOWN000000000"},
        "UnrecognizedClientException",
        403,
        "The security token included in the request is invalid.",
    ),
    (
        "s3",
        WRONG_SECRET,
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
    (
        "s3",
        {"key": "AKIAUNKNOWN000000000"},
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    (
        "s3",
        {"key": "ASIATEMPORARY0000000", "token": "other"},
        "InvalidToken",
        400,
        "The provided token is malformed or otherwise invalid.",
    ),
    (
        "s3",
        {"key": "ASIAEXPIRED000000000", "token": "the-token"},
        "ExpiredToken",
        400,
        "The provided token has expired.",
    ),
]
CALLS: Mapping[str, Callable[[Any], Any]] = {
    "sts": lambda c: c.get_caller_identity(),
    "ec2": lambda c: c.describe_regions(),
    "ssm": lambda c: c.get_parameter(Name="/x"),
    "efs": lambda c: c.describe_file_systems(),
    "s3": lambda c: c.list_buckets(),
}


@pytest.mark.parametrize(("service", "how", "code", "status", "message"), REFUSED)
def test_who_is_not_proven_is_refused_in_the_services_own_words(client, service, how, code, status, message):
    found = error_of(lambda: CALLS[service](client(service, **how)))
    assert found[:2] == (code, status)
    assert found[2].startswith(message)


def test_a_session_token_is_believed(client):
    sts = client("sts", key="ASIATEMPORARY0000000", token="the-token")
    assert sts.get_caller_identity()["Account"] == ACCOUNT


def test_dry_run_goes_as_far_as_the_permission(client):
    ec2 = client("ec2")
    found = error_of(lambda: ec2.stop_instances(InstanceIds=["i-1"], DryRun=True))
    assert found == ("DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set.")
    assert error_of(lambda: ec2.delete_vpc(VpcId="vpc-1", DryRun=True))[0] == "UnauthorizedOperation"


def test_a_body_too_large_is_an_error_clients_can_read(client):
    ec2 = client("ec2")
    found = error_of(lambda: ec2.describe_regions(RegionNames=["x" * 100] * 2000))
    assert found[:2] == ("RequestEntityTooLarge", 413)


def test_parameters_are_checked(client):
    ssm = client("ssm", config={"parameter_validation": False})
    assert error_of(ssm.get_parameter)[0] == "ValidationException"


KEYS_OF_OBJECTS = [
    "k",
    "a b/c+d",
    "é/ü",
    "..",
    "a//b",
    "./x",
    "100%",
    "a?b#c",
    "~!'()*",
    "a&b=c",
    "\U0001f980",
]


@pytest.mark.parametrize("key", KEYS_OF_OBJECTS)
@pytest.mark.parametrize("signing", [True, False])
def test_objects_under_any_name_signed_in_any_way(client, key, signing):
    s3 = client("s3", config={"s3": {"addressing_style": "path", "payload_signing_enabled": signing}})
    body = b"x" * 70_000
    s3.put_object(Bucket="bucket", Key=key, Body=body, Metadata={"a": "b  c"}, ChecksumAlgorithm="SHA256")
    assert OBJECTS[f"bucket/{key}"]["Body"] == body
    assert OBJECTS[f"bucket/{key}"]["ChecksumSHA256"]
    with urllib.request.urlopen(
        s3.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": key})
    ) as answer:
        assert answer.read() == body


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1"])
def test_uploads_over_https_end_in_a_trailer(tmp_path, client, algorithm):
    """boto3 streams over HTTPS with aws-chunked, and signs no payload."""
    gateway = Gateway(OPERATIONS, KEYS, Allow())
    context = tls.server_context(tmp_path, SystemClock())
    with running(gateway, ssl_context=context) as port:
        s3 = client(
            "s3",
            endpoint_url=f"https://localhost:{port}",
            verify=str(tmp_path / "ca.pem"),
            config={"s3": {"addressing_style": "path"}},
        )
        body = b"y" * 200_000
        s3.put_object(Bucket="bucket", Key="trailer", Body=io.BytesIO(body), ChecksumAlgorithm=algorithm)
        stored = OBJECTS["bucket/trailer"]
        assert stored["Body"] == body
        assert stored[f"Checksum{algorithm}"]
        s3.close()


def test_https_and_ipv6(tmp_path, client):
    gateway = Gateway(OPERATIONS, KEYS, Allow())
    context = tls.server_context(tmp_path, SystemClock())
    try:
        listen("::1", 0)[0].close()
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with running(gateway, "::1", ssl_context=context) as port:
        for scheme in ("http", "https"):
            sts = client("sts", endpoint_url=f"{scheme}://[::1]:{port}", verify=str(tmp_path / "ca.pem"))
            assert sts.get_caller_identity()["Account"] == ACCOUNT
            ec2 = client("ec2", endpoint_url=f"{scheme}://[::1]:{port}", verify=str(tmp_path / "ca.pem"))
            assert ec2.describe_regions()["Regions"][0]["Endpoint"] == f"{scheme}://[::1]:{port}"
            sts.close()
            ec2.close()
