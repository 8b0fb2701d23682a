"""The constraints that shapes carry: required, length, range, enum, pattern.

Only shapes with a constraint somewhere below are walked; for the others nothing is compiled and nothing costs
anything. What was broken is reported as data; `policy` puts it in the service's words.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cloudstead.gateway.wire.model import ServiceModel
from cloudstead.gateway.wire.patterns import java_pattern
from cloudstead.gateway.wire.schema import Member, Shape

Kind = Literal["missing", "length", "range", "enum", "pattern", "element"]


@dataclass(slots=True)
class Broken:
    """One constraint that one value breaks."""

    kind: Kind
    value: object
    #: `Member must have length less than or equal to 128`.
    demand: str
    limit: float = 0
    too_much: bool = False
    #: Whether the value must not be shown.
    secret: bool = False
    #: Where: names as this protocol's messages write them, positions from 1. Grows outwards.
    path: tuple[str, ...] = ()


#: None if all is well, which it nearly always is: paths are put together only for what is not.
Check = Callable[[Any], list[Broken] | None]


def validate(
    model: ServiceModel, shape: Shape, value: Mapping[str, object], *, ec2: bool = False
) -> list[Broken]:
    """All that is wrong, in the order of the members."""
    validators = model.compiled.get(("validators", ec2))
    if validators is None:
        validators = model.compiled["validators", ec2] = Validators(model, ec2_label if ec2 else label)
    assert isinstance(validators, Validators)
    check = validators.of(shape)
    return (check(value) or []) if check is not None else []


def label(member: Member) -> str:
    """`DBName` is called `dBName` in messages."""
    return member.name[:1].lower() + member.name[1:]


def ec2_label(member: Member) -> str:
    """The parameter's name in the form."""
    name = member.query_name or member.location_name or member.name
    return name[:1].upper() + name[1:]


class Validators:
    def __init__(self, model: ServiceModel, label: Callable[[Member], str]) -> None:
        self._model = model
        self._label = label
        self._compiled: dict[str, Check | None] = {}
        self._in_work: set[str] = set()

    def of(self, shape: Shape) -> Check | None:
        if shape.name in self._compiled:
            return self._compiled[shape.name]
        if shape.name in self._in_work:
            # A shape within itself: looked up once it is finished.
            return self._later(shape.name)
        self._in_work.add(shape.name)
        check = self._compile(shape)
        if shape.sensitive and check is not None:
            check = _hiding(check)
        self._in_work.discard(shape.name)
        self._compiled[shape.name] = check
        return check

    def _later(self, name: str) -> Check:
        def check(value: Any) -> list[Broken] | None:
            found = self._compiled[name]
            return None if found is None else found(value)

        return check

    def _compile(self, shape: Shape) -> Check | None:
        match shape.type:
            case "structure":
                return None if shape.document else self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case "string" | "character":
                return _text_check(shape)
            case "blob":
                return _length_check(shape)
            case "integer" | "long" | "float" | "double":
                return _range_check(shape)
        return None

    def _structure(self, shape: Shape) -> Check | None:
        members = self._model.members(shape)
        labels = {name: self._label(member) for name, member in members.items()}
        required = [name for name in shape.required if name in members]
        compiled = {name: self.of(member.shape) for name, member in members.items()}
        checks = {name: inner for name, inner in compiled.items() if inner is not None}
        if not required and not checks:
            return None

        def check(value: Any) -> list[Broken] | None:
            broken: list[Broken] = []
            for name in required:
                if name not in value:
                    broken += _missing(labels[name])
            for name, item in value.items():
                inner = checks.get(name)
                if inner is not None and (found := inner(item)):
                    broken += _within(found, labels[name])
            return broken

        return check

    def _list(self, shape: Shape) -> Check | None:
        assert shape.member is not None
        element = self._model.shapes[shape.member.shape]
        own = _length_check(shape)
        inner = self.of(element)
        scalar = element.type not in ("structure", "list", "map")
        demands = _demands(element) if scalar else ""

        def check(values: Any) -> list[Broken] | None:
            broken = (own(values) or []) if own is not None else []
            if None in values:
                broken += _missing(str(values.index(None) + 1), "member")
            elif inner is not None and scalar:
                broken += _whole(values, values, inner, f"Member must satisfy constraint: [{demands}]")
            elif inner is not None:
                for at, item in enumerate(values, 1):
                    if found := inner(item):
                        broken += _within(found, str(at), "member")
            return broken

        return check

    def _map(self, shape: Shape) -> Check | None:
        assert shape.key is not None
        assert shape.value is not None
        own = _length_check(shape)
        key_shape = self._model.shapes[shape.key.shape]
        keys = self.of(key_shape)
        demands = _demands(key_shape)
        inner = self.of(self._model.shapes[shape.value.shape])
        if own is None and keys is None and inner is None:
            return None

        def check(values: Any) -> list[Broken] | None:
            broken = (own(values) or []) if own is not None else []
            if keys is not None:
                broken += _whole(values, values, keys, f"Map keys must satisfy constraint: [{demands}]")
            if inner is not None:
                for key, item in values.items():
                    if item is not None and (found := inner(item)):
                        broken += _within(found, key, "member")
            return broken

        return check


def _hiding(check: Check) -> Check:
    def check_and_hide(value: Any) -> list[Broken] | None:
        found = check(value)
        for one in found or ():
            one.secret = True
        return found

    return check_and_hide


def _missing(*path: str) -> list[Broken]:
    return [Broken("missing", None, "Member must not be null", path=path)]


def _within(broken: list[Broken], *path: str) -> list[Broken]:
    for one in broken:
        one.path = path + one.path
    return broken


def _whole(value: object, scalars: Iterable[Any], check: Check, demand: str) -> list[Broken]:
    """A collection of scalars is reported as one, with all that each of them must satisfy."""
    for item in scalars:
        if found := check(item):
            return [Broken("element", value, demand, secret=found[0].secret)]
    return []


def _text_check(shape: Shape) -> Check | None:
    length = _length_check(shape)
    pattern = java_pattern(shape.pattern) if shape.pattern else None
    allowed = frozenset(shape.enum) if shape.enum else None
    if pattern is None and allowed is None:
        return length
    enum_demand, pattern_demand = _enum_demand(shape), _pattern_demand(shape)

    def check(value: Any) -> list[Broken] | None:
        broken = (length(value) or []) if length is not None else []
        if allowed is not None and value not in allowed:
            broken.append(Broken("enum", value, enum_demand))
        # What is too long is refused for that; a pattern is not tried on it.
        if pattern is not None and not any(one.too_much for one in broken) and not pattern.fullmatch(value):
            broken.append(Broken("pattern", value, pattern_demand))
        return broken

    return check


def _length_check(shape: Shape) -> Check | None:
    low, high = shape.min or 0, math.inf if shape.max is None else shape.max
    if not low and high == math.inf:
        return None

    def check(value: Any) -> list[Broken] | None:
        if low <= len(value) <= high:
            return None
        if len(value) > high:
            return [Broken("length", value, _length_demand(high, "less"), high, too_much=True)]
        return [Broken("length", value, _length_demand(low, "greater"), low)]

    return check


def _range_check(shape: Shape) -> Check | None:
    low = -math.inf if shape.min is None else shape.min
    high = math.inf if shape.max is None else shape.max
    if low == -math.inf and high == math.inf:
        return None

    def check(value: Any) -> list[Broken] | None:
        if low <= value <= high or value != value:  # noqa: PLR0124 - NaN alone is unlike itself
            return None
        if value > high:
            return [Broken("range", value, _range_demand(high, "less"), high, too_much=True)]
        return [Broken("range", value, _range_demand(low, "greater"), low)]

    return check


def _demands(shape: Shape) -> str:
    """All that a scalar must satisfy, in one line."""
    numeric = shape.type not in ("string", "character", "blob")
    demand = _range_demand if numeric else _length_demand
    demands = []
    if shape.max is not None:
        demands.append(demand(shape.max, "less"))
    if shape.min is not None:
        demands.append(demand(shape.min, "greater"))
    if shape.enum:
        demands.append(_enum_demand(shape))
    if shape.pattern:
        demands.append(_pattern_demand(shape))
    return ", ".join(demands)


def _shown(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)


def _length_demand(limit: float, side: str) -> str:
    return f"Member must have length {side} than or equal to {_shown(limit)}"


def _range_demand(limit: float, side: str) -> str:
    return f"Member must have value {side} than or equal to {_shown(limit)}"


def _enum_demand(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum or ())}]"


def _pattern_demand(shape: Shape) -> str:
    return f"Member must satisfy regular expression pattern: {shape.pattern}"
