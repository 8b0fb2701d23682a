"""Tags of domains."""

from collections.abc import Iterable, Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53domains.directory import Directory
from cloudstead.services.route53domains.errors import InvalidInput

TAGS_MAX = 50


class Tags:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def update_tags_for_domain(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            self._store.update(domain, tags=_added(domain.tags, request.get("TagsToUpdate", ())))
        return {}

    def delete_tags_for_domain(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            domain = self._directory.own(caller, request["DomainName"])
            gone = set(request["TagsToDelete"])
            kept = {key: value for key, value in domain.tags.items() if key not in gone}
            self._store.update(domain, tags=kept)
        return {}

    def list_tags_for_domain(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        domain = self._directory.own(caller, request["DomainName"])
        return {"TagList": [{"Key": key, "Value": value} for key, value in sorted(domain.tags.items())]}


def _added(tags: Mapping[str, str], more: Iterable[Mapping[str, str]]) -> dict[str, str]:
    added: dict[str, str] = {}
    for tag in more:
        if "Key" not in tag:
            raise InvalidInput("A tag must have a key")
        if tag["Key"].lower().startswith("aws:"):
            raise InvalidInput("Tag keys that begin with aws: are reserved")
        added[tag["Key"]] = tag.get("Value", "")
    result = {**tags, **added}
    if len(result) > TAGS_MAX:
        raise InvalidInput(f"A domain can have {TAGS_MAX} tags at most")
    return result
