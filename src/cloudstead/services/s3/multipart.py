"""Uploads in parts: begun, filled in any order, and ended by a list of the parts that make the object.

What the object will be is said when the upload begins and kept with it. Nothing of it can be seen until Complete
has answered; parts that its list leaves out are dropped.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.core.streams import Incoming
from cloudstead.dataplane.objects import driver
from cloudstead.dataplane.objects.driver import Part, Upload
from cloudstead.services.s3 import access, buckets, checksums, ranges
from cloudstead.services.s3.checksums import ALGORITHMS, DEFAULT, Algorithm, Claimed, Type
from cloudstead.services.s3.copying import COPY_BYTES_MAX, find_source, keep_copy
from cloudstead.services.s3.errors import (
    InvalidRequest,
    NoSuchUpload,
    NotImplementedHeader,
    bad_argument,
)
from cloudstead.services.s3.lifecycle import upload_ends
from cloudstead.services.s3.objects import Kept, Objects, checked_key, header
from cloudstead.services.s3.objects_meta import Meta, from_ms, shown_encryption
from cloudstead.services.s3.objects_put import etag_of
from cloudstead.services.s3.objects_wanted import wanted
from cloudstead.services.s3.rows import Bucket

PARTS_MAX = 10_000

_UPLOAD_ID_LENGTH = 96


class UploadMeta(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of an upload. `declared`: a checksum was asked for, so that the answers tell it."""

    meta: Meta
    algorithm: str = DEFAULT
    type: Type = "FULL_OBJECT"
    declared: bool = False
    initiator: str = ""  # its ARN
    initiator_id: str = ""  # canonical
    created_ms: int = 0


class PartMeta(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a part."""

    size: int
    digest: bytes


_upload_decoder = msgspec.msgpack.Decoder(UploadMeta)
_part_decoder = msgspec.msgpack.Decoder(PartMeta)
_encoder = msgspec.msgpack.Encoder()


def meta_of(upload: Upload) -> UploadMeta:
    return _upload_decoder.decode(upload.meta)


def part_meta(part: Part) -> PartMeta:
    return _part_decoder.decode(part.meta)


def find_upload(objects: Objects, bucket: Bucket, request: Mapping[str, Any]) -> Upload:
    """The open upload that a request names."""
    key, upload_id = checked_key(request["Key"]), request["UploadId"]
    found = objects.engine.upload(bucket.bucket_id, key, upload_id) if upload_id.isascii() else None
    if found is None:
        raise NoSuchUpload(fields={"UploadId": upload_id})
    return found


def own_upload(
    objects: Objects, caller: Caller, request: Mapping[str, Any], action: str
) -> tuple[Bucket, Upload]:
    """The open upload that a request names, for who began it or may do this to the bucket's."""
    bucket = buckets.find_for(objects.store, caller, request)
    try:
        upload = find_upload(objects, bucket, request)
    except NoSuchUpload:
        access.check(objects.store, caller, bucket, action, request["Key"], request=request)
        raise
    if not caller.account or meta_of(upload).initiator != caller.arn:
        access.check(objects.store, caller, bucket, action, request["Key"], request=request)
    return bucket, upload


def sealing_key(objects: Objects, bucket: Bucket, kept: UploadMeta, request: Mapping[str, Any]) -> bytes:
    """What parts are sealed under. A client's key comes with each of them, always the same."""
    encryption = kept.meta.encryption
    customer = objects.vault.customer(request)
    if encryption.kind == "SSE-C":
        if customer is None:
            raise InvalidRequest(
                "The multipart upload initiate requested encryption. Subsequent part requests must include the "
                "appropriate encryption parameters."
            )
        if request["SSECustomerKeyMD5"] != encryption.customer_md5:
            raise InvalidRequest("The provided encryption parameters did not match the ones used originally.")
    elif customer is not None:
        raise InvalidRequest(
            "The multipart upload initiate did not request encryption. Please resend the request without the "
            "encryption parameters."
        )
    return objects.vault.key(encryption, bucket, request["Key"], customer)


def shown_checksum(kept: UploadMeta) -> dict[str, Any]:
    """The members that tell which checksum an upload was begun with, if one was asked for."""
    return {"ChecksumAlgorithm": kept.algorithm, "ChecksumType": kept.type} if kept.declared else {}


def shown_abortion(bucket: Bucket, key: str, created_ms: int) -> dict[str, Any]:
    """When a rule of the bucket's lifecycle will end an upload."""
    due = upload_ends(bucket, key, from_ms(created_ms))
    return {} if due is None else {"AbortDate": due[0], "AbortRuleId": due[1]}


class Multipart:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def create_multipart_upload(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        bucket, key = buckets.find_for(objects.store, caller, request), checked_key(request["Key"])
        algorithm, type, declared = _checksum_wanted(request)
        now_ms = objects.now_ms()
        kept = UploadMeta(
            meta=wanted(objects, caller, bucket, request),
            algorithm=algorithm,
            type=type,
            declared=declared,
            initiator=caller.arn,
            initiator_id=access.owner_id(caller),
            created_ms=now_ms,
        )
        begin = driver.BeginUpload(
            key=key,
            upload_id=objects.opaque(_UPLOAD_ID_LENGTH),
            modified_ms=now_ms,
            meta=_encoder.encode(kept),
        )
        await objects.commit(bucket, [begin])
        return {
            "Bucket": bucket.name,
            "Key": key,
            "UploadId": begin.upload_id,
            **shown_checksum(kept),
            **shown_abortion(bucket, key, now_ms),
            **shown_encryption(kept.meta.encryption, context=True),
        }

    async def upload_part(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        bucket, number, upload, kept, key = self._asked(caller, request)
        claimed = _claimed(kept, request)
        body: bytes | Incoming = request.get("Body") or b""
        stored = await objects.keep(bucket, body, claimed, key)
        part = await self._put(bucket, upload, number, stored, kept)
        return {"ETag": f'"{part.etag}"', **_shown(kept, stored), **shown_encryption(kept.meta.encryption)}

    async def upload_part_copy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        bucket, number, upload, kept, key = self._asked(caller, request)
        source = find_source(objects, caller, request)
        span = ranges.of_source(request.get("CopySourceRange"), source.meta.size)
        if span.length > COPY_BYTES_MAX:
            raise InvalidRequest(
                f"The specified copy source is larger than the maximum allowable size for a copy source: {COPY_BYTES_MAX}"
            )
        claimed = Claimed(ALGORITHMS[kept.algorithm])
        stored = await keep_copy(objects, bucket, source, span, claimed=claimed, key=key)
        part = await self._put(bucket, upload, number, stored, kept)
        result = {
            "ETag": f'"{part.etag}"',
            "LastModified": from_ms(part.modified_ms // 1000 * 1000),
            **_shown(kept, stored),
        }
        return {
            "CopyPartResult": result,
            **source.shown(),
            **shown_encryption(kept.meta.encryption),
        }

    async def abort_multipart_upload(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        if "IfMatchInitiatedTime" in request:
            raise NotImplementedHeader(fields={"Header": "x-amz-if-match-initiated-time"})
        bucket, upload = own_upload(objects, caller, request, "s3:AbortMultipartUpload")
        await objects.commit(bucket, [driver.Abort(key=upload.key, upload_id=upload.upload_id)])
        return {}

    # --- inside

    def _asked(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> tuple[Bucket, int, driver.Upload, UploadMeta, bytes]:
        """Where a part goes: its bucket, its number, its upload with what is kept of it, and the key it is sealed under."""
        bucket = buckets.opened(self._objects.store, caller, request, "s3:PutObject", request["Key"])
        number = part_number(request)
        upload = find_upload(self._objects, bucket, request)
        kept = meta_of(upload)
        return bucket, number, upload, kept, sealing_key(self._objects, bucket, kept, request)

    async def _put(self, bucket: Bucket, upload: Upload, number: int, stored: Kept, kept: UploadMeta) -> Part:
        put = driver.PutPart(
            key=upload.key,
            upload_id=upload.upload_id,
            number=number,
            modified_ms=self._objects.now_ms(),
            etag=etag_of(self._objects, kept.meta.encryption, stored),
            meta=_encoder.encode(PartMeta(stored.size, stored.checksum.digest)),
            body=stored.blob,
        )
        (part,) = await self._objects.commit(bucket, [put])
        assert isinstance(part, Part)
        return part


def _checksum_wanted(request: Mapping[str, Any]) -> tuple[str, Type, bool]:
    """The algorithm and the type of the object's checksum, and whether somebody asked for them."""
    name, type = request.get("ChecksumAlgorithm"), request.get("ChecksumType")
    if name is None and type is not None:
        raise InvalidRequest(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        )
    if name is None:
        return DEFAULT, "FULL_OBJECT", False
    algorithm = ALGORITHMS.get(name.upper())
    if algorithm is None:
        raise InvalidRequest(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(ALGORITHMS)}]"
        )
    if type is not None and type not in ("COMPOSITE", "FULL_OBJECT"):
        raise InvalidRequest("Value for x-amz-checksum-type header is invalid.")
    chosen: Type = algorithm.types[0] if type is None else type
    if chosen not in algorithm.types:
        raise InvalidRequest(
            f"The {chosen} checksum type cannot be used with the {algorithm.name.lower()} checksum algorithm."
        )
    return algorithm.name, chosen, True


def _claimed(kept: UploadMeta, request: Mapping[str, Any]) -> Claimed:
    """What a part is said to be. It must speak of the checksum that the upload was begun with."""
    claimed = checksums.claimed(request, header(request, "x-amz-trailer"), default=kept.algorithm)
    if kept.declared and claimed.said and claimed.algorithm.name != kept.algorithm:
        raise mismatched(kept, claimed.algorithm)
    if kept.declared and not claimed.said and kept.type == "COMPOSITE":
        raise mismatched(kept, None)
    return replace(claimed, kept=ALGORITHMS[kept.algorithm])


def mismatched(kept: UploadMeta, actual: Algorithm | None) -> InvalidRequest:
    return InvalidRequest(
        f"Checksum Type mismatch occurred, expected checksum Type: {kept.algorithm.lower()}, actual checksum Type: "
        f"{actual.name.lower() if actual else 'null'}"
    )


def part_number(request: Mapping[str, Any]) -> int:
    number: int = request["PartNumber"]
    if not 1 <= number <= PARTS_MAX:
        raise bad_argument(
            f"Part number must be an integer between 1 and {PARTS_MAX}, inclusive", "partNumber", number
        )
    return number


def _shown(kept: UploadMeta, stored: Kept) -> dict[str, Any]:
    return stored.checksum.shown_of_part() if kept.declared else {}
