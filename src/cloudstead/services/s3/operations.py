"""S3's operations: every class that has some, for the gateway's table, and what else may be known of S3 outside."""

from dataclasses import dataclass

from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.driver import Entry, ObjectStore
from cloudstead.services.s3 import events, objects_meta
from cloudstead.services.s3.account_control import AccountBlocks, ResourceTags
from cloudstead.services.s3.bucket_operations import bucket_parts
from cloudstead.services.s3.copying import Copying
from cloudstead.services.s3.encryption_keys import Vault
from cloudstead.services.s3.events import Happened
from cloudstead.services.s3.listing import Listing
from cloudstead.services.s3.multipart import Multipart
from cloudstead.services.s3.multipart_complete import MultipartComplete
from cloudstead.services.s3.multipart_listing import MultipartListing
from cloudstead.services.s3.objects import Objects
from cloudstead.services.s3.objects_attributes import ObjectAttributes
from cloudstead.services.s3.objects_delete import DeleteObjects
from cloudstead.services.s3.objects_get import GetObjects
from cloudstead.services.s3.objects_lock import ObjectLocks
from cloudstead.services.s3.objects_put import PutObjects
from cloudstead.services.s3.renaming import Renaming
from cloudstead.services.s3.rows import TODAYS_DEFAULTS, Bucket, Defaults
from cloudstead.services.s3.tagging import Tagging
from cloudstead.store import Store


def parts(
    store: Store,
    tools: Tools,
    objects: ObjectStore,
    sealing_key: bytes,
    defaults: Defaults = TODAYS_DEFAULTS,
) -> list[object]:
    """The classes whose public methods are S3's operations.

    `sealing_key`: 32 bytes that bodies and the key store are sealed under. `defaults`: what new buckets begin with.
    """
    return [
        *bucket_parts(store, tools, objects, defaults),
        *object_parts(objects_of(store, tools, objects, sealing_key)),
    ]


def control_parts(store: Store) -> list[object]:
    """The classes whose public methods are S3 Control's operations."""
    return [AccountBlocks(store), ResourceTags(store)]


def objects_of(store: Store, tools: Tools, objects: ObjectStore, sealing_key: bytes) -> Objects:
    """What operations and the lifecycle work on."""
    return Objects(store, tools, objects, Vault(store, tools, sealing_key), Announcing(store, tools))


def object_parts(objects: Objects) -> list[object]:
    return [
        PutObjects(objects),
        GetObjects(objects),
        DeleteObjects(objects),
        Copying(objects),
        Renaming(objects),
        Listing(objects),
        Tagging(objects),
        ObjectLocks(objects),
        ObjectAttributes(objects),
        Multipart(objects),
        MultipartComplete(objects),
        MultipartListing(objects),
    ]


@dataclass(frozen=True)
class Announcing:
    """Events of objects, on their way to whom a bucket's configuration names."""

    store: Store
    tools: Tools

    def __call__(self, bucket: Bucket, caller: Caller, event: str, entry: Entry) -> None:
        if bucket.notification is None:
            return
        there = "ObjectRemoved" not in event and "Expiration" not in event
        happened = Happened(
            name=event.removeprefix("s3:"),
            key=entry.key,
            sequence=entry.revision,
            size=objects_meta.of(entry).size if there else None,
            etag=entry.etag if there else "",
            version_id=entry.version_id if bucket.versioning else "",
        )
        events.tell(self.store, self.tools, caller, bucket, happened)
