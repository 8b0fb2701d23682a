"""How a version looks to lifecycle rules, and what answers tell of its end."""

from datetime import datetime

from cloudstead.dataplane.objects.driver import Entry
from cloudstead.services.s3.lifecycle import Candidate, expiration_header
from cloudstead.services.s3.objects_meta import from_ms, of
from cloudstead.services.s3.rows import Bucket


def candidate(
    entry: Entry,
    *,
    is_latest: bool = True,
    is_only: bool = True,
    noncurrent_since: datetime | None = None,
    newer_noncurrent: int = 0,
) -> Candidate:
    meta = of(entry)
    return Candidate(
        key=entry.key,
        modified_at=from_ms(entry.modified_ms),
        size=meta.size,
        storage_class=meta.storage_class,
        tags=meta.tags,
        delete_marker=entry.delete_marker,
        is_latest=is_latest,
        is_only=is_only,
        noncurrent_since=noncurrent_since,
        newer_noncurrent=newer_noncurrent,
    )


def shown_expiration(bucket: Bucket, entry: Entry) -> dict[str, str]:
    """When a current version will expire, in the answers of buckets that have a rule for it."""
    if bucket.lifecycle is None:
        return {}
    text = expiration_header(bucket, candidate(entry))
    return {} if text is None else {"Expiration": text}
