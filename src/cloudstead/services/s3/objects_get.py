"""GetObject and HeadObject: one answer, with the bytes or without.

The order of the checks is S3's: is it there, may the caller, has it the client's key, do the conditions hold, and
only then which part of it.
"""

from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from email.utils import format_datetime
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.streams import Outgoing
from cloudstead.dataplane.objects.driver import WHOLE_BYTES_MAX, Entry, NoSuchVersion
from cloudstead.services.s3 import (
    access,
    buckets,
    conditions,
    encryption,
    objects_lock,
    objects_plain,
    ranges,
)
from cloudstead.services.s3.checksums import Checksum
from cloudstead.services.s3.conditions import Current
from cloudstead.services.s3.errors import (
    ConditionalRequestConflict,
    InvalidObjectState,
    InvalidPartNumber,
    InvalidRequest,
    bad_argument,
)
from cloudstead.services.s3.objects import Objects, header, shown_version
from cloudstead.services.s3.objects_expiry import shown_expiration
from cloudstead.services.s3.objects_meta import Meta, from_ms, modified_at, of, shown_encryption
from cloudstead.services.s3.objects_reading import Body, read
from cloudstead.services.s3.ranges import Span
from cloudstead.services.s3.rows import Bucket

_LOOKS = 3
#: Headers of the answer that a request may have otherwise.
_OVERRIDES = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
)


class GetObjects:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def get_object(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any] | Coroutine[Any, Any, dict[str, Any]]:
        """Answered at once where nothing must be waited for."""
        plain = objects_plain.read(self._objects, caller, request)
        if plain is not None and (body := objects_plain.body(self._objects, plain[1])) is not None:
            plain[0]["Body"] = body
            return plain[0]
        return self._get_later(caller, request)

    async def _get_later(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """What is written over between the look and the first byte is looked for again."""
        for _ in range(_LOOKS):
            try:
                return await self._get(caller, request)
            except NoSuchVersion:
                continue
        raise ConditionalRequestConflict

    async def _get(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket, entry = self._found(caller, request)
        meta = of(entry)
        if meta.archived(self._objects.now_ms()):
            raise InvalidObjectState(fields={"StorageClass": meta.storage_class})
        answer, span = self._described(caller, bucket, entry, meta, request)
        key = self._objects.vault.key_to_read(caller, meta.encryption, bucket, request)
        body = Body(self._objects.engine, entry, meta, key)
        whole = span or Span(0, meta.size, meta.size)
        return {**answer, "Body": await _body(body, whole)}

    def head_object(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        plain = objects_plain.read(self._objects, caller, request)
        if plain is not None:
            return plain[0]
        bucket, entry = self._found(caller, request)
        meta = of(entry)
        answer, _ = self._described(caller, bucket, entry, meta, request)
        return answer

    def _found(self, caller: Caller, request: Mapping[str, Any]) -> tuple[Bucket, Entry]:
        objects = self._objects
        _check_no_encryption(request)
        bucket = buckets.find_for(objects.store, caller, request)
        entry = objects.find(caller, bucket, request, "s3:GetObject", "s3:GetObjectVersion")
        objects.vault.check_reader(caller, of(entry).encryption, request)
        return bucket, entry

    def _described(
        self, caller: Caller, bucket: Bucket, entry: Entry, meta: Meta, request: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Span | None]:
        """The answer but for its body, and which part of the object that is; None for all of it."""
        if conditions.is_conditional(request):
            current = Current(entry.etag, from_ms(entry.modified_ms))
            conditions.check_read(request, current, self._objects.now())
        span, part = self._span(entry, meta, request)
        answer = {
            "AcceptRanges": "bytes",
            "LastModified": modified_at(entry),
            "ContentLength": meta.size if span is None else span.length,
            "ETag": f'"{entry.etag}"',
            "Metadata": meta.user,
            **_headers(meta, request),
            **shown_encryption(meta.encryption),
            **shown_version(bucket, entry.version_id),
        }
        if span is not None:
            answer["ContentRange"] = span.content_range
        if part is not None and entry.parts_count:
            answer["PartsCount"] = entry.parts_count
        answer |= self._further(caller, bucket, entry, meta, request)
        answer |= _checksum(meta, request, span, part)
        if bucket.lifecycle is not None and request.get("VersionId") is None:
            answer |= shown_expiration(bucket, entry)
        return answer, span

    def _further(
        self, caller: Caller, bucket: Bucket, entry: Entry, meta: Meta, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What few objects have, some of it for who may ask for it alone."""
        found: dict[str, Any] = {}
        if meta.storage_class != "STANDARD":
            found["StorageClass"] = meta.storage_class
        if meta.restored_until_ms > self._objects.now_ms():
            found["Restore"] = restored(meta)
        if meta.tags and self._may(caller, bucket, entry, "s3:GetObjectTagging", request):
            found["TagCount"] = len(meta.tags)
        locks = objects_lock.shown(meta)
        if locks and self._may(caller, bucket, entry, "s3:GetObjectRetention", request):
            found |= locks
        return found

    def _may(
        self, caller: Caller, bucket: Bucket, entry: Entry, action: str, request: Mapping[str, Any]
    ) -> bool:
        return access.may(self._objects.store, caller, bucket, action, entry.key, request=request)

    def _span(self, entry: Entry, meta: Meta, request: Mapping[str, Any]) -> tuple[Span | None, int | None]:
        """Which part of the object is asked for, and its place among the parts."""
        number = request.get("PartNumber")
        if number is None:
            return ranges.asked(request.get("Range"), meta.size), None
        if request.get("Range") is not None:
            raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
        if not 1 <= number <= 10_000:
            raise bad_argument(
                "Part number must be an integer between 1 and 10000, inclusive", "partNumber", number
            )
        layers = meta.encryption.layers
        parts = self._objects.engine.parts(entry)
        sizes = [encryption.plain_size(part.size, layers) for part in parts] or [meta.size]
        if number > len(sizes):
            raise InvalidPartNumber(fields={"ActualPartCount": len(sizes), "PartNumberRequested": number})
        start = sum(sizes[: number - 1])
        if meta.size == 0:
            return None, number
        return Span(start, start + sizes[number - 1], meta.size), number


async def _body(body: Body, span: Span) -> bytes | bytearray | Outgoing:
    if span.length == span.size_bytes and body.entry.size <= WHOLE_BYTES_MAX and not body.entry.parts_count:
        return await body.whole()
    first = await anext(chunks := read(body, span.start, span.end), b"")
    return Outgoing(span.length, _with_first(first, chunks))


async def _with_first(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The first piece is read before the answer begins: what is wrong with it can still be said."""
    async with aclosing(rest):
        if first:
            yield first
        async for chunk in rest:
            yield chunk


def _check_no_encryption(request: Mapping[str, Any]) -> None:
    """How an object is encrypted cannot be chosen when it is read."""
    name = "x-amz-server-side-encryption"
    if kind := header(request, name):
        raise bad_argument(f"{name} header is not supported for this operation.", name, kind)


def restored(meta: Meta) -> str:
    until = format_datetime(from_ms(meta.restored_until_ms), usegmt=True)
    return f'ongoing-request="false", expiry-date="{until}"'


def _headers(meta: Meta, request: Mapping[str, Any]) -> dict[str, Any]:
    """The headers that were stored, or those that the request wants in their place."""
    found: dict[str, Any] = dict(meta.headers)
    for name in _OVERRIDES:
        if f"Response{name}" in request:
            found[name] = request[f"Response{name}"]
    if "ResponseExpires" in request:
        found["Expires"] = format_datetime(request["ResponseExpires"], usegmt=True)
    return found


def _checksum(meta: Meta, request: Mapping[str, Any], span: Span | None, part: int | None) -> dict[str, Any]:
    """That of the object where all of it is asked for, that of a part where one is."""
    if str(request.get("ChecksumMode", "")).upper() != "ENABLED" or meta.checksum is None:
        return {}
    if part is not None and meta.part_digests:
        digest = meta.part_digests[part - 1]
        return {
            **Checksum(meta.checksum.algorithm, digest).shown_of_part(),
            "ChecksumType": meta.checksum.type,
        }
    whole = span is None or span.length == span.size_bytes
    return meta.checksum.shown() if whole else {}
