"""XML answers as strings: one closure for each shape, compiled when its first value comes.

A writer *puts* pieces of text, which are joined once at the end: a list of 1000 instances is some megabytes, and
each copy of that costs as much as all the rest when the pieces were remembered.

Members are written in the order of the result. None means absent; a member the shape does not have is refused.
"""

import copy
import functools
import itertools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cloudstead.core.cached import Cached
from cloudstead.core.columns import Columns
from cloudstead.gateway.wire import scalars
from cloudstead.gateway.wire.model import ServiceModel
from cloudstead.gateway.wire.schema import Member, Namespace, Ref, Shape
from cloudstead.gateway.wire.serialize.columns import ColumnsWriter
from cloudstead.gateway.wire.serialize.fragments import Fragments
from cloudstead.gateway.wire.serialize.mismatch import OnMissing, ResultMismatch
from cloudstead.gateway.wire.serialize.text import text_writer, timestamp_text, xml_attribute, xml_text

Put = Callable[[str], None]
Writer = Callable[[Any, Put], None]

#: These write `.000Z` even where there are no milliseconds, and old clients count on it.
_ALWAYS_MILLISECONDS = frozenset(
    {"ec2", "s3", "s3control", "autoscaling", "elb", "elbv2", "rds", "cloudfront"}
)
#: Members that travel in the head of a response.
_IN_HEAD = ("header", "headers", "statusCode")
_tokens = itertools.count()


class XmlWriters:
    def __init__(
        self, model: ServiceModel, protocol: str, fragments: Fragments, on_missing: OnMissing
    ) -> None:
        self._model = model
        self._default_element = "item" if protocol == "ec2" else "member"
        self._fragments = fragments
        self._on_missing = on_missing
        self._contents: dict[str, Writer] = {}
        self._timestamp: Callable[[datetime], str] = (
            scalars.iso8601_milliseconds if model.name in _ALWAYS_MILLISECONDS else scalars.iso8601
        )

    def content(self, shape: Shape) -> Writer:
        """The writer of what is between a structure's tags."""
        found = self._contents.get(shape.name)
        if found is None:
            found = self._contents[shape.name] = self._structure(shape)
        return found

    def member(self, member: Member) -> Writer:
        """The writer of a member, its tags included."""
        name = member.wire_name
        match member.type:
            case "structure":
                return self._element(name, member)
            case "list":
                return self._list(name, member)
            case "map":
                return self._map(name, member)
        return self._scalar(name, member)

    def _structure(self, shape: Shape) -> Writer:
        members: dict[str, Writer] = {}
        required, on_missing, name = frozenset(shape.required), self._on_missing, shape.name

        def write(value: Any, put: Put) -> None:
            if type(value) is not dict and not isinstance(value, Mapping):
                raise ResultMismatch(f"{value!r} is not a structure {name}")
            if not members:
                members.update(self._members(shape))
            for key, item in value.items():
                if item is None:
                    continue
                if key not in members:
                    raise ResultMismatch(f"{name} has no member {key}")
                try:
                    members[key](item, put)
                except ResultMismatch as e:
                    raise e.within(key) from None
            if required and not required <= value.keys():
                on_missing(name, required.difference(value))

        return write

    def _members(self, shape: Shape) -> dict[str, Writer]:
        return {
            name: (_nothing if member.location in _IN_HEAD or member.xml_attribute else self.member(member))
            for name, member in self._model.members(shape).items()
        }

    def _scalar(self, name: str, member: Member) -> Writer:
        text = text_writer(member.type, xml_text, self._timestamp, member.timestamp_format)
        assert text is not None
        opened, closed = f"<{name}{self._xmlns(member)}>", f"</{name}>"

        def write(value: Any, put: Put) -> None:
            put(f"{opened}{text(value)}{closed}")

        return write

    def _element(self, name: str, member: Member) -> Writer:
        content = self.content(member.shape)
        opened, closed = f"<{name}{self._xmlns(member)}", f"</{name}>"
        attributes = self.attributes(member.shape)
        plain = f"{opened}>"

        def write(value: Any, put: Put) -> None:
            put(plain if attributes is None else f"{opened}{attributes(value)}>")
            content(value, put)
            put(closed)

        return write

    def attributes(self, shape: Shape) -> Callable[[Mapping[str, Any]], str] | None:
        """The attributes within a structure's opening tag, if it has any."""
        members = self._model.members(shape)
        names = {name: member.wire_name for name, member in members.items() if member.xml_attribute}
        if not names:
            return None
        return lambda value: "".join(
            f' {names[key]}="{xml_attribute(item)}"'
            for key, item in value.items()
            if key in names and item is not None
        )

    def _list(self, name: str, member: Member) -> Writer:
        ref = member.shape.member
        assert ref is not None
        element_name = ref.location_name or (name if member.flattened else self._default_element)
        element = self.member(self._model.member(element_name, _renamed(ref, element_name)))
        elements = self._elements(element, self._columns(element_name, ref))
        if member.flattened:
            return elements
        opened, closed = f"<{name}{self._xmlns(member)}>", f"</{name}>"
        empty = f"<{name}{self._xmlns(member)}/>"

        def write(values: Any, put: Put) -> None:
            if not values:
                elements(values, put)
                put(empty)
                return
            put(opened)
            elements(values, put)
            put(closed)

        return write

    def _columns(self, name: str, ref: Ref) -> Callable[[], ColumnsWriter]:
        """The writer of this list where it is told by columns; few ever are."""

        def make() -> ColumnsWriter:
            member = self._model.member(name, ref)
            some = copy.copy(member.shape)
            some.required = []
            content = self._structure(some)
            tags = f"<{name}{self._xmlns(member)}>", f"</{name}>"
            return ColumnsWriter(
                tags,
                self._model.members(member.shape),
                lambda rest: written(content, rest),
                lambda moment: timestamp_text(self._timestamp, moment.timestamp_format),
            )

        return functools.cache(make)

    def _elements(self, element: Writer, columns: Callable[[], ColumnsWriter]) -> Writer:
        token, fragments = next(_tokens), self._fragments

        def text(value: object) -> str:
            return written(element, value)

        def write(values: Any, put: Put) -> None:
            if type(values) is Columns:
                put(columns().text(values))
                return
            if not isinstance(values, list | tuple):
                raise ResultMismatch(f"{values!r} is not a list")
            for value in values:
                if type(value) is Cached:
                    put(fragments.text(token, value, text))
                else:
                    element(value, put)

        return write

    def _map(self, name: str, member: Member) -> Writer:
        shape = member.shape
        assert shape.key is not None
        assert shape.value is not None
        key_name, value_name = shape.key.location_name or "key", shape.value.location_name or "value"
        value_member = self._model.member(value_name, _renamed(shape.value, value_name))
        entry = name if member.flattened else "entry"
        write_value: Writer | None = None

        def write_entries(values: Any, put: Put) -> None:
            nonlocal write_value
            if not isinstance(values, Mapping):
                raise ResultMismatch(f"{values!r} is not a map")
            if write_value is None:
                write_value = self.member(value_member)
            for key, value in values.items():
                put(f"<{entry}><{key_name}>{xml_text(key)}</{key_name}>")
                write_value(value, put)
                put(f"</{entry}>")

        def write(values: Any, put: Put) -> None:
            put(f"<{name}>")
            write_entries(values, put)
            put(f"</{name}>")

        return write_entries if member.flattened else write

    def _xmlns(self, member: Member) -> str:
        """A namespace of the member's own, where it is not simply the service's."""
        given = member.xml_namespace
        if isinstance(given, Namespace) and given.prefix:
            return f' xmlns:{given.prefix}="{given.uri}"'
        uri = given.uri if isinstance(given, Namespace) else given
        return f' xmlns="{uri}"' if uri and uri != self._model.namespace(self._model.api_version) else ""


def written(writer: Writer, value: object) -> str:
    """What a writer puts, as one text."""
    pieces: list[str] = []
    writer(value, pieces.append)
    return "".join(pieces)


def _nothing(_: object, _put: Put) -> None:
    """Of a member that travels elsewhere: in a header, in the tag."""


def _renamed(ref: Ref, name: str) -> Ref:
    """The reference under another element name."""
    if ref.location_name == name:
        return ref
    other = copy.copy(ref)
    other.location_name = name
    return other
