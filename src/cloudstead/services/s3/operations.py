"""S3's operations: every class that has some, for the gateway's table, and what else may be known of S3 outside."""

from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.driver import ObjectStore
from cloudstead.services.s3.bucket_operations import bucket_parts
from cloudstead.services.s3.copying import Copying
from cloudstead.services.s3.encryption_keys import Vault
from cloudstead.services.s3.listing import Listing
from cloudstead.services.s3.objects import Announce, Objects
from cloudstead.services.s3.objects_delete import DeleteObjects
from cloudstead.services.s3.objects_get import GetObjects
from cloudstead.services.s3.objects_lock import ObjectLocks
from cloudstead.services.s3.objects_put import PutObjects
from cloudstead.services.s3.rows import TODAYS_DEFAULTS, Defaults
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
    vault = Vault(store, tools, sealing_key)
    return [
        *bucket_parts(store, tools, objects, defaults),
        *object_parts(Objects(store, tools, objects, vault, _untold)),
    ]


def object_parts(objects: Objects) -> list[object]:
    return [
        PutObjects(objects),
        GetObjects(objects),
        DeleteObjects(objects),
        Copying(objects),
        Listing(objects),
        Tagging(objects),
        ObjectLocks(objects),
    ]


_untold: Announce = lambda _bucket, _caller, _event, _entry: None  # noqa: E731 - until there is a bus
