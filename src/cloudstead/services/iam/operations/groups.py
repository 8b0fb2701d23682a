"""Groups, and who is in them. Membership stands on the user's row."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.iam import keys, names, shown
from cloudstead.services.iam.directory import Directory
from cloudstead.services.iam.errors import DeleteConflict, NoSuchEntity, over_quota
from cloudstead.services.iam.model import Group, User, slot
from cloudstead.services.iam.paging import paged

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        AddUserToGroupRequestTypeDef,
        CreateGroupRequestTypeDef,
        DeleteGroupRequestTypeDef,
        GetGroupRequestTypeDef,
        ListGroupsForUserRequestTypeDef,
        ListGroupsRequestTypeDef,
        RemoveUserFromGroupRequestTypeDef,
        UpdateGroupRequestTypeDef,
    )

_GROUPS_PER_USER_MAX = 10


class Groups:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store
        self._tools = directory.tools

    def create_group(self, caller: Caller, request: "CreateGroupRequestTypeDef") -> dict[str, Any]:
        name = names.check_name(request["GroupName"], "groupName")
        path = names.check_path(request.get("Path", "/"))
        with self._store.transaction():
            self._directory.check_new(Group, caller.account, name)
            made = self._store.insert(
                Group(
                    id=keys.new_id(keys.GROUP, self._tools),
                    account=caller.account,
                    slot=slot(caller.account, name),
                    name=name,
                    path=path,
                    created_at=self._tools.this_second(),
                )
            )
        return {"Group": shown.group(made)}

    def get_group(self, caller: Caller, request: "GetGroupRequestTypeDef") -> dict[str, Any]:
        group = self._directory.find(Group, caller.account, request["GroupName"])
        members = self._members(group)
        page = paged(members, request, "Users", lambda row: row.name.lower(), shown.user)
        return {"Group": shown.group(group), **page}

    def list_groups(self, caller: Caller, request: "ListGroupsRequestTypeDef") -> dict[str, Any]:
        prefix = names.check_prefix(request.get("PathPrefix", "/"))
        found = [row for row in self._directory.all(Group, caller.account) if row.path.startswith(prefix)]
        return paged(found, request, "Groups", lambda row: row.name.lower(), shown.group)

    def list_groups_for_user(
        self, caller: Caller, request: "ListGroupsForUserRequestTypeDef"
    ) -> dict[str, Any]:
        user = self._directory.find(User, caller.account, request["UserName"])
        found = [group for id in user.groups if (group := self._store.get(Group, id)) is not None]
        return paged(found, request, "Groups", lambda row: row.name.lower(), shown.group)

    def update_group(self, caller: Caller, request: "UpdateGroupRequestTypeDef") -> None:
        with self._store.transaction():
            group = self._directory.find(Group, caller.account, request["GroupName"])
            name = names.check_name(request.get("NewGroupName", group.name), "newGroupName")
            path = names.check_path(request.get("NewPath", group.path), "newPath")
            if name.lower() != group.name.lower():
                self._directory.check_free(Group, caller.account, name)
            self._store.update(group, name=name, path=path, slot=slot(caller.account, name))

    def delete_group(self, caller: Caller, request: "DeleteGroupRequestTypeDef") -> None:
        with self._store.transaction():
            group = self._directory.find(Group, caller.account, request["GroupName"])
            if self._members(group):
                raise DeleteConflict("Cannot delete entity, must remove users from group first.")
            if group.attached:
                raise DeleteConflict("Cannot delete entity, must detach all policies first.")
            if group.inline:
                raise DeleteConflict("Cannot delete entity, must delete policies first.")
            self._store.delete(group)

    def add_user_to_group(self, caller: Caller, request: "AddUserToGroupRequestTypeDef") -> None:
        with self._store.transaction():
            group = self._directory.find(Group, caller.account, request["GroupName"])
            user = self._directory.find(User, caller.account, request["UserName"])
            if group.id in user.groups:
                return
            if len(user.groups) >= _GROUPS_PER_USER_MAX:
                raise over_quota("GroupsPerUser", _GROUPS_PER_USER_MAX)
            self._store.update(user, groups=[*user.groups, group.id])

    def remove_user_from_group(self, caller: Caller, request: "RemoveUserFromGroupRequestTypeDef") -> None:
        with self._store.transaction():
            group = self._directory.find(Group, caller.account, request["GroupName"])
            user = self._directory.find(User, caller.account, request["UserName"])
            if group.id not in user.groups:
                raise NoSuchEntity(f"The user with name {user.name} is not in the group {group.name}.")
            self._store.update(user, groups=[id for id in user.groups if id != group.id])

    def _members(self, group: Group) -> list[User]:
        return [user for user in self._directory.all(User, group.account) if group.id in user.groups]
