"""Forms: the query protocol and EC2's own variant of it.

`Filter.1.Value.2=x` becomes a tree of dicts first, then the shapes walk the tree. The two protocols differ in
names (EC2 capitalises), in lists (EC2's are always flat), and in what happens to a parameter nobody knows:
EC2 refuses it, the others pass over it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudstead.gateway.wire.bad import BadValue, Malformed
from cloudstead.gateway.wire.model import ServiceModel
from cloudstead.gateway.wire.parse.text import SCALARS
from cloudstead.gateway.wire.schema import Member, Shape

Node = dict[str, Any]
Reader = Callable[[Any], Any]

_DEPTH_MAX = 48
#: What a form holds besides the operation's parameters: the call itself, and signatures of old and new kind.
_ENVELOPE = frozenset(
    [
        "Action",
        "Version",
        "AWSAccessKeyId",
        "Signature",
        "SignatureMethod",
        "SignatureVersion",
        "Timestamp",
        "Expires",
        "SecurityToken",
    ]
)


def tree(parameters: Mapping[str, str]) -> Node:
    """Split names at their dots. A name that is both a value and a prefix keeps its value under ``""``."""
    root: Node = {}
    nodes: dict[str, Node] = {}  # by prefix: neighbours mostly share one
    for name, value in parameters.items():
        prefix, dot, leaf = name.rpartition(".")
        if dot:
            node = nodes.get(prefix)
            if node is None:
                node = nodes[prefix] = _planted(root, prefix)
        else:
            node = root
        held = node.get(leaf)
        if type(held) is dict:
            held[""] = value
        else:
            node[leaf] = value
    return root


def _planted(root: Node, prefix: str) -> Node:
    parts = prefix.split(".")
    if len(parts) > _DEPTH_MAX:
        raise Malformed(f"The parameter {prefix[:200]} is nested too deeply")
    node = root
    for part in parts:
        following = node.get(part)
        if type(following) is not dict:
            following = node[part] = {} if following is None else {"": following}
        node = following
    return node


class FormReaders:
    def __init__(self, model: ServiceModel, *, ec2: bool) -> None:
        self._model = model
        self._ec2 = ec2
        self._compiled: dict[tuple[str, bool, str | None], Reader] = {}

    def body(self, shape: Shape) -> Callable[[Mapping[str, str]], dict[str, Any]]:
        read = self._structure(shape)

        def read_body(parameters: Mapping[str, str]) -> dict[str, Any]:
            bare = {
                name: value
                for name, value in parameters.items()
                if name not in _ENVELOPE and not name.startswith("X-Amz-")
            }
            found: dict[str, Any] = read(tree(bare))
            return found

        return read_body

    def _of(self, member: Member) -> Reader:
        shape = member.shape
        scalar = SCALARS.get(shape.type)
        if scalar is not None:
            return _leaf(_any_case if self._ec2 and member.type == "boolean" else scalar)
        key = (shape.name, member.flattened, None)
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._compile(member)
        return found

    def _compile(self, member: Member) -> Reader:
        match member.shape.type:
            case "structure":
                return self._structure(member.shape)
            case "list":
                return self._list(member)
            case _:
                return self._map(member)

    def _structure(self, shape: Shape) -> Reader:
        members: dict[str, tuple[str, Reader]] = {}
        strict = self._ec2

        def read(node: Any) -> dict[str, Any]:
            if type(node) is not dict:
                if node == "":
                    return {}
                raise BadValue("Unexpected value for a structure", node)
            if not members:
                members.update(self._members(shape))
            found = {}
            for key, item in node.items():
                known = members.get(key)
                if known is None:
                    if strict and key:
                        raise BadValue("", kind="unknown").within(_first_leaf(key, item))
                    continue
                name, reader = known
                try:
                    found[name] = reader(item)
                except BadValue as e:
                    raise e.within(key) from None
            return found

        return read

    def _members(self, shape: Shape) -> dict[str, tuple[str, Reader]]:
        found: dict[str, tuple[str, Reader]] = {}
        for name, member in self._model.members(shape).items():
            reader = self._of(member)
            for wire_name in self._names(member):
                found.setdefault(wire_name, (name, reader))
        return found

    def _names(self, member: Member) -> list[str]:
        """All names a member goes by, the right one first."""
        name = member.location_name or member.name
        if self._ec2:
            right = member.query_name or (name[:1].upper() + name[1:] if member.location_name else name)
            return [right, name[:1].upper() + name[1:], member.name]
        shape = member.shape
        if member.flattened and shape.type == "list" and shape.member and shape.member.location_name:
            return [shape.member.location_name, name]
        return [name]

    def _list(self, member: Member) -> Reader:
        ref = member.shape.member
        assert ref is not None
        element = self._model.member("member", ref)
        flat = self._ec2 or member.flattened
        names = [ref.location_name, "member"] if ref.location_name else ["member"]
        reader: Reader | None = None

        def read(node: Any) -> list[Any]:
            nonlocal reader
            if type(node) is not dict:
                if node == "":
                    return []
                raise BadValue("Unexpected value for a list", node)
            if reader is None:
                reader = self._of(element)
            if not flat:
                node = next((node[name] for name in names if name in node), {})
                if node == "":
                    return []
            return _indexed(node, reader)

        return read

    def _map(self, member: Member) -> Reader:
        shape = member.shape
        assert shape.key is not None
        assert shape.value is not None
        key_name = shape.key.location_name or "key"
        value_name = shape.value.location_name or "value"
        value_member = self._model.member(value_name, shape.value)
        reader: Reader | None = None

        def read_entry(entry: Any) -> tuple[str, Any]:
            assert reader is not None
            if type(entry) is not dict or type(entry.get(key_name)) is not str:
                raise BadValue("A map entry needs a key", entry)
            return entry[key_name], reader(entry.get(value_name, ""))

        def read(node: Any) -> dict[str, Any]:
            nonlocal reader
            if type(node) is not dict:
                if node == "":
                    return {}
                raise BadValue("Unexpected value for a map", node)
            if reader is None:
                reader = self._of(value_member)
            entries = node if member.flattened else node.get("entry", {})
            return dict(_indexed(entries, read_entry))

        return read


def _any_case(text: str) -> Any:
    """EC2 is older than the framework that insists on XML Schema's spelling."""
    return SCALARS["boolean"](text.lower())


def _leaf(scalar: Callable[[str], Any]) -> Reader:
    def read(node: Any) -> Any:
        if type(node) is str:
            return scalar(node)
        raise BadValue("Start of structure or list found where not expected.", node)

    return read


def _indexed(node: Any, reader: Reader) -> list[Any]:
    """Elements in the order of their numbers; gaps close, as AWS closes them."""
    if type(node) is not dict:
        raise BadValue("Unexpected value for a list", node)
    try:
        ordered = sorted((int(key), key) for key in node if key)
    except ValueError as e:
        wrong = next(key for key in node if not key.isdecimal())
        raise BadValue("", kind="unknown").within(_first_leaf(wrong, node[wrong])) from e
    found = []
    for _, key in ordered:
        try:
            found.append(reader(node[key]))
        except BadValue as e:
            raise e.within(key) from None
    return found


def _first_leaf(key: str, node: Any) -> str:
    """The whole name of the first parameter below a node, as the caller wrote it."""
    parts = [key]
    while type(node) is dict and node:
        part, node = next(iter(node.items()))
        if part:
            parts.append(part)
    return ".".join(parts)
