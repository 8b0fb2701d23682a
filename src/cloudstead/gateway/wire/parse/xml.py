"""XML bodies of the rest-xml protocol. Namespaces are not looked at; unknown elements are passed over."""

from collections.abc import Callable, Iterable
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from cloudstead.gateway.wire.bad import BadValue, Malformed
from cloudstead.gateway.wire.model import ServiceModel
from cloudstead.gateway.wire.parse.text import SCALARS
from cloudstead.gateway.wire.schema import Member, Shape

Reader = Callable[[list[Element]], Any]


def document(body: bytes) -> Element:
    """The root element. Raises Malformed; a document type is refused, for nobody honest sends one."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Malformed("A document type declaration is not allowed")
    parser = XMLParser(target=TreeBuilder())  # noqa: S314 - expat, with document types refused above
    try:
        parser.feed(body)
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError) as e:
        raise Malformed(f"The XML cannot be parsed: {e}") from e
    return root


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


class XmlReaders:
    """Every reader takes *all* elements of one name, since a flat list is several of them."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._compiled: dict[tuple[str, bool], Reader] = {}

    def of(self, member: Member) -> Reader:
        scalar = SCALARS.get(member.type)
        if scalar is not None:
            return _leaf(scalar, textual=member.type in ("string", "character"))
        key = (member.shape.name, member.flattened)
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._compile(member)
        return found

    def _compile(self, member: Member) -> Reader:
        match member.type:
            case "structure":
                return self._structure(member.shape)
            case "list":
                return self._list(member)
            case _:
                return self._map(member)

    def body(self, shape: Shape) -> Reader:
        """The reader of a whole body: members that travel elsewhere are none of it."""
        return self._structure(shape, top=True)

    def _structure(self, shape: Shape, *, top: bool = False) -> Reader:
        members: dict[str, tuple[str, Reader]] = {}
        attributes: dict[str, tuple[str, Callable[[str], Any]]] = {}

        def read(elements: list[Element]) -> dict[str, Any]:
            if not members:
                members.update(self._members(shape, top=top))
                attributes.update(self._attributes(shape))
            element = elements[0]
            found: dict[str, Any] = {}
            for tag, children in _by_name(element).items():
                known = members.get(tag)
                if known is None:
                    continue
                name, reader = known
                try:
                    found[name] = reader(children)
                except BadValue as e:
                    raise e.within(name) from None
            if attributes:
                for tag, text in element.attrib.items():
                    attribute = attributes.get(_local(tag))
                    if attribute is not None:
                        found[attribute[0]] = attribute[1](text)
            return found

        return read

    def _members(self, shape: Shape, *, top: bool) -> dict[str, tuple[str, Reader]]:
        found: dict[str, tuple[str, Reader]] = {}
        for name, member in self._model.members(shape).items():
            if not (top and member.location) and not member.xml_attribute:
                for tag in _names(member):
                    found.setdefault(tag, (name, self.of(member)))
        return found

    def _attributes(self, shape: Shape) -> dict[str, tuple[str, Callable[[str], Any]]]:
        return {
            member.wire_name.rpartition(":")[2]: (name, SCALARS[member.type])
            for name, member in self._model.members(shape).items()
            if member.xml_attribute
        }

    def _list(self, member: Member) -> Reader:
        ref = member.shape.member
        assert ref is not None
        element = self._model.member("member", ref)
        tags = {ref.location_name or "member", "member"}
        reader: Reader | None = None

        def read(elements: list[Element]) -> list[Any]:
            nonlocal reader
            if reader is None:
                reader = self.of(element)
            if member.flattened:
                return [reader([one]) for one in elements]
            return [reader([one]) for parent in elements for one in parent if _local(one.tag) in tags]

        return read

    def _map(self, member: Member) -> Reader:
        shape = member.shape
        assert shape.key is not None
        assert shape.value is not None
        key_tag = shape.key.location_name or "key"
        value_tag = shape.value.location_name or "value"
        value_member = self._model.member(value_tag, shape.value)
        reader: Reader | None = None

        def read(elements: list[Element]) -> dict[str, Any]:
            nonlocal reader
            if reader is None:
                reader = self.of(value_member)
            entries: Iterable[Element] = elements if member.flattened else elements[0]
            found = {}
            for entry in entries:
                parts = _by_name(entry)
                if key_tag not in parts:
                    raise BadValue("A map entry needs a key")
                found[parts[key_tag][0].text or ""] = reader(parts[value_tag]) if value_tag in parts else None
            return found

        return read


def _names(member: Member) -> list[str]:
    """An element's name, the right one first; a flat list may also be named after its members."""
    ref = member.shape.member
    if member.flattened and member.type == "list" and ref is not None and ref.location_name:
        return [member.wire_name, ref.location_name]
    return [member.wire_name]


def _by_name(element: Element) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for child in element:
        found.setdefault(_local(child.tag), []).append(child)
    return found


def _leaf(scalar: Callable[[str], Any], *, textual: bool) -> Reader:
    def read(elements: list[Element]) -> Any:
        element = elements[0]
        if len(element):
            raise BadValue("Start of structure found where not expected.")
        text = element.text or ""
        return scalar(text if textual else text.strip())

    return read
