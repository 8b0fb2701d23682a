"""Keys: made, described, listed, switched on and off, and ended after their waiting time."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.kms import access, policies, tags
from cloudstead.services.kms.directory import Directory, check_not_ending
from cloudstead.services.kms.errors import (
    KMSInvalidStateException,
    MalformedPolicyDocumentException,
    ValidationException,
)
from cloudstead.services.kms.paging import paged
from cloudstead.services.kms.rows import Key

SYMMETRIC = "SYMMETRIC_DEFAULT"

_WINDOW_DAYS = 30
_WINDOW_DAYS_MIN, _WINDOW_DAYS_MAX = 7, 30


class Keys:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_key(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        _check_kind(request)
        policy = request.get("Policy", "")
        if policy:
            policies.check(policy)
        key = self._directory.make(
            caller.account,
            caller.region,
            policy=policy,
            description=request.get("Description", ""),
            tags=tags.added({}, request.get("Tags", ())),
        )
        if policy and not request.get("BypassPolicyLockoutSafetyCheck"):
            check_not_locked_out(self._directory, caller, key, policy)
        return {"KeyMetadata": shown(self._store.insert(key))}

    def describe_key(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        key = self._directory.find(caller, request["KeyId"])
        access.check(self._store, caller, key, "kms:DescribeKey")
        return {"KeyMetadata": shown(key)}

    def list_keys(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        if "OTHER_ACCOUNTS_VIA_RAM" in request.get("ResourceOwners", ()):
            raise NotBuilt("Keys shared by other accounts are not built: there is no Resource Access Manager")
        return paged(
            "Keys",
            self._directory.keys(caller),
            request,
            key=lambda key: key.key_id,
            shown=lambda key: {"KeyId": key.key_id, "KeyArn": key.id},
            size=100,
            most=1000,
        )

    def update_key_description(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            key = self._directory.managed(caller, request["KeyId"], "kms:UpdateKeyDescription")
            check_not_ending(key)
            self._store.update(key, description=request["Description"])
        return {}

    def enable_key(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._switch(caller, request, "kms:EnableKey", enabled=True)

    def disable_key(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._switch(caller, request, "kms:DisableKey", enabled=False)

    def _switch(
        self, caller: Caller, request: Mapping[str, Any], action: str, *, enabled: bool
    ) -> dict[str, Any]:
        with self._store.transaction():
            key = self._directory.managed(caller, request["KeyId"], action)
            check_not_ending(key)
            self._store.update(key, enabled=enabled)
        return {}

    def schedule_key_deletion(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        days = request.get("PendingWindowInDays", _WINDOW_DAYS)
        if not _WINDOW_DAYS_MIN <= days <= _WINDOW_DAYS_MAX:
            raise ValidationException(
                f"The pending window in days must be between {_WINDOW_DAYS_MIN} and {_WINDOW_DAYS_MAX}"
            )
        with self._store.transaction():
            key = self._directory.managed(caller, request["KeyId"], "kms:ScheduleKeyDeletion")
            check_not_ending(key)
            ends = self._directory.now() + timedelta(days=days)
            self._store.update(key, deletion_at=ends, enabled=False)
        return {
            "KeyId": key.id,
            "DeletionDate": ends,
            "KeyState": "PendingDeletion",
            "PendingWindowInDays": days,
        }

    def cancel_key_deletion(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            key = self._directory.managed(caller, request["KeyId"], "kms:CancelKeyDeletion")
            if key.deletion_at is None:
                raise KMSInvalidStateException(f"{key.id} is not pending deletion.")
            self._store.update(key, deletion_at=None)
        return {"KeyId": key.id}


def check_not_locked_out(directory: Directory, caller: Caller, key: Key, policy: str) -> None:
    """Nobody shall be left who could put the policy right again."""
    if not access.allowed(directory.store, caller, key, policy, "kms:PutKeyPolicy"):
        raise MalformedPolicyDocumentException(
            "The new key policy will not allow you to update the key policy in the future."
        )


def shown(key: Key) -> dict[str, Any]:
    """A key's metadata."""
    found = {
        "AWSAccountId": key.account,
        "KeyId": key.key_id,
        "Arn": key.id,
        "CreationDate": key.created_at,
        "Enabled": key.state() == "Enabled",
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state(),
        "Origin": "AWS_KMS",
        "KeyManager": "AWS" if key.aws_service else "CUSTOMER",
        "CustomerMasterKeySpec": SYMMETRIC,
        "KeySpec": SYMMETRIC,
        "EncryptionAlgorithms": [SYMMETRIC],
        "MultiRegion": False,
        "CurrentKeyMaterialId": key.materials[-1].id,
    }
    return found if key.deletion_at is None else {**found, "DeletionDate": key.deletion_at}


def _check_kind(request: Mapping[str, Any]) -> None:
    spec = request.get("KeySpec", request.get("CustomerMasterKeySpec", SYMMETRIC))
    if "KeySpec" in request and "CustomerMasterKeySpec" in request:
        raise ValidationException(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is "
            "deprecated."
        )
    if spec != SYMMETRIC:
        if "KeyUsage" not in request:
            raise ValidationException(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
            )
        raise NotBuilt(
            f"Keys of the spec {spec} are not built in Cloudstead's KMS: symmetric encryption keys are"
        )
    usage = request.get("KeyUsage", "ENCRYPT_DECRYPT")
    if usage != "ENCRYPT_DECRYPT":
        raise ValidationException(f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    origin = request.get("Origin", "AWS_KMS")
    if origin != "AWS_KMS" or "CustomKeyStoreId" in request or "XksKeyId" in request:
        raise NotBuilt("Imported key material and custom key stores are not built in Cloudstead's KMS")
    if request.get("MultiRegion"):
        raise NotBuilt("Multi-Region keys are not built in Cloudstead's KMS")
