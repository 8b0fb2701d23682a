"""What became of a change: it is in sync once every name server has it."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.route53.directory import Directory, bare
from cloudstead.services.route53.errors import NoSuchChange
from cloudstead.services.route53.rows import Change


class Changes:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def get_change(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        change = self._directory.store.get(Change, bare(request["Id"]))
        if change is None or change.account != caller.account:
            raise NoSuchChange(f"Could not find resource with ID: {bare(request['Id'])}")
        return {"ChangeInfo": self._directory.change_info(change)}
