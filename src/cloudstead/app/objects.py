"""The object store of one process: opened by the first request that needs it, tended while the process lives.

A worker that nobody asks for objects pays nothing for them, neither at its start nor in memory.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, cast

from cloudstead.app.operations import AnyOperation, Result
from cloudstead.cli.commands import ObjectsChecked
from cloudstead.control.steps import Step
from cloudstead.core.caller import Caller
from cloudstead.core.settings import Settings
from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.driver import Broken, Damage, ObjectStore
from cloudstead.dataplane.objects.engine import open_objects
from cloudstead.dataplane.objects.volumes.cluster import ClusterSettings
from cloudstead.services.s3.objects import Objects as S3Objects
from cloudstead.services.s3.operations import objects_of
from cloudstead.services.s3.reconcile import Lifecycles
from cloudstead.services.s3.rows import Bucket, BucketEnd
from cloudstead.store import Store

log = logging.getLogger(__name__)

#: EX_IOERR of sysexits.h: the supervisor starts the process again, which then recovers.
_BROKEN = 74


class Objects:
    """Stands for the ObjectStore that `open` opens. Whoever uses `store` before must await `opened`."""

    def __init__(self, folder: Path, tools: Tools, cluster: ClusterSettings | None = None) -> None:
        self._folder = folder
        self._tools = tools
        self._cluster = cluster
        self._real: ObjectStore | None = None
        self._opening: asyncio.Task[ObjectStore] | None = None
        self._tending: asyncio.Task[None] | None = None
        self._dropping: asyncio.Task[None] | None = None

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
        try:
            self._real = await open_objects(
                self._folder, on_broken=_end, tools=self._tools, cluster=self._cluster
            )
        finally:
            self._opening = None
        self._tending = asyncio.get_running_loop().create_task(self._real.tend())
        log.debug("objects: open in %s", self._folder)
        return self._real

    def drop_soon(self, store: Store) -> None:
        """Give back the space of buckets that were forgotten. What a process does not come to, the next start does."""
        ends = store.rows(BucketEnd)
        if ends:
            self._dropping = asyncio.get_running_loop().create_task(self._drop(store, ends))

    async def _drop(self, store: Store, ends: Sequence[BucketEnd]) -> None:
        try:
            await self._drop_each(store, ends)
        except Exception:
            log.exception("objects: what is left of forgotten buckets waits for the next start")

    async def _drop_each(self, store: Store, ends: Sequence[BucketEnd]) -> None:
        await self.open()
        for end in ends:
            await self.store.drop_bucket(end.id)
            with store.transaction():
                if (current := store.get(BucketEnd, end.id)) is not None:
                    store.delete(current)

    async def close(self) -> None:
        if self._dropping is not None:
            await self._dropping
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

    def lifecycles(self, store: Store, sealing_key: bytes) -> Lifecycles:
        """The controller that carries lifecycle rules out; it opens the store when a bucket has some."""
        return _OpeningLifecycles(self, objects_of(store, self._tools, self.store, sealing_key))


class _OpeningLifecycles(Lifecycles):
    def __init__(self, opened: Objects, objects: S3Objects) -> None:
        super().__init__(objects)
        self._opened = opened

    async def perform(self, row: Bucket, step: Step) -> None:
        await self._opened.open()
        await super().perform(row, step)


def cluster(settings: Settings) -> ClusterSettings | None:
    """The volume servers of the settings. Those that are only named are read: bodies may be there from before."""
    if not settings.seaweedfs_masters:
        return None
    return ClusterSettings(
        masters=settings.masters,
        collection=settings.seaweedfs_collection,
        replication=settings.seaweedfs_replication,
        timeout_s=settings.seaweedfs_timeout_s,
        takes_new=settings.object_bytes == "seaweedfs",
    )


async def checked(folder: Path, *, read_all: bool, cluster: ClusterSettings | None = None) -> ObjectsChecked:
    """What `fsck` finds, and with `read_all` what reading every body finds besides."""
    store = await open_objects(folder, on_broken=_end, cluster=cluster)
    try:
        found = [await store.fsck(), *([await store.scrub()] if read_all else [])]
    finally:
        await store.close()
    return ObjectsChecked(
        versions=found[0].versions,
        parts=found[0].parts,
        size_bytes=found[0].bytes,
        damage=[_told(each) for seen in found for each in seen.damage],
    )


def _told(damage: Damage) -> str:
    where = f"{damage.bucket} {damage.key!r} {damage.version_id}: " if damage.key else ""
    return where + damage.what


def _end(why: Broken) -> None:
    """Nothing that this process would still answer could be believed."""
    log.critical("objects: this process ends: %s", why)
    os._exit(_BROKEN)
