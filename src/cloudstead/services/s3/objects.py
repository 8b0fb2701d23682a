"""The objects of buckets, as every operation on them meets them: found for a caller, written in one step.

The engine speaks of conditions and conflicts, S3 of preconditions and codes; the words are changed here, so that
nothing the engine refuses ever becomes an internal error.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.streams import HttpFacts, Incoming
from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects import driver
from cloudstead.dataplane.objects.driver import Blob, Change, Condition, Entry, ObjectStore
from cloudstead.services.s3 import access, encryption, objects_meta
from cloudstead.services.s3.checksums import Checksum, Claimed, Digests
from cloudstead.services.s3.conditions import WriteCondition, check_write
from cloudstead.services.s3.encryption_keys import Vault
from cloudstead.services.s3.errors import (
    ConditionalRequestConflict,
    InvalidURI,
    KeyTooLongError,
    MethodNotAllowed,
    NoSuchKey,
    NoSuchUpload,
    NoSuchVersion,
    S3Error,
    bad_argument,
    no_such_bucket,
)
from cloudstead.services.s3.objects_meta import Meta
from cloudstead.services.s3.reach import within_reach
from cloudstead.services.s3.rows import Acl, Bucket
from cloudstead.store import Store

#: How a bucket's events go out: what happened, to which object, by whom.
Announce = Callable[[Bucket, Caller, str, Entry], None]

_VERSION_ID_LENGTH = 32


@dataclass(frozen=True)
class Kept:
    """A body on its way into a commit, and what was found out about it while it passed."""

    blob: Blob
    size: int
    md5: bytes
    checksum: Checksum


@dataclass(frozen=True)
class Objects:
    store: Store
    tools: Tools
    engine: ObjectStore
    vault: Vault
    announce: Announce

    # --- what is there

    def find(
        self, caller: Caller, bucket: Bucket, request: Mapping[str, Any], action: str, of_version: str
    ) -> Entry:
        """The version a request names, no delete marker; raises unless it is there and the caller may."""
        version_id = request.get("VersionId")
        entry = self.look(caller, bucket, request, action, of_version)
        if entry.delete_marker:
            raise is_marker(entry, version_id, request)
        return entry

    def look(
        self, caller: Caller, bucket: Bucket, request: Mapping[str, Any], action: str, of_version: str
    ) -> Entry:
        """As `find`, but a delete marker is found too."""
        key, version_id = checked_key(request["Key"]), checked_version_id(request.get("VersionId"))
        entry = self.engine.get(bucket.bucket_id, key, version_id)
        if entry is None:
            raise self._missing(caller, bucket, request)
        self.check(caller, bucket, request, of_version if version_id else action, entry)
        return entry

    def check(
        self, caller: Caller, bucket: Bucket, request: Mapping[str, Any], action: str, entry: Entry
    ) -> None:
        """Raise unless the caller may do this to a version that is there."""
        if bucket.policy is None and not bucket.acls_enabled:
            access.check(self.store, caller, bucket, action, entry.key, request=request)
            return
        meta = objects_meta.of(entry)
        acl: Acl | None = None if entry.delete_marker else meta.acl_in(bucket)
        access.check(self.store, caller, bucket, action, entry.key, request=request, acl=acl, tags=meta.tags)

    def _missing(self, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> S3Error:
        key, version_id = request["Key"], request.get("VersionId")
        missing = access.missing(self.store, caller, bucket, key, request=request)
        if version_id is None:
            return missing
        return NoSuchVersion(fields={"Key": key, "VersionId": version_id})

    # --- writing

    async def keep(self, bucket: Bucket, body: bytes | Incoming, claimed: Claimed, key: bytes) -> Kept:
        """Seal and store a body. Raises, and keeps nothing, if it is not what it is claimed to be."""
        salt = self.tools.random.randbytes(encryption.SALT_BYTES)
        digests = Digests(claimed)
        with self.refusals(bucket):
            if isinstance(body, bytes):
                digests.update(body)
                md5, checksum = digests.finish()
                sealed = encryption.seal(key, salt, body)
                writer = self.engine.writer(bucket.bucket_id, len(sealed))
                try:
                    await writer.write(sealed)
                    return Kept(await writer.close(), len(body), md5, checksum)
                finally:
                    writer.discard()
            return await self._keep_stream(bucket, body, digests, encryption.Sealers(key, salt))

    async def _keep_stream(
        self, bucket: Bucket, body: Incoming, digests: Digests, sealer: encryption.Sealers
    ) -> Kept:
        writer = self.engine.writer(bucket.bucket_id, sealer.sealed_size(body.length))
        size = 0
        try:
            async for piece in body:
                size += len(piece)
                digests.update(piece)
                await writer.write(sealer.update(piece))
            md5, checksum = digests.finish(body.trailers)
            await writer.write(sealer.finish())
            return Kept(await writer.close(), size, md5, checksum)
        finally:
            writer.discard()

    async def commit(
        self, bucket: Bucket, changes: Sequence[Change], conditions: Sequence[Condition] = ()
    ) -> list[Any]:
        """All of the changes or none; what the engine refuses is said in S3's words."""
        with self.refusals(bucket):
            return await self.engine.commit(bucket.bucket_id, changes, conditions)

    async def put(
        self, bucket: Bucket, put: driver.Put | driver.Complete, wanted: WriteCondition | None = None
    ) -> Entry:
        """A new version, if the key is as the write demands."""
        (entry,) = await self.commit(bucket, [put], as_conditions(put.key, wanted))
        assert isinstance(entry, Entry)
        return entry

    async def change_meta(
        self, bucket: Bucket, entry: Entry, change: Callable[[Meta], Meta], *, tries: int = 8
    ) -> Entry:
        """Change a version's metadata, whoever else does so at the same time."""
        for _ in range(tries):
            meta = objects_meta.packed(change(objects_meta.of(entry)))
            wanted = driver.SetMeta(
                key=entry.key, version_id=entry.version_id, meta=meta, revision=entry.revision
            )
            try:
                (changed,) = await self.engine.commit(bucket.bucket_id, [wanted])
            except driver.Changed:
                again = self.engine.get(bucket.bucket_id, entry.key, entry.version_id)
                if again is None:
                    raise NoSuchKey(fields={"Key": entry.key}) from None
                entry = again
                continue
            except driver.NoSuchVersion:
                raise NoSuchKey(fields={"Key": entry.key}) from None
            assert isinstance(changed, Entry)
            return changed
        raise ConditionalRequestConflict

    @contextmanager
    def refusals(self, bucket: Bucket) -> Iterator[None]:
        try:
            with within_reach():
                yield
        except driver.ConditionFailed as e:
            raise _refused(e) from e
        except driver.BucketGone as e:
            raise no_such_bucket(bucket.name) from e
        except driver.NoSuchUpload as e:
            raise NoSuchUpload(fields={"UploadId": str(e)}) from e
        except driver.NoSuchVersion as e:
            raise NoSuchKey from e
        except (driver.Concurrent, driver.Changed) as e:
            raise ConditionalRequestConflict from e
        except driver.DiskFull as e:
            raise S3Error(
                "The disk that holds Cloudstead's objects is full. Nothing was changed; free some space and try again.",
                code="ServiceUnavailable",
                status=503,
            ) from e

    # --- names and times

    def now(self) -> datetime:
        return self.tools.clock.now()

    def now_ms(self) -> int:
        return objects_meta.to_ms(self.tools.clock.now())

    def new_version_id(self, bucket: Bucket) -> str:
        """Of what is written now: opaque, or `null` where the bucket keeps no versions."""
        return self.opaque(_VERSION_ID_LENGTH) if bucket.versioning == "Enabled" else driver.NULL

    def opaque(self, length: int) -> str:
        return b64encode(self.tools.random.randbytes(length * 3 // 4), altchars=b"._").decode()


def as_conditions(key: str, wanted: WriteCondition | None) -> Sequence[Condition]:
    if wanted is None:
        return ()
    if wanted.absent:
        return (driver.Absent(key=key),)
    return (driver.CurrentIs(key=key, etag=wanted.etag or "*"),)


def _refused(failed: driver.ConditionFailed) -> S3Error:
    condition, entry = failed.condition, failed.entry
    etag = None if entry is None or entry.delete_marker else entry.etag
    try:
        match condition:
            case driver.Absent():
                check_write(WriteCondition(absent=True), etag or "")
            case driver.CurrentIs():
                check_write(WriteCondition(etag="\0"), etag, exists=entry is not None, key=condition.key)
            case _:
                return ConditionalRequestConflict()
    except S3Error as e:
        return e
    raise AssertionError("a failed condition was found to hold")


def shown_version(bucket: Bucket, version_id: str) -> dict[str, str]:
    """The version id, in the answers of buckets that ever kept versions."""
    return {"VersionId": version_id} if bucket.versioning else {}


def shown_new_version(entry: Entry) -> dict[str, str]:
    """The version id, in the answers to writes: of a version that has one of its own."""
    return {} if entry.version_id == driver.NULL else {"VersionId": entry.version_id}


def checked_key(key: str) -> str:
    """Raise unless an object can have this key."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidURI(fields={"URI": key.encode(errors="replace").decode()}) from None
    if size > driver.KEY_BYTES_MAX:
        raise KeyTooLongError(fields={"Size": size, "MaxSizeAllowed": driver.KEY_BYTES_MAX})
    return key


def checked_version_id(version_id: str | None) -> str | None:
    if version_id == "":
        raise bad_argument("Version id cannot be the empty string", "versionId", "")
    if version_id not in (None, driver.NULL) and len(version_id or "") != _VERSION_ID_LENGTH:
        raise bad_argument("Invalid version id specified", "versionId", version_id)
    return version_id


def header(request: Mapping[str, Any], name: str) -> str:
    """A header that no shape has; empty if it was not sent."""
    http = request.get("_Http")
    return http.headers.get(name, "") if isinstance(http, HttpFacts) else ""


def is_marker(entry: Entry, version_id: str | None, request: Mapping[str, Any]) -> S3Error:
    """What is answered about a delete marker: there is no object; or, to be changed or asked for itself, that it has none."""
    told = {"x-amz-delete-marker": "true", "x-amz-version-id": entry.version_id}
    http = request.get("_Http")
    method = http.method if isinstance(http, HttpFacts) else "GET"
    if version_id is None and method not in ("PUT", "DELETE"):
        return NoSuchKey(fields={"Key": entry.key}, headers=told)
    modified = objects_meta.modified_at(entry).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return MethodNotAllowed(
        fields={"Method": method, "ResourceType": "DeleteMarker"},
        headers={**told, "Allow": "DELETE", "Last-Modified": modified},
    )
