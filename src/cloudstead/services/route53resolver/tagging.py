"""Tags of what the resolver has. Kinds are told by the ARN."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53resolver.directory import Directory
from cloudstead.services.route53resolver.errors import (
    InvalidRequestException,
    ResourceNotFoundException,
)
from cloudstead.services.route53resolver.paging import paged
from cloudstead.services.route53resolver.rows import (
    SERVICE,
    DomainList,
    Endpoint,
    GroupAssociation,
    Owned,
    QueryLog,
    Rule,
    RuleGroup,
)
from cloudstead.services.route53resolver.tags import added

_KINDS: tuple[type[Owned], ...] = (Endpoint, Rule, DomainList, RuleGroup, GroupAssociation, QueryLog)


class Tags:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def tag_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            row = self._find(caller, request["ResourceArn"])
            self._store.update(row, tags=added(row.tags, request["Tags"]))
        return {}

    def untag_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            row = self._find(caller, request["ResourceArn"])
            kept = {key: value for key, value in row.tags.items() if key not in request["TagKeys"]}
            self._store.update(row, tags=kept)
        return {}

    def list_tags_for_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        row = self._find(caller, request["ResourceArn"])
        return paged(
            "Tags",
            sorted(row.tags.items()),
            request,
            key=lambda tag: tag[0],
            shown=lambda tag: {"Key": tag[0], "Value": tag[1]},
        )

    def _find(self, caller: Caller, arn: str) -> Owned:
        if f":{SERVICE}:" in arn and ":autodefined-rule/" in arn:
            raise InvalidRequestException("[RSLVR-00903] Cannot tag Auto Defined Rule.")
        for kind in _KINDS:
            row = self._store.get(kind, arn.rpartition("/")[2])
            if row is not None and row.arn() == arn and row.account == caller.account:
                return row
        raise ResourceNotFoundException(f"Resource with ARN '{arn}' does not exist.")
