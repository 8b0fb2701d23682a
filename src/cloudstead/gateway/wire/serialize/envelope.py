"""What each protocol puts around an answer: root elements, request ids, the headers of a success."""

import platform
from base64 import b64encode
from collections.abc import Callable
from hashlib import blake2b

from cloudstead.core.streams import Outgoing
from cloudstead.gateway.wire.message import WireResponse
from cloudstead.gateway.wire.model import ServiceModel

Headers = list[tuple[str, str]]
#: Puts what is inside the envelope.
Content = Callable[[Callable[[str], None]], None]

_HOST = b64encode(blake2b(platform.node().encode(), digest_size=39).digest()).decode()
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def ec2(operation: str, namespace: str, request_id: str, content: Content) -> WireResponse:
    pieces = [f'{_DECLARATION}<{operation}Response xmlns="{namespace}"><requestId>{request_id}</requestId>']
    content(pieces.append)
    pieces.append(f"</{operation}Response>")
    headers = [("Content-Type", "text/xml;charset=UTF-8"), ("x-amzn-RequestId", request_id)]
    return WireResponse(200, headers, "".join(pieces).encode())


def query(operation: str, namespace: str, request_id: str, content: Content) -> WireResponse:
    pieces = [f'<{operation}Response xmlns="{namespace}">']
    content(pieces.append)
    pieces.append(
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    headers = [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)]
    return WireResponse(200, headers, "".join(pieces).encode())


def rpc(content_type: str, request_id: str, body: bytes) -> WireResponse:
    return WireResponse(200, [("Content-Type", content_type), ("x-amzn-RequestId", request_id)], body)


def cbor(request_id: str, body: bytes, status: int = 200) -> WireResponse:
    headers = [("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-RequestId", request_id)]
    if body:
        headers.insert(0, ("Content-Type", "application/cbor"))
    return WireResponse(status, headers, body)


def rest(
    model: ServiceModel,
    status: int,
    headers: Headers,
    request_id: str,
    *,
    body: bytes | Outgoing,
    content_type: str | None,
) -> WireResponse:
    if speaks_s3(model):
        own = [("x-amz-request-id", request_id), ("x-amz-id-2", host_id(request_id))]
    else:
        own = [("x-amzn-RequestId", request_id)]
    if content_type is not None and not any(len(name) == 12 and _is_type(name) for name, _ in headers):
        own.append(("Content-Type", content_type))
    return WireResponse(status, own + headers, body)


def _is_type(name: str) -> bool:
    return name.lower() == "content-type"


def host_id(request_id: str) -> str:
    """S3's second id of a request: 76 characters that mean nothing to anybody else; most of them name this host."""
    return _HOST + b64encode(request_id.encode().ljust(17)[:17]).decode()


def speaks_s3(model: ServiceModel) -> bool:
    """S3 and its control plane name the request's id as no other service does."""
    return model.name in ("s3", "s3control")
