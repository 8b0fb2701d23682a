"""ListParts and ListMultipartUploads."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.dataplane.objects.driver import Part, Upload
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.checksums import Checksum
from cloudstead.services.s3.errors import bad_argument
from cloudstead.services.s3.listing import Encode, common, encoding, page_size
from cloudstead.services.s3.multipart import (
    UploadMeta,
    meta_of,
    own_upload,
    part_meta,
    shown_abortion,
    shown_checksum,
)
from cloudstead.services.s3.objects import Objects
from cloudstead.services.s3.objects_meta import from_ms
from cloudstead.services.s3.rows import Bucket


class MultipartListing:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def list_parts(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        limit = page_size(request, "MaxParts", "max-parts")
        marker = request.get("PartNumberMarker") or 0
        if not 0 <= marker <= 2**31 - 1:
            raise bad_argument(
                "Argument part-number-marker must be an integer between 0 and 2147483647",
                "part-number-marker",
                marker,
            )
        bucket, upload = own_upload(objects, caller, request, "s3:ListMultipartUploadParts")
        with objects.refusals(bucket):
            page = objects.engine.list_parts(
                bucket.bucket_id, upload.key, upload.upload_id, after=marker, limit=limit
            )
        kept = meta_of(upload)
        answer = {
            "Bucket": bucket.name,
            "Key": upload.key,
            "UploadId": upload.upload_id,
            "PartNumberMarker": marker,
            "NextPartNumberMarker": page.parts[-1].number if page.parts else 0,
            "MaxParts": limit,
            "IsTruncated": page.next is not None,
            "StorageClass": kept.meta.storage_class,
            **_people(bucket, kept),
            **shown_checksum(kept),
            **shown_abortion(bucket, upload.key, kept.created_ms),
        }
        return answer | ({"Parts": [_part(part, kept) for part in page.parts]} if page.parts else {})

    def list_multipart_uploads(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        bucket = buckets.opened(objects.store, caller, request, "s3:ListBucketMultipartUploads")
        limit, encode = page_size(request, "MaxUploads", "max-uploads"), encoding(request)
        prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
        marker = request.get("KeyMarker", "")
        id_marker = request.get("UploadIdMarker", "") if marker else ""
        page = objects.engine.list_uploads(
            bucket.bucket_id, prefix=prefix, delimiter=delimiter, after=(marker, id_marker), limit=limit
        )
        answer: dict[str, Any] = {
            "Bucket": bucket.name,
            "KeyMarker": encode(marker),
            "UploadIdMarker": id_marker,
            "Prefix": encode(prefix),
            "MaxUploads": limit,
            "IsTruncated": page.next is not None,
            **common(page.prefixes, delimiter, request, encode),
        }
        if page.uploads:
            answer["Uploads"] = [_upload(bucket, upload, encode) for upload in page.uploads]
        if page.next is not None:
            answer["NextKeyMarker"] = encode(page.next[0])
            answer["NextUploadIdMarker"] = page.next[1]
        return answer


def _people(bucket: Bucket, kept: UploadMeta) -> dict[str, Any]:
    """Who began the upload, and whose the object will be."""
    root = kept.initiator.endswith(":root") or not kept.initiator
    initiator = {"ID": kept.initiator_id if root else kept.initiator}
    return {"Initiator": initiator, "Owner": {"ID": kept.meta.acl_in(bucket).owner}}


def _part(part: Part, kept: UploadMeta) -> dict[str, Any]:
    meta = part_meta(part)
    line: dict[str, Any] = {
        "PartNumber": part.number,
        "LastModified": from_ms(part.modified_ms // 1000 * 1000),
        "ETag": f'"{part.etag}"',
        "Size": meta.size,
    }
    if kept.declared:
        line |= Checksum(kept.algorithm, meta.digest).shown_of_part()
    return line


def _upload(bucket: Bucket, upload: Upload, encode: Encode) -> dict[str, Any]:
    kept = meta_of(upload)
    return {
        "Key": encode(upload.key),
        "UploadId": upload.upload_id,
        "Initiated": from_ms(upload.modified_ms // 1000 * 1000),
        "StorageClass": kept.meta.storage_class,
        **_people(bucket, kept),
        **shown_checksum(kept),
    }
