"""What happened to objects, in S3's event JSON, for those that a bucket's notification configuration names.

It waits in the store as `Event` rows, the newest 1000 of a cloud, for the services that will carry it on: see
`event_bus`. A bucket without a configuration costs nothing; with one, each happening is a write.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import quote_plus

import msgspec

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.s3.rows import Bucket, Event, canonical_id
from cloudstead.store import Store

EVENTS_KEPT = 1000
EVENTBRIDGE = "eventbridge"

_ARNS = {
    "TopicConfigurations": "TopicArn",
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}
#: EventBridge's words, by the first part of S3's and by all of it.
_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
    "ObjectRestore:Delete": "Object Restore Expired",
    "LifecycleTransition": "Object Storage Class Changed",
    "ObjectAcl": "Object ACL Updated",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
}
_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
    "LifecycleExpiration:Delete": "Lifecycle Expiration",
    "LifecycleExpiration:DeleteMarkerCreated": "Lifecycle Expiration",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """One thing that happened to one object. `name` without `s3:`, as `ObjectCreated:Put`."""

    name: str
    key: str
    sequence: int  # of events on one key, the later has the larger
    size: int | None = None
    etag: str = ""
    version_id: str = ""  # empty where the bucket keeps no versions


def tell(store: Store, tools: Tools, caller: Caller, bucket: Bucket, happened: Happened) -> None:
    """Keep the event for each configuration that asks for it."""
    keep(store, events_of(tools, caller, bucket, happened))


def events_of(tools: Tools, caller: Caller, bucket: Bucket, happened: Happened) -> list[Event]:
    """One for each configuration that asks for it; not stored yet."""
    if bucket.notification is None:
        return []
    found = [
        _event(tools, bucket, arn, {"Records": [message(tools, caller, bucket, happened, configuration_id)]})
        for configuration_id, arn in _asking(bucket.notification, happened)
    ]
    if "EventBridgeConfiguration" in bucket.notification:
        found.append(_event(tools, bucket, EVENTBRIDGE, _for_eventbridge(tools, caller, bucket, happened)))
    return found


def keep(store: Store, made: Collection[Event]) -> None:
    """All or none of them, and of all that are kept the newest."""
    if not made:
        return
    with store.transaction():
        for event in made:
            store.insert(event)
        kept = store.rows(Event)
        for old in kept[: max(0, len(kept) - EVENTS_KEPT)]:
            store.delete(old)


def tell_test(store: Store, tools: Tools, caller: Caller, bucket: Bucket, arn: str) -> None:
    """What a destination is sent when it is named for the first time."""
    said = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": _time(tools),
        "Bucket": bucket.name,
        "RequestId": caller.request_id,
    }
    keep(store, [_event(tools, bucket, arn, said)])


def message(
    tools: Tools, caller: Caller, bucket: Bucket, happened: Happened, configuration_id: str
) -> dict[str, Any]:
    """A record as S3 sends it."""
    about: dict[str, Any] = {"key": quote_plus(happened.key, safe="/")}
    if happened.size is not None:
        about["size"] = happened.size
    if happened.etag:
        about["eTag"] = happened.etag
    if happened.version_id:
        about["versionId"] = happened.version_id
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": _time(tools),
        "eventName": happened.name,
        "userIdentity": {"principalId": f"AWS:{caller.user_id}" if caller.user_id else "Anonymous"},
        "requestParameters": {"sourceIPAddress": caller.source_ip},
        "responseElements": {"x-amz-request-id": caller.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": canonical_id(bucket.account)},
                "arn": bucket.arn(),
            },
            "object": {**about, "sequencer": f"{happened.sequence:018X}"},
        },
    }


def _for_eventbridge(tools: Tools, caller: Caller, bucket: Bucket, happened: Happened) -> dict[str, Any]:
    first = happened.name.partition(":")[0]
    about: dict[str, Any] = {"key": happened.key, "sequencer": f"{happened.sequence:018X}"}
    if happened.size is not None:
        about |= {"size": happened.size, "etag": happened.etag}
    if happened.version_id:
        about["version-id"] = happened.version_id
    detail = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": about,
        "request-id": caller.request_id,
        "requester": caller.account,
        "source-ip-address": caller.source_ip,
    }
    if reason := _REASONS.get(happened.name):
        detail["reason"] = reason
    if "Deleted" in _DETAIL_TYPES.get(first, ""):
        marker = happened.name.endswith("DeleteMarkerCreated")
        detail["deletion-type"] = "Delete Marker Created" if marker else "Permanently Deleted"
    return {
        "version": "0",
        "id": ids.uuid(tools.random),
        "detail-type": _DETAIL_TYPES.get(happened.name) or _DETAIL_TYPES.get(first, first),
        "source": "aws.s3",
        "account": bucket.account,
        "time": tools.this_second().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": bucket.region,
        "resources": [bucket.arn()],
        "detail": detail,
    }


def _asking(notification: Mapping[str, Any], happened: Happened) -> Iterator[tuple[str, str]]:
    """The ids and ARNs of the configurations that ask for this."""
    name = f"s3:{happened.name}"
    for member, arn in _ARNS.items():
        for each in notification.get(member, ()):
            events = each["Events"]
            wanted = name in events or f"{name.rpartition(':')[0]}:*" in events
            if wanted and _covers(each, happened.key):
                yield each["Id"], each[arn]


def _covers(configuration: Mapping[str, Any], key: str) -> bool:
    for rule in ((configuration.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ():
        matches = key.startswith if rule["Name"].lower() == "prefix" else key.endswith
        if not matches(rule.get("Value", "")):
            return False
    return True


def _time(tools: Tools) -> str:
    return tools.clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _event(tools: Tools, bucket: Bucket, destination: str, said: Mapping[str, Any]) -> Event:
    return Event(
        id=ids.uuid(tools.random),
        bucket_id=bucket.bucket_id,
        at=tools.clock.now(),
        destination=destination,
        message=msgspec.json.encode(said).decode(),
    )
