"""Permissions boundaries of users and roles: a managed policy that bounds what other policies may give."""

from typing import TYPE_CHECKING

from cloudstead.core.caller import Caller
from cloudstead.services.iam.directory import Directory
from cloudstead.services.iam.errors import NoSuchEntity
from cloudstead.services.iam.model import Role, User

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        DeleteRolePermissionsBoundaryRequestTypeDef,
        DeleteUserPermissionsBoundaryRequestTypeDef,
        PutRolePermissionsBoundaryRequestTypeDef,
        PutUserPermissionsBoundaryRequestTypeDef,
    )


def wanted_boundary(directory: Directory, caller: Caller, arn: str | None) -> str:
    """The boundary asked for, which must exist; empty for none."""
    if arn is None:
        return ""
    if directory.policy(caller.account, arn) is None:
        raise NoSuchEntity(f"Scope ARN: {arn} does not exist or is not attachable.")
    return arn


class Boundaries:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def put_user_permissions_boundary(
        self, caller: Caller, request: "PutUserPermissionsBoundaryRequestTypeDef"
    ) -> None:
        with self._store.transaction():
            user = self._directory.find(User, caller.account, request["UserName"])
            self._store.update(
                user, boundary=wanted_boundary(self._directory, caller, request["PermissionsBoundary"])
            )

    def delete_user_permissions_boundary(
        self, caller: Caller, request: "DeleteUserPermissionsBoundaryRequestTypeDef"
    ) -> None:
        with self._store.transaction():
            user = self._directory.find(User, caller.account, request["UserName"])
            self._store.update(user, boundary="")

    def put_role_permissions_boundary(
        self, caller: Caller, request: "PutRolePermissionsBoundaryRequestTypeDef"
    ) -> None:
        with self._store.transaction():
            role = self._directory.find(Role, caller.account, request["RoleName"])
            self._store.update(
                role, boundary=wanted_boundary(self._directory, caller, request["PermissionsBoundary"])
            )

    def delete_role_permissions_boundary(
        self, caller: Caller, request: "DeleteRolePermissionsBoundaryRequestTypeDef"
    ) -> None:
        with self._store.transaction():
            role = self._directory.find(Role, caller.account, request["RoleName"])
            self._store.update(role, boundary="")
