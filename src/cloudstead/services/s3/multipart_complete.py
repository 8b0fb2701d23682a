"""CompleteMultipartUpload: the parts of a list become one object, in one step.

Said again after it was done it answers the same, for a client may have missed the first answer. The ETag is the MD5
of the parts' MD5s, so nothing is read again; a checksum of the whole follows from those of the parts.
"""

import asyncio
import binascii
import hashlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from cloudstead.core.caller import Caller
from cloudstead.dataplane.objects import driver
from cloudstead.dataplane.objects.driver import Entry, Part, Upload
from cloudstead.services.s3 import buckets, checksums, objects_meta
from cloudstead.services.s3.checksums import ALGORITHMS, Checksum
from cloudstead.services.s3.conditions import unquoted, write_condition
from cloudstead.services.s3.errors import (
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    MalformedXML,
    NoSuchUpload,
)
from cloudstead.services.s3.multipart import (
    PARTS_MAX,
    UploadMeta,
    find_upload,
    meta_of,
    mismatched,
    part_meta,
    sealing_key,
)
from cloudstead.services.s3.objects import Objects, shown_new_version
from cloudstead.services.s3.objects_expiry import shown_expiration
from cloudstead.services.s3.objects_meta import Meta, shown_encryption
from cloudstead.services.s3.objects_put import check_early
from cloudstead.services.s3.rows import Bucket

PART_BYTES_MIN = 5 << 20
#: How many of a key's newest versions are looked through for an upload that was completed before.
_LOOKED_BACK = 20
_PARTS_AT_ONCE = 500

Listed = Mapping[str, Any]


class MultipartComplete:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def complete_multipart_upload(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        bucket = buckets.opened(objects.store, caller, request, "s3:PutObject", request["Key"])
        listed = _listed(request)
        condition = write_condition(request)
        try:
            upload = find_upload(objects, bucket, request)
        except NoSuchUpload:
            return self._done_before(caller, bucket, request)
        check_early(objects, bucket, upload.key, condition)
        kept = meta_of(upload)
        if request.get("SSECustomerKey") or (kept.declared and kept.meta.encryption.kind == "SSE-C"):
            # Nothing is read; S3 asks where a checksum was asked for.
            sealing_key(objects, bucket, kept, request)
        parts = await self._chosen(bucket, upload, kept, listed)
        checksum = _checksum(kept, parts, request)
        await asyncio.sleep(0)
        etag = _etag(parts)
        await asyncio.sleep(0)
        complete = driver.Complete(
            key=upload.key,
            upload_id=upload.upload_id,
            parts=tuple((part.number, part.revision) for part in parts),
            version_id=objects.new_version_id(bucket),
            modified_ms=objects.now_ms(),
            etag=etag,
            meta=objects_meta.packed(_meta(upload, kept, parts, checksum)),
        )
        try:
            entry = await objects.put(bucket, complete, condition)
        except NoSuchUpload:
            return self._done_before(caller, bucket, request)
        objects.announce(bucket, caller, "s3:ObjectCreated:CompleteMultipartUpload", entry)
        return _answer(caller, bucket, entry)

    async def _chosen(
        self, bucket: Bucket, upload: Upload, kept: UploadMeta, listed: Sequence[Listed]
    ) -> list[Part]:
        """The parts of the list, each found as it was sent. There may be so many that others must come between."""
        there = await self._there(bucket, upload)
        chosen: list[Part] = []
        for line in listed:
            if len(chosen) % _PARTS_AT_ONCE == 0:
                await asyncio.sleep(0)
            part = there.get(line["PartNumber"])
            if part is None or unquoted(line["ETag"]) != part.etag:
                raise _invalid(upload, line)
            _check_part_checksum(upload, kept, part, line)
            chosen.append(part)
        for at, part in enumerate(chosen[:-1]):
            if at % _PARTS_AT_ONCE == 0:
                await asyncio.sleep(0)
            if (size := part_meta(part).size) < PART_BYTES_MIN:
                raise EntityTooSmall(
                    fields={
                        "ProposedSize": size,
                        "MinSizeAllowed": PART_BYTES_MIN,
                        "PartNumber": part.number,
                        "ETag": part.etag,
                    }
                )
        return chosen

    async def _there(self, bucket: Bucket, upload: Upload) -> dict[int, Part]:
        found: dict[int, Part] = {}
        after: int | None = 0
        with self._objects.refusals(bucket):
            while after is not None:
                page = self._objects.engine.list_parts(
                    bucket.bucket_id, upload.key, upload.upload_id, after=after
                )
                found |= {part.number: part for part in page.parts}
                after = page.next
                await asyncio.sleep(0)
        return found

    def _done_before(self, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> dict[str, Any]:
        """The same answer once more, if this upload became a version of the key that is still there."""
        page = self._objects.engine.list_versions(bucket.bucket_id, prefix=request["Key"], limit=_LOOKED_BACK)
        for version in page.versions:
            entry = version.entry
            mine = entry.key == request["Key"] and not entry.delete_marker
            if mine and objects_meta.of(entry).upload_id == request["UploadId"]:
                return _answer(caller, bucket, entry)
        raise NoSuchUpload(fields={"UploadId": request["UploadId"]})


def _listed(request: Mapping[str, Any]) -> Sequence[Listed]:
    """The lines of the list, each with a number and an ETag, in order."""
    listed: Sequence[Listed] = (request.get("MultipartUpload") or {}).get("Parts") or ()
    if not 1 <= len(listed) <= PARTS_MAX or any(
        "PartNumber" not in line or "ETag" not in line for line in listed
    ):
        raise MalformedXML
    numbers = [line["PartNumber"] for line in listed]
    if any(second <= first for first, second in pairwise(numbers)):
        raise InvalidPartOrder(fields={"UploadId": request["UploadId"]})
    return listed


def _invalid(upload: Upload, line: Listed) -> InvalidPart:
    return InvalidPart(
        fields={
            "UploadId": upload.upload_id,
            "PartNumber": line["PartNumber"],
            "ETag": unquoted(line["ETag"]),
        }
    )


def _check_part_checksum(upload: Upload, kept: UploadMeta, part: Part, line: Listed) -> None:
    """A composite checksum is made of what client and S3 agree about, so the list must say it for each part."""
    algorithm = ALGORITHMS[kept.algorithm]
    said = next((name for name in line if name.startswith("Checksum")), None)
    if said is None:
        if kept.declared and kept.type == "COMPOSITE":
            raise InvalidRequest(
                f"The upload was created using a {kept.algorithm.lower()} checksum. The complete request must include "
                f"the checksum for each part. It was missing for part {part.number} in the request."
            )
        return
    if said == algorithm.member and _digest(line[said]) == part_meta(part).digest:
        return
    if kept.declared or said == algorithm.member:
        raise _invalid(upload, line)


def _checksum(kept: UploadMeta, parts: Sequence[Part], request: Mapping[str, Any]) -> Checksum:
    """The object's checksum; raises if the request expects another, or another size."""
    asked_type = request.get("ChecksumType")
    if asked_type is not None and asked_type != kept.type:
        raise InvalidRequest(
            f"The upload was created using the {kept.type} checksum mode. The complete request must use the same "
            "checksum mode."
        )
    algorithm = ALGORITHMS[kept.algorithm]
    metas = [part_meta(part) for part in parts]
    size, expected_size = sum(meta.size for meta in metas), request.get("MpuObjectSize")
    if expected_size is not None and expected_size != size:
        raise InvalidRequest(
            f"The provided 'x-amz-mp-object-size' header value {expected_size} does not match what was computed: {size}"
        )
    if kept.type == "COMPOSITE":
        found = checksums.composite(algorithm, (meta.digest for meta in metas))
    else:
        found = checksums.full(algorithm, ((meta.digest, meta.size) for meta in metas))
    for other in ALGORITHMS.values():
        text = request.get(other.member)
        if text is not None and other is not algorithm:
            raise mismatched(kept, other)
        if text is not None and text.partition("-")[0] != found.text.partition("-")[0]:
            raise checksums.mismatch(algorithm)
    return found


def _digest(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _etag(parts: Sequence[Part]) -> str:
    of_parts = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(of_parts, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _meta(upload: Upload, kept: UploadMeta, parts: Sequence[Part], checksum: Checksum) -> Meta:
    metas = [part_meta(part) for part in parts]
    return replace(
        kept.meta,
        size=sum(meta.size for meta in metas),
        checksum=checksum,
        part_digests=[meta.digest for meta in metas] if kept.declared else [],
        upload_id=upload.upload_id,
    )


def _answer(caller: Caller, bucket: Bucket, entry: Entry) -> dict[str, Any]:
    meta = objects_meta.of(entry)
    assert meta.checksum is not None
    encrypted = {
        name: value
        for name, value in shown_encryption(meta.encryption).items()
        if not name.startswith("SSECustomer")
    }
    return {
        "Location": f"{caller.endpoint}/{bucket.name}/{quote(entry.key)}",
        "Bucket": bucket.name,
        "Key": entry.key,
        "ETag": f'"{entry.etag}"',
        **meta.checksum.shown(),
        **shown_expiration(bucket, entry),
        **encrypted,
        **shown_new_version(entry),
    }
