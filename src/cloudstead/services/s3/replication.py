"""Replication configurations: checked against both buckets, and kept. Nothing is copied: that is not built."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.s3 import buckets
from cloudstead.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    MalformedXML,
    ReplicationConfigurationNotFoundError,
)
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Store

RULES_MAX = 1000

_ROLE = re.compile(r"arn:aws(?:-[a-z]+)*:iam::\d{12}:role/.+")
_BUCKET = re.compile(r"arn:aws(?:-[a-z]+)*:s3:::(.+)")

Rule = Mapping[str, Any]


class Replication:
    def __init__(self, store: Store, tools: Tools) -> None:
        self._store = store
        self._tools = tools

    def put_bucket_replication(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request["ReplicationConfiguration"]
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutReplicationConfiguration")
            if bucket.versioning != "Enabled":
                raise InvalidRequest(
                    "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
                )
            if not _ROLE.fullmatch(wanted["Role"]):
                raise InvalidArgument("Invalid Role ARN")
            self._check(wanted["Rules"])
            rules = [
                {**rule, "ID": rule.get("ID") or ids.uuid(self._tools.random)} for rule in wanted["Rules"]
            ]
            self._store.update(bucket, replication={"Role": wanted["Role"], "Rules": rules})
        return {}

    def get_bucket_replication(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        bucket = buckets.opened(self._store, caller, request, "s3:GetReplicationConfiguration")
        if bucket.replication is None:
            raise ReplicationConfigurationNotFoundError(fields={"BucketName": bucket.name})
        return {"ReplicationConfiguration": bucket.replication}

    def delete_bucket_replication(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            bucket = buckets.opened(self._store, caller, request, "s3:PutReplicationConfiguration")
            self._store.update(bucket, replication=None)
        return {}

    def _check(self, rules: Sequence[Rule]) -> None:
        if not 1 <= len(rules) <= RULES_MAX:
            raise MalformedXML
        given = [rule["ID"] for rule in rules if rule.get("ID")]
        if any(len(id) > 255 for id in given):
            raise InvalidArgument("ID length should not exceed allowed limit of 255")
        if len(set(given)) < len(given):
            raise InvalidArgument("Rule Id must be unique")
        priorities = [rule["Priority"] for rule in rules if "Priority" in rule]
        if len(set(priorities)) < len(priorities):
            raise InvalidArgument("Found duplicate priority")
        for rule in rules:
            _check_rule(rule)
            self._check_destination(rule["Destination"]["Bucket"])

    def _check_destination(self, arn: str) -> None:
        found = _BUCKET.fullmatch(arn)
        if found is None:
            raise InvalidArgument("Invalid bucket ARN")
        target = self._store.get(Bucket, found[1])
        if target is None:
            raise InvalidRequest("Destination bucket must exist.")
        if target.versioning != "Enabled":
            raise InvalidRequest("Destination bucket must have versioning enabled.")


def _check_rule(rule: Rule) -> None:
    """The newer form has a filter, and then a priority and a word about delete markers."""
    if "Filter" in rule and "Prefix" in rule:
        raise MalformedXML
    if "Filter" not in rule:
        if "Prefix" not in rule:
            raise MalformedXML
        return
    if len(rule["Filter"]) > 1:
        raise MalformedXML
    if "Priority" not in rule:
        raise InvalidRequest(
            "Priority must be specified for this version of Cross Region Replication configuration schema. "
            "Please refer to S3 Developer Guide for more information."
        )
    if "DeleteMarkerReplication" not in rule:
        raise InvalidRequest(
            "DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration "
            "schema. Please refer to S3 Developer Guide for more information."
        )
