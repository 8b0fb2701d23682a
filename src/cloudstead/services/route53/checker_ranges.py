"""Where checkers of health come from, for whoever lets nobody else in."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudstead.core.caller import Caller


class CheckerRanges:
    def __init__(self, ranges: Sequence[str]) -> None:
        self._ranges = ranges

    def get_checker_ip_ranges(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        del caller, request
        return {"CheckerIpRanges": list(self._ranges)}
