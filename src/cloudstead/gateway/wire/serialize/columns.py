"""Lists that are told by columns, in XML: every column becomes text at once, then the lines are put together.

What comes out is what the writers of single lines would put, byte by byte.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cloudstead.core.columns import Columns, Moments
from cloudstead.gateway.wire.schema import Member
from cloudstead.gateway.wire.serialize.mismatch import ResultMismatch
from cloudstead.gateway.wire.serialize.text import boolean_text, integer_text, xml_text

_MOMENTS_REMEMBERED = 8192
_DAYS_REMEMBERED = 400
_DAY_S = 86400


class ColumnsWriter:
    """Writes the elements of one list; `rest` writes members of an element that are no columns."""

    def __init__(
        self,
        tags: tuple[str, str],
        members: Mapping[str, Member],
        rest: Callable[[Mapping[str, object]], str],
        moment: Callable[[Member], Callable[[datetime], str]],
    ) -> None:
        self._opened, self._closed = tags
        self._members = members
        self._rest = rest
        self._moment = moment
        self._moments: dict[str, Callable[[int], str]] = {}

    def text(self, lines: Columns) -> str:
        template, columns = [self._opened], list[Iterable[object]]()
        for name, column in lines.each.items():
            tag = self._members[name].wire_name if name in self._members else None
            if tag is None:
                raise ResultMismatch(f"no member {name}")
            template.append(f"<{tag}>%s</{tag}>")
            columns.append(self._column(name, column))
        line = "".join((*template, "%s", self._closed))
        try:
            return "".join(map(line.__mod__, zip(*columns, self._rests(lines.rest), strict=True)))
        except ValueError as e:
            raise ResultMismatch("columns are not of one length") from e

    def _rests(self, rest: Sequence[Mapping[str, object]]) -> list[str]:
        texts = {number: self._rest(one) for number, one in {id(one): one for one in rest}.items()}
        return [texts[id(one)] for one in rest]

    def _column(self, name: str, column: Sequence[Any]) -> Iterable[object]:
        try:
            match self._members[name].type:
                case "string":
                    return _strings(column)
                case "integer" | "long":
                    return column if set(map(type, column)) <= {int} else map(integer_text, column)
                case "boolean":
                    return [boolean_text(one) for one in column]
                case "timestamp" if isinstance(column, Moments):
                    return list(map(self._moment_of(name), column))
        except ResultMismatch as e:
            raise e.within(name) from None
        raise ResultMismatch(f"{name} cannot be told as a column")

    def _moment_of(self, name: str) -> Callable[[int], str]:
        found = self._moments.get(name)
        if found is None:
            write = self._moment(self._members[name])
            found = self._moments[name] = lru_cache(_MOMENTS_REMEMBERED)(_by_days(write))
        return found


def _by_days(write: Callable[[datetime], str]) -> Callable[[int], str]:
    """Moments as `write` puts them. Where that is ISO 8601 it is asked once a day, and only the time is put in."""
    day_of = lru_cache(_DAYS_REMEMBERED)(lambda day: write(datetime.fromtimestamp(day * _DAY_S, UTC)))

    def moment(seconds: int) -> str:
        day, second = divmod(seconds, _DAY_S)
        text = day_of(day)
        if text[10:19] != "T00:00:00":
            return write(datetime.fromtimestamp(seconds, UTC))
        return f"{text[:11]}{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}{text[19:]}"

    return moment


def _strings(column: Sequence[str]) -> Sequence[str]:
    """As the content of elements. Most columns have nothing in them that needs another form."""
    try:
        all = "".join(column)
    except TypeError as e:
        raise ResultMismatch("not all of them are strings") from e
    if all.isprintable() and "&" not in all and "<" not in all and ">" not in all:
        return column
    return [xml_text(one) for one in column]
