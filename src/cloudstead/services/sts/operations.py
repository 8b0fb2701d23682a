"""STS operations."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.store import Store

if TYPE_CHECKING:
    from types_boto3_sts.type_defs import GetAccessKeyInfoRequestTypeDef  # noqa: F401


class Sts:
    def __init__(self, store: Store, tools: Tools) -> None:
        self._store = store
        self._tools = tools

    def get_caller_identity(self, caller: Caller, _request: dict[str, Any]) -> dict[str, Any]:
        return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}
