"""The parts of a REST request outside its body: path labels, query string, headers.

`outside(model, shape)` compiles them once for an input shape; the body is read by the protocol's own readers.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import msgspec

from cloudstead.gateway.wire import scalars
from cloudstead.gateway.wire.bad import BadValue
from cloudstead.gateway.wire.message import WireRequest
from cloudstead.gateway.wire.model import Match, ServiceModel
from cloudstead.gateway.wire.parse.text import SCALARS, TextReader
from cloudstead.gateway.wire.schema import Member, Shape

Outside = Callable[[Match, WireRequest, dict[str, Any]], None]


def outside(model: ServiceModel, shape: Shape) -> Outside:
    members = model.members(shape)
    takers = [
        (name, member.wire_name, take)
        for name, member in members.items()
        if member.location != "header" and (take := _taker(model, member)) is not None
    ]
    # By header: an operation may have fifty, a request has few of them.
    of_headers = {
        member.wire_name.lower(): (name, member.wire_name, _header_reader(model, member))
        for name, member in members.items()
        if member.location == "header"
    }

    def read(match: Match, request: WireRequest, into: dict[str, Any]) -> None:
        for name, wire_name, take in takers:
            try:
                value = take(match, request)
            except BadValue as e:
                raise BadValue(e.reason, e.value, kind="argument").within(wire_name) from e
            if value is not None:
                into[name] = value
        for header, text in request.headers.items():
            found = of_headers.get(header)
            if found is not None:
                name, wire_name, read_text = found
                try:
                    into[name] = read_text(text)
                except BadValue as e:
                    raise BadValue(e.reason, e.value, kind="argument").within(wire_name) from e

    return read


Taker = Callable[[Match, WireRequest], Any]


def _taker(model: ServiceModel, member: Member) -> Taker | None:
    match member.location:
        case "uri":
            return _from_uri(member)
        case "querystring":
            return _from_query(model, member)
        case "headers":
            return _from_headers(member)
    return None


def _from_uri(member: Member) -> Taker:
    read, label = SCALARS[member.type], member.wire_name

    def take(match: Match, _: WireRequest) -> Any:
        text = match.uri.get(label)
        return None if text is None else read(text)

    return take


def _from_query(model: ServiceModel, member: Member) -> Taker:
    key, shape = member.wire_name, member.shape
    if shape.type == "map":
        return _query_map(model, shape)
    if shape.type == "list":
        assert shape.member is not None
        read_one = SCALARS[model.shapes[shape.member.shape].type]

        def take_list(match: Match, _: WireRequest) -> Any:
            texts = match.query.get(key)
            return None if texts is None else [read_one(text) for text in texts]

        return take_list
    read = SCALARS[shape.type]

    def take(match: Match, _: WireRequest) -> Any:
        texts = match.query.get(key)
        return None if texts is None else read(texts[0])

    return take


def _query_map(model: ServiceModel, shape: Shape) -> Taker:
    """The whole query string; also what other members take of it."""
    assert shape.value is not None
    many = model.shapes[shape.value.shape].type == "list"

    def take(match: Match, _: WireRequest) -> Any:
        found = match.query if many else {name: texts[0] for name, texts in match.query.items()}
        return dict(found) or None

    return take


def _header_reader(model: ServiceModel, member: Member) -> TextReader:
    if member.jsonvalue:
        return _json_value
    if member.type == "boolean":
        return lambda text: SCALARS["boolean"](text.lower())  # older clients write them as Python does
    if member.type != "list":
        return SCALARS[member.type]
    assert member.shape.member is not None
    element = model.member("member", member.shape.member)
    read = SCALARS[element.type]
    split = scalars.header_list
    if element.type == "timestamp" and element.timestamp_format in (None, "rfc822"):
        split = scalars.http_date_list
    return lambda text: [read(part) for part in split(text)]


def _json_value(text: str) -> Any:
    try:
        return msgspec.json.decode(b64decode(text, validate=True))
    except (binascii.Error, msgspec.DecodeError) as e:
        raise BadValue("not base64-encoded JSON", text) from e


def _from_headers(member: Member) -> Taker:
    prefix = (member.location_name or "").lower()

    def take(_: Match, request: WireRequest) -> Any:
        found = {
            name[len(prefix) :]: value for name, value in request.headers.items() if name.startswith(prefix)
        }
        return found or None

    return take
