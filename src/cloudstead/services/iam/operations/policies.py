"""Managed policies and their versions. AWS's own are seen by every account and changed by none."""

import re
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.iam import aws_managed, keys, names, policy_grammar, shown
from cloudstead.services.iam.directory import Directory
from cloudstead.services.iam.errors import (
    AccessDenied,
    DeleteConflict,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
    over_quota,
)
from cloudstead.services.iam.model import Policy, PolicyVersion, slot
from cloudstead.services.iam.paging import paged

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreatePolicyRequestTypeDef,
        CreatePolicyVersionRequestTypeDef,
        DeletePolicyRequestTypeDef,
        DeletePolicyVersionRequestTypeDef,
        GetPolicyRequestTypeDef,
        GetPolicyVersionRequestTypeDef,
        ListPoliciesRequestTypeDef,
        ListPolicyTagsRequestTypeDef,
        ListPolicyVersionsRequestTypeDef,
        SetDefaultPolicyVersionRequestTypeDef,
        TagPolicyRequestTypeDef,
        UntagPolicyRequestTypeDef,
    )

_SIZE_MAX = 6144
_VERSIONS_MAX = 5
_PATH = re.compile(r"((/[A-Za-z0-9.,+@=_-]+)*)/")


class Policies:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store
        self._tools = directory.tools

    def create_policy(self, caller: Caller, request: "CreatePolicyRequestTypeDef") -> dict[str, Any]:
        name = names.check_name(request["PolicyName"], "policyName")
        path = names.check_path(request.get("Path", "/"))
        if not _PATH.fullmatch(path):
            raise ValidationError(
                "The specified value for path is invalid. "
                "It must begin and end with / and contain only alphanumeric characters and/or / characters."
            )
        tags = names.wanted_tags(request)
        _check_document(request["PolicyDocument"])
        now = self._tools.this_second()
        with self._store.transaction():
            self._directory.check_new(Policy, caller.account, name)
            made = self._store.insert(
                Policy(
                    id=keys.new_id(keys.POLICY, self._tools),
                    account=caller.account,
                    slot=slot(caller.account, name),
                    name=name,
                    path=path,
                    created_at=now,
                    updated_at=now,
                    tags=tags,
                    description=request.get("Description"),
                    versions=[PolicyVersion(number=1, document=request["PolicyDocument"], created_at=now)],
                )
            )
        answer = self._show(caller, made, whole=False)
        return {"Policy": answer | ({"Tags": shown.tags(tags)} if tags else {})}

    def get_policy(self, caller: Caller, request: "GetPolicyRequestTypeDef") -> dict[str, Any]:
        found = self._directory.find_policy(caller.account, request["PolicyArn"])
        return {"Policy": self._show(caller, found, whole=True)}

    def list_policies(self, caller: Caller, request: "ListPoliciesRequestTypeDef") -> dict[str, Any]:
        scope, prefix = request.get("Scope", "All"), names.check_prefix(request.get("PathPrefix", "/"))
        own = [] if scope == "AWS" else self._directory.all(Policy, caller.account)
        aws = [] if scope == "Local" else list(aws_managed.POLICIES.values())
        found = [row for row in (*own, *aws) if row.path.startswith(prefix)]
        attachments, boundaries = self._uses(caller)
        usage = request.get("PolicyUsageFilter")
        if usage or request.get("OnlyAttached"):
            counts = {"PermissionsPolicy": (attachments,), "PermissionsBoundary": (boundaries,)}
            wanted = counts.get(usage or "", (attachments, boundaries))
            found = [row for row in found if any(count.get(row.arn()) for count in wanted)]
        return paged(
            found,
            request,
            "Policies",
            lambda row: f"{row.name.lower()}/{row.id}",
            lambda row: shown.policy(row, attachments.get(row.arn(), 0), boundaries.get(row.arn(), 0)),
        )

    def delete_policy(self, caller: Caller, request: "DeletePolicyRequestTypeDef") -> None:
        with self._store.transaction():
            policy = self._find_own(caller, request["PolicyArn"], "DeletePolicy")
            attachments, boundaries = self._uses(caller)
            if policy.arn() in attachments or policy.arn() in boundaries:
                raise DeleteConflict("Cannot delete a policy attached to entities.")
            if len(policy.versions) > 1:
                raise DeleteConflict(
                    "This policy has more than one version. Before you delete a policy, you must delete the "
                    "policy's versions. The default version is deleted with the policy."
                )
            self._store.delete(policy)

    def create_policy_version(
        self, caller: Caller, request: "CreatePolicyVersionRequestTypeDef"
    ) -> dict[str, Any]:
        _check_document(request["PolicyDocument"])
        now = self._tools.this_second()
        with self._store.transaction():
            policy = self._find_own(caller, request["PolicyArn"], "CreatePolicyVersion")
            if len(policy.versions) >= _VERSIONS_MAX:
                raise LimitExceeded(
                    f"A managed policy can have up to {_VERSIONS_MAX} versions. Before you create a new version, "
                    "you must delete an existing version."
                )
            made = PolicyVersion(number=policy.next, document=request["PolicyDocument"], created_at=now)
            policy = self._store.update(
                policy,
                versions=[*policy.versions, made],
                next=policy.next + 1,
                default=made.number if request.get("SetAsDefault") else policy.default,
                updated_at=now,
            )
        return {"PolicyVersion": shown.policy_version(policy, made)}

    def get_policy_version(self, caller: Caller, request: "GetPolicyVersionRequestTypeDef") -> dict[str, Any]:
        policy = self._directory.find_policy(caller.account, request["PolicyArn"])
        version = _version(policy, request["VersionId"])
        return {"PolicyVersion": shown.policy_version(policy, version, whole=True)}

    def list_policy_versions(
        self, caller: Caller, request: "ListPolicyVersionsRequestTypeDef"
    ) -> dict[str, Any]:
        policy = self._directory.find_policy(caller.account, request["PolicyArn"])
        return paged(
            policy.versions,
            request,
            "Versions",
            lambda version: f"{1_000_000_000 - version.number}",  # newest first
            lambda version: shown.policy_version(policy, version),
        )

    def delete_policy_version(self, caller: Caller, request: "DeletePolicyVersionRequestTypeDef") -> None:
        with self._store.transaction():
            policy = self._find_own(caller, request["PolicyArn"], "DeletePolicyVersion")
            version = _version(policy, request["VersionId"])
            if version.number == policy.default:
                raise DeleteConflict("Cannot delete the default version of a policy.")
            self._store.update(
                policy,
                versions=[kept for kept in policy.versions if kept.number != version.number],
                updated_at=self._tools.this_second(),
            )

    def set_default_policy_version(
        self, caller: Caller, request: "SetDefaultPolicyVersionRequestTypeDef"
    ) -> None:
        with self._store.transaction():
            policy = self._find_own(caller, request["PolicyArn"], "SetDefaultPolicyVersion")
            version = _version(policy, request["VersionId"])
            self._store.update(policy, default=version.number, updated_at=self._tools.this_second())

    def tag_policy(self, caller: Caller, request: "TagPolicyRequestTypeDef") -> None:
        with self._store.transaction():
            policy = self._find_own(caller, request["PolicyArn"], "TagPolicy")
            self._store.update(policy, tags=names.with_tags(policy.tags, request["Tags"]))

    def untag_policy(self, caller: Caller, request: "UntagPolicyRequestTypeDef") -> None:
        with self._store.transaction():
            policy = self._find_own(caller, request["PolicyArn"], "UntagPolicy")
            self._store.update(policy, tags=names.without_tags(policy.tags, request["TagKeys"]))

    def list_policy_tags(self, caller: Caller, request: "ListPolicyTagsRequestTypeDef") -> dict[str, Any]:
        policy = self._directory.find_policy(caller.account, request["PolicyArn"])
        return paged(shown.tags(policy.tags), request, "Tags", lambda tag: tag["Key"], lambda tag: tag)

    def _find_own(self, caller: Caller, arn: str, operation: str) -> Policy:
        policy = self._directory.find_policy(caller.account, arn)
        if policy.account != caller.account:
            raise AccessDenied(
                f"User: {caller.arn} is not authorized to perform: iam:{operation} on resource: policy {arn}"
            )
        return policy

    def _uses(self, caller: Caller) -> tuple[dict[str, int], dict[str, int]]:
        """How often each policy is attached, and how often it is a boundary, by ARN."""
        attachments: dict[str, int] = {}
        boundaries: dict[str, int] = {}
        for principal in self._directory.principals(caller.account):
            for arn in principal.attached:
                attachments[arn] = attachments.get(arn, 0) + 1
            if principal.boundary:
                boundaries[principal.boundary] = boundaries.get(principal.boundary, 0) + 1
        return attachments, boundaries

    def _show(self, caller: Caller, policy: Policy, *, whole: bool) -> dict[str, Any]:
        attachments, boundaries = self._uses(caller)
        arn = policy.arn()
        return shown.policy(policy, attachments.get(arn, 0), boundaries.get(arn, 0), whole=whole)


def _check_document(document: str) -> None:
    if policy_grammar.size(document) > _SIZE_MAX:
        raise over_quota("PolicySize", _SIZE_MAX)
    policy_grammar.check_identity_policy(document)


def _version(policy: Policy, id: str) -> PolicyVersion:
    found = next((version for version in policy.versions if f"v{version.number}" == id), None)
    if found is None:
        raise NoSuchEntity(f"Policy {policy.arn()} version {id} does not exist or is not attachable.")
    return found
