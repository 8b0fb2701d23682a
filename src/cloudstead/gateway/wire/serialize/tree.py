"""Answers as a tree of plain values, for JSON and CBOR to encode.

A result mostly is that tree already; what changes is the names, the timestamps and the blobs.
"""

import itertools
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from cloudstead.core.cached import Cached
from cloudstead.gateway.wire import scalars
from cloudstead.gateway.wire.model import ServiceModel
from cloudstead.gateway.wire.schema import Member, Shape
from cloudstead.gateway.wire.serialize.fragments import Fragments
from cloudstead.gateway.wire.serialize.mismatch import OnMissing, ResultMismatch

Writer = Callable[[Any], Any]

#: Members that travel in the head of a response.
_IN_HEAD = ("header", "headers", "statusCode")
_tokens = itertools.count()


def _string(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise ResultMismatch(f"{value!r} is not a string")


def _integer(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ResultMismatch(f"{value!r} is not an integer")


def _number(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ResultMismatch(f"{value!r} is not a number")


def _json_number(value: Any) -> Any:
    number = _number(value)
    # JSON has no such numbers; AWS writes their names.
    return scalars.float_text(number) if number - number != 0 else number


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    raise ResultMismatch(f"{value!r} is not a boolean")


def _blob(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise ResultMismatch(f"{value!r} is not bytes")


def _json_blob(value: Any) -> Any:
    return b64encode(_blob(value)).decode()


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise ResultMismatch(f"{value!r} is not a time with a zone")


def _cbor_timestamp(value: Any) -> Any:
    moment = _moment(value).astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


_JSON_TIMESTAMPS: dict[str, Callable[[datetime], object]] = {
    "iso8601": scalars.iso8601,
    "rfc822": scalars.rfc822,
    "unixtimestamp": scalars.epoch,
}


class TreeWriters:
    def __init__(
        self,
        model: ServiceModel,
        encoding: Literal["json", "cbor"],
        fragments: Fragments,
        on_missing: OnMissing,
    ) -> None:
        self._model = model
        self._encoding = encoding
        self._fragments = fragments
        self._on_missing = on_missing
        self._compiled: dict[str, Writer] = {}
        json = encoding == "json"
        self._scalars: dict[str, Writer] = {
            "string": _string,
            "character": _string,
            "integer": _integer,
            "long": _integer,
            "biginteger": _integer,
            "float": _json_number if json else _number,
            "double": _json_number if json else _number,
            "bigdecimal": _json_number if json else _number,
            "boolean": _boolean,
            "blob": _json_blob if json else _blob,
        }

    def member(self, member: Member) -> Writer:
        if member.type == "timestamp":
            return self._timestamp(member)
        scalar = self._scalars.get(member.type)
        return self.of(member.shape) if scalar is None else scalar

    def of(self, shape: Shape) -> Writer:
        """The writer of a structure, list or map."""
        found = self._compiled.get(shape.name)
        if found is None:
            found = self._compiled[shape.name] = self._compile(shape)
        return found

    def _compile(self, shape: Shape) -> Writer:
        match shape.type:
            case "structure":
                return (lambda value: value) if shape.document else self._structure(shape)
            case "list":
                return self._list(shape)
            case _:
                return self._map(shape)

    def _timestamp(self, member: Member) -> Writer:
        if self._encoding == "cbor":
            return _cbor_timestamp
        write = _JSON_TIMESTAMPS[(member.timestamp_format or "unixTimestamp").lower()]
        return lambda value: write(_moment(value))

    def _structure(self, shape: Shape) -> Writer:
        members: dict[str, tuple[str, Writer] | None] = {}
        required, on_missing, name = (
            frozenset(shape.required).intersection(shape.members),
            self._on_missing,
            shape.name,
        )

        def write(value: Any) -> dict[str, Any]:
            if not members:
                members.update(self._members(shape))
            if not isinstance(value, Mapping):
                raise ResultMismatch(f"{value!r} is not a structure {name}")
            out = {}
            for key, item in value.items():
                if item is None:
                    continue
                if key not in members:
                    raise ResultMismatch(f"{name} has no member {key}")
                known = members[key]
                if known is None:
                    continue
                try:
                    out[known[0]] = known[1](item)
                except ResultMismatch as e:
                    raise e.within(key) from None
            if required and not required <= value.keys():
                on_missing(name, required.difference(value))
            return out

        return write

    def _members(self, shape: Shape) -> dict[str, tuple[str, Writer] | None]:
        return {
            name: None if member.location in _IN_HEAD else (member.wire_name, self.member(member))
            for name, member in self._model.members(shape).items()
        }

    def _list(self, shape: Shape) -> Writer:
        assert shape.member is not None
        element: Writer | None = None
        member = self._model.member("member", shape.member)
        token = next(_tokens)

        def write(values: Any) -> list[Any]:
            nonlocal element
            if not isinstance(values, list | tuple):
                raise ResultMismatch(f"{values!r} is not a list")
            if element is None:
                element = self.member(member)
            return [
                self._cached(token, value, element)
                if type(value) is Cached
                else None
                if value is None
                else element(value)
                for value in values
            ]

        return write

    def _cached(self, token: int, value: Cached, element: Writer) -> Any:
        if self._encoding == "cbor":
            return element(value.evaluate())
        # A token of this module's counter may equal one of XML's: the sign keeps them apart.
        return msgspec.Raw(
            self._fragments.encoded(-1 - token, value, lambda item: msgspec.json.encode(element(item)))
        )

    def _map(self, shape: Shape) -> Writer:
        assert shape.value is not None
        element: Writer | None = None
        member = self._model.member("value", shape.value)

        def write(values: Any) -> dict[str, Any]:
            nonlocal element
            if not isinstance(values, Mapping):
                raise ResultMismatch(f"{values!r} is not a map")
            if element is None:
                element = self.member(member)
            return {_string(key): None if item is None else element(item) for key, item in values.items()}

        return write


def json_bytes(tree: Any) -> bytes:
    return msgspec.json.encode(tree)


def cbor_bytes(tree: Any) -> bytes:
    # Only CloudWatch and Route 53 Domains speak it.
    import cbor2  # noqa: PLC0415

    return cbor2.dumps(tree, datetime_as_timestamp=True, timezone=UTC)
