"""IAM's operations by resource, and what other services may ask of IAM.

Enforcement is not built. It will ask `policies_of`: everything that stands on an identity, ready to be evaluated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.iam import policy_grammar
from cloudstead.services.iam.conditions import Context, like
from cloudstead.services.iam.directory import Directory
from cloudstead.services.iam.keys import account_of
from cloudstead.services.iam.model import Group, InstanceProfile, Principal, Role, Session, User
from cloudstead.services.iam.operations.access_keys import AccessKeys
from cloudstead.services.iam.operations.account import Accounts
from cloudstead.services.iam.operations.attachments import (
    GroupPolicies,
    PolicyEntities,
    RolePolicies,
    UserPolicies,
)
from cloudstead.services.iam.operations.boundaries import Boundaries
from cloudstead.services.iam.operations.groups import Groups
from cloudstead.services.iam.operations.instance_profiles import InstanceProfiles
from cloudstead.services.iam.operations.passwords import Passwords
from cloudstead.services.iam.operations.policies import Policies
from cloudstead.services.iam.operations.roles import Roles
from cloudstead.services.iam.operations.users import Users
from cloudstead.services.iam.policy_grammar import (
    condition_is_good,
    is_operator,
    is_principal,
    several,
    statements,
)
from cloudstead.services.iam.resource_policies import Asking, decision
from cloudstead.services.iam.sessions import Identity, open_session
from cloudstead.services.iam.sessions import shown as show_credentials
from cloudstead.services.iam.trust import is_trusted
from cloudstead.store import Store

__all__ = [
    "Asking",
    "Context",
    "Identity",
    "PoliciesOf",
    "Role",
    "account_of",
    "asking_of",
    "check_session_policies",
    "condition_is_good",
    "decision",
    "find_instance_profile",
    "is_operator",
    "is_principal",
    "is_trusted",
    "like",
    "open_session",
    "parts",
    "policies_of",
    "role_of",
    "session_of",
    "several",
    "show_credentials",
    "statements",
]


def parts(store: Store, tools: Tools) -> list[object]:
    """The classes whose public methods are IAM's operations."""
    directory = Directory(store, tools)
    return [
        Users(directory),
        AccessKeys(directory),
        Passwords(directory),
        Groups(directory),
        Roles(directory),
        InstanceProfiles(directory),
        Policies(directory),
        UserPolicies(directory),
        GroupPolicies(directory),
        RolePolicies(directory),
        PolicyEntities(directory),
        Boundaries(directory),
        Accounts(directory),
    ]


def find_instance_profile(
    store: Store, account: str, *, name: str | None = None, arn: str | None = None
) -> InstanceProfile | None:
    """The instance profile of this name or ARN, for a service that hands it to an instance."""
    for profile in store.rows(InstanceProfile, account=account):
        if (name is None or profile.name == name) and (arn is None or profile.arn() == arn):
            return profile
    return None


def role_of(store: Store, arn: str) -> Role | None:
    """The role behind the ARN of a role or of an instance profile that holds one."""
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    if ":instance-profile/" in arn:
        profile = find_instance_profile(store, account, arn=arn)
        return store.get(Role, profile.role) if profile is not None else None
    name = arn.rpartition("/")[2]
    found = Directory(store, Tools()).named(Role, account, name)
    return found if found is not None and found.arn() == arn else None


def session_of(store: Store, caller: Caller) -> Session | None:
    """The temporary credentials that the caller signed with; None for long-term keys."""
    return store.get(Session, caller.access_key_id)


def asking_of(store: Store, caller: Caller) -> Asking:
    """The caller as trust policies know it. A session of a role goes by its own ARN and by the role's."""
    session = session_of(store, caller)
    role = store.get(Role, session.issuer) if session is not None else None
    names, tags = [caller.arn, caller.user_id], {}
    if role is not None and session is not None:
        names, tags = [caller.arn, role.arn(), role.id], {**role.tags, **session.tags}
    elif (user := store.get(User, caller.user_id)) is not None:
        tags = user.tags
    arn = role.arn() if role is not None else caller.arn
    return Asking(account=caller.account, names=names, arn=arn, tags=tags)


def check_session_policies(store: Store, account: str, policy: str | None, arns: Sequence[str]) -> str | None:
    """The first of these ARNs that is no managed policy. Raise MalformedPolicyDocument for a bad inline policy."""
    if policy is not None:
        policy_grammar.check_identity_policy(policy)
    directory = Directory(store, Tools())
    return next((arn for arn in arns if directory.policy(account, arn) is None), None)


@dataclass(frozen=True, kw_only=True)
class PoliciesOf:
    """The documents that decide what an identity may do.

    A request is allowed if some `identity` policy allows it, so do the boundary and the session policies where there
    are any, and none of all these denies it. Root has no policies and may do everything.
    """

    identity: list[str]
    boundary: str | None = None
    session: list[str] | None = None


#: What a session made by the root user has to be narrowed from.
_EVERYTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


def policies_of(store: Store, caller: Caller) -> PoliciesOf | None:
    """What stands on the caller; None for a root user, whom no policy binds."""
    session = store.get(Session, caller.access_key_id)
    issuer = session.issuer if session is not None else caller.user_id
    found: Principal | None = store.get(User, issuer) or store.get(Role, issuer)
    directory = Directory(store, Tools())
    if found is None:
        if caller.principal == "root":
            return None
        of_root = session is not None and session.kind == "federated" and not session.issuer
        return PoliciesOf(
            identity=[_EVERYTHING] if of_root else [], session=_session_policies(directory, session)
        )
    holders = [found]
    if isinstance(found, User):
        holders += [group for id in found.groups if (group := store.get(Group, id)) is not None]
    identity = [text for holder in holders for text in holder.inline.values()]
    identity += _documents(directory, caller.account, [arn for holder in holders for arn in holder.attached])
    boundary = _documents(directory, caller.account, [found.boundary] if found.boundary else [])
    return PoliciesOf(
        identity=identity,
        boundary=boundary[0] if boundary else None,
        session=_session_policies(directory, session),
    )


def _documents(directory: Directory, account: str, arns: list[str]) -> list[str]:
    return [policy.document() for arn in arns if (policy := directory.policy(account, arn)) is not None]


def _session_policies(directory: Directory, session: Session | None) -> list[str] | None:
    """None: the session is not narrowed. A federated user's is even where no policy was passed."""
    if session is None or not (session.policy or session.policy_arns or session.kind == "federated"):
        return None
    passed = [session.policy] if session.policy else []
    return passed + _documents(directory, session.account, session.policy_arns)
