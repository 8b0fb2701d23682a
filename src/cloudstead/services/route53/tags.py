"""Tags of hosted zones and health checks, ten at most."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53.directory import Directory, bare
from cloudstead.services.route53.errors import InvalidInput
from cloudstead.services.route53.health_checks import find
from cloudstead.services.route53.rows import HealthCheck, HostedZone

TAGS_MAX = 10


class Tags:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def change_tags_for_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        gone, more = request.get("RemoveTagKeys", ()), request.get("AddTags", ())
        if not gone and not more:
            raise InvalidInput("At least one of AddTags and RemoveTagKeys must be specified.")
        with self._store.transaction():
            found = self._find(caller, request["ResourceType"], request["ResourceId"])
            tags = {name: value for name, value in found.tags.items() if name not in gone}
            tags |= {tag["Key"]: tag.get("Value", "") for tag in more}
            if len(tags) > TAGS_MAX:
                raise InvalidInput(f"A resource cannot have more than {TAGS_MAX} tags.")
            self._store.update(found, tags=tags)
        return {}

    def list_tags_for_resource(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"ResourceTagSet": self._tag_set(caller, request["ResourceType"], request["ResourceId"])}

    def list_tags_for_resources(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        type = request["ResourceType"]
        return {"ResourceTagSets": [self._tag_set(caller, type, id) for id in request["ResourceIds"]]}

    def _tag_set(self, caller: Caller, type: str, id: str) -> dict[str, Any]:
        tags = self._find(caller, type, id).tags
        return {
            "ResourceType": type,
            "ResourceId": bare(id),
            "Tags": [{"Key": name, "Value": value} for name, value in tags.items()],
        }

    def _find(self, caller: Caller, type: str, id: str) -> HostedZone | HealthCheck:
        match type:
            case "hostedzone":
                return self._directory.zone(caller, id)
            case "healthcheck":
                return find(self._directory, caller, id)
            case _:
                raise NotBuilt("Health check sources are not built")
