"""Users and their tags."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.services.iam import keys, names, shown
from cloudstead.services.iam.directory import Directory
from cloudstead.services.iam.errors import DeleteConflict, NoSuchEntity
from cloudstead.services.iam.model import AccessKey, Account, LoginProfile, User, slot
from cloudstead.services.iam.operations.boundaries import wanted_boundary
from cloudstead.services.iam.paging import paged

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreateUserRequestTypeDef,
        DeleteUserRequestTypeDef,
        GetUserRequestTypeDef,
        ListUsersRequestTypeDef,
        ListUserTagsRequestTypeDef,
        TagUserRequestTypeDef,
        UntagUserRequestTypeDef,
        UpdateUserRequestTypeDef,
    )


class Users:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store
        self._tools = directory.tools

    def create_user(self, caller: Caller, request: "CreateUserRequestTypeDef") -> dict[str, Any]:
        name = names.check_name(request["UserName"], "userName")
        path = names.check_path(request.get("Path", "/"))
        tags = names.wanted_tags(request)
        with self._store.transaction():
            boundary = wanted_boundary(self._directory, caller, request.get("PermissionsBoundary"))
            self._directory.check_new(User, caller.account, name)
            made = self._store.insert(
                User(
                    id=keys.new_id(keys.USER, self._tools),
                    account=caller.account,
                    slot=slot(caller.account, name),
                    name=name,
                    path=path,
                    created_at=self._tools.this_second(),
                    tags=tags,
                    boundary=boundary,
                )
            )
        return {"User": shown.user(made, whole=True)}

    def get_user(self, caller: Caller, request: "GetUserRequestTypeDef") -> dict[str, Any]:
        user = self._directory.user_or_caller(caller, request)
        return {"User": self._root(caller.account) if user is None else shown.user(user, whole=True)}

    def list_users(self, caller: Caller, request: "ListUsersRequestTypeDef") -> dict[str, Any]:
        prefix = names.check_prefix(request.get("PathPrefix", "/"))
        found = [row for row in self._directory.all(User, caller.account) if row.path.startswith(prefix)]
        return paged(found, request, "Users", lambda row: row.name.lower(), shown.user)

    def update_user(self, caller: Caller, request: "UpdateUserRequestTypeDef") -> None:
        with self._store.transaction():
            user = self._directory.find(User, caller.account, request["UserName"])
            name = names.check_name(request.get("NewUserName", user.name), "newUserName")
            path = names.check_path(request.get("NewPath", user.path), "newPath")
            if name.lower() != user.name.lower():
                self._directory.check_free(User, caller.account, name)
            self._store.update(user, name=name, path=path, slot=slot(caller.account, name))

    def delete_user(self, caller: Caller, request: "DeleteUserRequestTypeDef") -> None:
        with self._store.transaction():
            user = self._directory.find(User, caller.account, request["UserName"])
            self._check_bare(user)
            self._store.delete(user)

    def tag_user(self, caller: Caller, request: "TagUserRequestTypeDef") -> None:
        with self._store.transaction():
            user = self._directory.find(User, caller.account, request["UserName"])
            self._store.update(user, tags=names.with_tags(user.tags, request["Tags"]))

    def untag_user(self, caller: Caller, request: "UntagUserRequestTypeDef") -> None:
        with self._store.transaction():
            user = self._directory.find(User, caller.account, request["UserName"])
            self._store.update(user, tags=names.without_tags(user.tags, request["TagKeys"]))

    def list_user_tags(self, caller: Caller, request: "ListUserTagsRequestTypeDef") -> dict[str, Any]:
        user = self._directory.find(User, caller.account, request["UserName"])
        return paged(shown.tags(user.tags), request, "Tags", lambda tag: tag["Key"], lambda tag: tag)

    def _root(self, account: str) -> dict[str, Any]:
        row = self._store.get(Account, account)
        if row is None:
            raise NoSuchEntity(f"The account {account} cannot be found.")
        shown = {"UserId": account, "Arn": arn("iam", "root", account=account), "CreateDate": row.created_at}
        return {"UserName": row.alias, **shown} if row.alias else shown

    def _check_bare(self, user: User) -> None:
        """A user goes only after all that belongs to it."""
        if self._store.get(LoginProfile, user.id) is not None:
            raise DeleteConflict("Cannot delete entity, must delete login profile first.")
        if self._store.rows(AccessKey, owner=user.id):
            raise DeleteConflict("Cannot delete entity, must delete access keys first.")
        if user.groups:
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        if user.attached:
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        if user.inline:
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
