"""Wire forms of list elements that were written before, bounded in bytes, least recently used ones dropped.

Two generations instead of an ordered list: what is used moves to the young one, and when that is full the old
one is dropped whole. A hit costs one look-up, so that a list of 1000 is joined in well under a millisecond.
"""

from collections.abc import Callable, Hashable

from cloudstead.core.cached import Cached

FRAGMENT_BYTES_MAX = 24 * 1024 * 1024
#: An entry costs more than its text: the key and the table's slot.
_ENTRY_OVERHEAD_BYTES = 250


class Fragments:
    """One of these serves a process; `writer` in each key keeps shapes and protocols apart."""

    def __init__(self, bytes_max: int = FRAGMENT_BYTES_MAX) -> None:
        self._generation_bytes_max = bytes_max // 2
        self._young: dict[tuple[int, Hashable], str | bytes] = {}
        self._old: dict[tuple[int, Hashable], str | bytes] = {}
        self._young_bytes = 0

    def text(self, writer: int, element: Cached, write: Callable[[object], str]) -> str:
        key = (writer, element.key)
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                found = write(element.evaluate())
            self._keep(key, found)
        assert type(found) is str
        return found

    def encoded(self, writer: int, element: Cached, write: Callable[[object], bytes]) -> bytes:
        key = (writer, element.key)
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                found = write(element.evaluate())
            self._keep(key, found)
        assert type(found) is bytes
        return found

    def _keep(self, key: tuple[int, Hashable], fragment: str | bytes) -> None:
        size = len(fragment) + _ENTRY_OVERHEAD_BYTES
        if size > self._generation_bytes_max:
            return
        if self._young_bytes + size > self._generation_bytes_max:
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[key] = fragment
        self._young_bytes += size


fragments = Fragments()
