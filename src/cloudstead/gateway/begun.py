"""Work begun at once, for it may be done without waiting: then it costs neither a task nor a turn of the loop.

What a reader would get wrong: until its first wait the work runs in no task, so it must not use asyncio's timeouts
and task groups there.
"""

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """Await it to go on with what has begun. `done` tells whether `value` is there already."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self.done = False
        try:
            self._waits_for = work.send(None)
        except StopIteration as end:
            self.done = True
            self.value: T = end.value

    def __await__(self) -> Generator[Any, Any, T]:
        waits_for, work = self._waits_for, self._work
        try:
            while True:
                try:
                    sent = yield waits_for
                except BaseException as e:  # noqa: BLE001 - whatever is thrown here is thrown there
                    waits_for = work.throw(e)
                else:
                    waits_for = work.send(sent)
        except StopIteration as end:
            value: T = end.value
            return value
