"""How a bucket encrypts objects whose requests do not say: SSE-S3 unless it was told otherwise, never not at all."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import MalformedXML, bad_argument
from cloudstead.store import Store

_BUILT = ("AES256", "aws:kms", "aws:kms:dsse")
_SSE_S3 = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}


class DefaultEncryption:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_encryption(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request["ServerSideEncryptionConfiguration"]
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutEncryptionConfiguration")
            self._store.update(bucket, encryption=_checked(wanted))
        return {}

    def get_bucket_encryption(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetEncryptionConfiguration")
        return {"ServerSideEncryptionConfiguration": bucket.encryption or _SSE_S3}

    def delete_bucket_encryption(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutEncryptionConfiguration")
            self._store.update(bucket, encryption=None)
        return {}


def _checked(wanted: Mapping[str, Any]) -> dict[str, Any]:
    if len(wanted["Rules"]) != 1:
        raise MalformedXML
    rule = wanted["Rules"][0]
    default = rule.get("ApplyServerSideEncryptionByDefault") or {"SSEAlgorithm": "AES256"}
    algorithm, key = default["SSEAlgorithm"], default.get("KMSMasterKeyID")
    if algorithm not in _BUILT:
        raise NotBuilt(f"Encryption with {algorithm} is not built in Cloudstead's S3")
    if algorithm == "AES256" and key:
        raise bad_argument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms",
            "ApplyServerSideEncryptionByDefault",
            key,
        )
    kept = {
        "ApplyServerSideEncryptionByDefault": default,
        "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
    }
    if blocked := rule.get("BlockedEncryptionTypes"):
        kept["BlockedEncryptionTypes"] = blocked
    return {"Rules": [kept]}
