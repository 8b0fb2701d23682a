"""The block on public access: of a bucket, and of all buckets of an account. Each of the four holds where either says so."""

from collections.abc import Mapping

from cloudstead.services.s3.rows import AccountBlock, Bucket, PublicAccessBlock
from cloudstead.store import Store

NOTHING_BLOCKED = PublicAccessBlock()

_SETTINGS = {
    "BlockPublicAcls": "block_acls",
    "IgnorePublicAcls": "ignore_acls",
    "BlockPublicPolicy": "block_policy",
    "RestrictPublicBuckets": "restrict_buckets",
}


def of(store: Store, bucket: Bucket) -> PublicAccessBlock:
    """What is blocked for a bucket."""
    return _both(
        bucket.public_access or NOTHING_BLOCKED, of_account(store, bucket.account) or NOTHING_BLOCKED
    )


def of_account(store: Store, account: str) -> PublicAccessBlock | None:
    found = store.get(AccountBlock, account)
    return found.public_access if found is not None else None


def _both(one: PublicAccessBlock, other: PublicAccessBlock) -> PublicAccessBlock:
    if other in (one, NOTHING_BLOCKED):
        return one
    return PublicAccessBlock(
        **{name: getattr(one, name) or getattr(other, name) for name in _SETTINGS.values()}
    )


def asked(wanted: Mapping[str, bool]) -> PublicAccessBlock:
    """A request's configuration; what it does not name is not blocked."""
    return PublicAccessBlock(**{ours: wanted.get(theirs, False) for theirs, ours in _SETTINGS.items()})


def shown(block: PublicAccessBlock) -> dict[str, bool]:
    return {theirs: getattr(block, ours) for theirs, ours in _SETTINGS.items()}
