"""The constraints that shapes carry: required, length, range, enum, pattern.

Only shapes with a constraint somewhere below are walked; for the others nothing is compiled and nothing costs
anything. What was broken is reported as data; `policy` puts it in the service's words.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from cloudstead.gateway.wire.model import ServiceModel
from cloudstead.gateway.wire.patterns import java_pattern
from cloudstead.gateway.wire.schema import Member, Shape

log = logging.getLogger(__name__)

Kind = Literal["missing", "length", "range", "enum", "pattern", "element"]


@dataclass(frozen=True, slots=True)
class Broken:
    """One constraint that one value breaks."""

    kind: Kind
    #: Where: names as this protocol's messages write them, positions from 1.
    path: tuple[str, ...]
    value: object
    #: `Member must have length less than or equal to 128`.
    demand: str
    limit: float = 0
    too_much: bool = False


Check = Callable[[Any, tuple[str, ...], list[Broken]], None]


def validate(
    model: ServiceModel, shape: Shape, value: Mapping[str, object], *, ec2: bool = False
) -> list[Broken]:
    """All that is wrong, in the order of the members."""
    validators = model.compiled.get(("validators", ec2))
    if validators is None:
        validators = model.compiled["validators", ec2] = Validators(model, ec2_label if ec2 else label)
    assert isinstance(validators, Validators)
    broken: list[Broken] = []
    check = validators.of(shape)
    if check is not None:
        check(value, (), broken)
    return broken


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
        self._in_work.discard(shape.name)
        self._compiled[shape.name] = check
        return check

    def _later(self, name: str) -> Check:
        def check(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
            found = self._compiled[name]
            if found is not None:
                found(value, path, broken)

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
                return _all(_text_checks(shape))
            case "blob":
                return _all(_length_checks(shape))
            case "integer" | "long" | "float" | "double":
                return _all(_range_checks(shape))
        return None

    def _structure(self, shape: Shape) -> Check | None:
        members = self._model.members(shape)
        labels = {name: self._label(member) for name, member in members.items()}
        required = [name for name in shape.required if name in members]
        compiled = {name: self.of(member.shape) for name, member in members.items()}
        checks = {name: inner for name, inner in compiled.items() if inner is not None}
        if not required and not checks:
            return None

        def check(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
            broken.extend(
                Broken("missing", (*path, labels[name]), None, "Member must not be null")
                for name in required
                if name not in value
            )
            for name, item in value.items():
                inner = checks.get(name)
                if inner is not None:
                    inner(item, (*path, labels[name]), broken)

        return check

    def _list(self, shape: Shape) -> Check | None:
        assert shape.member is not None
        element = self._model.shapes[shape.member.shape]
        own = _all(_length_checks(shape))
        inner = self.of(element)
        scalar = element.type not in ("structure", "list", "map")
        demands = _demands(element) if scalar else ""

        def check(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
            if own is not None:
                own(value, path, broken)
            if None in value:
                at = value.index(None) + 1
                broken.append(Broken("missing", (*path, str(at), "member"), None, "Member must not be null"))
            if inner is None:
                return
            if scalar:
                _check_scalars(value, inner, demands, path, broken)
                return
            for at, item in enumerate(value, 1):
                if item is not None:
                    inner(item, (*path, str(at), "member"), broken)

        return check

    def _map(self, shape: Shape) -> Check | None:
        assert shape.key is not None
        assert shape.value is not None
        own = _all(_length_checks(shape))
        key_shape = self._model.shapes[shape.key.shape]
        keys = self.of(key_shape)
        inner = self.of(self._model.shapes[shape.value.shape])
        if own is None and keys is None and inner is None:
            return None

        def check(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
            if own is not None:
                own(value, path, broken)
            if keys is not None:
                _check_keys(value, keys, _demands(key_shape), path, broken)
            if inner is not None:
                for key, item in value.items():
                    if item is not None:
                        inner(item, (*path, key, "member"), broken)

        return check


def _check_scalars(
    values: list[Any], inner: Check, demands: str, path: tuple[str, ...], broken: list[Broken]
) -> None:
    """A list of scalars is reported whole, with all that its elements must satisfy."""
    found: list[Broken] = []
    for item in values:
        if item is not None:
            inner(item, path, found)
    if found:
        demand = f"Member must satisfy constraint: [{demands}]"
        broken.append(Broken("element" if len(values) > 1 else found[0].kind, path, values, demand))


def _check_keys(
    values: Mapping[str, Any], keys: Check, demands: str, path: tuple[str, ...], broken: list[Broken]
) -> None:
    found: list[Broken] = []
    for key in values:
        keys(key, path, found)
    if found:
        broken.append(Broken("element", path, values, f"Map keys must satisfy constraint: [{demands}]"))


def _all(checks: list[Check]) -> Check | None:
    if len(checks) < 2:
        return checks[0] if checks else None

    def check(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
        for one in checks:
            one(value, path, broken)

    return check


def _text_checks(shape: Shape) -> list[Check]:
    checks = _length_checks(shape)
    if shape.enum:
        checks.append(_enum_check(shape))
    if shape.pattern and (pattern := java_pattern(shape.pattern)) is not None:
        checks.append(_pattern_check(shape, pattern))
    return checks


def _enum_check(shape: Shape) -> Check:
    allowed, demand = frozenset(shape.enum or ()), _enum_demand(shape)

    def check(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
        if value not in allowed:
            broken.append(Broken("enum", path, value, demand))

    return check


def _pattern_check(shape: Shape, pattern: re.Pattern[str]) -> Check:
    demand, longest = _pattern_demand(shape), shape.max

    def check(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
        # What is too long is refused for that; a pattern is not tried on it.
        if (longest is None or len(value) <= longest) and pattern.fullmatch(value) is None:
            broken.append(Broken("pattern", path, value, demand))

    return check


def _length_checks(shape: Shape) -> list[Check]:
    low, high = shape.min, shape.max
    checks: list[Check] = []
    if high is not None:

        def too_long(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
            if len(value) > high:
                broken.append(
                    Broken("length", path, value, _length_demand(high, "less"), high, too_much=True)
                )

        checks.append(too_long)
    if low:

        def too_short(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
            if len(value) < low:
                broken.append(Broken("length", path, value, _length_demand(low, "greater"), low))

        checks.append(too_short)
    return checks


def _range_checks(shape: Shape) -> list[Check]:
    low, high = shape.min, shape.max
    checks: list[Check] = []
    if high is not None:

        def too_great(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
            if value > high:
                broken.append(Broken("range", path, value, _range_demand(high, "less"), high, too_much=True))

        checks.append(too_great)
    if low is not None:

        def too_small(value: Any, path: tuple[str, ...], broken: list[Broken]) -> None:
            if value < low:
                broken.append(Broken("range", path, value, _range_demand(low, "greater"), low))

        checks.append(too_small)
    return checks


def _demands(shape: Shape) -> str:
    """All that a scalar must satisfy, in one line."""
    demands = []
    numeric = shape.type not in ("string", "character", "blob")
    demand = _range_demand if numeric else _length_demand
    if shape.max is not None:
        demands.append(demand(shape.max, "less"))
    if shape.min is not None:
        demands.append(demand(shape.min, "greater"))
    if shape.enum:
        demands.append(_enum_demand(shape))
    if shape.pattern:
        demands.append(_pattern_demand(shape))
    return ", ".join(demands)


@lru_cache(maxsize=256)
def _length_demand(limit: float, side: str) -> str:
    return (
        f"Member must have length {side} than or equal to {limit:g}"
        if limit < 1e6
        else (f"Member must have length {side} than or equal to {int(limit)}")
    )


@lru_cache(maxsize=256)
def _range_demand(limit: float, side: str) -> str:
    shown = int(limit) if limit == int(limit) else limit
    return f"Member must have value {side} than or equal to {shown}"


def _enum_demand(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum or ())}]"


def _pattern_demand(shape: Shape) -> str:
    return f"Member must satisfy regular expression pattern: {shape.pattern}"
