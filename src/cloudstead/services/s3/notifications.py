"""Notification configurations: which happenings of a bucket are told to whom.

Where they lead, SNS, SQS, Lambda and EventBridge, is not built: an ARN must have the right shape and region, and nobody
looks whether there is such a queue. What happens is kept as `Event` rows, see `events`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import InvalidArgument, bad_argument
from cloudstead.services.s3.events import tell_test
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Store

CONFIGURATIONS_MAX = 100

#: By member of the configuration: the member with the ARN, and the service in it.
_TARGETS: Mapping[str, tuple[str, str]] = {
    "TopicConfigurations": ("TopicArn", "sns"),
    "QueueConfigurations": ("QueueArn", "sqs"),
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda"),
}
_ARN = re.compile(r"arn:aws(?:-[a-z]+)*:(sns|sqs|lambda):([a-z0-9-]+):(\d{12}):(\S+)")


class Notifications:
    def __init__(self, store: Store, tools: Tools) -> None:
        self._store = store
        self._tools = tools

    def put_bucket_notification_configuration(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        wanted = request["NotificationConfiguration"]
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutBucketNotification")
            _check(bucket, wanted)
            kept = {name: self._named(value) for name, value in wanted.items()}
            self._store.update(bucket, notification=kept or None)
            known = {arn for _, arn in _configurations(bucket.notification or {})}
            for arn in {arn: None for _, arn in _configurations(wanted) if arn not in known}:
                tell_test(self._store, self._tools, caller, bucket, arn)
        return {}

    def get_bucket_notification_configuration(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        return buckets.opened(self._store, caller, request, "s3:GetBucketNotification").notification or {}

    def _named(self, value: Any) -> Any:
        """A list of configurations, each with an id."""
        if not isinstance(value, list):
            return value
        return [{**each, "Id": each.get("Id") or ids.uuid(self._tools.random)} for each in value]


def _configurations(notification: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    for member, (arn, _) in _TARGETS.items():
        for each in notification.get(member, ()):
            yield each, each[arn]


def _check(bucket: Bucket, wanted: Mapping[str, Any]) -> None:
    found = [each for each, _ in _configurations(wanted)]
    if len(found) > CONFIGURATIONS_MAX:
        raise InvalidArgument(f"A bucket may have at most {CONFIGURATIONS_MAX} notification configurations.")
    ids_given = [each["Id"] for each in found if each.get("Id")]
    if len(set(ids_given)) < len(ids_given):
        raise InvalidArgument("Same ID used for multiple configurations. IDs must be unique")
    for member, (name, service) in _TARGETS.items():
        for each in wanted.get(member, ()):
            _check_arn(bucket, each[name], name, service)
            if not each["Events"]:
                raise InvalidArgument("A notification configuration must name at least one event.")
            _check_filter(each)
    for one, other in combinations(found, 2):
        if _overlap(one, other):
            raise InvalidArgument(
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes "
                "are overlapping for the same event type."
            )


def _check_arn(bucket: Bucket, arn: str, name: str, service: str) -> None:
    parts = _ARN.fullmatch(arn)
    if parts is None or parts[1] != service:
        raise bad_argument("The ARN could not be parsed", name, arn)
    if parts[2] != bucket.region:
        raise bad_argument(
            "The notification destination service region is not valid for the bucket location constraint",
            name,
            arn,
        )


def _rules(configuration: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    key = (configuration.get("Filter") or {}).get("Key") or {}
    rules: Sequence[Mapping[str, str]] = key.get("FilterRules") or ()
    return rules


def _check_filter(configuration: Mapping[str, Any]) -> None:
    names = [rule.get("Name", "").lower() for rule in _rules(configuration)]
    for name in names:
        if name not in ("prefix", "suffix"):
            raise bad_argument("filter rule name must be either prefix or suffix", "FilterRule.Name", name)
        if names.count(name) > 1:
            raise bad_argument(
                f"Cannot specify more than one {name} rule in a filter.", "FilterRule.Name", name
            )


def _prefix_and_suffix(configuration: Mapping[str, Any]) -> tuple[str, str]:
    values = {rule["Name"].lower(): rule.get("Value", "") for rule in _rules(configuration)}
    return values.get("prefix", ""), values.get("suffix", "")


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether some key could come under both for the same event."""
    (prefix, suffix), (prefix2, suffix2) = _prefix_and_suffix(one), _prefix_and_suffix(other)
    return (
        any(_meet(a, b) for a in one["Events"] for b in other["Events"])
        and (prefix.startswith(prefix2) or prefix2.startswith(prefix))
        and (suffix.endswith(suffix2) or suffix2.endswith(suffix))
    )


def _meet(event: str, other: str) -> bool:
    return event == other or any(
        wide.endswith("*") and narrow.startswith(wide[:-1])
        for wide, narrow in ((event, other), (other, event))
    )
