"""Every operation of every service of the mission, in every protocol it speaks, both ways, against botocore.

Seeded: a failure names its seed. `WIRE_EXAMPLES=50` looks longer.
"""

import os

import botocore.loaders
import pytest
from botocore.model import ServiceModel as BotocoreModel
from tests.compat.wire_oracle import REQUEST_ID, received, same, sent, typed
from tests.compat.wire_values import Values

from cloudstead.gateway.wire import load, serialize
from cloudstead.gateway.wire.model import Dialect, Match
from cloudstead.gateway.wire.parse import read
from cloudstead.gateway.wire.validate import validate

SERVICES = (
    *("ec2", "elb", "elbv2", "autoscaling", "cloudwatch", "rds", "iam", "sts", "route53", "route53domains"),
    *("route53resolver", "s3", "s3control", "cloudfront", "efs", "ebs", "acm", "logs", "ssm", "kms"),
)
EXAMPLES = int(os.environ.get("WIRE_EXAMPLES", "2"))
#: Told from ListBuckets by its host alone; and deprecated ones, alike to those that took their place.
NOT_TOLD_BY_PATH = {
    *("ListDirectoryBuckets", "GetBucketLifecycle", "PutBucketLifecycle"),
    *("GetBucketNotification", "PutBucketNotification"),
}
#: A root that is its only member, which botocore reads in a handler of its own; two members of one name.
PARSER_CANNOT = {"GetBucketLocation", "GetBucketNotification"}

SPOKEN = [(service, protocol) for service in SERVICES for protocol in load(service).protocols]


@pytest.fixture(scope="module")
def descriptions():
    loader, found = botocore.loaders.create_loader(), {}

    def describe(service: str) -> BotocoreModel:
        if service not in found:
            model = loader.load_service_model(service, "service-2")
            if service == "s3":
                model["shapes"]["Expires"]["type"] = "string"  # as botocore gives it beside, as ExpiresString
            found[service] = BotocoreModel(model, service)
        return found[service]

    return describe


def operations(service: str, description: BotocoreModel):
    model = load(service)
    for name in description.operation_names:
        if not model.operation(name).event_stream:
            yield model, description.operation_model(name)


#: Members that a client or a server sets by itself, from the body.
_SET_ALONG = ("ContentLength", "ContentType")


def pruned(value):
    """Without what is empty, which forms, XML and plain bodies cannot tell from what is absent."""
    if isinstance(value, dict):
        inner = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item not in ({}, [], b"", "")}
    if isinstance(value, list):
        return [item for item in map(pruned, value) if item not in ({}, [])]
    return value


def agree(got: dict, wanted: dict) -> bool:
    got = {name: item for name, item in got.items() if name in wanted or name not in _SET_ALONG}
    return same(pruned(got), pruned(wanted))


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_what_botocore_sends_is_what_is_parsed(service, protocol, descriptions):
    for model, operation in operations(service, descriptions(service)):
        for number in range(EXAMPLES):
            seed = f"{service} {protocol} {operation.name} {number}"
            shape = operation.input_shape
            params = Values(seed, direction="input").of(shape) if shape else {}
            request = sent(operation, params, protocol)
            match = model.match(request)
            assert match.protocol == protocol, seed
            if operation.name in NOT_TOLD_BY_PATH:
                assert match.operation.name != operation.name, "can be told now: take it off the list"
                continue
            assert match.operation.name == operation.name, (seed, request)
            got = read(match, request)
            assert agree(got, params), (seed, params, got, request)
            broken = validate(model, match.operation.input.shape, got) if shape else []
            assert {one.kind for one in broken} <= {"pattern", "element"}, (seed, broken)


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_what_is_serialized_is_what_botocore_reads(service, protocol, descriptions):
    for model, operation in operations(service, descriptions(service)):
        for number in range(EXAMPLES):
            seed = f"{service} {protocol} {operation.name} {number}"
            shape = operation.output_shape
            result = Values(seed, direction="output").of(shape) if shape else None
            match = Match(Dialect(model, protocol, model.api_version), model.operation(operation.name))
            response = serialize(match, result, REQUEST_ID, strict=True)
            if operation.name in PARSER_CANNOT or match.operation.http.method == "HEAD":
                continue
            got = received(response, shape, protocol)
            metadata = got.pop("ResponseMetadata", None)
            if shape or protocol != "smithy-rpc-v2-cbor":
                assert metadata["RequestId"] == REQUEST_ID, seed
            if shape:
                got = typed(shape, got)
                assert agree(got, result), (seed, result, got, response)
