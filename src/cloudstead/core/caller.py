"""Who calls, for which account and region: established by the gateway, believed by everything behind it."""

from datetime import datetime
from typing import Literal, Protocol

import msgspec

PrincipalKind = Literal["root", "user", "role", "anonymous"]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The identity behind one request.

    `arn` and `user_id` are what GetCallerIdentity shows. `region` is the one of the signature's scope.
    """

    account: str
    region: str
    arn: str
    user_id: str
    principal: PrincipalKind = "root"
    access_key_id: str = ""
    request_id: str = ""
    source_ip: str = ""
    #: Where the caller reached us: `http://host:port`, without a path.
    endpoint: str = ""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """An access key as the gateway needs it to check a signature."""

    access_key_id: str
    secret_access_key: str
    account: str
    arn: str
    user_id: str
    principal: PrincipalKind
    session_token: str | None = None
    expires_at: datetime | None = None
    active: bool = True


class Credentials(Protocol):
    def find(self, access_key_id: str) -> Credential | None:
        """The credential of this key, active or not, expired or not; None if there is no such key."""
        ...


class Authorizer(Protocol):
    """The place where policy enforcement goes: asked once per request, after the signature was checked."""

    def authorize(self, caller: Caller, service: str, operation: str, request: dict[str, object]) -> None:
        """Return if the caller may; raise the service's AccessDenied otherwise."""
        ...
