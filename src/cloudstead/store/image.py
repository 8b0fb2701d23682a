"""A kind's rows in memory, kept level with the database by the store.

Reads are dictionary look-ups; SQLite is asked only whether anything changed. Rows are frozen, so handing them out
is safe.
"""

from collections.abc import Iterable, Iterator
from typing import Generic

from cloudstead.store.rows import R


class Image(Generic[R]):
    """Rows by id, in the order they were born, with an index per field somebody asked by."""

    def __init__(self, rows: Iterable[R]) -> None:
        self._rows: dict[str, R] = {row.id: row for row in rows}
        self._indexes: dict[str, dict[object, dict[str, R]]] = {}

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def get(self, id: str) -> R | None:
        return self._rows.get(id)

    def having(self, field: str, value: object) -> Iterable[R]:
        """Every row whose field has this value. The first question about a field builds its index."""
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = {}
            for row in self._rows.values():
                index.setdefault(getattr(row, field), {})[row.id] = row
        return index.get(value, {}).values()

    def put(self, row: R) -> None:
        before = self._rows.get(row.id)
        self._rows[row.id] = row
        for field, index in self._indexes.items():
            now = getattr(row, field)
            if before is not None and (was := getattr(before, field)) != now:
                _unlist(index, was, row.id)
            index.setdefault(now, {})[row.id] = row

    def drop(self, id: str) -> None:
        before = self._rows.pop(id, None)
        if before is not None:
            for field, index in self._indexes.items():
                _unlist(index, getattr(before, field), id)


def _unlist(index: dict[object, dict[str, R]], value: object, id: str) -> None:
    listed = index[value]
    del listed[id]
    if not listed:
        del index[value]
