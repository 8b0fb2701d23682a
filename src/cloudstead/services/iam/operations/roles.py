"""Roles: a trust policy that says who may take them on, and those that services make for themselves."""

import json
import re
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.iam import keys, names, policy_grammar, shown
from cloudstead.services.iam.directory import Directory, refuse_unbuilt
from cloudstead.services.iam.errors import (
    DeleteConflict,
    InvalidInput,
    NoSuchEntity,
    UnmodifiableEntity,
    over_quota,
)
from cloudstead.services.iam.model import Account, InstanceProfile, Role, User, slot
from cloudstead.services.iam.operations.boundaries import wanted_boundary
from cloudstead.services.iam.paging import paged

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreateRoleRequestTypeDef,
        CreateServiceLinkedRoleRequestTypeDef,
        DeleteRoleRequestTypeDef,
        DeleteServiceLinkedRoleRequestTypeDef,
        GetRoleRequestTypeDef,
        GetServiceLinkedRoleDeletionStatusRequestTypeDef,
        ListRolesRequestTypeDef,
        ListRoleTagsRequestTypeDef,
        TagRoleRequestTypeDef,
        UntagRoleRequestTypeDef,
        UpdateAssumeRolePolicyRequestTypeDef,
        UpdateRoleDescriptionRequestTypeDef,
        UpdateRoleRequestTypeDef,
    )

_TRUST_POLICY_SIZE_MAX = 2048
_LOCAL = re.compile(r"arn:aws(?:-[a-z]+)*:iam::(\d{12}):(user|role)/(?:.+/)?([^/]+)")
#: How AWS spells the names of the roles its services make; others are their first label, capitalised.
_SERVICE_NAMES = {
    "autoscaling": "AutoScaling",
    "elasticloadbalancing": "ElasticLoadBalancing",
    "ec2": "EC2",
    "rds": "RDS",
    "ecs": "ECS",
    "spot": "EC2Spot",
    "spotfleet": "EC2SpotFleet",
    "elasticfilesystem": "AmazonElasticFileSystem",
    "ssm": "AmazonSSM",
    "elasticache": "ElastiCache",
    "organizations": "Organizations",
}


class Roles:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store
        self._tools = directory.tools

    def create_role(self, caller: Caller, request: "CreateRoleRequestTypeDef") -> dict[str, Any]:
        refuse_unbuilt(request, "MaxSigninSessionDuration")
        name = names.check_name(request["RoleName"], "roleName")
        path = names.check_path(request.get("Path", "/"))
        if path.startswith("/aws-service-role/"):
            raise InvalidInput(
                "Paths beginning with /aws-service-role/ are reserved for service-linked roles."
            )
        tags = names.wanted_tags(request)
        with self._store.transaction():
            self._check_trust_policy(request["AssumeRolePolicyDocument"])
            boundary = wanted_boundary(self._directory, caller, request.get("PermissionsBoundary"))
            self._directory.check_new(Role, caller.account, name)
            made = self._store.insert(
                Role(
                    id=keys.new_id(keys.ROLE, self._tools),
                    account=caller.account,
                    slot=slot(caller.account, name),
                    name=name,
                    path=path,
                    created_at=self._tools.this_second(),
                    tags=tags,
                    boundary=boundary,
                    trust_policy=request["AssumeRolePolicyDocument"],
                    description=request.get("Description"),
                    max_session_s=request.get("MaxSessionDuration", 3600),
                )
            )
        return {"Role": shown.role(made, whole=True)}

    def get_role(self, caller: Caller, request: "GetRoleRequestTypeDef") -> dict[str, Any]:
        role = self._directory.find(Role, caller.account, request["RoleName"])
        return {"Role": {**shown.role(role, whole=True), "RoleLastUsed": {}}}

    def list_roles(self, caller: Caller, request: "ListRolesRequestTypeDef") -> dict[str, Any]:
        prefix = names.check_prefix(request.get("PathPrefix", "/"))
        found = [row for row in self._directory.all(Role, caller.account) if row.path.startswith(prefix)]
        return paged(found, request, "Roles", lambda row: row.name.lower(), shown.role)

    def update_role(self, caller: Caller, request: "UpdateRoleRequestTypeDef") -> dict[str, Any]:
        refuse_unbuilt(request, "MaxSigninSessionDuration")
        with self._store.transaction():
            role = self._find_modifiable(caller, request["RoleName"])
            self._store.update(
                role,
                description=request.get("Description", role.description),
                max_session_s=request.get("MaxSessionDuration", role.max_session_s),
            )
        return {}

    def update_role_description(
        self, caller: Caller, request: "UpdateRoleDescriptionRequestTypeDef"
    ) -> dict[str, Any]:
        with self._store.transaction():
            role = self._directory.find(Role, caller.account, request["RoleName"])
            role = self._store.update(role, description=request["Description"])
        return {"Role": shown.role(role, whole=True)}

    def update_assume_role_policy(
        self, caller: Caller, request: "UpdateAssumeRolePolicyRequestTypeDef"
    ) -> None:
        with self._store.transaction():
            role = self._find_modifiable(caller, request["RoleName"])
            self._check_trust_policy(request["PolicyDocument"])
            self._store.update(role, trust_policy=request["PolicyDocument"])

    def delete_role(self, caller: Caller, request: "DeleteRoleRequestTypeDef") -> None:
        with self._store.transaction():
            role = self._find_modifiable(caller, request["RoleName"])
            if self._store.rows(InstanceProfile, role=role.id):
                raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
            if role.attached:
                raise DeleteConflict("Cannot delete entity, must detach all policies first.")
            if role.inline:
                raise DeleteConflict("Cannot delete entity, must delete policies first.")
            self._store.delete(role)

    def tag_role(self, caller: Caller, request: "TagRoleRequestTypeDef") -> None:
        with self._store.transaction():
            role = self._find_modifiable(caller, request["RoleName"])
            self._store.update(role, tags=names.with_tags(role.tags, request["Tags"]))

    def untag_role(self, caller: Caller, request: "UntagRoleRequestTypeDef") -> None:
        with self._store.transaction():
            role = self._find_modifiable(caller, request["RoleName"])
            self._store.update(role, tags=names.without_tags(role.tags, request["TagKeys"]))

    def list_role_tags(self, caller: Caller, request: "ListRoleTagsRequestTypeDef") -> dict[str, Any]:
        role = self._directory.find(Role, caller.account, request["RoleName"])
        return paged(shown.tags(role.tags), request, "Tags", lambda tag: tag["Key"], lambda tag: tag)

    # --- service-linked roles

    def create_service_linked_role(
        self, caller: Caller, request: "CreateServiceLinkedRoleRequestTypeDef"
    ) -> dict[str, Any]:
        service = request["AWSServiceName"]
        if not service.endswith(".amazonaws.com"):
            raise InvalidInput(f"Service role name {service} is not a valid service principal.")
        label = service.partition(".")[0]
        name = f"AWSServiceRoleFor{_SERVICE_NAMES.get(label, label.capitalize())}"
        if suffix := request.get("CustomSuffix"):
            name += "_" + names.check_name(suffix, "customSuffix")
        with self._store.transaction():
            if self._store.rows(Role, slot=slot(caller.account, name)):
                raise InvalidInput(
                    f"Service role name {name} has been taken in this account, please try a different suffix."
                )
            made = self._store.insert(
                Role(
                    id=keys.new_id(keys.ROLE, self._tools),
                    account=caller.account,
                    slot=slot(caller.account, name),
                    name=name,
                    path=f"/aws-service-role/{service}/",
                    created_at=self._tools.this_second(),
                    trust_policy=_trusting(service),
                    description=request.get("Description"),
                    service=service,
                )
            )
        return {"Role": shown.role(made, whole=True)}

    def delete_service_linked_role(
        self, caller: Caller, request: "DeleteServiceLinkedRoleRequestTypeDef"
    ) -> dict[str, Any]:
        with self._store.transaction():
            role = self._directory.find(Role, caller.account, request["RoleName"])
            if not role.service:
                raise InvalidInput(f"The role with name {role.name} is not a service-linked role.")
            self._store.delete(role)
        # The task is done by now; its id says of which role it was.
        return {"DeletionTaskId": f"task{role.path}{role.name}/{role.id}"}

    def get_service_linked_role_deletion_status(
        self, caller: Caller, request: "GetServiceLinkedRoleDeletionStatusRequestTypeDef"
    ) -> dict[str, Any]:
        task = request["DeletionTaskId"]
        role = self._store.get(Role, task.rpartition("/")[2])
        if not task.startswith("task/aws-service-role/") or (role and role.account == caller.account):
            raise NoSuchEntity(f"Deletion task {task} cannot be found.")
        return {"Status": "SUCCEEDED"}

    def _find_modifiable(self, caller: Caller, name: str) -> Role:
        role = self._directory.find(Role, caller.account, name)
        if role.service:
            raise UnmodifiableEntity(
                f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
            )
        return role

    def _check_trust_policy(self, document: str) -> None:
        if policy_grammar.size(document) > _TRUST_POLICY_SIZE_MAX:
            raise over_quota("ACLSizePerRole", _TRUST_POLICY_SIZE_MAX)
        policy_grammar.check_trust_policy(document)
        for kind, value in policy_grammar.trusted(document):
            if kind == "AWS" and not self._may_exist(value):
                raise policy_grammar.invalid_principal(kind, value)

    def _may_exist(self, principal: str) -> bool:
        """False for a user or role of an account of this cloud that is not there. Other accounts we cannot see."""
        found = _LOCAL.fullmatch(principal)
        if found is None or self._store.get(Account, found[1]) is None:
            return True
        named: User | Role | None
        if found[2] == "user":
            named = self._directory.named(User, found[1], found[3])
        else:
            named = self._directory.named(Role, found[1], found[3])
        return named is not None and named.arn() == principal


def _trusting(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
