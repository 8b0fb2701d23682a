"""From method and path to the operation, for the REST protocols.

Several operations may share method and path. What tells them apart is, in this order: literal parameters of
the route's query (`?uploads`), whether what the operation requires in query and headers is there (UploadPart
wants `partNumber`, CopyObject the header `x-amz-copy-source`), and how much of that there is. Of two that are
alike even so, the one that is not deprecated.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

_LABEL = re.compile(r"\{(.+?)(\+?)\}")
_VERSION_SEGMENT = re.compile(r"\d{4}-\d{2}-\d{2}")
_GREEDY = "+"
_ANY = "*"
_VERSION = "version"


#: Whether all is there that is needed, how many literals, how much of what is needed, not deprecated.
Score = tuple[bool, int, int, bool]


@dataclass(slots=True)
class Route:
    operation: str
    labels: list[str]
    literals: dict[str, str]
    needed: list[tuple[str, str]]
    deprecated: bool

    def fits(self, query: Mapping[str, list[str]]) -> bool:
        return all(name in query and value in ("", query[name][0]) for name, value in self.literals.items())

    def score(self, query: Mapping[str, list[str]], headers: Mapping[str, str]) -> Score:
        if not self.needed:
            return True, len(self.literals), 0, not self.deprecated
        present = sum(
            name in query if place == "querystring" else name.lower() in headers
            for place, name in self.needed
        )
        return present == len(self.needed), len(self.literals), present, not self.deprecated


@dataclass(slots=True)
class Found:
    operation: str
    #: The labels of the path, decoded.
    uri: dict[str, str]
    #: Whether all is there that the operation requires in query and headers.
    complete: bool


@dataclass
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    #: Those that need nothing of the query to fit.
    plain: list[Route] = field(default_factory=list)
    #: Behind a greedy label: how many segments may follow it. The label takes all before them.
    tails: set[int] = field(default_factory=set)

    @cached_property
    def quick(self) -> bool:
        """Whether there is nothing below but a label and then one that takes all the rest, as in most of S3."""
        below = self.children.get(_ANY)
        return (
            self.children.keys() == {_ANY}
            and below is not None
            and below.children.keys() == {_GREEDY}
            and not below.children[_GREEDY].children
        )

    def quick_way(self, path: str) -> "list[tuple[_Node, list[str]]]":
        """What `_walk` would find."""
        first, slash, rest = path.removeprefix("/").partition("/")
        if not first:
            return [] if slash else [(self, [])]
        below = self.children[_ANY]
        if not rest:
            return [(below, [unquote(first)])]
        return [(below.children[_GREEDY], [unquote(first), unquote(rest)])]


class Routes:
    """A tree of path segments for each method."""

    def __init__(self, api_version: str) -> None:
        self._api_version = api_version
        self._roots: dict[str, _Node] = {}

    def add(
        self,
        operation: str,
        method: str,
        request_uri: str,
        needed: list[tuple[str, str]],
        *,
        deprecated: bool,
    ) -> None:
        path, _, query = request_uri.partition("?")
        segments = [segment for segment in _segments(path) if segment]
        node = self._roots.setdefault(method, _Node())
        labels: list[str] = []
        for position, segment in enumerate(segments):
            key = self._key(segment, position, labels)
            node = node.children.setdefault(key, _Node())
            if key == _GREEDY:
                node.tails.add(len(segments) - position - 1)
        literals = dict(part.partition("=")[::2] for part in query.split("&") if part)
        route = Route(operation, labels, literals, needed, deprecated)
        node.routes.append(route)
        if not literals:
            node.plain.append(route)

    def _key(self, segment: str, position: int, labels: list[str]) -> str:
        if position == 0 and segment == self._api_version:
            return _VERSION
        label = _LABEL.fullmatch(segment)
        if label is None:
            return "=" + segment
        labels.append(label[1])
        return _GREEDY if label[2] else _ANY

    def find(
        self, method: str, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str]
    ) -> Found | None:
        root = self._roots.get(method)
        if root is None:
            return None
        ways = root.quick_way(path) if root.quick else _walk(root, _segments(path), 0, [])
        hint = query["x-id"][0] if "x-id" in query else ""
        for node, values in ways:
            fitting = [route for route in node.routes if route.fits(query)] if query else node.plain
            if fitting:
                named = [route for route in fitting if route.operation == hint] if hint else None
                score, best = _best(named or fitting, query, headers)
                uri = dict(zip(best.labels, values, strict=True))
                return Found(best.operation, uri, complete=score[0])
        return None


def _best(
    routes: list[Route], query: Mapping[str, list[str]], headers: Mapping[str, str]
) -> tuple[Score, Route]:
    if len(routes) == 1:
        return routes[0].score(query, headers), routes[0]
    return max([(route.score(query, headers), route) for route in routes], key=lambda scored: scored[0])


def _segments(path: str) -> list[str]:
    """`/a/b` → `a`, `b`. A slash at the end leaves an empty last segment, which only a greedy label reads."""
    return path.removeprefix("/").split("/")


def _ended(segments: list[str], at: int) -> bool:
    return at == len(segments) or (at == len(segments) - 1 and not segments[at])


def _walk(node: _Node, segments: list[str], at: int, values: list[str]) -> Iterator[tuple[_Node, list[str]]]:
    """All the ways through the tree, the most literal first."""
    if _ended(segments, at):
        if node.routes:
            yield node, values
        return
    children, segment = node.children, segments[at]
    literal = children.get("=" + unquote(segment))
    if literal is not None:
        yield from _walk(literal, segments, at + 1, values)
    version = children.get(_VERSION)
    if version is not None and _VERSION_SEGMENT.fullmatch(segment):
        yield from _walk(version, segments, at + 1, values)
    label = children.get(_ANY)
    if label is not None and segment:
        yield from _walk(label, segments, at + 1, [*values, unquote(segment)])
    greedy = children.get(_GREEDY)
    if greedy is not None:
        for tail in sorted(greedy.tails, reverse=True):
            end = len(segments) - tail
            if end > at:
                yield from _walk(greedy, segments, end, [*values, unquote("/".join(segments[at:end]))])
