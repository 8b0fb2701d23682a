"""AWS's own protocol cases, reversed: they were made for clients, and a server must be on the other end of each.

An input case's serialized request must parse to its params. An output case's result must serialize to
something that botocore's parser reads as that result, and the body must mean what the case's body means.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import cbor2
import msgspec
import pytest
from botocore.model import OperationModel
from botocore.model import ServiceModel as BotocoreModel
from tests.compat.wire_oracle import REQUEST_ID, blob_body, received, same, typed, without_tokens

from cloudstead.core.errors import ServiceError
from cloudstead.gateway.wire import WireRequest, WireResponse, parse, serialize, serialize_error
from cloudstead.gateway.wire.model import Dialect, Match, ServiceModel
from cloudstead.gateway.wire.schema import Description

CASES = Path(__file__).parents[2] / ".." / "shared" / "data" / "protocol-cases"

if not CASES.is_dir():
    pytest.skip("the protocol cases (../shared/data/protocol-cases) are not here", allow_module_level=True)


def cases(direction: str):
    return list(_cases(direction))


def _cases(direction: str):
    for path in sorted((CASES / direction).glob("*.json")):
        for suite in json.loads(path.read_text()):
            for number, case in enumerate(suite["cases"]):
                yield pytest.param(suite, case, id=f"{path.stem}-{case['id']}-{number}")


def model_of(suite, case) -> ServiceModel:
    raw = {
        "metadata": suite["metadata"],
        "operations": {case["given"]["name"]: case["given"]},
        "shapes": suite["shapes"],
    }
    return ServiceModel("protocol-case", msgspec.convert(raw, Description))


def botocore_operation(suite, case) -> OperationModel:
    if suite["metadata"]["protocol"] == "query" and "output" in case["given"]:
        case["given"]["output"]["resultWrapper"] = f"{case['given']['name']}Result"
    raw = {"metadata": suite["metadata"], "operations": {}, "shapes": suite["shapes"]}
    return OperationModel(case["given"], BotocoreModel(raw), case["given"]["name"])


#: Cases about what clients leave out or make up by themselves: nothing a server could tell.
CLIENTS_OWN = {
    "HostWithPath": "a path of a custom endpoint is gone before a server sees the request",
    "MediaTypeHeader": "the case's param is the JSON text, botocore's users write and get the value",
    "QueryPrecedence": "what the client dropped for a named parameter cannot come back",
    "ContentEncoding": "the case holds no body",
    "GzipAndIgnoresHttp": "the case holds no body",
    "GzipAfterProvided": "the case holds no body",
}
#: Cases that botocore's own parser gets wrong, so that it cannot judge; the headers still are compared.
PARSER_CANNOT = {
    "WithQuotedStringHeaders": "splits a quoted value at its comma",
    "WithTimestampHeaders": "splits a date at its comma",
    "Ec2XmlLists": "takes a flat list's tag from its members although the member is renamed",
    "XmlLists-": "takes a flat list's tag from its members although the member is renamed",
    "WithUnsetUnion": "refuses a union without a member",
    "BodyWithXmlName": "takes the root name of a shape for its name as a member",
}


#: Bodies that AWS's services do not send, or that mean the same in other words.
BODY_OTHERWISE = {
    "eOffset": "a client must take any offset, a server writes Z",
    "Ec2Xml": "EC2 names every element of a list `item`",
    "XmlLists": "a flat list's tag comes from its members, as botocore wants it",
    "empty_output": "a client must take an answer where none is",
    "EmptyOutput": "an empty structure has a root element all the same, as Route 53's has",
    "NoInputAnd": "an empty structure has a root element all the same, as Route 53's has",
    "nexpected": "a client must pass over what it does not know",
    "ExtraFields": "a client must pass over what it does not know",
    "IgnoreType": "a client must pass over what it does not know",
    "Null": "a client must take a null, a server leaves the member out",
    "IgnoreQueryParamsInResponseNoPayload": "a client must take no body for an empty structure",
    "NoOutputClient": "a client must take an answer where none is",
    "UnsetUnion": "a union without a member is not sent at all",
    "HttpPayloadWith": "a payload's root is named by its reference where that has a name, as in S3",
}
#: The sender's, or a request's header in a response.
NOT_OURS = ("content-type", "content-length", "x-amzn-requestid", "x-amz-request-id", "x-amz-target")


def reason(case_id: str, table: dict[str, str]) -> str | None:
    return next((why for part, why in table.items() if part in f"{case_id}-"), None)


@pytest.mark.parametrize(("suite", "case"), cases("input"))
def test_a_request_parses_to_its_params(suite, case):
    if why := reason(case["id"], CLIENTS_OWN):
        pytest.skip(why)
    protocol, request = suite["metadata"]["protocol"], request_of(suite, case)
    match = model_of(suite, case).match(request)
    assert match.operation.name == case["given"]["name"]
    assert match.protocol == protocol
    got = parse(match, request)
    shape = botocore_operation(suite, case).input_shape
    if shape is None:
        assert got == {}
        return
    expected = typed(shape, case.get("params", {}))
    assert same(told(shape, got), told(shape, expected)), (got, expected)


def request_of(suite, case) -> WireRequest:
    protocol, sent = suite["metadata"]["protocol"], case["serialized"]
    parts = urlsplit(sent["uri"])
    headers = {name.lower(): value for name, value in sent.get("headers", {}).items()}
    if protocol == "json":
        # Some cases are about the host alone and leave it out.
        headers.setdefault("x-amz-target", f"{suite['metadata']['targetPrefix']}.{case['given']['name']}")
    body = blob_body(sent.get("body", ""), protocol)
    return WireRequest(sent.get("method", "POST"), parts.path, parts.query, headers, body)


def told(shape, value: dict) -> dict:
    """What the wire can tell: neither a top-level collection that is empty nor a client's own token.

    A map of the whole query string also holds what other members take of it; the cases are of two minds there.
    """
    value = without_tokens(shape, value)
    in_query = {
        name: one for name, one in shape.members.items() if one.serialization.get("location") == "querystring"
    }
    taken = {one.serialization.get("name", name) for name, one in in_query.items() if one.type_name != "map"}
    for name, one in in_query.items():
        if one.type_name == "map" and name in value:
            value[name] = {key: item for key, item in value[name].items() if key not in taken}
    return {name: item for name, item in value.items() if item not in ([], {})}


@pytest.mark.parametrize(("suite", "case"), cases("output"))
def test_a_result_serializes_to_its_response(suite, case):
    protocol = suite["metadata"]["protocol"]
    model, operation = model_of(suite, case), botocore_operation(suite, case)
    match = Match(Dialect(model, protocol, model.api_version), model.operation(case["given"]["name"]))
    if "errorCode" in case:
        _check_error(suite, case, match)
        return
    shape = operation.output_shape
    result = typed(shape, case.get("result", {})) if shape else {}
    response = serialize(match, result, REQUEST_ID)
    assert response.status == case["response"]["status_code"]
    if not reason(case["id"], CLIENTS_OWN):
        _check_headers(case, response)
    if not reason(case["id"], BODY_OTHERWISE):
        assert meaning(response.body, protocol) == meaning(
            blob_body(case["response"].get("body", ""), protocol), protocol
        )
    if not reason(case["id"], PARSER_CANNOT):
        _check_parsed(shape, received(response, shape, protocol), result, protocol)


def _check_parsed(shape, got, result, protocol):
    if shape is None and protocol == "smithy-rpc-v2-cbor":
        return  # botocore looks at nothing then
    assert got.pop("ResponseMetadata")["RequestId"] == REQUEST_ID
    if shape is None:
        assert got == {}
        return
    for name, member in shape.members.items():
        if member.serialization.get("location") == "headers" and not member.serialization.get("name"):
            # A map of *all* headers also gets ours.
            got[name] = {key: value for key, value in got[name].items() if key in result.get(name, {})}
    got = typed(shape, got)
    assert same(present(got), present(result)), (got, result)


def present(value: dict) -> dict:
    return {name: item for name, item in value.items() if item not in (b"", {}, [], "")}


def _check_headers(case, response: WireResponse):
    ours = {name.lower(): value for name, value in response.headers}
    for name, value in case["response"].get("headers", {}).items():
        if name.lower() not in NOT_OURS:
            assert ours.get(name.lower(), "").replace(", ", ",") == value.replace(", ", ","), name


def _check_error(suite, case, match):
    protocol = suite["metadata"]["protocol"]
    members = case.get("error", {})
    message = case.get("errorMessage") or members.get("message") or members.get("Message") or "Hi"
    fields = {name: value for name, value in members.items() if name.lower() != "message"}
    error = ServiceError(message, code=case["errorCode"], fields=fields)
    response = serialize_error(match, error, REQUEST_ID)
    shape = match.model.errors[case["errorCode"]]
    if shape.error and shape.error.http_status_code:
        assert response.status == shape.error.http_status_code
    modelled = BotocoreModel({"metadata": suite["metadata"], "shapes": suite["shapes"]}).shape_for(shape.name)
    got = received(response, None, protocol)
    assert got["Error"]["Code"] == case["errorCode"]
    assert got["Error"]["Message"] == message
    assert got["ResponseMetadata"]["RequestId"] == REQUEST_ID
    seen = typed(modelled, received(response, modelled, protocol))
    assert same({name: seen[name] for name in fields if fields[name] is not None}, typed(modelled, fields))


def meaning(body: bytes, protocol: str):
    """A body in comparable form: order of members, white space, namespaces and request ids mean nothing."""
    if protocol == "smithy-rpc-v2-cbor":
        return _comparable(cbor2.loads(body)) if body else None
    if not body.strip():
        # For a structure without body members the cases have both.
        return {} if "json" in protocol else None
    if not body.lstrip().startswith((b"<", b"{", b"[")):
        return body
    if "json" in protocol:
        return json.loads(body)
    return _element(ET.fromstring(body))


def _comparable(value):
    """Sorted, and with a NaN that equals itself."""
    if isinstance(value, dict):
        return sorted((key, _comparable(item)) for key, item in value.items())
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return "NaN" if value != value else value


def _element(element):
    children = [_element(child) for child in element]
    children = [child for child in children if child[0] not in ("RequestId", "requestId", "ResponseMetadata")]
    text = "" if children else (element.text or "").strip()
    return element.tag.rpartition("}")[2], sorted(element.attrib.items()), text, sorted(children, key=repr)
