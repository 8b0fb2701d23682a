"""Instance profiles: the box in which a role is handed to an instance. One role at most."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.iam import keys, names, shown
from cloudstead.services.iam.directory import Directory
from cloudstead.services.iam.errors import DeleteConflict, NoSuchEntity, UnmodifiableEntity, over_quota
from cloudstead.services.iam.model import InstanceProfile, Role, slot
from cloudstead.services.iam.paging import paged

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        AddRoleToInstanceProfileRequestTypeDef,
        CreateInstanceProfileRequestTypeDef,
        DeleteInstanceProfileRequestTypeDef,
        GetInstanceProfileRequestTypeDef,
        ListInstanceProfilesForRoleRequestTypeDef,
        ListInstanceProfilesRequestTypeDef,
        ListInstanceProfileTagsRequestTypeDef,
        RemoveRoleFromInstanceProfileRequestTypeDef,
        TagInstanceProfileRequestTypeDef,
        UntagInstanceProfileRequestTypeDef,
    )


class InstanceProfiles:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store
        self._tools = directory.tools

    def create_instance_profile(
        self, caller: Caller, request: "CreateInstanceProfileRequestTypeDef"
    ) -> dict[str, Any]:
        name = names.check_name(request["InstanceProfileName"], "instanceProfileName")
        path = names.check_path(request.get("Path", "/"))
        tags = names.wanted_tags(request)
        with self._store.transaction():
            self._directory.check_new(InstanceProfile, caller.account, name)
            made = self._store.insert(
                InstanceProfile(
                    id=keys.new_id(keys.INSTANCE_PROFILE, self._tools),
                    account=caller.account,
                    slot=slot(caller.account, name),
                    name=name,
                    path=path,
                    created_at=self._tools.this_second(),
                    tags=tags,
                )
            )
        return {"InstanceProfile": self._show(made, whole=True)}

    def get_instance_profile(
        self, caller: Caller, request: "GetInstanceProfileRequestTypeDef"
    ) -> dict[str, Any]:
        found = self._find(caller, request["InstanceProfileName"])
        return {"InstanceProfile": self._show(found, whole=True)}

    def list_instance_profiles(
        self, caller: Caller, request: "ListInstanceProfilesRequestTypeDef"
    ) -> dict[str, Any]:
        prefix = names.check_prefix(request.get("PathPrefix", "/"))
        found = self._directory.all(InstanceProfile, caller.account)
        found = [row for row in found if row.path.startswith(prefix)]
        return paged(found, request, "InstanceProfiles", lambda row: row.name.lower(), self._show)

    def list_instance_profiles_for_role(
        self, caller: Caller, request: "ListInstanceProfilesForRoleRequestTypeDef"
    ) -> dict[str, Any]:
        role = self._directory.find(Role, caller.account, request["RoleName"])
        found = self._store.rows(InstanceProfile, role=role.id)
        return paged(found, request, "InstanceProfiles", lambda row: row.name.lower(), self._show)

    def delete_instance_profile(self, caller: Caller, request: "DeleteInstanceProfileRequestTypeDef") -> None:
        with self._store.transaction():
            found = self._find(caller, request["InstanceProfileName"])
            if found.role:
                raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
            self._store.delete(found)

    def add_role_to_instance_profile(
        self, caller: Caller, request: "AddRoleToInstanceProfileRequestTypeDef"
    ) -> None:
        with self._store.transaction():
            found = self._find(caller, request["InstanceProfileName"])
            role = self._directory.find(Role, caller.account, request["RoleName"])
            if role.service:
                raise UnmodifiableEntity(
                    f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
                )
            if found.role:
                raise over_quota("InstanceSessionsPerInstanceProfile", 1)
            self._store.update(found, role=role.id)

    def remove_role_from_instance_profile(
        self, caller: Caller, request: "RemoveRoleFromInstanceProfileRequestTypeDef"
    ) -> None:
        with self._store.transaction():
            found = self._find(caller, request["InstanceProfileName"])
            held = self._store.get(Role, found.role)
            if held is None or held.name != request["RoleName"]:
                raise NoSuchEntity(f"The role with name {request['RoleName']} cannot be found.")
            self._store.update(found, role="")

    def tag_instance_profile(self, caller: Caller, request: "TagInstanceProfileRequestTypeDef") -> None:
        with self._store.transaction():
            found = self._find(caller, request["InstanceProfileName"])
            self._store.update(found, tags=names.with_tags(found.tags, request["Tags"]))

    def untag_instance_profile(self, caller: Caller, request: "UntagInstanceProfileRequestTypeDef") -> None:
        with self._store.transaction():
            found = self._find(caller, request["InstanceProfileName"])
            self._store.update(found, tags=names.without_tags(found.tags, request["TagKeys"]))

    def list_instance_profile_tags(
        self, caller: Caller, request: "ListInstanceProfileTagsRequestTypeDef"
    ) -> dict[str, Any]:
        found = self._find(caller, request["InstanceProfileName"])
        return paged(shown.tags(found.tags), request, "Tags", lambda tag: tag["Key"], lambda tag: tag)

    def _find(self, caller: Caller, name: str) -> InstanceProfile:
        return self._directory.find(InstanceProfile, caller.account, name)

    def _show(self, row: InstanceProfile, *, whole: bool = False) -> dict[str, Any]:
        return shown.instance_profile(row, self._store.get(Role, row.role), whole=whole)
