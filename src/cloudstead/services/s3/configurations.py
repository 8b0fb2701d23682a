"""Settings that a bucket has many of, each under an id: inventory, metrics, analytics, Intelligent-Tiering.

They are checked, kept and listed. No report is written and nothing is measured.
"""

from cloudstead.services.s3.rows import Bucket, Configuration
from cloudstead.store import Store


def forget_configurations(store: Store, bucket: Bucket) -> None:
    """With the bucket."""
    for configuration in store.rows(Configuration, bucket_id=bucket.bucket_id):
        store.delete(configuration)
