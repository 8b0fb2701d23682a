"""Settings that a bucket has many of, each under an id: inventory, metrics, analytics, Intelligent-Tiering.

They are checked, kept and listed. No report is written, nothing is measured and nothing moves by itself.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import (
    InvalidS3DestinationBucket,
    MalformedXML,
    NoSuchConfiguration,
    TooManyConfigurations,
    bad_argument,
)
from cloudstead.services.s3.rows import Bucket, Configuration, configuration_id
from cloudstead.store import Store

CONFIGURATIONS_MAX = 1000

_PAGE = 100
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BUCKET_ARN = re.compile(r"arn:aws(?:-[a-z]+)*:s3:::[a-z0-9][a-z0-9.-]+")
_ARCHIVE_DAYS_MIN = {"ARCHIVE_ACCESS": 90, "DEEP_ARCHIVE_ACCESS": 180}
_ARCHIVE_DAYS_MAX = 730


@dataclass(frozen=True)
class _Kind:
    name: str  # in rows
    member: str  # of requests and answers
    action: str  # s3:Get… and s3:Put…

    @property
    def list_member(self) -> str:
        return f"{self.member}List"


_INVENTORY = _Kind("inventory", "InventoryConfiguration", "InventoryConfiguration")
_METRICS = _Kind("metrics", "MetricsConfiguration", "MetricsConfiguration")
_ANALYTICS = _Kind("analytics", "AnalyticsConfiguration", "AnalyticsConfiguration")
_TIERING = _Kind("intelligent-tiering", "IntelligentTieringConfiguration", "IntelligentTieringConfiguration")

Request = Mapping[str, Any]
Answer = dict[str, Any]


class Configurations:
    def __init__(self, store: Store) -> None:
        self._store = store

    # --- inventory

    def put_bucket_inventory_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._put(_INVENTORY, caller, request)

    def get_bucket_inventory_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._get(_INVENTORY, caller, request)

    def delete_bucket_inventory_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._delete(_INVENTORY, caller, request)

    def list_bucket_inventory_configurations(self, caller: Caller, request: Request) -> Answer:
        return self._list(_INVENTORY, caller, request)

    # --- metrics

    def put_bucket_metrics_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._put(_METRICS, caller, request)

    def get_bucket_metrics_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._get(_METRICS, caller, request)

    def delete_bucket_metrics_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._delete(_METRICS, caller, request)

    def list_bucket_metrics_configurations(self, caller: Caller, request: Request) -> Answer:
        return self._list(_METRICS, caller, request)

    # --- analytics

    def put_bucket_analytics_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._put(_ANALYTICS, caller, request)

    def get_bucket_analytics_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._get(_ANALYTICS, caller, request)

    def delete_bucket_analytics_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._delete(_ANALYTICS, caller, request)

    def list_bucket_analytics_configurations(self, caller: Caller, request: Request) -> Answer:
        return self._list(_ANALYTICS, caller, request)

    # --- Intelligent-Tiering

    def put_bucket_intelligent_tiering_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._put(_TIERING, caller, request)

    def get_bucket_intelligent_tiering_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._get(_TIERING, caller, request)

    def delete_bucket_intelligent_tiering_configuration(self, caller: Caller, request: Request) -> Answer:
        return self._delete(_TIERING, caller, request)

    def list_bucket_intelligent_tiering_configurations(self, caller: Caller, request: Request) -> Answer:
        return self._list(_TIERING, caller, request)

    # --- all of them

    def _put(self, kind: _Kind, caller: Caller, request: Request) -> Answer:
        body = request[kind.member]
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, f"s3:Put{kind.action}")
            _check(request["Id"], body)
            found = self._found(kind, bucket, request["Id"])
            if found is not None:
                self._store.update(found, body=body)
                return {}
            if len(self._all(kind, bucket)) >= CONFIGURATIONS_MAX:
                raise TooManyConfigurations
            id = configuration_id(bucket.bucket_id, kind.name, request["Id"])
            self._store.insert(
                Configuration(
                    id=id, bucket_id=bucket.bucket_id, kind=kind.name, name=request["Id"], body=body
                )
            )
        return {}

    def _get(self, kind: _Kind, caller: Caller, request: Request) -> Answer:
        bucket = buckets.opened(self._store, caller, request, f"s3:Get{kind.action}")
        found = self._found(kind, bucket, request["Id"])
        if found is None:
            raise NoSuchConfiguration
        return {kind.member: found.body}

    def _delete(self, kind: _Kind, caller: Caller, request: Request) -> Answer:
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, f"s3:Put{kind.action}")
            found = self._found(kind, bucket, request["Id"])
            if found is None:
                raise NoSuchConfiguration
            self._store.delete(found)
        return {}

    def _list(self, kind: _Kind, caller: Caller, request: Request) -> Answer:
        bucket = buckets.opened(self._store, caller, request, f"s3:Get{kind.action}")
        token = request.get("ContinuationToken")
        after = _decoded(token) if token else ""
        found = [each for each in self._all(kind, bucket) if each.name > after]
        page = found[:_PAGE]
        answer: Answer = {"IsTruncated": len(found) > _PAGE}
        if page:
            answer[kind.list_member] = [each.body for each in page]
        if token:
            answer["ContinuationToken"] = token
        if len(found) > _PAGE:
            answer["NextContinuationToken"] = base64.urlsafe_b64encode(page[-1].name.encode()).decode()
        return answer

    def _all(self, kind: _Kind, bucket: Bucket) -> list[Configuration]:
        rows = self._store.rows(Configuration, bucket_id=bucket.bucket_id, kind=kind.name)
        return sorted(rows, key=lambda row: row.name)

    def _found(self, kind: _Kind, bucket: Bucket, name: str) -> Configuration | None:
        return self._store.get(Configuration, configuration_id(bucket.bucket_id, kind.name, name))


def forget_configurations(store: Store, bucket: Bucket) -> None:
    """With the bucket."""
    for configuration in store.rows(Configuration, bucket_id=bucket.bucket_id):
        store.delete(configuration)


def _decoded(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise bad_argument(
            "The continuation token provided is incorrect", "continuation-token", token
        ) from None


def _check(id: str, body: Mapping[str, Any]) -> None:
    if body["Id"] != id or not _ID.fullmatch(id):
        raise bad_argument("The configuration ID is not valid", "id", id)
    if (body.get("Filter") or {}).get("And") is None and len(body.get("Filter") or {}) > 1:
        raise MalformedXML
    for arn in _destinations(body):
        if not _BUCKET_ARN.fullmatch(arn):
            raise InvalidS3DestinationBucket
    tiers = [tier["AccessTier"] for tier in body.get("Tierings", ())]
    if len(set(tiers)) < len(tiers):
        raise MalformedXML
    for tier in body.get("Tierings", ()):
        if not _ARCHIVE_DAYS_MIN[tier["AccessTier"]] <= tier["Days"] <= _ARCHIVE_DAYS_MAX:
            raise bad_argument("'Days' of the tiering is out of range", "Days", tier["Days"])


def _destinations(body: Mapping[str, Any]) -> list[str]:
    export = (body.get("StorageClassAnalysis") or {}).get("DataExport") or {}
    places = [holder.get("Destination") for holder in (body, export)]
    return [place["S3BucketDestination"]["Bucket"] for place in places if place]
