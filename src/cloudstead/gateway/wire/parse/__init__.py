"""From a matched request to the operation's parameters, under the names botocore's users write.

What comes out has the types of the shapes (bytes, aware datetimes, ints) and has been validated. Unions hold
one member, unknown members are gone, nothing is None.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from cloudstead.core.errors import NotBuilt
from cloudstead.gateway.wire.bad import BadValue, Malformed
from cloudstead.gateway.wire.message import WireRequest
from cloudstead.gateway.wire.model import Match, Operation
from cloudstead.gateway.wire.parse.form import FormReaders
from cloudstead.gateway.wire.parse.rest import outside
from cloudstead.gateway.wire.parse.tree import TreeReaders
from cloudstead.gateway.wire.policy import policy_of
from cloudstead.gateway.wire.schema import Member, Shape
from cloudstead.gateway.wire.validate import validate

Read = Callable[[Match, WireRequest], dict[str, Any]]


def parse(match: Match, request: WireRequest) -> dict[str, Any]:
    """The operation's parameters. Raises ServiceError, coded and worded as this service would."""
    found = read(match, request)
    operation = match.operation
    if operation.input is None:
        return found
    broken = validate(match.model, operation.input.shape, found, ec2=match.protocol == "ec2")
    if broken:
        error = policy_of(match.model, match.protocol).broken(broken)
        if error is not None:
            raise error
    return found


def read(match: Match, request: WireRequest) -> dict[str, Any]:
    """The parameters with their types, constraints not looked at yet."""
    operation = match.operation
    if operation.event_stream:
        raise NotBuilt(f"{operation.model.name} {operation.name}: event streams are not built")
    if operation.input is None:
        return {}
    try:
        return _reader(match)(match, request)
    except BadValue as e:
        raise policy_of(match.model, match.protocol).bad_value(e) from e
    except Malformed as e:
        raise policy_of(match.model, match.protocol).malformed(str(e)) from e


def _reader(match: Match) -> Read:
    compiled = match.model.compiled
    key = ("parse", match.protocol, match.operation.name)
    found = compiled.get(key)
    if found is None:
        found = compiled[key] = _compile(match.operation, match.protocol)
    return found  # type: ignore[return-value]  # one dict holds several kinds, the key says which


def _compile(operation: Operation, protocol: str) -> Read:
    assert operation.input is not None
    shape = operation.input.shape
    match protocol:
        case "ec2" | "query":
            read_form = _forms(operation, ec2=protocol == "ec2").body(shape)
            return lambda match, _: read_form(match.form)
        case "json":
            read_tree = _trees(operation).body(shape)
            return lambda match, _: read_tree(_json(match.body) or {})
        case "smithy-rpc-v2-cbor":
            read_cbor = _trees(operation).body(shape)
            return lambda match, _: read_cbor(_cbor(match.body))
    return _compile_rest(operation, shape, protocol)


def _compile_rest(operation: Operation, shape: Shape, protocol: str) -> Read:
    read_outside = outside(operation.model, shape)
    read_body = _rest_body(operation, shape, protocol)

    def read(match: Match, request: WireRequest) -> dict[str, Any]:
        found: dict[str, Any] = {}
        read_outside(match, request, found)
        read_body(match.body, found)
        return found

    return read


def _rest_body(operation: Operation, shape: Shape, protocol: str) -> Callable[[bytes, dict[str, Any]], None]:
    model = operation.model
    if shape.payload is not None:
        return _payload(operation, model.member(shape.payload, shape.members[shape.payload]), protocol)
    if all(member.location for member in model.members(shape).values()):
        return lambda _body, _into: None
    read = _document_reader(operation, shape, protocol)

    def take(body: bytes, into: dict[str, Any]) -> None:
        if body:
            into.update(read(body))

    return take


def _payload(operation: Operation, member: Member, protocol: str) -> Callable[[bytes, dict[str, Any]], None]:
    name = member.name
    if member.type == "blob":

        def take_bytes(body: bytes, into: dict[str, Any]) -> None:
            if body or member.streaming:
                into[name] = body

        return take_bytes
    if member.type == "string":

        def take_text(body: bytes, into: dict[str, Any]) -> None:
            if body:
                into[name] = _text(body)

        return take_text
    read = _document_reader(operation, member.shape, protocol)

    def take(body: bytes, into: dict[str, Any]) -> None:
        if body:
            try:
                into[name] = read(body)
            except BadValue as e:
                raise e.within(name) from None

    return take


def _document_reader(operation: Operation, shape: Shape, protocol: str) -> Callable[[bytes], Any]:
    if protocol == "rest-json":
        read_tree = (
            _trees(operation).of(shape) if shape.type != "structure" else _trees(operation).body(shape)
        )
        if shape.document:
            return _json
        return lambda body: read_tree(_json(body))
    # ElementTree is imported by whoever speaks XML.
    from cloudstead.gateway.wire.parse.xml import XmlReaders, document  # noqa: PLC0415

    readers = operation.model.compiled.setdefault("xml readers", XmlReaders(operation.model))
    assert isinstance(readers, XmlReaders)
    read_xml = readers.body(shape)
    return lambda body: read_xml([document(body)])


def _forms(operation: Operation, *, ec2: bool) -> FormReaders:
    readers = operation.model.compiled.setdefault(("forms", ec2), FormReaders(operation.model, ec2=ec2))
    assert isinstance(readers, FormReaders)
    return readers


def _trees(operation: Operation) -> TreeReaders:
    readers = operation.model.compiled.setdefault("trees", TreeReaders(operation.model))
    assert isinstance(readers, TreeReaders)
    return readers


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as e:
        raise Malformed("The body is not UTF-8 text") from e


def _json(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise Malformed(f"The JSON cannot be parsed: {e}") from e


def _cbor(body: bytes) -> Any:
    if not body:
        return {}
    # Only CloudWatch and Route 53 Domains speak it.
    import cbor2  # noqa: PLC0415

    try:
        return cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError, RecursionError) as e:
        raise Malformed(f"The CBOR cannot be parsed: {e}") from e
