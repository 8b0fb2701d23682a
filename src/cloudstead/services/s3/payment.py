"""Who pays for requests, and transfer acceleration: remembered and told, for here nothing is charged or far away.

That strangers must say that they pay is a matter of `access`.
"""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import InvalidRequest, MalformedXML
from cloudstead.store import Store


class Payment:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put_bucket_request_payment(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        payer = request["RequestPaymentConfiguration"]["Payer"]
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketRequestPayment")
            self._store.update(bucket, requester_pays=payer == "Requester")
        return {}

    def get_bucket_request_payment(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetBucketRequestPayment")
        return {"Payer": "Requester" if bucket.requester_pays else "BucketOwner"}

    def put_bucket_accelerate_configuration(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        status = request["AccelerateConfiguration"].get("Status")
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutAccelerateConfiguration")
            if status is None:
                raise MalformedXML
            if "." in bucket.name:
                raise InvalidRequest(
                    "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
                )
            if status == "Enabled" or bucket.acceleration:  # suspending what never was changes nothing
                self._store.update(bucket, acceleration=status)
        return {}

    def get_bucket_accelerate_configuration(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetAccelerateConfiguration")
        return {"Status": bucket.acceleration} if bucket.acceleration else {}
