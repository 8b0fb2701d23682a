"""S3's operations on buckets: every class that has some."""

from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.driver import ObjectStore
from cloudstead.services.s3.abac import Abac
from cloudstead.services.s3.access_logs import AccessLogs
from cloudstead.services.s3.acls import BucketAcls
from cloudstead.services.s3.bucket_tags import BucketTags
from cloudstead.services.s3.buckets_create import BucketsCreate
from cloudstead.services.s3.buckets_describe import BucketsDescribe
from cloudstead.services.s3.configurations import Configurations
from cloudstead.services.s3.cors import Cors
from cloudstead.services.s3.default_encryption import DefaultEncryption
from cloudstead.services.s3.lifecycle import Lifecycle
from cloudstead.services.s3.lock_configuration import LockConfiguration
from cloudstead.services.s3.notifications import Notifications
from cloudstead.services.s3.payment import Payment
from cloudstead.services.s3.policies import Policies
from cloudstead.services.s3.replication import Replication
from cloudstead.services.s3.rows import TODAYS_DEFAULTS, Defaults
from cloudstead.services.s3.versioning import Versioning
from cloudstead.services.s3.website import Website
from cloudstead.store import Store


def bucket_parts(
    store: Store, tools: Tools, objects: ObjectStore, defaults: Defaults = TODAYS_DEFAULTS
) -> list[object]:
    """The classes whose public methods are the operations. `defaults`: what new buckets begin with."""
    return [
        BucketsCreate(store, tools, objects, defaults),
        BucketsDescribe(store),
        BucketTags(store),
        Abac(store),
        Versioning(store),
        Policies(store),
        BucketAcls(store),
        Cors(store),
        DefaultEncryption(store),
        Lifecycle(store, tools),
        Website(store),
        AccessLogs(store),
        Notifications(store, tools),
        Replication(store, tools),
        LockConfiguration(store),
        Payment(store),
        Configurations(store),
    ]
