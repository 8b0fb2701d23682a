"""The real ObjectStore: logs, body files and their index in one folder, shared by the processes of a cloud.

objects/
    files/      00000001.log, 00000002.ext …: all that is true; 00000003.needles …: which bodies lie on volume servers
    index/      LMDB; can be made again from the files
    state       the boot under which the index was last in use, and whether that ended well
    shared      what the processes know of each other; lock, slot-N, opening, tending: their locks
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects import checking, drafts, recovery, walks
from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.bodies import Blob, BodyFiles, Writer
from cloudstead.dataplane.objects.committing import Committer, End, Log
from cloudstead.dataplane.objects.disk import Disk, RealDisk
from cloudstead.dataplane.objects.drafts import Draft
from cloudstead.dataplane.objects.files import Files
from cloudstead.dataplane.objects.format import (
    Piece,
    StoredEntry,
    cut,
    pack_parts,
    pieces_of,
    unpack_parts,
)
from cloudstead.dataplane.objects.index import Index, part_of
from cloudstead.dataplane.objects.reading import Reader
from cloudstead.dataplane.objects.shared import Shared
from cloudstead.dataplane.objects.syncing import Syncs
from cloudstead.dataplane.objects.tending import Tender
from cloudstead.dataplane.objects.volumes.batches import has_batches
from cloudstead.dataplane.objects.volumes.cluster import ClusterSettings
from cloudstead.dataplane.objects.volumes.store import Volumes
from cloudstead.dataplane.objects.volumes.writing import NeedleWriter, check_pieces

log = logging.getLogger(__name__)

T = TypeVar("T")

_GATHERED_BYTES_MAX = 1 << 20
_SET_META_TIMES = 10
_PARTS_AT_ONCE = 500


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


async def open_objects(
    folder: Path,
    *,
    on_broken: Callable[[d.Broken], None],
    tools: Tools | None = None,
    boot: str | None = None,
    disk: Disk | None = None,
    cluster: ClusterSettings | None = None,
) -> "Objects":
    """Open, recovering as needed; what only one process at a time can do. After the fork, on the loop that uses it.

    `on_broken` is called once if the disk fails to keep what it was given: the process must end then. With a
    `cluster`, bodies lie there, or at least those that were put there before; without, Unreachable is raised if there are any.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - a moment
    syncs = Syncs()
    disk = disk or RealDisk(folder / "files", syncs)
    if cluster is None and has_batches(disk):
        syncs.close()
        raise d.Unreachable("objects lie on volume servers, and no master is named")
    volumes = None if cluster is None else Volumes(disk, cluster)
    disk = disk if volumes is None else volumes.disk
    tools = tools or Tools()
    state = recovery.State(folder, boot or boot_id())
    async with recovery.alone(folder):
        shared = Shared(folder)
        try:
            index = await asyncio.to_thread(_index_of, folder, disk, shared, state)
            slot = shared.claim()
            files = Files(disk, index, shared, tools)
            mine = await asyncio.to_thread(recovery.new_log, files)
            for left in shared.held():
                mine = await recovery.replay(index, files, shared, left, mine)
                if left != slot:
                    shared.release_slot(left)
        except BaseException:
            shared.close()
            syncs.close()
            raise
    return Objects(
        folder=folder,
        state=state,
        syncs=syncs,
        shared=shared,
        index=index,
        files=files,
        mine=mine,
        on_broken=on_broken,
        volumes=volumes,
    )


def _index_of(folder: Path, disk: Disk, shared: Shared, state: recovery.State) -> Index:
    """In a thread: a process may serve other things while it makes the index anew."""
    if recovery.others(shared):
        return Index(folder / "index")
    good = state.index_is_good()
    if not good:
        recovery.forget_index(folder)
    state.write("open")
    return recovery.open_index(folder, disk, shared, good=good)


class Objects:
    """The ObjectStore of one process."""

    def __init__(
        self,
        *,
        folder: Path,
        state: recovery.State,
        syncs: Syncs,
        shared: Shared,
        index: Index,
        files: Files,
        mine: Log,
        on_broken: Callable[[d.Broken], None],
        volumes: Volumes | None,
    ) -> None:
        self._folder = folder
        self._state = state
        self._syncs = syncs
        self._shared = shared
        self._index = index
        self._files = files
        self._told_broken = on_broken
        take_over = partial(recovery.take_over, folder, index, files, shared)
        self._committer = Committer(files, index, shared, mine, take_over=take_over, on_broken=self._broke)
        self._bodies = BodyFiles(files, index, self._committer.break_down)
        self._reader = Reader(files, index, shared)
        self._tender = Tender(folder, files, index, shared, self._committer)
        self._volumes = volumes
        if volumes is not None:
            volumes.begin(folder, files, index, self._committer.break_down)

    # --- writing

    def writer(self, bucket: str, size_hint: int | None = None) -> Writer | NeedleWriter:
        del bucket
        if self._volumes is not None and self._volumes.takes_new:
            return self._volumes.writer(size_hint)
        return Writer(self._bodies, size_hint)

    def small(self, data: bytes) -> Blob:
        assert len(data) <= d.SMALL_BYTES_MAX
        return Blob(len(data), data, [])

    async def share(self, entry: d.Entry, start: int = 0, end: int | None = None) -> Blob:
        assert isinstance(entry, StoredEntry)
        pin = self._shared.pin()
        try:
            now = self._reader.now(entry)
            return await self._share(now, start, now.size if end is None else min(end, now.size), pin)
        except BaseException:
            self._shared.unpin(pin)
            raise

    def discard(self, blob: d.Blob) -> None:
        assert isinstance(blob, Blob)
        blob.discard()

    async def commit(
        self, bucket: str, changes: Sequence[d.Change], conditions: Sequence[d.Condition] = ()
    ) -> list[d.Entry | d.Upload | d.Part | None]:
        if self._volumes is not None and self._volumes.takes_new:
            changes = await self._volumes.settled(changes)
        for _ in range(_SET_META_TIMES):
            try:
                return await self._commit(bucket, changes, conditions)
            except d.Changed:
                if not all(isinstance(each, d.SetMeta) and not each.revision for each in changes):
                    raise
        raise d.Concurrent("the metadata change all the time")

    async def drop_bucket(self, bucket: str, *, if_empty: bool = False) -> None:
        with self._index.reading() as txn:
            gone = self._index.is_dropped(txn, bucket)
        if not gone:
            await self._committer.commit("", [drafts.drop(self._index, bucket, if_empty=if_empty)])
        while self._tender.empty_some(bucket):  # noqa: ASYNC110 - not a wait
            await asyncio.sleep(0)

    # --- reading

    def get(self, bucket: str, key: str, version_id: str | None = None) -> StoredEntry | None:
        return self._index.get(bucket, key, version_id)

    def parts(self, entry: d.Entry) -> list[d.PartSize]:
        assert isinstance(entry, StoredEntry)
        return [d.PartSize(number=number, size=size) for number, size in unpack_parts(entry.body.parts)]

    def read(self, entry: d.Entry, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        assert isinstance(entry, StoredEntry)
        return self._reader.read(entry, start, entry.size if end is None else min(end, entry.size))

    def peek(self, entry: d.Entry) -> bytearray | None:
        assert isinstance(entry, StoredEntry)
        return self._reader.peek(entry)

    async def read_whole(self, entry: d.Entry) -> bytes:
        assert isinstance(entry, StoredEntry)
        return await self._reader.whole(entry)

    def list_objects(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> d.Page:
        return walks.objects(
            self._index, bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit
        )

    def list_versions(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 1000,
    ) -> d.VersionsPage:
        return walks.versions(
            self._index, bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit
        )

    def list_uploads(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 1000,
    ) -> d.UploadsPage:
        return walks.uploads(
            self._index, bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit
        )

    def upload(self, bucket: str, key: str, upload_id: str) -> d.Upload | None:
        with self._index.reading() as txn:
            number = self._index.upload_number(txn, bucket, key, upload_id)
            return None if number is None else self._index.upload(txn, number)

    def list_parts(
        self, bucket: str, key: str, upload_id: str, *, after: int = 0, limit: int = 1000
    ) -> d.PartsPage:
        with self._index.reading() as txn:
            number = self._index.upload_number(txn, bucket, key, upload_id)
            if number is None:
                raise d.NoSuchUpload(upload_id)
            parts = self._index.parts(txn, number, after, limit + 1)
        shown: list[d.Part] = list(parts[:limit])
        return d.PartsPage(parts=shown, next=shown[-1].number if len(parts) > limit > 0 else None)

    def usage(self, bucket: str) -> d.Usage:
        return self._index.usage(bucket)

    # --- looking after itself

    async def tend(self) -> None:
        if self._volumes is None:
            await self._tender.run()
        else:
            await asyncio.gather(self._tender.run(), self._volumes.tend())

    async def tend_once(self) -> None:
        """All that can be done now, by this process."""
        await self._tender.once()
        if self._volumes is not None:
            await self._volumes.tend_once()

    async def fsck(self) -> d.Checked:
        checked = await checking.fsck(self._index, self._files)
        if self._volumes is None:
            return checked
        with self._reader.pinned():
            things = (thing for some in checking.a_few_at_once(self._index) for thing in some)
            missing = await self._volumes.missing_copies(things)
        return replace(checked, damage=(checked.damage + missing)[: checking.DAMAGE_MAX])

    async def scrub(self) -> d.Checked:
        return await checking.scrub(self._index, self._reader)

    async def close(self) -> None:
        await self._committer.close()
        self._bodies.seal()
        if self._volumes is not None:
            await self._volumes.close()
        async with recovery.alone(self._folder):
            if not self._committer.broken and not recovery.others(self._shared):
                self._index.sync()
                self._state.write("clean")
            self._index.close()
            self._shared.close()
        self._syncs.close()

    # --- inside

    def _broke(self, why: d.Broken) -> None:
        log.critical("objects: %s", why)
        self._told_broken(why)

    async def _commit(
        self, bucket: str, changes: Sequence[d.Change], conditions: Sequence[d.Condition]
    ) -> list[d.Entry | d.Upload | d.Part | None]:
        ends: list[End] = []
        for change in changes:
            if isinstance(change, d.Put | d.PutPart):
                assert isinstance(change.body, Blob)
                ends += filter(None, (change.body.spend(),))
        try:
            made = [await self._draft(bucket, change, ends) for change in changes]
        except BaseException:
            for end in ends:
                end(False)
            raise
        checks = [drafts.condition(self._index, bucket, each) for each in conditions]
        answers = iter(await self._committer.commit(bucket, checks + made, ends))
        return [[next(answers) for _ in each.records][0] for each in made]  # noqa: RUF015 - all are taken

    async def _draft(self, bucket: str, change: d.Change, ends: list[End]) -> Draft:
        match change:
            case d.Put(body=Blob() as blob):
                return Draft([drafts.put(bucket, change, blob.body(), blob.data, blob.size)])
            case d.PutMarker():
                return drafts.put_marker(bucket, change)
            case d.Delete():
                return drafts.delete(self._index, bucket, change)
            case d.SetMeta():
                return await self._draft_meta(bucket, change)
            case d.BeginUpload():
                return drafts.begin_upload(bucket, change)
            case d.PutPart(body=Blob() as blob):
                return drafts.put_part(self._index, bucket, change, blob.body(), blob.data)
            case d.Complete():
                return await self._draft_complete(bucket, change, ends)
            case d.Abort():
                return drafts.abort(self._index, bucket, change)
            case _:
                raise AssertionError(change)

    async def _draft_meta(self, bucket: str, change: d.SetMeta) -> Draft:
        entry = self._index.get(bucket, change.key, change.version_id)
        if entry is None:
            raise d.NoSuchVersion(change.version_id)
        if change.revision not in (0, entry.revision):
            raise d.Changed(change.version_id)
        data = await self._reader.inline(entry) if entry.body.inline else b""
        return drafts.set_meta(self._index, entry, change, data)

    async def _draft_complete(self, bucket: str, change: d.Complete, ends: list[End]) -> Draft:
        """The parts' extents become the object's; bodies so small that they lie in records are gathered."""
        rows = await self._chosen(bucket, change)
        chosen = [part async for part in _at_leisure(part_of(value) for value in rows.values())]
        writer = self._gathering()
        try:
            async for part in _at_leisure(chosen):
                if part.body.inline:
                    await writer.write(await self._reader.inline(part))
            gathered = await writer.close()
        except BaseException:
            writer.discard()
            raise
        ends += filter(None, (gathered.spend(),))
        theirs = gathered.pieces or [Piece(0, 0, gathered.size, 0, gathered.size)]
        pieces, at = list[Piece](), 0
        async for part in _at_leisure(chosen):
            for piece in pieces_of(part.body, part.size):
                start = at + piece.start
                pieces += [piece] if piece.file else cut(theirs, start, start + piece.size)
            at += part.body.inline
        if self._volumes is not None:
            check_pieces(pieces)
        blob = Blob(sum(part.size for part in chosen), gathered.data, pieces)
        parts = pack_parts([(part.number, part.size) for part in chosen])
        await asyncio.sleep(0)
        body = blob.body(parts)
        await asyncio.sleep(0)
        return drafts.complete(self._index, bucket, change, body, rows, data=blob.data, size=blob.size)

    def _gathering(self) -> Writer | NeedleWriter:
        if self._volumes is not None and self._volumes.takes_new:
            return self._volumes.writer(None)
        return Writer(self._bodies, None, inline_max=_GATHERED_BYTES_MAX)

    async def _chosen(self, bucket: str, change: d.Complete) -> dict[bytes, bytes]:
        """The rows of the parts as they are now; the commit looks whether they still are."""
        rows: dict[bytes, bytes] = {}
        for at in range(0, len(change.parts), _PARTS_AT_ONCE):
            with self._index.reading() as txn:
                upload = self._index.upload_number(txn, bucket, change.key, change.upload_id)
                if upload is None:
                    raise d.NoSuchUpload(change.upload_id)
                some = change.parts[at : at + _PARTS_AT_ONCE]
                rows |= self._index.part_rows(txn, upload, some)
            await asyncio.sleep(0)
        return rows

    async def _share(self, entry: StoredEntry, start: int, end: int, pin: int) -> Blob:
        pieces = cut(pieces_of(entry.body, entry.size), start, end)
        data = await self._reader.inline(entry) if any(not piece.file for piece in pieces) else b""
        size = sum(piece.size for piece in pieces)
        if not entry.body.pieces:
            data, pieces = data[start:end], []
        return Blob(size, data, pieces, lambda _: self._shared.unpin(pin))


async def _at_leisure(things: Iterable[T]) -> AsyncIterator[T]:
    """All of them, and now and then others' turn."""
    for seen, thing in enumerate(things, 1):
        yield thing
        if seen % _PARTS_AT_ONCE == 0:
            await asyncio.sleep(0)
