"""All of one process that has to do with volume servers, behind one face for the engine."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cloudstead.dataplane.objects.disk import Disk
from cloudstead.dataplane.objects.driver import Broken, Change, Damage
from cloudstead.dataplane.objects.files import Files
from cloudstead.dataplane.objects.format import StoredEntry, StoredPart
from cloudstead.dataplane.objects.index import Index
from cloudstead.dataplane.objects.volumes.batches import BatchDisk
from cloudstead.dataplane.objects.volumes.cluster import Cluster, ClusterSettings
from cloudstead.dataplane.objects.volumes.returning import Returner, missing_copies
from cloudstead.dataplane.objects.volumes.writing import Needles, NeedleWriter


class Volumes:
    def __init__(self, local: Disk, settings: ClusterSettings) -> None:
        self._cluster = Cluster(settings)
        self.disk = BatchDisk(local, self._cluster)
        self.takes_new = settings.takes_new

    def begin(self, folder: Path, files: Files, index: Index, on_broken: Callable[[Broken], None]) -> None:
        """Once the store is open."""
        self._files = files
        self._needles = Needles(files, index, self._cluster, on_broken)
        self._returner = Returner(folder, self.disk, index, self._cluster)

    def writer(self, size_hint: int | None) -> NeedleWriter:
        return NeedleWriter(self._needles, size_hint)

    async def settled(self, changes: Sequence[Change]) -> list[Change]:
        return await self._needles.settled(changes)

    async def tend(self) -> None:
        await self._returner.run()

    async def tend_once(self) -> None:
        await self._returner.once()

    async def missing_copies(self, things: Iterable[StoredEntry | StoredPart]) -> list[Damage]:
        return await missing_copies(things, self._files, self._cluster)

    async def close(self) -> None:
        self._needles.seal()
        await asyncio.shield(self.disk.sync_marks())
        await self._cluster.close()
