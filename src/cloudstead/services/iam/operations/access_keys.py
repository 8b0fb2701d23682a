"""Access keys of users and of the root user: at most two each, the secret told once."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.iam import keys, shown
from cloudstead.services.iam.directory import Directory
from cloudstead.services.iam.errors import AccessDenied, InvalidInput, NoSuchEntity, over_quota
from cloudstead.services.iam.model import AccessKey, KeyUse, User
from cloudstead.services.iam.paging import paged

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreateAccessKeyRequestTypeDef,
        DeleteAccessKeyRequestTypeDef,
        GetAccessKeyLastUsedRequestTypeDef,
        ListAccessKeysRequestTypeDef,
        UpdateAccessKeyRequestTypeDef,
    )

_KEYS_MAX = 2


class AccessKeys:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store
        self._tools = directory.tools

    def create_access_key(self, caller: Caller, request: "CreateAccessKeyRequestTypeDef") -> dict[str, Any]:
        with self._store.transaction():
            owner = self._directory.user_or_caller(caller, request)
            if len(self._keys_of(caller.account, owner)) >= _KEYS_MAX:
                raise over_quota("AccessKeysPerUser", _KEYS_MAX)
            made = self._store.insert(
                AccessKey(
                    id=keys.new_access_key_id(keys.LONG_TERM, caller.account, self._tools),
                    account=caller.account,
                    owner=owner.id if owner else "",
                    secret=keys.new_secret(self._tools),
                    created_at=self._tools.this_second(),
                )
            )
        name = owner.name if owner else "root"
        return {
            "AccessKey": {"UserName": name, **shown.access_key(made, owner), "SecretAccessKey": made.secret}
        }

    def list_access_keys(self, caller: Caller, request: "ListAccessKeysRequestTypeDef") -> dict[str, Any]:
        owner = self._directory.user_or_caller(caller, request)
        found = self._keys_of(caller.account, owner)
        return paged(
            found, request, "AccessKeyMetadata", lambda row: row.id, lambda row: shown.access_key(row, owner)
        )

    def update_access_key(self, caller: Caller, request: "UpdateAccessKeyRequestTypeDef") -> None:
        if request["Status"] not in ("Active", "Inactive"):
            raise InvalidInput(f"The status {request['Status']} cannot be set.")
        with self._store.transaction():
            key = self._find(caller, request)
            self._store.update(key, active=request["Status"] == "Active")

    def delete_access_key(self, caller: Caller, request: "DeleteAccessKeyRequestTypeDef") -> None:
        with self._store.transaction():
            key = self._find(caller, request)
            self._store.delete(key)
            if (use := self._store.get(KeyUse, key.id)) is not None:
                self._store.delete(use)

    def get_access_key_last_used(
        self, caller: Caller, request: "GetAccessKeyLastUsedRequestTypeDef"
    ) -> dict[str, Any]:
        key = self._store.get(AccessKey, request["AccessKeyId"])
        if key is None or key.account != caller.account:
            raise AccessDenied(
                f"User: {caller.arn} is not authorized to perform: iam:GetAccessKeyLastUsed "
                f"on resource: access key {request['AccessKeyId']}"
            )
        owner = self._store.get(User, key.owner)
        use = self._store.get(KeyUse, key.id)
        last: dict[str, Any] = {"ServiceName": "N/A", "Region": "N/A"}
        if use is not None:
            last = {"LastUsedDate": use.at, "ServiceName": use.service, "Region": use.region}
        return {"UserName": owner.name if owner else "root", "AccessKeyLastUsed": last}

    def _keys_of(self, account: str, owner: User | None) -> list[AccessKey]:
        if owner is not None:
            return self._store.rows(AccessKey, owner=owner.id)
        return self._store.rows(AccessKey, account=account, owner="")

    def _find(
        self, caller: Caller, request: "UpdateAccessKeyRequestTypeDef | DeleteAccessKeyRequestTypeDef"
    ) -> AccessKey:
        owner = self._directory.user_or_caller(caller, request)
        for key in self._keys_of(caller.account, owner):
            if key.id == request["AccessKeyId"]:
                return key
        raise NoSuchEntity(f"The Access Key with id {request['AccessKeyId']} cannot be found.")
