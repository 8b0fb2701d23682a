"""The account as a whole: its alias, its counts, and everything in it in one list."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.iam import aws_managed, shown
from cloudstead.services.iam.directory import QUOTAS, Directory
from cloudstead.services.iam.errors import EntityAlreadyExists, NoSuchEntity, ValidationError
from cloudstead.services.iam.model import (
    AccessKey,
    Account,
    Entity,
    Group,
    InstanceProfile,
    Policy,
    Principal,
    Role,
    User,
)
from cloudstead.services.iam.paging import paged

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreateAccountAliasRequestTypeDef,
        DeleteAccountAliasRequestTypeDef,
        GetAccountAuthorizationDetailsRequestTypeDef,
        ListAccountAliasesRequestTypeDef,
    )

_KINDS: dict[str, type[Entity]] = {"User": User, "Group": Group, "Role": Role, "LocalManagedPolicy": Policy}


class Accounts:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store
        self._tools = directory.tools

    def create_account_alias(self, caller: Caller, request: "CreateAccountAliasRequestTypeDef") -> None:
        alias = request["AccountAlias"]
        if alias.isdigit():
            raise ValidationError("Account alias must not be a 12 digit number.")
        with self._store.transaction():
            if self._store.rows(Account, alias=alias):
                raise EntityAlreadyExists(f"The account alias {alias} already exists.")
            account = self._store.get(Account, caller.account)
            if account is None:
                self._store.insert(
                    Account(id=caller.account, created_at=self._tools.this_second(), alias=alias)
                )
            else:
                self._store.update(account, alias=alias)

    def list_account_aliases(
        self, caller: Caller, request: "ListAccountAliasesRequestTypeDef"
    ) -> dict[str, Any]:
        account = self._store.get(Account, caller.account)
        aliases = [account.alias] if account is not None and account.alias else []
        return paged(aliases, request, "AccountAliases", str, str)

    def delete_account_alias(self, caller: Caller, request: "DeleteAccountAliasRequestTypeDef") -> None:
        with self._store.transaction():
            account = self._store.get(Account, caller.account)
            if account is None or account.alias != request["AccountAlias"]:
                raise NoSuchEntity(f"The account alias with name {request['AccountAlias']} cannot be found.")
            self._store.update(account, alias="")

    def get_account_summary(self, caller: Caller, _request: dict[str, Any]) -> dict[str, Any]:
        store, account = self._store, caller.account
        policies = self._directory.all(Policy, account)
        root_keys = store.rows(AccessKey, account=account, owner="")
        limit = {kind: number for kind, (_, number) in QUOTAS.items()}
        summary = {
            "Users": len(self._directory.all(User, account)),
            "UsersQuota": limit[User],
            "Groups": len(self._directory.all(Group, account)),
            "GroupsQuota": limit[Group],
            "Roles": len(self._directory.all(Role, account)),
            "RolesQuota": limit[Role],
            "InstanceProfiles": len(self._directory.all(InstanceProfile, account)),
            "InstanceProfilesQuota": limit[InstanceProfile],
            "Policies": len(policies),
            "PoliciesQuota": limit[Policy],
            "PolicySizeQuota": 6144,
            "PolicyVersionsInUse": sum(len(policy.versions) for policy in policies),
            "PolicyVersionsInUseQuota": 10000,
            "VersionsPerPolicyQuota": 5,
            "AttachedPoliciesPerUserQuota": 10,
            "AttachedPoliciesPerGroupQuota": 10,
            "AttachedPoliciesPerRoleQuota": 10,
            "AssumeRolePolicySizeQuota": 2048,
            "UserPolicySizeQuota": 2048,
            "GroupPolicySizeQuota": 5120,
            "RolePolicySizeQuota": 10240,
            "GroupsPerUserQuota": 10,
            "AccessKeysPerUserQuota": 2,
            "AccountAccessKeysPresent": int(bool(root_keys)),
            # What follows is not built, so there is none of it.
            "AccountMFAEnabled": 0,
            "AccountPasswordPresent": 0,
            "AccountSigningCertificatesPresent": 0,
            "MFADevices": 0,
            "MFADevicesInUse": 0,
            "Providers": 0,
            "ServerCertificates": 0,
            "ServerCertificatesQuota": 20,
            "SigningCertificatesPerUserQuota": 2,
            "GlobalEndpointTokenVersion": 1,
        }
        return {"SummaryMap": summary}

    def get_account_authorization_details(
        self, caller: Caller, request: "GetAccountAuthorizationDetailsRequestTypeDef"
    ) -> dict[str, Any]:
        wanted: list[str] = list(request.get("Filter") or ()) or [*_KINDS, "AWSManagedPolicy"]
        rows: list[Entity] = []
        for word in wanted:
            rows += self._aws_in_use(caller) if word == "AWSManagedPolicy" else self._rows(caller, word)
        page = paged(rows, request, "Found", lambda row: row.id, lambda row: row)
        found = page.pop("Found")
        page["UserDetailList"] = [self._user(row) for row in found if isinstance(row, User)]
        page["GroupDetailList"] = [self._group(row) for row in found if isinstance(row, Group)]
        page["RoleDetailList"] = [self._role(row) for row in found if isinstance(row, Role)]
        page["Policies"] = [self._policy(caller, row) for row in found if isinstance(row, Policy)]
        return page

    def _rows(self, caller: Caller, word: str) -> list[Entity]:
        return list(self._directory.all(_KINDS[word], caller.account))

    def _aws_in_use(self, caller: Caller) -> list[Entity]:
        used: set[str] = set()
        for principal in self._directory.principals(caller.account):
            used |= {*principal.attached, principal.boundary}
        return [policy for arn, policy in aws_managed.POLICIES.items() if arn in used]

    def _user(self, row: User) -> dict[str, Any]:
        groups = [group.name for id in row.groups if (group := self._store.get(Group, id)) is not None]
        return {
            **shown.user(row, whole=True),
            "UserPolicyList": _inline(row),
            "GroupList": groups,
            "AttachedManagedPolicies": self._attached(row),
        }

    def _group(self, row: Group) -> dict[str, Any]:
        return {
            **shown.group(row),
            "GroupPolicyList": _inline(row),
            "AttachedManagedPolicies": self._attached(row),
        }

    def _role(self, row: Role) -> dict[str, Any]:
        whole = shown.role(row, whole=True)
        for left_out in ("MaxSessionDuration", "Description"):
            whole.pop(left_out, None)
        profiles = self._store.rows(InstanceProfile, role=row.id)
        return {
            **whole,
            "RolePolicyList": _inline(row),
            "AttachedManagedPolicies": self._attached(row),
            "InstanceProfileList": [shown.instance_profile(profile, row) for profile in profiles],
            "RoleLastUsed": {},
        }

    def _policy(self, caller: Caller, row: Policy) -> dict[str, Any]:
        arn = row.arn()
        principals = self._directory.principals(caller.account)
        attachments = sum(arn in principal.attached for principal in principals)
        boundaries = sum(arn == principal.boundary for principal in principals)
        whole = shown.policy(row, attachments, boundaries, whole=True)
        del whole["Tags"]
        return {
            **whole,
            "PolicyVersionList": [shown.policy_version(row, version, whole=True) for version in row.versions],
        }

    def _attached(self, row: Principal) -> list[dict[str, str]]:
        return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in row.attached]


def _inline(row: Principal) -> list[dict[str, str]]:
    return [{"PolicyName": name, "PolicyDocument": shown.document(text)} for name, text in row.inline.items()]
