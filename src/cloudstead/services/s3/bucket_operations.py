"""S3's operations on buckets: every class that has some."""

from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.driver import ObjectStore
from cloudstead.services.s3.acls import BucketAcls
from cloudstead.services.s3.bucket_tags import BucketTags
from cloudstead.services.s3.buckets_create import BucketsCreate
from cloudstead.services.s3.buckets_describe import BucketsDescribe
from cloudstead.services.s3.policies import Policies
from cloudstead.services.s3.rows import TODAYS_DEFAULTS, Defaults
from cloudstead.services.s3.versioning import Versioning
from cloudstead.store import Store


def bucket_parts(
    store: Store, tools: Tools, objects: ObjectStore, defaults: Defaults = TODAYS_DEFAULTS
) -> list[object]:
    """The classes whose public methods are the operations. `defaults`: what new buckets begin with."""
    return [
        BucketsCreate(store, tools, objects, defaults),
        BucketsDescribe(store),
        BucketTags(store),
        Versioning(store),
        Policies(store),
        BucketAcls(store),
    ]
