"""Rotation: new material for the same key, by the calendar or at once. See `reconcile` for who looks at the calendar."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.services.kms import access
from cloudstead.services.kms.directory import YEAR_DAYS, Directory, check_usable
from cloudstead.services.kms.errors import LimitExceededException
from cloudstead.services.kms.paging import paged
from cloudstead.services.kms.rows import Key, Material

ON_DEMAND_MAX = 25


class Rotation:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def enable_key_rotation(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        """The first rotation is one period from now; asked again with another period, too."""
        days = request.get("RotationPeriodInDays", YEAR_DAYS)
        with self._store.transaction():
            key = self._usable(caller, request, "kms:EnableKeyRotation")
            if key.rotation_days != days:
                self._store.update(key, rotation_days=days, rotates_from=self._directory.now())
        return {}

    def disable_key_rotation(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            key = self._usable(caller, request, "kms:DisableKeyRotation")
            self._store.update(key, rotation_days=0, rotates_from=None)
        return {}

    def get_key_rotation_status(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        key = self._directory.find_key(caller, request["KeyId"])
        access.check(self._store, caller, key, "kms:GetKeyRotationStatus")
        next_at = key.next_rotation()
        answer = {"KeyId": key.key_id, "KeyRotationEnabled": next_at is not None}
        if next_at is not None:
            answer |= {"RotationPeriodInDays": key.rotation_days, "NextRotationDate": next_at}
        return answer

    def rotate_key_on_demand(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            key = self._usable(caller, request, "kms:RotateKeyOnDemand")
            if sum(material.how == "ON_DEMAND" for material in key.materials) >= ON_DEMAND_MAX:
                raise LimitExceededException(
                    f"{key.id} was rotated on demand {ON_DEMAND_MAX} times, which is the limit."
                )
            self._directory.rotated(key, "ON_DEMAND", rotates_from=key.rotates_from)
        return {"KeyId": key.key_id}

    def list_key_rotations(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        key = self._directory.managed(caller, request["KeyId"], "kms:ListKeyRotations")
        everything = request.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
        found = [(n, each) for n, each in enumerate(key.materials) if each.how or everything]
        return paged(
            "Rotations",
            found,
            request,
            key=lambda each: f"{each[0]:08}",
            shown=lambda each: _shown(key, each[1]),
            size=100,
            most=1000,
        )

    def _usable(self, caller: Caller, request: Mapping[str, Any], action: str) -> Key:
        key = self._directory.managed(caller, request["KeyId"], action)
        check_usable(key)
        return key


def _shown(key: Key, material: Material) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "KeyId": key.key_id,
        "KeyMaterialId": material.id,
        "KeyMaterialState": "CURRENT" if material is key.materials[-1] else "NON_CURRENT",
    }
    if material.how:
        shown |= {"RotationDate": material.made_at, "RotationType": material.how}
    return shown
