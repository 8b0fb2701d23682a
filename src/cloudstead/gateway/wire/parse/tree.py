"""Values that arrive as a tree: JSON, and CBOR, which differs in its blobs and timestamps alone.

Unknown members and nulls are passed over, as AWS does. Each structure's members are compiled when the first
value of it arrives.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cloudstead.gateway.wire import scalars
from cloudstead.gateway.wire.bad import BadValue
from cloudstead.gateway.wire.model import ServiceModel
from cloudstead.gateway.wire.schema import Member, Shape

Reader = Callable[[Any], Any]

_KINDS: dict[type, str] = {
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "NUMBER_VALUE",
    bool: "TRUE_VALUE",
    bytes: "BLOB_VALUE",
}


def _refusal(value: object, wanted: str) -> BadValue:
    if isinstance(value, dict):
        return BadValue("Start of structure or map found where not expected.", value)
    if isinstance(value, list):
        return BadValue("Start of list found where not expected.", value)
    kind = "FALSE_VALUE" if value is False else _KINDS.get(type(value), "UNKNOWN_VALUE")
    return BadValue(f"{kind} can not be converted to {wanted}", value)


def read_string(value: object) -> str:
    if type(value) is str:
        return value
    raise _refusal(value, "a String")


def read_integer(value: object) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise _refusal(value, "an Integer")


def read_float(value: object) -> float:
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value)
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    raise _refusal(value, "a Double")


def read_boolean(value: object) -> bool:
    if type(value) is bool:
        return value
    raise _refusal(value, "a Boolean")


def read_timestamp(value: object) -> datetime:
    try:
        if type(value) in (int, float):
            return scalars.read_epoch(value)  # type: ignore[arg-type]  # a number, as just seen
        if type(value) is str:
            return scalars.read_timestamp(value)
        if isinstance(value, datetime):
            return value.astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise _refusal(value, "a Timestamp") from e
    raise _refusal(value, "a Timestamp")


def read_blob(value: object) -> bytes:
    if type(value) is bytes:
        return value
    if type(value) is str:
        try:
            return b64decode(value, validate=True)
        except binascii.Error as e:
            raise BadValue("Invalid base64 data", value) from e
    raise _refusal(value, "a Blob")


_SCALARS: dict[str, Reader] = {
    "string": read_string,
    "character": read_string,
    "integer": read_integer,
    "long": read_integer,
    "biginteger": read_integer,
    "float": read_float,
    "double": read_float,
    "bigdecimal": read_float,
    "boolean": read_boolean,
    "timestamp": read_timestamp,
    "blob": read_blob,
}


class TreeReaders:
    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._compiled: dict[str, Reader] = {}

    def of(self, shape: Shape) -> Reader:
        """The reader of a shape, compiled once."""
        scalar = _SCALARS.get(shape.type)
        if scalar is not None:
            return scalar
        found = self._compiled.get(shape.name)
        if found is None:
            found = self._compiled[shape.name] = self._compile(shape)
        return found

    def body(self, shape: Shape) -> Reader:
        """The reader of a whole body: members that travel elsewhere are none of it."""
        return self._structure(shape, top=True)

    def _compile(self, shape: Shape) -> Reader:
        match shape.type:
            case "structure":
                return (lambda value: value) if shape.document else self._structure(shape)
            case "list":
                return self._list(shape)
            case _:
                return self._map(shape)

    def _member(self, member: Member) -> Reader:
        return self.of(member.shape)

    def _structure(self, shape: Shape, *, top: bool = False) -> Reader:
        members: dict[str, tuple[str, Reader]] = {}

        def read(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise _refusal(value, "a structure")
            if not members:
                members.update(self._members(shape, top=top))
            read_members = {}
            for key, item in value.items():
                if item is None or key not in members:
                    continue
                name, reader = members[key]
                try:
                    read_members[name] = reader(item)
                except BadValue as e:
                    raise e.within(name) from None
            return read_members

        return self._union(shape, read) if shape.union else read

    def _members(self, shape: Shape, *, top: bool) -> dict[str, tuple[str, Reader]]:
        return {
            member.wire_name: (name, self._member(member))
            for name, member in self._model.members(shape).items()
            if not (top and member.location)
        }

    def _union(self, shape: Shape, read: Reader) -> Reader:
        def read_union(value: Any) -> dict[str, Any]:
            chosen: dict[str, Any] = read(value)
            if len(chosen) != 1:
                raise BadValue(f"Union {shape.name} must have exactly one member set", value)
            return chosen

        return read_union

    def _list(self, shape: Shape) -> Reader:
        assert shape.member is not None
        reader: Reader | None = None
        member = self._model.shapes[shape.member.shape]

        def read(value: Any) -> list[Any]:
            nonlocal reader
            if type(value) is not list:
                raise _refusal(value, "a list")
            if reader is None:
                reader = self.of(member)
            return [None if item is None else reader(item) for item in value]

        return read

    def _map(self, shape: Shape) -> Reader:
        assert shape.key is not None
        assert shape.value is not None
        reader: Reader | None = None
        item_shape = self._model.shapes[shape.value.shape]

        def read(value: Any) -> dict[str, Any]:
            nonlocal reader
            if type(value) is not dict:
                raise _refusal(value, "a map")
            if reader is None:
                reader = self.of(item_shape)
            return {key: None if item is None else reader(item) for key, item in value.items()}

        return read
