"""The policy of a key, kept as it was written. There is one of each key, and its name is `default`."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.kms import policies
from cloudstead.services.kms.directory import Directory
from cloudstead.services.kms.errors import NotFoundException
from cloudstead.services.kms.keys import check_not_locked_out
from cloudstead.services.kms.paging import paged


class KeyPolicies:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def get_key_policy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        key = self._directory.managed(caller, request["KeyId"], "kms:GetKeyPolicy")
        return {"Policy": policies.of(key), "PolicyName": _checked(request)}

    def put_key_policy(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        policy = request["Policy"]
        store = self._directory.store
        with store.transaction():
            key = self._directory.managed(caller, request["KeyId"], "kms:PutKeyPolicy")
            _checked(request)
            policies.check(policy)
            if not request.get("BypassPolicyLockoutSafetyCheck"):
                check_not_locked_out(self._directory, caller, key, policy)
            store.update(key, policy=policy)
        return {}

    def list_key_policies(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        self._directory.managed(caller, request["KeyId"], "kms:ListKeyPolicies")
        return paged("PolicyNames", [policies.NAME], request, key=str, shown=str, size=100, most=1000)


def _checked(request: Mapping[str, Any]) -> str:
    if request.get("PolicyName", policies.NAME) != policies.NAME:
        raise NotFoundException("No such policy exists")
    return policies.NAME
