"""CopyObject, and where a copy comes from.

The bytes are shared with the source, not copied, where they may stay as they are: sealed in one piece under a key
that the copy has too, with the checksum that is wanted. Otherwise they pass through, read and written anew.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from cloudstead.core.caller import Caller
from cloudstead.dataplane.objects import driver
from cloudstead.dataplane.objects.driver import Entry
from cloudstead.services.s3 import buckets, conditions, objects_meta, objects_wanted, tagging
from cloudstead.services.s3.checksums import ALGORITHMS, DEFAULT, Claimed
from cloudstead.services.s3.conditions import Current, write_condition
from cloudstead.services.s3.errors import (
    InvalidObjectState,
    InvalidRequest,
    bad_argument,
)
from cloudstead.services.s3.objects import (
    Kept,
    Objects,
    checked_key,
    checked_version_id,
    is_marker,
    shown_new_version,
    shown_version,
)
from cloudstead.services.s3.objects_expiry import shown_expiration
from cloudstead.services.s3.objects_meta import Meta, from_ms, modified_at, of, shown_encryption
from cloudstead.services.s3.objects_put import check_early, etag_of
from cloudstead.services.s3.objects_reading import Body, read
from cloudstead.services.s3.ranges import Span
from cloudstead.services.s3.rows import Bucket

COPY_BYTES_MAX = 5 << 30
_VERSION = re.compile(r"\?versionId=([^?&]*)\Z")
_DIRECTIVES = ("COPY", "REPLACE")


@dataclass(frozen=True)
class Source:
    """What is copied: found, allowed, and as the request's conditions want it."""

    bucket: Bucket
    entry: Entry
    meta: Meta
    key: bytes  # that opens it

    def shown(self) -> dict[str, Any]:
        told = shown_version(self.bucket, self.entry.version_id)
        return {"CopySourceVersionId": told["VersionId"]} if told else {}


def find_source(objects: Objects, caller: Caller, request: Mapping[str, Any]) -> Source:
    name, key, version_id = _named(request["CopySource"])
    asked: dict[str, Any] = {"Bucket": name, "Key": checked_key(key)}
    if version_id is not None:
        asked["VersionId"] = checked_version_id(version_id)
    for member in ("_Http", "ExpectedSourceBucketOwner"):
        if member in request:
            asked[member.replace("Source", "")] = request[member]
    bucket = buckets.find_for(objects.store, caller, asked)
    entry = objects.look(caller, bucket, asked, "s3:GetObject", "s3:GetObjectVersion")
    if entry.delete_marker and version_id is not None:
        raise InvalidRequest(
            "The source of a copy request may not specifically refer to a delete marker by version id."
        )
    if entry.delete_marker:
        raise is_marker(entry, version_id, {})  # it is read, whatever the request's method
    meta = of(entry)
    opening = objects.vault.key_to_read(caller, meta.encryption, bucket, asked, copying=request)
    conditions.check_source(request, Current(entry.etag, from_ms(entry.modified_ms)), objects.now())
    if meta.archived(objects.now_ms()):
        raise InvalidObjectState(
            "Operation is not valid for the source object's storage class",
            fields={"StorageClass": meta.storage_class},
        )
    return Source(bucket, entry, meta, opening)


def _named(text: str) -> tuple[str, str, str | None]:
    """Bucket, key and version id of `bucket/key?versionId=…`, percent-encoded."""
    found = _VERSION.search(text)
    path = unquote(text[: found.start()] if found else text).removeprefix("/")
    name, slash, key = path.partition("/")
    if not name or not slash or not key or name.startswith("arn:"):
        raise bad_argument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            "x-amz-copy-source",
            text,
        )
    return name, key, unquote(found[1]) if found else None


class Stream:
    """A part of a source, as a body on its way in."""

    trailers: Mapping[str, str] = {}

    def __init__(self, objects: Objects, source: Source, span: Span) -> None:
        self.length = span.length
        self._chunks = read(Body(objects.engine, source.entry, source.meta, source.key), span.start, span.end)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        await self._chunks.aclose()


async def keep_copy(
    objects: Objects, bucket: Bucket, source: Source, span: Span, *, claimed: Claimed, key: bytes
) -> Kept:
    """A part of a source, sealed anew for another bucket or under another key."""
    async with aclosing(Stream(objects, source, span)) as stream:
        return await objects.keep(bucket, stream, claimed, key)


class Copying:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def copy_object(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        bucket, key = buckets.find_for(objects.store, caller, request), checked_key(request["Key"])
        _check_directives(request)
        objects_wanted.check_allowed(objects, caller, bucket, request)
        source = find_source(objects, caller, request)
        if source.meta.size > COPY_BYTES_MAX:
            raise InvalidRequest(
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
            )
        meta = self._meta(caller, bucket, request, source)
        _check_changes_something(bucket, key, source, request)
        condition = write_condition(request)
        check_early(objects, bucket, key, condition)
        kept, etag = await self._kept(bucket, source, meta, request)
        put = driver.Put(
            key=key,
            version_id=objects.new_version_id(bucket),
            modified_ms=objects.now_ms(),
            etag=etag,
            meta=objects_meta.packed(replace(meta, size=kept.size, checksum=kept.checksum)),
            body=kept.blob,
        )
        entry = await objects.put(bucket, put, condition)
        objects.announce(bucket, caller, "s3:ObjectCreated:Copy", entry)
        result = {"ETag": f'"{entry.etag}"', "LastModified": modified_at(entry), **kept.checksum.shown()}
        return {
            "CopyObjectResult": result,
            **source.shown(),
            **shown_expiration(bucket, entry),
            **shown_encryption(meta.encryption, context=True),
            **shown_new_version(entry),
        }

    def _meta(self, caller: Caller, bucket: Bucket, request: Mapping[str, Any], source: Source) -> Meta:
        """The copy's metadata: the source's where the directives say so. Class, locks and ACL are never copied."""
        meta = objects_wanted.wanted(self._objects, caller, bucket, request)
        if request.get("MetadataDirective", "COPY") == "COPY":
            redirect = meta.headers.get("WebsiteRedirectLocation")
            headers = {
                name: text for name, text in source.meta.headers.items() if name != "WebsiteRedirectLocation"
            }
            if redirect:
                headers["WebsiteRedirectLocation"] = redirect
            meta = replace(meta, headers=headers, user=source.meta.user)
        if request.get("TaggingDirective", "COPY") == "COPY":
            meta = replace(meta, tags=source.meta.tags)
        return meta

    async def _kept(
        self, bucket: Bucket, source: Source, meta: Meta, request: Mapping[str, Any]
    ) -> tuple[Kept, str]:
        """The copy's body and its ETag."""
        objects = self._objects
        algorithm = _algorithm(request, source.meta)
        key = objects.vault.key(meta.encryption, bucket, request["Key"], objects.vault.customer(request))
        checksum = source.meta.checksum
        alike = checksum is not None and checksum.type == "FULL_OBJECT" and checksum.algorithm == algorithm
        shared = key == source.key and meta.encryption.kind == source.meta.encryption.kind
        if alike and checksum and shared and not source.entry.parts_count:
            with objects.refusals(source.bucket):
                blob = await objects.engine.share(source.entry)
            kept = Kept(blob, source.meta.size, b"", checksum)
            same = meta.encryption.kind == "AES256"
            return kept, source.entry.etag if same else etag_of(objects, meta.encryption, kept)
        span = Span(0, source.meta.size, source.meta.size)
        claimed = Claimed(ALGORITHMS[algorithm])
        kept = await keep_copy(objects, bucket, source, span, claimed=claimed, key=key)
        return kept, etag_of(objects, meta.encryption, kept)


def _algorithm(request: Mapping[str, Any], source: Meta) -> str:
    """Of the copy's checksum: the one asked for, else the source's."""
    asked = request.get("ChecksumAlgorithm")
    if asked is not None and asked.upper() not in ALGORITHMS:
        raise InvalidRequest(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(ALGORITHMS)}]"
        )
    if asked is not None:
        return str(asked).upper()
    return source.checksum.algorithm if source.checksum is not None else DEFAULT


def _check_directives(request: Mapping[str, Any]) -> None:
    for member, header, what in (
        ("MetadataDirective", "x-amz-metadata-directive", "metadata"),
        ("TaggingDirective", "x-amz-tagging-directive", "tagging"),
    ):
        if request.get(member, "COPY") not in _DIRECTIVES:
            raise bad_argument(f"Unknown {what} directive.", header, request[member])
    if request.get("TaggingDirective") == "REPLACE":
        tagging.of_header(request.get("Tagging"))


def _check_changes_something(bucket: Bucket, key: str, source: Source, request: Mapping[str, Any]) -> None:
    """A copy onto itself must be good for something; restoring an older version is."""
    if (
        source.bucket.bucket_id != bucket.bucket_id
        or source.entry.key != key
        or "?versionId" in request["CopySource"]
    ):
        return
    changing = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSECustomerKey")
    copied = request.get("MetadataDirective", "COPY") == "COPY"
    if copied and not any(name in request for name in changing) and bucket.encryption is None:
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )
