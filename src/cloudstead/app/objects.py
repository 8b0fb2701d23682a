"""The object store of one process: opened by the first request that needs it, tended while the process lives.

A worker that nobody asks for objects pays nothing for them, neither at its start nor in memory.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

from cloudstead.app.operations import AnyOperation, Result
from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.driver import Broken, ObjectStore

log = logging.getLogger(__name__)

#: EX_IOERR of sysexits.h: the supervisor starts the process again, which then recovers.
_BROKEN = 74


class Objects:
    """Stands for the ObjectStore that `open` opens. Whoever uses `store` before must await `opened`."""

    def __init__(self, folder: Path, tools: Tools) -> None:
        self._folder = folder
        self._tools = tools
        self._real: ObjectStore | None = None
        self._opening: asyncio.Task[ObjectStore] | None = None
        self._tending: asyncio.Task[None] | None = None

    @property
    def store(self) -> ObjectStore:
        return cast("ObjectStore", self)

    def __getattr__(self, name: str) -> Any:
        if self._real is None:
            raise AttributeError(f"{name}: the object store is not open")
        found = getattr(self._real, name)
        self.__dict__[name] = found  # the next look finds it at once
        return found

    @property
    def is_open(self) -> bool:
        return self._real is not None

    async def open(self) -> None:
        if self._real is None:
            if self._opening is None:
                self._opening = asyncio.get_running_loop().create_task(self._open())
            await asyncio.shield(self._opening)  # one who goes away must not end it for the others

    async def _open(self) -> ObjectStore:
        from cloudstead.dataplane.objects.engine import open_objects  # noqa: PLC0415

        try:
            self._real = await open_objects(self._folder, on_broken=_end, tools=self._tools)
        finally:
            self._opening = None
        self._tending = asyncio.get_running_loop().create_task(self._real.tend())
        log.debug("objects: open in %s", self._folder)
        return self._real

    async def close(self) -> None:
        if self._tending is not None:
            self._tending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._tending
        if self._real is not None:
            await self._real.close()

    def opening(self, operation: AnyOperation) -> AnyOperation:
        """The operation, begun once the store is open."""

        def call(caller: Caller, request: dict[str, Any]) -> Result | Coroutine[Any, Any, Result]:
            if self._real is not None:
                return operation(caller, request)
            return later(caller, request)

        async def later(caller: Caller, request: dict[str, Any]) -> Result:
            await self.open()
            result = operation(caller, request)
            return await result if isinstance(result, Coroutine) else result

        return call


def _end(why: Broken) -> None:
    """Nothing that this process would still answer could be believed."""
    log.critical("objects: this process ends: %s", why)
    os._exit(_BROKEN)
