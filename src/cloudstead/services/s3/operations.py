"""S3's operations: every class that has some, for the gateway's table, and what else may be known of S3 outside."""

from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.driver import ObjectStore
from cloudstead.services.s3.account_control import AccountBlocks, ResourceTags
from cloudstead.services.s3.bucket_operations import bucket_parts
from cloudstead.services.s3.copying import Copying
from cloudstead.services.s3.encryption_keys import Vault
from cloudstead.services.s3.event_bus import Announcing, taken, waiting
from cloudstead.services.s3.listing import Listing
from cloudstead.services.s3.multipart import Multipart
from cloudstead.services.s3.multipart_complete import MultipartComplete
from cloudstead.services.s3.multipart_listing import MultipartListing
from cloudstead.services.s3.objects import Objects
from cloudstead.services.s3.objects_attributes import ObjectAttributes
from cloudstead.services.s3.objects_delete import DeleteObjects
from cloudstead.services.s3.objects_encryption import ObjectEncryption
from cloudstead.services.s3.objects_get import GetObjects
from cloudstead.services.s3.objects_lock import ObjectLocks
from cloudstead.services.s3.objects_put import PutObjects
from cloudstead.services.s3.renaming import Renaming
from cloudstead.services.s3.rows import TODAYS_DEFAULTS, Defaults, Event
from cloudstead.services.s3.tagging import Tagging
from cloudstead.store import Store

__all__ = ["Event", "control_parts", "object_parts", "objects_of", "parts", "taken", "waiting"]


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
        ObjectEncryption(objects),
        Multipart(objects),
        MultipartComplete(objects),
        MultipartListing(objects),
    ]
