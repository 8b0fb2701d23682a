"""Policies on users, groups and roles: inline ones, and managed ones attached.

The three kinds have the same operations under other names; what they share is in `_Standing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from cloudstead.core.caller import Caller
from cloudstead.services.iam import names, policy_grammar, shown
from cloudstead.services.iam.directory import Directory
from cloudstead.services.iam.errors import LimitExceeded, NoSuchEntity, UnmodifiableEntity, over_quota
from cloudstead.services.iam.model import Group, P, Role, User
from cloudstead.services.iam.paging import paged

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        AttachGroupPolicyRequestTypeDef,
        AttachRolePolicyRequestTypeDef,
        AttachUserPolicyRequestTypeDef,
        DeleteGroupPolicyRequestTypeDef,
        DeleteRolePolicyRequestTypeDef,
        DeleteUserPolicyRequestTypeDef,
        DetachGroupPolicyRequestTypeDef,
        DetachRolePolicyRequestTypeDef,
        DetachUserPolicyRequestTypeDef,
        GetGroupPolicyRequestTypeDef,
        GetRolePolicyRequestTypeDef,
        GetUserPolicyRequestTypeDef,
        ListAttachedGroupPoliciesRequestTypeDef,
        ListAttachedRolePoliciesRequestTypeDef,
        ListAttachedUserPoliciesRequestTypeDef,
        ListEntitiesForPolicyRequestTypeDef,
        ListGroupPoliciesRequestTypeDef,
        ListRolePoliciesRequestTypeDef,
        ListUserPoliciesRequestTypeDef,
        PutGroupPolicyRequestTypeDef,
        PutRolePolicyRequestTypeDef,
        PutUserPolicyRequestTypeDef,
    )

_ATTACHED_MAX = 10


@dataclass(frozen=True)
class _Standing(Generic[P]):
    """The policies that stand on one kind of principal."""

    directory: Directory
    kind: type[P]
    word: str  # "user"; the members of requests are UserName, and so on
    inline_size_max: int

    def put(self, caller: Caller, request: Mapping[str, Any]) -> None:
        name = names.check_name(request["PolicyName"], "policyName")
        policy_grammar.check_identity_policy(request["PolicyDocument"])
        with self.directory.store.transaction():
            found = self._find_modifiable(caller, request)
            inline = {**found.inline, name: request["PolicyDocument"]}
            if sum(policy_grammar.size(document) for document in inline.values()) > self.inline_size_max:
                raise LimitExceeded(
                    f"Maximum policy size of {self.inline_size_max} bytes exceeded for {self.word} {found.name}"
                )
            self.directory.store.update(found, inline=inline)

    def get(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        found = self._find(caller, request)
        text = self._inline(found, request["PolicyName"])
        return {
            f"{self.word.capitalize()}Name": found.name,
            "PolicyName": request["PolicyName"],
            "PolicyDocument": shown.document(text),
        }

    def delete(self, caller: Caller, request: Mapping[str, Any]) -> None:
        with self.directory.store.transaction():
            found = self._find_modifiable(caller, request)
            self._inline(found, request["PolicyName"])
            kept = {name: text for name, text in found.inline.items() if name != request["PolicyName"]}
            self.directory.store.update(found, inline=kept)

    def list(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        found = self._find(caller, request)
        return paged(found.inline, request, "PolicyNames", str, str)

    def attach(self, caller: Caller, request: Mapping[str, Any]) -> None:
        arn = request["PolicyArn"]
        with self.directory.store.transaction():
            found = self._find_modifiable(caller, request)
            if self.directory.policy(caller.account, arn) is None:
                raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
            if arn in found.attached:
                return
            if len(found.attached) >= _ATTACHED_MAX:
                raise over_quota(f"PoliciesPer{self.word.capitalize()}", _ATTACHED_MAX)
            self.directory.store.update(found, attached=[*found.attached, arn])

    def detach(self, caller: Caller, request: Mapping[str, Any]) -> None:
        arn = request["PolicyArn"]
        with self.directory.store.transaction():
            found = self._find_modifiable(caller, request)
            if arn not in found.attached:
                raise NoSuchEntity(f"Policy {arn} was not found.")
            self.directory.store.update(found, attached=[kept for kept in found.attached if kept != arn])

    def list_attached(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        prefix = names.check_prefix(request.get("PathPrefix", "/"))
        found = self._find(caller, request)
        policies = [
            policy
            for arn in found.attached
            if (policy := self.directory.policy(caller.account, arn)) is not None
            and policy.path.startswith(prefix)
        ]
        return paged(
            policies,
            request,
            "AttachedPolicies",
            lambda policy: f"{policy.name.lower()}/{policy.id}",
            lambda policy: {"PolicyName": policy.name, "PolicyArn": policy.arn()},
        )

    def _find(self, caller: Caller, request: Mapping[str, Any]) -> P:
        return self.directory.find(self.kind, caller.account, request[f"{self.word.capitalize()}Name"])

    def _find_modifiable(self, caller: Caller, request: Mapping[str, Any]) -> P:
        found = self._find(caller, request)
        if isinstance(found, Role) and found.service:
            raise UnmodifiableEntity(
                f"Cannot perform the operation on the protected role '{found.name}' - this role is only modifiable by AWS"
            )
        return found

    def _inline(self, found: P, name: str) -> str:
        names.check_name(name, "policyName")
        if name not in found.inline:
            raise NoSuchEntity(f"The {self.word} policy with name {name} cannot be found.")
        return found.inline[name]


class UserPolicies:
    def __init__(self, directory: Directory) -> None:
        self._policies = _Standing(directory, User, "user", 2048)

    def put_user_policy(self, caller: Caller, request: "PutUserPolicyRequestTypeDef") -> None:
        self._policies.put(caller, request)

    def get_user_policy(self, caller: Caller, request: "GetUserPolicyRequestTypeDef") -> dict[str, Any]:
        return self._policies.get(caller, request)

    def delete_user_policy(self, caller: Caller, request: "DeleteUserPolicyRequestTypeDef") -> None:
        self._policies.delete(caller, request)

    def list_user_policies(self, caller: Caller, request: "ListUserPoliciesRequestTypeDef") -> dict[str, Any]:
        return self._policies.list(caller, request)

    def attach_user_policy(self, caller: Caller, request: "AttachUserPolicyRequestTypeDef") -> None:
        self._policies.attach(caller, request)

    def detach_user_policy(self, caller: Caller, request: "DetachUserPolicyRequestTypeDef") -> None:
        self._policies.detach(caller, request)

    def list_attached_user_policies(
        self, caller: Caller, request: "ListAttachedUserPoliciesRequestTypeDef"
    ) -> dict[str, Any]:
        return self._policies.list_attached(caller, request)


class GroupPolicies:
    def __init__(self, directory: Directory) -> None:
        self._policies = _Standing(directory, Group, "group", 5120)

    def put_group_policy(self, caller: Caller, request: "PutGroupPolicyRequestTypeDef") -> None:
        self._policies.put(caller, request)

    def get_group_policy(self, caller: Caller, request: "GetGroupPolicyRequestTypeDef") -> dict[str, Any]:
        return self._policies.get(caller, request)

    def delete_group_policy(self, caller: Caller, request: "DeleteGroupPolicyRequestTypeDef") -> None:
        self._policies.delete(caller, request)

    def list_group_policies(
        self, caller: Caller, request: "ListGroupPoliciesRequestTypeDef"
    ) -> dict[str, Any]:
        return self._policies.list(caller, request)

    def attach_group_policy(self, caller: Caller, request: "AttachGroupPolicyRequestTypeDef") -> None:
        self._policies.attach(caller, request)

    def detach_group_policy(self, caller: Caller, request: "DetachGroupPolicyRequestTypeDef") -> None:
        self._policies.detach(caller, request)

    def list_attached_group_policies(
        self, caller: Caller, request: "ListAttachedGroupPoliciesRequestTypeDef"
    ) -> dict[str, Any]:
        return self._policies.list_attached(caller, request)


class RolePolicies:
    def __init__(self, directory: Directory) -> None:
        self._policies = _Standing(directory, Role, "role", 10240)

    def put_role_policy(self, caller: Caller, request: "PutRolePolicyRequestTypeDef") -> None:
        self._policies.put(caller, request)

    def get_role_policy(self, caller: Caller, request: "GetRolePolicyRequestTypeDef") -> dict[str, Any]:
        return self._policies.get(caller, request)

    def delete_role_policy(self, caller: Caller, request: "DeleteRolePolicyRequestTypeDef") -> None:
        self._policies.delete(caller, request)

    def list_role_policies(self, caller: Caller, request: "ListRolePoliciesRequestTypeDef") -> dict[str, Any]:
        return self._policies.list(caller, request)

    def attach_role_policy(self, caller: Caller, request: "AttachRolePolicyRequestTypeDef") -> None:
        self._policies.attach(caller, request)

    def detach_role_policy(self, caller: Caller, request: "DetachRolePolicyRequestTypeDef") -> None:
        self._policies.detach(caller, request)

    def list_attached_role_policies(
        self, caller: Caller, request: "ListAttachedRolePoliciesRequestTypeDef"
    ) -> dict[str, Any]:
        return self._policies.list_attached(caller, request)


class PolicyEntities:
    """The other direction: who has a policy."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def list_entities_for_policy(
        self, caller: Caller, request: "ListEntitiesForPolicyRequestTypeDef"
    ) -> dict[str, Any]:
        arn = self._directory.find_policy(caller.account, request["PolicyArn"]).arn()
        prefix = names.check_prefix(request.get("PathPrefix", "/"))
        usage = request.get("PolicyUsageFilter")
        wanted = {"User": User, "Group": Group, "Role": Role}.get(request.get("EntityFilter", ""))
        found = [
            row
            for row in self._directory.principals(caller.account)
            if (wanted is None or isinstance(row, wanted))
            and row.path.startswith(prefix)
            and (
                (usage != "PermissionsBoundary" and arn in row.attached)
                or (usage != "PermissionsPolicy" and arn == row.boundary)
            )
        ]
        page = paged(found, request, "Found", lambda row: f"{row.name.lower()}/{row.id}", lambda row: row)
        entities = page.pop("Found")
        for kind in (Group, User, Role):
            word = kind.__name__
            page[f"Policy{word}s"] = [
                {f"{word}Name": row.name, f"{word}Id": row.id} for row in entities if isinstance(row, kind)
            ]
        return page
