"""Aliases: names that stand for a key and can be moved to another, in one account and region."""

import re
from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.kms import access
from cloudstead.services.kms.directory import Directory, check_not_ending
from cloudstead.services.kms.errors import (
    AlreadyExistsException,
    LimitExceededException,
    NotAuthorizedException,
    ValidationException,
    no_such_alias,
)
from cloudstead.services.kms.paging import paged
from cloudstead.services.kms.rows import AWS_ALIAS, Alias, Key, alias_arn

ALIASES_MAX = 50

_NAME = re.compile(r"[a-zA-Z0-9/_-]+")


class Aliases:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_alias(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        name = _checked(request["AliasName"])
        with self._store.transaction():
            key = self._target(caller, request, "kms:CreateAlias")
            alias = self._directory.new_alias(name, key)
            if (known := self._store.get(Alias, alias.id)) is not None:
                if self._store.get(Key, known.key) is not None:
                    raise AlreadyExistsException(f"An alias with the name {alias.id} already exists")
                self._store.delete(known)
            self._store.insert(alias)
        return {}

    def update_alias(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        name = _checked(request["AliasName"])
        with self._store.transaction():
            alias = self._find(caller, name)
            self._check(caller, alias, "kms:UpdateAlias")
            key = self._target(caller, request, "kms:UpdateAlias")
            self._store.update(alias, key=key.id, changed_at=self._directory.now())
        return {}

    def delete_alias(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        name = _checked(request["AliasName"])
        with self._store.transaction():
            alias = self._find(caller, name)
            self._check(caller, alias, "kms:DeleteAlias")
            self._store.delete(alias)
        return {}

    def list_aliases(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        found = self._directory.aliases(caller)
        if "KeyId" in request:
            of = self._directory.find(caller, request["KeyId"]).id
            found = [alias for alias in found if alias.key == of]
        return paged("Aliases", found, request, key=lambda alias: alias.name, shown=_shown, size=50, most=100)

    def _target(self, caller: Caller, request: Mapping[str, Any], action: str) -> Key:
        """The key that an alias shall stand for."""
        target = request["TargetKeyId"]
        if target.startswith("alias/") or ":alias/" in target:
            raise ValidationException("Aliases must refer to keys. Not aliases")
        key = self._directory.managed(caller, target, action)
        check_not_ending(key)
        if len(self._store.rows(Alias, key=key.id)) >= ALIASES_MAX:
            raise LimitExceededException(f"{key.id} cannot have more than {ALIASES_MAX} aliases.")
        return key

    def _find(self, caller: Caller, name: str) -> Alias:
        arn = alias_arn(caller.account, caller.region, name)
        found = next((alias for alias in self._directory.aliases(caller) if alias.id == arn), None)
        if found is None:
            raise no_such_alias(arn)
        return found

    def _check(self, caller: Caller, alias: Alias, action: str) -> None:
        key = self._store.get(Key, alias.key)
        assert key is not None, "an alias goes with its key"
        access.check(self._store, caller, key, action)


def _checked(name: str) -> str:
    if not name.startswith("alias/"):
        raise ValidationException(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith(AWS_ALIAS):
        raise NotAuthorizedException("")
    if not _NAME.fullmatch(name) or name == "alias/":
        raise ValidationException(f"{name} contains invalid characters for an alias")
    return name


def _shown(alias: Alias) -> dict[str, Any]:
    return {
        "AliasName": alias.name,
        "AliasArn": alias.id,
        "TargetKeyId": alias.key.rpartition("/")[2],
        "CreationDate": alias.created_at,
        "LastUpdatedDate": alias.changed_at,
    }
