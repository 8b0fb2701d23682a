"""What S3 needs of whatever really keeps objects: bodies, and an index of them that changes in one step.

One store per process, opened after the fork; all of them see each other's commits at once. A commit is durable
when it returns. What a reader would get wrong: nothing of a body is visible, or kept, until a commit names it.
Keys sort by their UTF-8 bytes. `bucket` is always the random id of a bucket, never its name, so that a bucket made
again under an old name never meets old objects.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from cloudstead.core.errors import Conflict, DriverError

#: The version id of an object that was put while its bucket had no versioning, or had it suspended.
NULL = "null"
#: The largest body that `read_whole` and `peek` give in one piece: a MiB, and what sealing adds to it.
WHOLE_BYTES_MAX = (1 << 20) + (64 << 10)
#: The largest body that `small` takes.
SMALL_BYTES_MAX = 128 << 10
#: The longest key, in bytes of UTF-8.
KEY_BYTES_MAX = 1024


# --- what is seen


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an object, or a delete marker."""

    bucket: str
    key: str
    version_id: str
    sequence: int  # when it was put: a later put anywhere has a larger one
    revision: int  # the sequence of the last change to its metadata
    modified_ms: int  # since 1970, as the service gave it
    size: int
    etag: str  # without quotes, as the service gave it
    delete_marker: bool
    meta: bytes  # the service's own
    parts_count: int  # 0 if it was put in one piece
    body: object = None  # the store's own


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A multipart upload that is open."""

    bucket: str
    key: str
    upload_id: str
    sequence: int
    modified_ms: int
    meta: bytes


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an open upload."""

    number: int
    size: int
    etag: str
    modified_ms: int
    revision: int  # the sequence of the put
    meta: bytes


class PartSize(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    size: int


class Version(msgspec.Struct, frozen=True, kw_only=True):
    entry: Entry
    is_latest: bool


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    versions: int  # delete markers count
    bytes: int  # of all versions; parts of open uploads are not in it
    uploads: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Objects in the order of their keys. Keys that go on after the delimiter are told as prefixes, once each."""

    entries: list[Entry]
    prefixes: list[str]
    next: str | None  # the `after` of the next page; None where this is the last


class VersionsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Versions in the order of their keys, the newest of a key first."""

    versions: list[Version]
    prefixes: list[str]
    next: tuple[str, str] | None  # the `after` of the next page


class UploadsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Uploads in the order of their keys, the oldest of a key first."""

    uploads: list[Upload]
    prefixes: list[str]
    next: tuple[str, str] | None


class PartsPage(msgspec.Struct, frozen=True, kw_only=True):
    parts: list[Part]
    next: int | None


# --- bodies on their way in


class Blob(Protocol):
    """A body that no commit has named yet. Commit it or discard it, once."""

    @property
    def size(self) -> int: ...


class Writer(Protocol):
    """A body that is being written. Never more than a few hundred KiB of it are in memory."""

    async def write(self, data: bytes | bytearray | memoryview) -> None: ...

    async def close(self) -> Blob:
        """The whole body, whose bytes are safe on the disk if they do not travel in the commit's own record."""
        ...

    def discard(self) -> None:
        """Give its space back. Safe to repeat, and does nothing after `close`."""
        ...


# --- changes


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """A new version of an object. `version_id` NULL takes the place of the null version, if there is one.

    `parts`: those that the object was completed from whose whole body is shared.
    """

    key: str
    version_id: str
    modified_ms: int
    etag: str
    meta: bytes
    body: Blob
    parts: tuple[PartSize, ...] = ()


class PutMarker(msgspec.Struct, frozen=True, kw_only=True):
    """A delete marker, as a new version; NULL takes the place of the null version."""

    key: str
    version_id: str
    modified_ms: int
    meta: bytes = b""


class Delete(msgspec.Struct, frozen=True, kw_only=True):
    """Remove one version or marker for good; nothing if it is not there."""

    key: str
    version_id: str


class SetMeta(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the metadata of a version. Raises NoSuchVersion.

    Unless `revision` is 0 it must be the one last read, else Changed is raised: read again and decide again.
    """

    key: str
    version_id: str
    meta: bytes
    revision: int = 0


class BeginUpload(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    upload_id: str
    modified_ms: int
    meta: bytes


class PutPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an open upload, in the place of one of the same number. Raises NoSuchUpload."""

    key: str
    upload_id: str
    number: int
    modified_ms: int
    etag: str
    meta: bytes
    body: Blob


class Complete(msgspec.Struct, frozen=True, kw_only=True):
    """End an upload: the parts named, in this order, become the body of a new version; the others are dropped.

    Raises NoSuchUpload, and NoSuchPart where one is missing or was put again (`parts` are numbers and revisions).
    """

    key: str
    upload_id: str
    parts: tuple[tuple[int, int], ...]
    version_id: str
    modified_ms: int
    etag: str
    meta: bytes


class Abort(msgspec.Struct, frozen=True, kw_only=True):
    """End an upload and drop its parts. Raises NoSuchUpload."""

    key: str
    upload_id: str


Change = Put | PutMarker | Delete | SetMeta | BeginUpload | PutPart | Complete | Abort


# --- conditions, true at the very moment of the commit. `current` is the newest version, unless it is a marker.


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """There is no current object under this key (If-None-Match: *)."""

    key: str


class CurrentIs(msgspec.Struct, frozen=True, kw_only=True):
    """The current object has this etag; `*` is any (If-Match). `version_id` and `size` must be equal too if given."""

    key: str
    etag: str = "*"
    modified_ms: int | None = None
    size: int | None = None


class RevisionIs(msgspec.Struct, frozen=True, kw_only=True):
    """This version is there and its metadata has not changed since it was read."""

    key: str
    version_id: str
    revision: int


class NewestIs(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version, marker or not, is this one; None says that there is none at all."""

    key: str
    version_id: str | None


Condition = Absent | CurrentIs | RevisionIs | NewestIs


# --- what can go wrong


class ConditionFailed(Conflict):
    """`condition` was not true. `entry` is what is there instead, if anything."""

    def __init__(self, condition: Condition, entry: Entry | None) -> None:
        super().__init__(f"{condition.key}: not {type(condition).__name__}")
        self.condition = condition
        self.entry = entry


class Concurrent(Conflict):
    """Other commits on the same key kept a condition from being decided in good time."""


class Changed(Conflict):
    """The metadata changed since they were read."""


class NoSuchVersion(Conflict):
    pass


class NoSuchUpload(Conflict):
    pass


class NoSuchPart(Conflict):
    def __init__(self, number: int) -> None:
        super().__init__(f"part {number}")
        self.number = number


class BucketGone(Conflict):
    """The bucket was dropped."""


class NotEmpty(Conflict):
    """There is a version in the bucket."""


class DiskFull(DriverError):
    """Nothing was written. What was there before is untouched."""


class Corrupt(DriverError):
    """The bytes on the disk are not the ones that were written."""


class Unreachable(DriverError):
    """Bodies lie on other machines, and too few of those answer now. Nothing is lost by it."""


class Broken(DriverError):
    """The disk failed to keep what it was given. This process must end; the next one recovers from the logs."""


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """Something that `fsck` or `scrub` found."""

    what: str  # for a person: file, place, and what is wrong with it
    bucket: str = ""
    key: str = ""
    version_id: str = ""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What `fsck` or `scrub` looked at."""

    versions: int
    parts: int
    bytes: int
    damage: list[Damage]  # at most 1000


class ObjectStore(Protocol):
    # --- writing

    def writer(self, bucket: str, size_hint: int | None = None) -> Writer:
        """For one body. `size_hint` is how long it will be, if that is known: it may still turn out otherwise."""
        ...

    def small(self, data: bytes) -> Blob:
        """A body of at most SMALL_BYTES_MAX that is all there: it needs no writer."""
        ...

    async def share(self, entry: Entry, start: int = 0, end: int | None = None) -> Blob:
        """The bytes [start, end) of an object once more, without copying where they are many. Raises NoSuchVersion."""
        ...

    def discard(self, blob: Blob) -> None:
        """Give back the space of a body that will not be committed. Safe to repeat."""
        ...

    async def commit(
        self, bucket: str, changes: Sequence[Change], conditions: Sequence[Condition] = ()
    ) -> list[Entry | Upload | Part | None]:
        """All of the changes or none, durable when it returns. Takes their bodies, even when it raises.

        Answers what each change made; for Delete what it removed; for Abort None.
        """
        ...

    async def drop_bucket(self, bucket: str, *, if_empty: bool = False) -> None:
        """Everything in it, at once; later commits to it raise BucketGone. Safe to repeat.

        With `if_empty`, NotEmpty is raised if there is any version: no commit comes between the look and the end.
        """
        ...

    # --- reading: what has been committed by any process before the call is seen

    def get(self, bucket: str, key: str, version_id: str | None = None) -> Entry | None:
        """A version; without a version id the newest, which may be a delete marker."""
        ...

    def parts(self, entry: Entry) -> list[PartSize]:
        """The parts that an object was completed from; empty if it was put in one piece."""
        ...

    def read(self, entry: Entry, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes [start, end) in pieces, verified. Goes on to the end even if the object is deleted meanwhile.

        Raises Corrupt rather than give a wrong byte, and NoSuchVersion if it was deleted before the first piece.
        """
        ...

    def peek(self, entry: Entry) -> bytearray | None:
        """The same as `read_whole` where that needs no waiting and all is well; None otherwise."""
        ...

    async def read_whole(self, entry: Entry) -> bytes:
        """A body of at most WHOLE_BYTES_MAX in one piece. Raises as `read`."""
        ...

    def list_objects(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Page:
        """Current objects, markers left out. `limit` counts prefixes too.

        `after` is a key, or a prefix as told, all of whose keys are then passed over.
        """
        ...

    def list_versions(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 1000,
    ) -> VersionsPage:
        """`after` is a key and a version id of it; with an empty version id, all of the key's are passed over.

        A version id that the key does not have passes over all of them too.
        """
        ...

    def list_uploads(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 1000,
    ) -> UploadsPage:
        """`after` is a key and an upload id, as with versions."""
        ...

    def upload(self, bucket: str, key: str, upload_id: str) -> Upload | None: ...

    def list_parts(
        self, bucket: str, key: str, upload_id: str, *, after: int = 0, limit: int = 1000
    ) -> PartsPage:
        """Parts of an open upload, by number. Raises NoSuchUpload."""
        ...

    def usage(self, bucket: str) -> Usage: ...

    # --- looking after itself

    async def tend(self) -> None:
        """Run until cancelled: give freed space back and rewrite logs that are mostly dead, a little at a time."""
        ...

    async def fsck(self) -> Checked:
        """Compare the index with the logs and all places with what refers to them."""
        ...

    async def scrub(self) -> Checked:
        """Read every body and verify it."""
        ...

    async def close(self) -> None: ...
