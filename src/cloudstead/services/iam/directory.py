"""The identities of an account, by name and by id, with AWS's errors for who is not there.

Nothing here writes. Operations look things up inside their transaction and write themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.core.tools import Tools
from cloudstead.services.iam import aws_managed, names
from cloudstead.services.iam.errors import (
    EntityAlreadyExists,
    InvalidInput,
    NoSuchEntity,
    ValidationError,
    over_quota,
)
from cloudstead.services.iam.model import (
    Entity,
    Group,
    InstanceProfile,
    Policy,
    Principal,
    Role,
    User,
    slot,
)
from cloudstead.store import Store

N = TypeVar("N", bound=Entity)

#: How AWS's messages call each kind, for what is not there and for what is there already.
_MISSING: Mapping[type[Entity], str] = {
    User: "The user with name {} cannot be found.",
    Group: "The group with name {} cannot be found.",
    Role: "The role with name {} cannot be found.",
    InstanceProfile: "Instance Profile {} cannot be found.",
}
_TAKEN: Mapping[type[Entity], str] = {
    User: "User with name {} already exists.",
    Group: "Group with name {} already exists.",
    Role: "Role with name {} already exists.",
    InstanceProfile: "Instance Profile {} already exists.",
    Policy: "A policy called {} already exists. Duplicate names are not allowed.",
}
#: The member of requests that names each kind, as AWS's messages spell it.
_MEMBERS: Mapping[type[Entity], str] = {
    User: "userName",
    Group: "groupName",
    Role: "roleName",
    InstanceProfile: "instanceProfileName",
}
#: AWS's default quotas.
QUOTAS: Mapping[type[Entity], tuple[str, int]] = {
    User: ("UsersPerAccount", 5000),
    Group: ("GroupsPerAccount", 300),
    Role: ("RolesPerAccount", 1000),
    InstanceProfile: ("InstanceProfilesPerAccount", 1000),
    Policy: ("PoliciesPerAccount", 1500),
}


@dataclass(frozen=True)
class Directory:
    store: Store
    tools: Tools

    def all(self, kind: type[N], account: str) -> list[N]:
        return self.store.rows(kind, account=account)

    def named(self, kind: type[N], account: str, name: str) -> N | None:
        """The entity of exactly this name."""
        return next(
            (row for row in self.store.rows(kind, slot=slot(account, name)) if row.name == name), None
        )

    def find(self, kind: type[N], account: str, name: str) -> N:
        found = self.named(kind, account, names.check_name(name, _MEMBERS[kind]))
        if found is None:
            raise NoSuchEntity(_MISSING[kind].format(name))
        return found

    def check_free(self, kind: type[Entity], account: str, name: str) -> None:
        """Raise if the name is taken. Names that differ by case alone are the same."""
        if self.store.rows(kind, slot=slot(account, name)):
            raise EntityAlreadyExists(_TAKEN[kind].format(name))

    def check_new(self, kind: type[Entity], account: str, name: str) -> None:
        """Raise unless one more of this name may be made."""
        self.check_free(kind, account, name)
        quota, limit = QUOTAS[kind]
        if len(self.all(kind, account)) >= limit:
            raise over_quota(quota, limit)

    def user_or_caller(self, caller: Caller, request: Mapping[str, Any]) -> User | None:
        """The user named by UserName, else the calling user; None is the root user calling about itself."""
        if name := request.get("UserName"):
            return self.find(User, caller.account, name)
        if caller.principal == "root":
            return None
        user = self.store.get(User, caller.user_id)
        if user is None:
            raise ValidationError("Must specify userName when calling with non-User credentials")
        return user

    def policy(self, account: str, arn: str) -> Policy | None:
        """The managed policy of this ARN: the account's own or one of AWS's."""
        if (found := aws_managed.POLICIES.get(arn)) is not None:
            return found
        name = arn.rpartition("/")[2]
        found = self.named(Policy, account, name)
        return found if found is not None and found.arn() == arn else None

    def find_policy(self, account: str, arn: str) -> Policy:
        if not arn.startswith("arn:"):
            raise InvalidInput(f"ARN {arn} is not valid.")
        found = self.policy(account, arn)
        if found is None:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        return found

    def principals(self, account: str) -> list[Principal]:
        return [*self.all(User, account), *self.all(Group, account), *self.all(Role, account)]


def refuse_unbuilt(request: Mapping[str, Any], *members: str) -> None:
    """Raise NotBuilt if the request asks for something that would be forgotten."""
    for member in members:
        if request.get(member) is not None:
            raise NotBuilt(f"{member} is not built in Cloudstead's IAM")
