"""Needles that nobody wants are given back to the volume servers, in the background, by one process for all.

A batch whose needles are all gone goes itself, once the index does not tell of it any more. What cannot be given
back now, for a server with a copy is away, waits for the next time.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from cloudstead.dataplane.objects.driver import Damage, Unreachable
from cloudstead.dataplane.objects.files import Files, number_of
from cloudstead.dataplane.objects.format import StoredEntry, StoredPart, extents_of
from cloudstead.dataplane.objects.index import Index
from cloudstead.dataplane.objects.volumes.batches import STRIDE, Batch, BatchDisk, Mark
from cloudstead.dataplane.objects.volumes.cluster import Cluster

log = logging.getLogger(__name__)

_PAUSE_S = 1.0
_LOOK_AT_ALL_PAUSES = 10  # for what other processes marked
_LOOKS_A_PAUSE = 100
_AT_ONCE = 8


class Returner:
    def __init__(self, folder: Path, disk: BatchDisk, index: Index, cluster: Cluster) -> None:
        self._folder = folder
        self._disk = disk
        self._index = index
        self._cluster = cluster

    async def run(self) -> None:
        """Until cancelled."""
        fd = os.open(self._folder / "returning", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                self._disk.take_unwanted()
                await asyncio.sleep(_PAUSE_S)
            pauses = 0
            while True:
                marked = self._disk.take_unwanted()
                if pauses <= 0:
                    marked = set(self._disk.batches())
                    pauses = max(_LOOK_AT_ALL_PAUSES, len(marked) // _LOOKS_A_PAUSE)
                await self._return(marked)
                pauses -= 1
                await asyncio.sleep(_PAUSE_S)
        finally:
            os.close(fd)

    async def once(self) -> None:
        """All that can be given back now."""
        await self._return(self._disk.batches())

    async def _return(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            try:
                await self._return_of(name, self._disk.batch(name))
            except FileNotFoundError:
                continue
            except Unreachable as e:
                log.warning("objects: nothing of %s can be given back now: %s", name, e)
            await asyncio.sleep(0)

    async def _return_of(self, name: str, batch: Batch) -> None:
        unwanted = batch.marked(Mark.UNWANTED)
        if unwanted:  # a server that had a copy some time ago says too that there is none
            await self._cluster.locations(batch.needle(0).volume, anew=True)
        for at in range(0, len(unwanted), _AT_ONCE):
            some = unwanted[at : at + _AT_ONCE]
            gone = await asyncio.gather(*(self._cluster.delete(batch.needle(n)) for n in some))
            batch.mark([n for n, is_gone in zip(some, gone, strict=True) if is_gone], Mark.GONE)
            if not all(gone):
                return
        if batch.count and len(batch.marked(Mark.GONE)) == batch.count:
            number = number_of(name)
            if number is not None and number not in self._index.files():
                self._disk.remove(name)


async def missing_copies(
    things: Iterable[StoredEntry | StoredPart], files: Files, cluster: Cluster
) -> list[Damage]:
    """What `fsck` finds: bodies whose needles have fewer copies than they should."""
    found: list[Damage] = []
    for thing in things:
        for number, offset, _ in extents_of(thing.body):
            try:
                batch = files.get(number, extents=True)
            except FileNotFoundError:
                continue  # the index is found to be wrong elsewhere
            if not isinstance(batch, Batch):
                continue
            needle = batch.needle(offset // STRIDE)
            copies = await cluster.copies(needle)
            if copies < cluster.settings.copies:
                what = f"needle {needle.target} has {copies} of {cluster.settings.copies} copies"
                version_id = thing.version_id if isinstance(thing, StoredEntry) else thing.upload_id
                found.append(Damage(what=what, bucket=thing.bucket, key=thing.key, version_id=version_id))
    return found
