"""REST answers: what of a result goes into the status and the headers, and what the body is."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cloudstead.core.streams import Outgoing
from cloudstead.gateway.wire import scalars
from cloudstead.gateway.wire.model import Operation, ServiceModel
from cloudstead.gateway.wire.schema import Member, Namespace, Shape
from cloudstead.gateway.wire.serialize.mismatch import ResultMismatch
from cloudstead.gateway.wire.serialize.roots import S3_ROOTS, UNWRAPPED
from cloudstead.gateway.wire.serialize.text import TextWriter, plain_text, text_writer, xml_text
from cloudstead.gateway.wire.serialize.tree import TreeWriters, json_bytes
from cloudstead.gateway.wire.serialize.xml import XmlWriters

Headers = list[tuple[str, str]]
#: Body and content type; no type for bytes that name their own.
Body = Callable[[Mapping[str, Any], str], tuple[bytes | Outgoing, str | None]]

#: Where members of an output may travel besides the body. Other locations mean nothing in an answer.
IN_HEAD = ("header", "headers", "statusCode")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_LINE_BREAKS = re.compile(r"[\r\n\0]+")


def header_writers(
    model: ServiceModel, shape: Shape
) -> Callable[[Mapping[str, Any]], tuple[int | None, Headers]]:
    """The status and the headers that a result sets."""
    members = model.members(shape)
    writers = {
        name: _header(model, member) for name, member in members.items() if member.location == "header"
    }
    maps = {
        name: member.location_name or "" for name, member in members.items() if member.location == "headers"
    }
    statuses = [name for name, member in members.items() if member.location == "statusCode"]

    def write(result: Mapping[str, Any]) -> tuple[int | None, Headers]:
        headers: Headers = []
        for name, value in result.items():
            if value is not None and (writer := writers.get(name)) is not None:
                headers.append((writer[0], one_line(writer[1](value))))
        for name, prefix in maps.items():
            headers += [
                (prefix + key, one_line(plain_text(value))) for key, value in (result.get(name) or {}).items()
            ]
        if not statuses:
            return None, headers
        return next((result[name] for name in statuses if result.get(name) is not None), None), headers

    return write


def one_line(text: str) -> str:
    """A value must not begin another header."""
    return text if text.isprintable() else _LINE_BREAKS.sub(" ", text)


def _header(model: ServiceModel, member: Member) -> tuple[str, TextWriter]:
    return member.wire_name, header_text(model, member)


def header_text(model: ServiceModel, member: Member) -> TextWriter:
    if member.jsonvalue:
        return lambda value: b64encode(msgspec.json.encode(value)).decode()
    if member.type == "list":
        assert member.shape.member is not None
        element = model.member("member", member.shape.member)
        write = header_text(model, element)
        quoted = element.type in ("string", "character")
        return lambda values: ", ".join(_quoted(write(value)) if quoted else write(value) for value in values)
    text = text_writer(member.type, plain_text, scalars.rfc822, member.timestamp_format)
    assert text is not None
    return text


def _quoted(text: str) -> str:
    if '"' in text or "," in text:
        return '"' + text.replace('"', '\\"') + '"'
    return text


def body_writer(operation: Operation, shape: Shape, writers: XmlWriters | TreeWriters) -> Body:
    model = operation.model
    payload = model.member(shape.payload, shape.members[shape.payload]) if shape.payload else None
    if payload is not None:
        return _payload(operation, payload, writers)
    if isinstance(writers, TreeWriters):
        tree = writers.of(shape)
        return lambda result, _: (json_bytes(tree(result)), "application/json")
    members = model.members(shape)
    if members and all(member.location in IN_HEAD for member in members.values()):
        content = writers.content(shape)

        def write_nothing(result: Mapping[str, Any], _: str) -> tuple[bytes, str | None]:
            content(result, _no_put)  # writes nothing, refuses what the shape does not have
            return b"", None

        return write_nothing
    if model.name == "s3" and not members:
        return lambda _result, _: (b"", None)
    return _xml_document(model, _root_name(operation, shape), shape, writers)


def _root_name(operation: Operation, shape: Shape) -> str:
    assert operation.output is not None
    in_s3 = S3_ROOTS.get(shape.name) if operation.model.name == "s3" else None
    return in_s3 or operation.output.root_name


def _payload(operation: Operation, payload: Member, writers: XmlWriters | TreeWriters) -> Body:
    name = payload.name
    check = _check_members(operation)
    if payload.type in ("blob", "string"):

        def write_bytes(result: Mapping[str, Any], _: str) -> tuple[bytes | Outgoing, str | None]:
            check(result)
            value = result.get(name)
            if value is None:
                return b"", None
            if isinstance(value, str):
                return value.encode(), None if payload.type == "blob" else "text/plain"
            if isinstance(value, bytes | bytearray | memoryview):
                return bytes(value), "application/octet-stream"
            if isinstance(value, Outgoing) and payload.streaming:
                return value, "application/octet-stream"
            raise ResultMismatch(f"{value!r} is neither bytes nor text").within(name)

        return write_bytes
    if isinstance(writers, TreeWriters):
        tree = writers.of(payload.shape)
        whole: Body = lambda value, _: (json_bytes(tree(value)), "application/json")  # noqa: E731 - one of two
    else:
        root = payload.root_name
        whole = _xml_document(operation.model, root, payload.shape, writers, payload)

    def write(result: Mapping[str, Any], version: str) -> tuple[bytes | Outgoing, str | None]:
        check(result)
        value = result.get(name)
        if value is None:
            return (b"{}", "application/json") if isinstance(writers, TreeWriters) else (b"", None)
        return whole(value, version)

    return write


def _check_members(operation: Operation) -> Callable[[Mapping[str, Any]], None]:
    assert operation.output is not None
    known, name = operation.output.shape.members.keys(), operation.output.shape.name

    def check(result: Mapping[str, Any]) -> None:
        for key in result:
            if key not in known:
                raise ResultMismatch(f"{name} has no member {key}")

    return check


def _xml_document(
    model: ServiceModel, root: str, shape: Shape, writers: XmlWriters, member: Member | None = None
) -> Body:
    content = writers.content(shape)
    attributes = writers.attributes(shape)
    content_type = "application/xml" if model.name == "s3" else "text/xml"
    own = _own_namespace(member) if member is not None else ""
    unwrapped = next(iter(shape.members)) if shape.name in UNWRAPPED else None

    def write(result: Mapping[str, Any], version: str) -> tuple[bytes, str | None]:
        pieces = [_DECLARATION, ""]
        if unwrapped is None:
            content(result, pieces.append)
        else:
            pieces.append(xml_text(result.get(unwrapped) or ""))
        namespace = model.namespace(version)
        opened = root + (f' xmlns="{namespace}"' if namespace else "") + own
        if attributes is not None:
            opened += attributes(result)
        if len(pieces) > 2:
            pieces[1] = f"<{opened}>"
            pieces.append(f"</{root}>")
        else:
            pieces[1] = f"<{opened}/>"
        return "".join(pieces).encode(), content_type

    return write


def _no_put(_: str) -> None:
    raise AssertionError("a member of the head was written into the body")


def _own_namespace(member: Member) -> str:
    given = member.xml_namespace
    if isinstance(given, Namespace) and given.prefix:
        return f' xmlns:{given.prefix}="{given.uri}"'
    return ""
