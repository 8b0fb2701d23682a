"""STS operations, and the keys of an instance's role."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.core.tools import Tools
from cloudstead.services.iam import operations as iam
from cloudstead.services.sts import session_policies, session_tags
from cloudstead.services.sts.assuming import Assuming
from cloudstead.services.sts.errors import AccessDenied, ValidationError
from cloudstead.store import Store

if TYPE_CHECKING:
    from types_boto3_sts.type_defs import (
        AssumeRoleRequestTypeDef,
        GetAccessKeyInfoRequestTypeDef,
        GetFederationTokenRequestTypeDef,
        GetSessionTokenRequestTypeDef,
    )

_DEFAULT_S = 43_200
_ROOT_MAX_S = 3600
_INSTANCE_S = 6 * 3600


class Sts:
    def __init__(self, store: Store, tools: Tools) -> None:
        self._store = store
        self._tools = tools

    def get_caller_identity(self, caller: Caller, _request: dict[str, Any]) -> dict[str, Any]:
        return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}

    def get_access_key_info(
        self, _caller: Caller, request: "GetAccessKeyInfoRequestTypeDef"
    ) -> dict[str, Any]:
        account = iam.account_of(request["AccessKeyId"])
        if account is None:
            raise ValidationError(f"Invalid access key id: {request['AccessKeyId']}")
        return {"Account": account}

    def assume_role(self, caller: Caller, request: "AssumeRoleRequestTypeDef") -> dict[str, Any]:
        _refuse_unbuilt(request, "SerialNumber", "TokenCode", "ProvidedContexts")
        with self._store.transaction():
            return Assuming(self._store, self._tools, caller, request).answer()

    def get_session_token(self, caller: Caller, request: "GetSessionTokenRequestTypeDef") -> dict[str, Any]:
        _refuse_unbuilt(request, "SerialNumber", "TokenCode")
        identity = iam.Identity(
            account=caller.account,
            arn=caller.arn,
            user_id=caller.user_id,
            principal=caller.principal,
            kind="session",
            issuer=_issuer(caller),
        )
        with self._store.transaction():
            self._refuse_session(caller, "GetSessionToken")
            session = iam.open_session(self._store, self._tools, identity, _duration_s(caller, request))
        return {"Credentials": iam.show_credentials(session)}

    def get_federation_token(
        self, caller: Caller, request: "GetFederationTokenRequestTypeDef"
    ) -> dict[str, Any]:
        identity = iam.Identity(
            account=caller.account,
            arn=arn("sts", f"federated-user/{request['Name']}", account=caller.account),
            user_id=f"{caller.account}:{request['Name']}",
            principal="user",
            kind="federated",
            issuer=_issuer(caller),
            policy=request.get("Policy", ""),
            policy_arns=session_policies.arns(request),
            tags=session_tags.wanted(request, {}).tags,
        )
        with self._store.transaction():
            self._refuse_session(caller, "GetFederationToken")
            packed = session_policies.check(self._store, caller.account, request)
            session = iam.open_session(self._store, self._tools, identity, _duration_s(caller, request))
        return {
            "Credentials": iam.show_credentials(session),
            "FederatedUser": {"FederatedUserId": session.user_id, "Arn": session.arn},
            "PackedPolicySize": packed,
        }

    def _refuse_session(self, caller: Caller, operation: str) -> None:
        if iam.session_of(self._store, caller) is not None:
            raise AccessDenied(f"Cannot call {operation} with session credentials")


@dataclass(frozen=True, kw_only=True)
class RoleCredentials:
    """Temporary keys of a role."""

    role: str  # the role's name
    access_key_id: str
    secret_access_key: str
    token: str
    issued_at: datetime
    expires_at: datetime


def role_credentials(
    store: Store, tools: Tools, profile_arn: str, instance_id: str
) -> RoleCredentials | None:
    """Fresh keys of an instance's role; None if the profile holds none, or the role does not trust EC2."""
    role = iam.role_of(store, profile_arn)
    ec2 = iam.Asking(service="ec2.amazonaws.com")
    if role is None or not iam.is_trusted(role.trust_policy, "sts:AssumeRole", ec2, {}):
        return None
    identity = iam.Identity(
        account=role.account,
        arn=arn("sts", f"assumed-role/{role.name}/{instance_id}", account=role.account),
        user_id=f"{role.id}:{instance_id}",
        principal="role",
        kind="role",
        issuer=role.id,
    )
    session = iam.open_session(store, tools, identity, _INSTANCE_S)
    return RoleCredentials(
        role=role.name,
        access_key_id=session.id,
        secret_access_key=session.secret,
        token=session.token,
        issued_at=session.created_at,
        expires_at=session.expires_at,
    )


def _refuse_unbuilt(request: Mapping[str, Any], *members: str) -> None:
    for member in members:
        if request.get(member) is not None:
            raise NotBuilt(f"{member} is not built in Cloudstead's STS")


def _issuer(caller: Caller) -> str:
    """The id of the user a session acts for; empty for the root user."""
    return "" if caller.principal == "root" else caller.user_id


def _duration_s(caller: Caller, request: Mapping[str, Any]) -> int:
    """The root user gets an hour at most, whatever it asks for."""
    asked: int = request.get("DurationSeconds", _DEFAULT_S)
    return min(asked, _ROOT_MAX_S) if caller.principal == "root" else asked
