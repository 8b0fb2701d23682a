"""Where a walk may be disturbed: at every touch of the store or of a driver by the controllers.

At a touch the process may be killed, and others may act, for that is where another process can get in between. What a
killed process had under way stays as it is, half made; every later touch of the same process is killed too, so that
nothing runs on that a real kill would have ended.
"""

import asyncio
import inspect
from contextlib import contextmanager

from tests.support.fuse import Crash

from cloudstead.core.errors import DriverError

KILLED_AT_A_TOUCH = 0.002
OTHERS_AT_A_TOUCH = 0.03
OTHERS_BEFORE_A_WRITE = 0.2  # here it is what was read before that may have changed
STALLED = 0.03
HALF_MADE = 0.1


class Trouble:
    """What disturbs the controllers, by the walk's own chance; nothing does when it is quiet."""

    def __init__(self, chance, others, say):
        self.chance = chance
        self.quiet = False
        self.dead = False
        self.refusing = {}  # driver: how likely it says no
        self._others = others
        self._say = say
        self._stalled = []
        self.busy = False  # somebody acts in between already

    def touch(self, where, *, alone=False, others=OTHERS_AT_A_TOUCH):
        """`alone`: the write lock is held, so nobody else gets in; if not, somebody does by the chance of `others`."""
        if self.dead:
            raise Crash
        if self.quiet:
            return
        roll = self.chance.random()
        if roll < KILLED_AT_A_TOUCH:
            self.kill(where)
            raise Crash
        if roll < KILLED_AT_A_TOUCH + others and not alone and not self.busy:
            self.busy = True
            try:
                self._others(where)
            finally:
                self.busy = False
            if self.dead:
                raise Crash

    def kill(self, where):
        self._say(f"killed at {where}")
        self.dead = True

    async def around(self, driver, where, call):
        """A call of a driver: it may wait, hang, be refused before or after its effect, or do half of it."""
        self.touch(where)
        refused = not self.quiet and self.chance.random() < self.refusing.get(driver, 0.0)
        late = refused and self.chance.random() < 0.5
        await self.pause()
        if refused and not late:
            self._say(f"refused {where}")
            raise DriverError(f"{driver} says no for now")
        answer = await call()
        self.touch(where)
        await self.pause()
        if late:
            self._say(f"refused {where}, though it was done")
            raise DriverError(f"{driver} says no, too late")
        return answer

    async def half_way(self, where):
        """Within an effect: what was made so far is there, the rest is not."""
        self.touch(f"half way of {where}")
        if not self.quiet and self.chance.random() < HALF_MADE:
            self._say(f"half made: {where}")
            raise DriverError("half of it was done")
        await self.pause()

    async def pause(self):
        if self.quiet:
            return
        if self.chance.random() < STALLED:
            self._stalled.append(asyncio.get_running_loop().create_future())
            await self._stalled[-1]
        for _ in range(self.chance.choice((0, 0, 1, 3))):
            await asyncio.sleep(0)
        if self.dead:
            raise Crash

    def go_on(self):
        """Release every call that hangs."""
        for stalled in self._stalled:
            if not stalled.done():
                stalled.set_result(None)
        self._stalled.clear()


class TouchedDriver:
    """A driver as the controllers reach it."""

    def __init__(self, driver, name, trouble):
        self._driver, self._name, self._trouble = driver, name, trouble

    def __getattr__(self, name):
        found = getattr(self._driver, name)
        if not inspect.iscoroutinefunction(found):
            return found

        def reached(*args, **options):
            what = getattr(args[0], "id", args[0]) if args else ""
            where = f"{self._name}.{name} {getattr(what, 'name', what)}"
            work = self._trouble.around(self._name, where, lambda: found(*args, **options))
            told = name == "ensure" and hasattr(self._driver, "asked")
            return self._told(work, *args) if told else work

        return reached

    async def _told(self, work, spec):
        """The driver hears when it is asked, and when its answer has arrived."""
        self._driver.asked(spec)
        await work
        self._driver.answered(spec)


class TouchedStore:
    """The store as the controllers reach it. Inside a transaction nobody else acts, but a kill may come."""

    def __init__(self, store, trouble):
        self._store, self._trouble = store, trouble

    def __getattr__(self, name):
        return getattr(self._store, name)

    def get(self, kind, id):
        self._touch(f"get {id}")
        return self._store.get(kind, id)

    def rows(self, kind, /, **equal):
        self._touch(f"rows {kind.__name__}")
        return self._store.rows(kind, **equal)

    def insert(self, row):
        return self._write(f"insert {row.id}", lambda: self._store.insert(row))

    def update(self, row, **fields):
        return self._write(f"update {row.id}", lambda: self._store.update(row, **fields))

    def delete(self, row):
        return self._write(f"delete {row.id}", lambda: self._store.delete(row))

    @contextmanager
    def transaction(self):
        self._touch("begin", others=OTHERS_BEFORE_A_WRITE)
        with self._store.transaction():
            yield
        self._touch("commit")

    @contextmanager
    def reading(self):
        self._touch("reading")
        with self._store.reading():
            yield

    def _write(self, where, write):
        self._touch(where)
        answer = write()
        self._touch(where)
        return answer

    def _touch(self, where, **chances):
        self._trouble.touch(where, alone=self._store._depth > 0, **chances)
