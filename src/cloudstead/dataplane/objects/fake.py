"""Objects in memory, for tests. It keeps the promises of the driver but for the disk: nothing outlives it."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Generic, TypeVar

from msgspec.structs import replace

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.listing import gather, lines_of, start

T = TypeVar("T")
_PIECE_BYTES = 256 << 10


class FakeObjects:
    """The ObjectStore of one process. `fail` is what every commit says no with."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._gone: set[str] = set()
        self._sequence = 0
        self.fail: Exception | None = None
        self.open_blobs = 0  # bodies that were neither committed nor discarded

    # --- writing

    def writer(self, bucket: str, size_hint: int | None = None) -> "_Writer":
        del bucket, size_hint
        return _Writer(self)

    def small(self, data: bytes) -> "_Blob":
        assert len(data) <= d.SMALL_BYTES_MAX
        return _Blob(self, data)

    async def share(self, entry: d.Entry, start: int = 0, end: int | None = None) -> "_Blob":
        return _Blob(self, self._body(entry)[start:end])

    def discard(self, blob: d.Blob) -> None:
        _take(blob)

    async def commit(
        self, bucket: str, changes: Sequence[d.Change], conditions: Sequence[d.Condition] = ()
    ) -> list[d.Entry | d.Upload | d.Part | None]:
        bodies = [_take(each.body) for each in changes if isinstance(each, d.Put | d.PutPart)]
        if self.fail is not None:
            raise self.fail
        if bucket in self._gone:
            raise d.BucketGone(bucket)
        here = self._buckets.setdefault(bucket, _Bucket(bucket))
        for condition in conditions:
            here.check(condition)
        for change in changes:
            here.check_change(change)
        answers = []
        for change in changes:
            self._sequence += 1
            body = bodies.pop(0) if isinstance(change, d.Put | d.PutPart) else b""
            answers.append(here.apply(change, body, self._sequence))
        return answers

    async def drop_bucket(self, bucket: str, *, if_empty: bool = False) -> None:
        if if_empty and bucket not in self._gone and self.list_versions(bucket, limit=1).versions:
            raise d.NotEmpty(bucket)
        self._buckets.pop(bucket, None)
        self._gone.add(bucket)

    # --- reading

    def get(self, bucket: str, key: str, version_id: str | None = None) -> d.Entry | None:
        versions = self._bucket(bucket).versions.get(key.encode(), [])
        return next((one for one in versions if version_id in (None, one.version_id)), None)

    def parts(self, entry: d.Entry) -> list[d.PartSize]:
        return self._bucket(entry.bucket).parts_of.get(entry.sequence, [])

    async def read(self, entry: d.Entry, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        wanted = self._body(entry)[start:end]
        for at in range(0, len(wanted), _PIECE_BYTES):
            yield wanted[at : at + _PIECE_BYTES]
            await asyncio.sleep(0)

    def peek(self, entry: d.Entry) -> bytearray | None:
        return bytearray(self._body(entry)) if entry.revision % 2 else None  # as the page cache has it or not

    async def read_whole(self, entry: d.Entry) -> bytes:
        assert entry.size <= d.WHOLE_BYTES_MAX
        return self._body(entry)

    def list_objects(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> d.Page:
        newest = ((key, versions[0]) for key, versions in self._bucket(bucket).sorted_versions())
        found = _gathered(list(newest), prefix, delimiter, after, lambda one: not one.delete_marker)
        lines, more = lines_of(found, limit)
        return d.Page(
            entries=[one for _, one in lines if one is not None],
            prefixes=[key.decode() for key, one in lines if one is None],
            next=lines[-1][0].decode() if more else None,
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
        all = [
            (key, d.Version(entry=one, is_latest=one is versions[0]))
            for key, versions in self._bucket(bucket).sorted_versions()
            for one in versions
        ]
        rest = _rest(all, after, lambda version: version.entry.version_id)
        found = _gathered(rest, prefix, delimiter, "" if after[1] else after[0], lambda _: True)
        lines, more = lines_of(found, limit)
        last, version = lines[-1] if lines else (b"", None)
        return d.VersionsPage(
            versions=[one for _, one in lines if one is not None],
            prefixes=[key.decode() for key, one in lines if one is None],
            next=(last.decode(), version.entry.version_id if version else "") if more else None,
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
        uploads = sorted(self._bucket(bucket).uploads.values(), key=lambda u: (u.key.encode(), u.sequence))
        rest = _rest([(u.key.encode(), u) for u in uploads], after, lambda upload: upload.upload_id)
        found = _gathered(rest, prefix, delimiter, "" if after[1] else after[0], lambda _: True)
        lines, more = lines_of(found, limit)
        last, upload = lines[-1] if lines else (b"", None)
        return d.UploadsPage(
            uploads=[one for _, one in lines if one is not None],
            prefixes=[key.decode() for key, one in lines if one is None],
            next=(last.decode(), upload.upload_id if upload else "") if more else None,
        )

    def upload(self, bucket: str, key: str, upload_id: str) -> d.Upload | None:
        return self._bucket(bucket).uploads.get((key, upload_id))

    def list_parts(
        self, bucket: str, key: str, upload_id: str, *, after: int = 0, limit: int = 1000
    ) -> d.PartsPage:
        if self.upload(bucket, key, upload_id) is None:
            raise d.NoSuchUpload(upload_id)
        parts = self._bucket(bucket).parts[key, upload_id]
        rest = [parts[number][0] for number in sorted(parts) if number > after]
        shown = rest[:limit]
        return d.PartsPage(parts=shown, next=shown[-1].number if len(rest) > limit > 0 else None)

    def usage(self, bucket: str) -> d.Usage:
        here = self._bucket(bucket)
        all = [one for versions in here.versions.values() for one in versions]
        return d.Usage(versions=len(all), bytes=sum(one.size for one in all), uploads=len(here.uploads))

    # --- looking after itself

    async def tend(self) -> None:
        await asyncio.Event().wait()

    async def fsck(self) -> d.Checked:
        versions = [one for b in self._buckets.values() for each in b.versions.values() for one in each]
        parts = [part for b in self._buckets.values() for each in b.parts.values() for part in each]
        size = sum(one.size for one in versions)
        return d.Checked(versions=len(versions), parts=len(parts), bytes=size, damage=[])

    async def scrub(self) -> d.Checked:
        return await self.fsck()

    async def close(self) -> None:
        pass

    # --- inside

    def _bucket(self, bucket: str) -> "_Bucket":
        return self._buckets.get(bucket) or _Bucket(bucket)

    def _body(self, entry: d.Entry) -> bytes:
        if self.get(entry.bucket, entry.key, entry.version_id) is None:
            raise d.NoSuchVersion(entry.version_id)
        assert isinstance(entry.body, bytes)
        return entry.body


class _Blob:
    def __init__(self, store: FakeObjects, body: bytes) -> None:
        self._store = store
        self.size = len(body)
        self.body = body
        self.taken = False
        store.open_blobs += 1

    def take(self) -> bytes:
        self._store.open_blobs -= not self.taken
        self.taken = True
        return self.body


def _take(blob: d.Blob) -> bytes:
    assert isinstance(blob, _Blob)
    return blob.take()


class _Writer:
    def __init__(self, store: FakeObjects) -> None:
        self._store = store
        self._body = bytearray()

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        self._body += data

    async def close(self) -> _Blob:
        return _Blob(self._store, bytes(self._body))

    def discard(self) -> None:
        self._body.clear()


class _Bucket:
    def __init__(self, id: str) -> None:
        self._id = id
        self.versions: dict[bytes, list[d.Entry]] = {}  # by key, the newest first; never empty
        self.uploads: dict[tuple[str, str], d.Upload] = {}
        self.parts: dict[tuple[str, str], dict[int, tuple[d.Part, bytes]]] = {}
        self.parts_of: dict[int, list[d.PartSize]] = {}  # of objects, by sequence

    def sorted_versions(self) -> list[tuple[bytes, list[d.Entry]]]:
        return sorted(self.versions.items())

    # --- what must be true

    def check(self, condition: d.Condition) -> None:
        newest = next(iter(self.versions.get(condition.key.encode(), [])), None)
        current = None if newest is None or newest.delete_marker else newest
        seen: d.Entry | None
        match condition:
            case d.Absent():
                seen, ok = current, current is None
            case d.CurrentIs():
                seen, ok = current, current is not None and _alike(condition, current)
            case d.NewestIs():
                seen, ok = newest, condition.version_id == (newest and newest.version_id)
            case d.RevisionIs():
                seen = self._find(condition.key, condition.version_id)
                ok = seen is not None and seen.revision == condition.revision
        if not ok:
            raise d.ConditionFailed(condition, seen)

    def check_change(self, change: d.Change) -> None:
        match change:
            case d.SetMeta():
                entry = self._find(change.key, change.version_id)
                if entry is None:
                    raise d.NoSuchVersion(change.version_id)
                if change.revision not in (0, entry.revision):
                    raise d.Changed(change.version_id)
            case d.PutPart() | d.Complete() | d.Abort():
                parts = self.parts.get((change.key, change.upload_id))
                if parts is None:
                    raise d.NoSuchUpload(change.upload_id)
                for number, revision in change.parts if isinstance(change, d.Complete) else ():
                    if number not in parts or parts[number][0].revision != revision:
                        raise d.NoSuchPart(number)
            case _:
                pass

    # --- what changes

    def apply(self, change: d.Change, body: bytes, sequence: int) -> d.Entry | d.Upload | d.Part | None:
        match change:
            case d.Put() | d.PutMarker():
                return self._put(change, body, sequence)
            case d.Delete():
                return self._remove(change.key, change.version_id)
            case d.SetMeta():
                return self._set_meta(change, sequence)
            case d.BeginUpload():
                return self._begin(change, sequence)
            case d.PutPart():
                return self._put_part(change, body, sequence)
            case d.Complete():
                return self._complete(change, sequence)
            case d.Abort():
                self._end(change)
                return None

    def _put(self, change: d.Put | d.PutMarker | d.Complete, body: bytes, sequence: int) -> d.Entry:
        self._remove(change.key, change.version_id)
        if isinstance(change, d.Put) and change.parts:
            self.parts_of[sequence] = list(change.parts)
        entry = d.Entry(
            bucket=self._id,
            key=change.key,
            version_id=change.version_id,
            sequence=sequence,
            revision=sequence,
            modified_ms=change.modified_ms,
            size=len(body),
            etag="" if isinstance(change, d.PutMarker) else change.etag,
            delete_marker=isinstance(change, d.PutMarker),
            meta=change.meta,
            parts_count=0 if isinstance(change, d.PutMarker) else len(change.parts),
            body=body,
        )
        self.versions.setdefault(change.key.encode(), []).insert(0, entry)
        return entry

    def _set_meta(self, change: d.SetMeta, sequence: int) -> d.Entry:
        versions = self.versions[change.key.encode()]
        at = next(n for n, one in enumerate(versions) if one.version_id == change.version_id)
        versions[at] = replace(versions[at], meta=change.meta, revision=sequence)
        return versions[at]

    def _begin(self, change: d.BeginUpload, sequence: int) -> d.Upload:
        upload = d.Upload(
            bucket=self._id,
            key=change.key,
            upload_id=change.upload_id,
            sequence=sequence,
            modified_ms=change.modified_ms,
            meta=change.meta,
        )
        self.uploads[change.key, change.upload_id] = upload
        self.parts[change.key, change.upload_id] = {}
        return upload

    def _put_part(self, change: d.PutPart, body: bytes, sequence: int) -> d.Part:
        part = d.Part(
            number=change.number,
            size=len(body),
            etag=change.etag,
            modified_ms=change.modified_ms,
            revision=sequence,
            meta=change.meta,
        )
        self.parts[change.key, change.upload_id][change.number] = (part, body)
        return part

    def _complete(self, change: d.Complete, sequence: int) -> d.Entry:
        parts = self.parts[change.key, change.upload_id]
        chosen = [parts[number] for number, _ in change.parts]
        self._end(change)
        self.parts_of[sequence] = [d.PartSize(number=part.number, size=part.size) for part, _ in chosen]
        return self._put(change, b"".join(body for _, body in chosen), sequence)

    def _end(self, change: d.Complete | d.Abort) -> None:
        del self.uploads[change.key, change.upload_id]
        del self.parts[change.key, change.upload_id]

    def _find(self, key: str, version_id: str) -> d.Entry | None:
        return next(
            (one for one in self.versions.get(key.encode(), []) if one.version_id == version_id), None
        )

    def _remove(self, key: str, version_id: str) -> d.Entry | None:
        found = self._find(key, version_id)
        if found is not None:
            versions = self.versions[key.encode()]
            versions.remove(found)
            if not versions:
                del self.versions[key.encode()]
        return found


def _alike(condition: d.CurrentIs, entry: d.Entry) -> bool:
    return (
        condition.etag in ("*", entry.etag)
        and condition.modified_ms in (None, entry.modified_ms)
        and condition.size in (None, entry.size)
    )


# --- listing


class _ListWalk(Generic[T]):
    def __init__(self, things: Sequence[tuple[bytes, T]]) -> None:
        self._things = things
        self._at = 0

    def next(self) -> tuple[bytes, T] | None:
        if self._at == len(self._things):
            return None
        self._at += 1
        return self._things[self._at - 1]

    def seek(self, key: bytes) -> None:
        self._at = bisect_left(self._things, key, key=lambda thing: thing[0])


def _gathered(
    things: Sequence[tuple[bytes, T]], prefix: str, delimiter: str, after: str, wanted: Callable[[T], bool]
) -> Iterator[tuple[bytes, T | None]]:
    first = start(prefix.encode(), delimiter.encode(), after.encode())
    walk = _ListWalk(things)
    if first is None:
        return iter(())
    walk.seek(first)
    return gather(walk, prefix.encode(), delimiter.encode(), wanted)


def _rest(
    things: Sequence[tuple[bytes, T]], after: tuple[str, str], name: Callable[[T], str]
) -> list[tuple[bytes, T]]:
    """What comes behind one thing of a key; behind all of that key if it is not there."""
    key, id = after[0].encode(), after[1]
    if not id:
        return list(things)
    names = [name(thing) for at, thing in things if at == key]
    passed = names[: names.index(id) + 1] if id in names else names
    return [(at, thing) for at, thing in things if at > key or (at == key and name(thing) not in passed)]
