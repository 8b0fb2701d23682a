"""What else is asked about an object: its attributes, its access control list; and bringing it back from an archive."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.dataplane.objects.driver import Entry
from cloudstead.services.s3 import acl_grants, buckets, encryption, objects_meta, public_access
from cloudstead.services.s3.checksums import Checksum
from cloudstead.services.s3.errors import InvalidObjectState, MalformedXML, MethodNotAllowed, bad_argument
from cloudstead.services.s3.listing import page_size
from cloudstead.services.s3.objects import Objects, shown_version
from cloudstead.services.s3.objects_meta import ARCHIVED, Meta, modified_at, to_ms
from cloudstead.services.s3.rows import shown_acl

_ATTRIBUTES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
_TIERS = ("Standard", "Bulk", "Expedited")


class ObjectAttributes:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def get_object_attributes(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        asked = request.get("ObjectAttributes") or []
        if not asked or any(name not in _ATTRIBUTES for name in asked):
            raise bad_argument(
                "Invalid attribute name specified.", "x-amz-object-attributes", ",".join(asked)
            )
        bucket = buckets.find_for(objects.store, caller, request)
        entry = objects.find(
            caller, bucket, request, "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"
        )
        meta = objects_meta.of(entry)
        objects.vault.check_customer(meta.encryption, request)
        told = {
            "ETag": entry.etag,  # without quotes, here alone
            "Checksum": _checksum(meta),
            "ObjectParts": self._parts(entry, meta, request) if "ObjectParts" in asked else None,
            "StorageClass": meta.storage_class,
            "ObjectSize": meta.size,
        }
        return {
            "LastModified": modified_at(entry),
            **shown_version(bucket, entry.version_id),
            **{name: told[name] for name in asked if told[name] is not None},
        }

    def _parts(self, entry: Entry, meta: Meta, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Of a full-object checksum S3 tells only how many parts there were."""
        if not entry.parts_count:
            return None
        told: dict[str, Any] = {"TotalPartsCount": entry.parts_count}
        if meta.checksum is None or meta.checksum.type != "COMPOSITE":
            return told
        limit = page_size(request, "MaxParts", "max-parts")
        marker = request.get("PartNumberMarker") or 0
        sizes = self._objects.engine.parts(entry)
        lines = [
            {
                "PartNumber": part.number,
                "Size": encryption.plain_size(part.size, meta.encryption.layers),
                **Checksum(meta.checksum.algorithm, digest).shown_of_part(),
            }
            for part, digest in zip(sizes, meta.part_digests, strict=True)
            if part.number > marker
        ]
        page = lines[:limit]
        return told | {
            "PartNumberMarker": marker,
            "NextPartNumberMarker": page[-1]["PartNumber"] if page else 0,
            "MaxParts": limit,
            "IsTruncated": len(lines) > len(page) > 0,
            "Parts": page,
        }

    def get_object_torrent(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """AWS gave torrents up in 2022, and so nobody can have one."""
        bucket = buckets.find_for(self._objects.store, caller, request)
        self._objects.find(caller, bucket, request, "s3:GetObjectTorrent", "s3:GetObjectVersionTorrent")
        raise MethodNotAllowed(fields={"Method": "GET", "ResourceType": "TORRENT"})

    # --- access control lists

    def get_object_acl(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.find_for(self._objects.store, caller, request)
        entry = self._objects.find(caller, bucket, request, "s3:GetObjectAcl", "s3:GetObjectVersionAcl")
        return shown_acl(objects_meta.of(entry).acl_in(bucket))

    async def put_object_acl(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects
        bucket = buckets.find_for(objects.store, caller, request)
        entry = objects.find(caller, bucket, request, "s3:PutObjectAcl", "s3:PutObjectVersionAcl")

        block = public_access.of(objects.store, bucket)

        def change(meta: Meta) -> Meta:
            current = meta.acl_in(bucket)
            wanted = acl_grants.changed(request, current, bucket, block, of_object=True)
            return meta if wanted == current else replace(meta, acl=wanted)

        changed = await objects.change_meta(bucket, entry, change)
        objects.announce(bucket, caller, "s3:ObjectAcl:Put", changed)
        return {}

    # --- archives

    async def restore_object(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """An archived object can be read again at once, for some days; what is not archived needs no restoring."""
        objects = self._objects
        bucket = buckets.find_for(objects.store, caller, request)
        entry = objects.find(caller, bucket, request, "s3:RestoreObject", "s3:RestoreObject")
        meta = objects_meta.of(entry)
        if meta.storage_class not in ARCHIVED:
            raise InvalidObjectState(
                "Restore is not allowed for the object's current storage class",
                fields={"StorageClass": meta.storage_class},
            )
        again = meta.restored_until_ms > objects.now_ms()
        until_ms = to_ms(self._until(request.get("RestoreRequest") or {}))
        changed = await objects.change_meta(
            bucket, entry, lambda before: replace(before, restored_until_ms=until_ms)
        )
        if again:  # only its end was moved
            return {}
        objects.announce(bucket, caller, "s3:ObjectRestore:Post", changed)
        objects.announce(bucket, caller, "s3:ObjectRestore:Completed", changed)
        return {"_Status": 202}

    def _until(self, wanted: Mapping[str, Any]) -> Any:
        """The midnight after so many days."""
        if wanted.get("Type") == "SELECT" or "SelectParameters" in wanted or "OutputLocation" in wanted:
            raise NotBuilt("Restoring by a query is not built in Cloudstead's S3.")
        tier = wanted.get("Tier") or (wanted.get("GlacierJobParameters") or {}).get("Tier", "Standard")
        days = wanted.get("Days")
        if days is None or days < 1 or tier not in _TIERS:
            raise MalformedXML
        reached = self._objects.now() + timedelta(days=days + 1)
        return reached.replace(hour=0, minute=0, second=0, microsecond=0)


def _checksum(meta: Meta) -> dict[str, Any] | None:
    """A composite one is told without the number of parts, here alone."""
    if meta.checksum is None:
        return None
    shown = meta.checksum.shown()
    member = f"Checksum{meta.checksum.algorithm}"
    return {**shown, member: shown[member].partition("-")[0]}
