"""From an operation's result to the response, in the dialect of its request.

A result holds members under the names of the shapes; None means absent. A member that the shape does not have,
or a value of another type, raises ResultMismatch: an operation of ours is wrong, and nothing is sent instead. `_Status`
is no member: with it an operation says the status where the description knows one of several.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudstead.gateway.wire.message import WireResponse
from cloudstead.gateway.wire.model import Match, Operation
from cloudstead.gateway.wire.serialize import envelope
from cloudstead.gateway.wire.serialize.fragments import fragments
from cloudstead.gateway.wire.serialize.mismatch import ResultMismatch, refuse_missing, warn_missing
from cloudstead.gateway.wire.serialize.rest import body_writer, header_writers
from cloudstead.gateway.wire.serialize.tree import TreeWriters, cbor_bytes, json_bytes
from cloudstead.gateway.wire.serialize.xml import Put, XmlWriters

Write = Callable[[Mapping[str, Any], str, str], WireResponse]


def serialize(
    match: Match,
    result: Mapping[str, object] | None,
    request_id: str,
    *,
    status: int | None = None,
    strict: bool = False,
) -> WireResponse:
    """The response. With `strict` a missing required member is refused too, not just reported.

    `status` overrides the operation's own.
    """
    if result and "_Status" in result:
        status = int(str(result["_Status"]))
        result = {name: value for name, value in result.items() if name != "_Status"}
    response = _writer(match, strict=strict)(result or {}, match.api_version, request_id)
    if status is not None:
        response.status = status
    if match.operation.http.method == "HEAD":
        response.body = b""
    return response


def _writer(match: Match, *, strict: bool) -> Write:
    compiled = match.model.compiled
    key = ("serialize", match.protocol, match.operation.name, strict)
    found = compiled.get(key)
    if found is None:
        found = compiled[key] = _compile(match.operation, match.protocol, strict=strict)
    return found  # type: ignore[return-value]  # one dict holds several kinds, the key says which


def _compile(operation: Operation, protocol: str, *, strict: bool) -> Write:
    match protocol:
        case "ec2":
            return _ec2(operation, strict=strict)
        case "query":
            return _query(operation, strict=strict)
        case "json":
            return _json(operation, strict=strict)
        case "smithy-rpc-v2-cbor":
            return _cbor(operation, strict=strict)
    return _rest(operation, protocol, strict=strict)


def _xml_writers(operation: Operation, protocol: str, *, strict: bool) -> XmlWriters:
    compiled = operation.model.compiled
    key = ("xml writers", protocol, strict)
    if key not in compiled:
        on_missing = refuse_missing if strict else warn_missing
        compiled[key] = XmlWriters(operation.model, protocol, fragments, on_missing)
    found = compiled[key]
    assert isinstance(found, XmlWriters)
    return found


def _tree_writers(operation: Operation, encoding: str, *, strict: bool) -> TreeWriters:
    compiled = operation.model.compiled
    key = ("tree writers", encoding, strict)
    if key not in compiled:
        on_missing = refuse_missing if strict else warn_missing
        compiled[key] = TreeWriters(
            operation.model, "cbor" if encoding == "cbor" else "json", fragments, on_missing
        )
    found = compiled[key]
    assert isinstance(found, TreeWriters)
    return found


def _no_members(operation: Operation) -> Callable[[Mapping[str, Any]], None]:
    def refuse(result: Mapping[str, Any]) -> None:
        if result:
            raise ResultMismatch(f"{operation.name} answers nothing, but was given {', '.join(result)}")

    return refuse


def _ec2(operation: Operation, *, strict: bool) -> Write:
    name, model = operation.name, operation.model
    if operation.output is None:
        refuse = _no_members(operation)

        def write_true(result: Mapping[str, Any], version: str, request_id: str) -> WireResponse:
            refuse(result)
            return envelope.ec2(name, model.namespace(version), request_id, _return_true)

        return write_true
    content = _xml_writers(operation, "ec2", strict=strict).content(operation.output.shape)
    return lambda result, version, request_id: envelope.ec2(
        name, model.namespace(version), request_id, lambda put: content(result, put)
    )


def _return_true(put: Put) -> None:
    """What EC2 says where there is nothing to say."""
    put("<return>true</return>")


def _query(operation: Operation, *, strict: bool) -> Write:
    name, model = operation.name, operation.model
    if operation.output is None:
        refuse = _no_members(operation)

        def write_nothing(result: Mapping[str, Any], version: str, request_id: str) -> WireResponse:
            refuse(result)
            return envelope.query(name, model.namespace(version), request_id, lambda _put: None)

        return write_nothing
    content = _xml_writers(operation, "query", strict=strict).content(operation.output.shape)
    opened, closed = f"<{operation.result_wrapper}>", f"</{operation.result_wrapper}>"

    def write(result: Mapping[str, Any], version: str, request_id: str) -> WireResponse:
        def wrapped(put: Put) -> None:
            put(opened)
            content(result, put)
            put(closed)

        return envelope.query(name, model.namespace(version), request_id, wrapped)

    return write


def _json(operation: Operation, *, strict: bool) -> Write:
    content_type = f"application/x-amz-json-{operation.model.metadata.json_version}"
    if operation.output is None:
        refuse = _no_members(operation)

        def write_nothing(result: Mapping[str, Any], _: str, request_id: str) -> WireResponse:
            refuse(result)
            return envelope.rpc(content_type, request_id, b"")

        return write_nothing
    tree = _tree_writers(operation, "json", strict=strict).of(operation.output.shape)
    return lambda result, _, request_id: envelope.rpc(content_type, request_id, json_bytes(tree(result)))


def _cbor(operation: Operation, *, strict: bool) -> Write:
    if operation.output is None:
        refuse = _no_members(operation)

        def write_nothing(result: Mapping[str, Any], _: str, request_id: str) -> WireResponse:
            refuse(result)
            return envelope.cbor(request_id, b"")

        return write_nothing
    tree = _tree_writers(operation, "cbor", strict=strict).of(operation.output.shape)
    return lambda result, _, request_id: envelope.cbor(request_id, cbor_bytes(tree(result)))


def _rest(operation: Operation, protocol: str, *, strict: bool) -> Write:
    model, status = operation.model, operation.http.response_code
    if operation.output is None:
        refuse = _no_members(operation)

        def write_nothing(result: Mapping[str, Any], _: str, request_id: str) -> WireResponse:
            refuse(result)
            return envelope.rest(model, status, [], request_id, body=b"", content_type=None)

        return write_nothing
    shape = operation.output.shape
    write_headers = header_writers(model, shape)
    writers = (
        _xml_writers(operation, protocol, strict=strict)
        if protocol == "rest-xml"
        else _tree_writers(operation, "json", strict=strict)
    )
    write_body = body_writer(operation, shape, writers)
    partly = "ContentRange" in shape.members

    def write(result: Mapping[str, Any], version: str, request_id: str) -> WireResponse:
        own_status, headers = write_headers(result)
        body, content_type = write_body(result, version)
        told = own_status or (206 if partly and result.get("ContentRange") else status)
        return envelope.rest(model, told, headers, request_id, body=body, content_type=content_type)

    return write
