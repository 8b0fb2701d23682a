"""Crashes on purpose: a fuse blows at the n-th touch, and every effect on the world is a touch before and after."""

import inspect


class Crash(BaseException):  # not Exception: nothing in the code under test may catch it
    """The process was killed here."""


class Fuse:
    """Blows at touch number `at`; None never blows."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.touches = 0

    def touch(self) -> None:
        if self.at is not None and self.touches == self.at:
            self.at = None
            raise Crash
        self.touches += 1


class Fused:
    """Wraps an object so that its named effects touch the fuse before and after."""

    def __init__(self, inner, fuse: Fuse, effects: tuple[str, ...]) -> None:
        self._inner, self._fuse, self._effects = inner, fuse, effects

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if name not in self._effects:
            return found
        if inspect.iscoroutinefunction(found):

            async def effect(*args, **options):
                self._fuse.touch()
                answer = await found(*args, **options)
                self._fuse.touch()
                return answer
        else:

            def effect(*args, **options):
                self._fuse.touch()
                answer = found(*args, **options)
                self._fuse.touch()
                return answer

        return effect


STORE_EFFECTS = ("insert", "update", "delete")
