"""botocore as the oracle of the wire: its client-side serializer and parser, and values in comparable form.

The data of the protocol cases writes timestamps as epoch seconds and blobs as text; `typed` turns such a value
into what our parser gives and our serializer takes.
"""

import base64
import datetime as dt
import math
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest, prepare_request_dict
from botocore.model import Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from cloudstead.gateway.wire import WireRequest, WireResponse

REQUEST_ID = "5f3c1b2a-8f5e-4a57-9b1e-3d9f0c7e6a11"
_IDEMPOTENCY_TOKEN = "00000000-0000-4000-8000-000000000000"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def sent(operation, params, protocol: str) -> WireRequest:
    """The request that a client sends."""
    serializer = create_serializer(protocol, include_validation=False)
    made = serializer.serialize_to_request(params, operation)
    prepare_request_dict(made, "http://localhost")
    request = AWSRequest(
        method=made["method"], url=made["url"], data=made["body"], headers=made["headers"]
    ).prepare()
    parts = urlsplit(request.url)
    body = request.body or b""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes | bytearray):
        body = body.read()
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    return WireRequest(request.method, parts.path, parts.query, headers, bytes(body))


def received(response: WireResponse, shape, protocol: str) -> dict:
    """What a client makes of a response: botocore's parser, headers as its own HTTP layer gives them."""
    from botocore.awsrequest import HeadersDict

    headers = HeadersDict()
    for name, value in response.headers:
        headers[name] = value
    return create_parser(protocol).parse(
        {"status_code": response.status, "headers": headers, "body": response.body, "context": {}}, shape
    )


def typed(shape: Shape, value):
    """A value of the case files, with the types of its shape."""
    if value is None:
        return None
    match shape.type_name:
        case "structure":
            if shape.is_document_type:
                return value
            return {
                name: typed(shape.members[name], item) for name, item in value.items() if item is not None
            }
        case "list":
            return [typed(shape.member, item) for item in value]
        case "map":
            return {key: typed(shape.value, item) for key, item in value.items()}
        case "timestamp":
            return value if isinstance(value, dt.datetime) else _EPOCH + dt.timedelta(seconds=value)
        case "blob":
            return value.encode() if isinstance(value, str) else value
        case "float" | "double":
            return float(value)
    return value


def same(left, right) -> bool:
    """Equal, NaN included, and times to the millisecond."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(item, right[key]) for key, item in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or math.isclose(left, right, rel_tol=1e-6)
    if isinstance(left, dt.datetime) and isinstance(right, dt.datetime):
        return abs((left - right).total_seconds()) < 0.001
    return left == right and type(left) is type(right)


def without_tokens(shape: Shape, value: dict) -> dict:
    """Without the idempotency tokens that a client fills in by itself."""
    return {
        name: item for name, item in value.items() if item != _IDEMPOTENCY_TOKEN or name not in shape.members
    }


def blob_body(case_body: str, protocol: str) -> bytes:
    return base64.b64decode(case_body) if protocol == "smithy-rpc-v2-cbor" else case_body.encode()
