"""Temporary credentials: made here, found by `credentials`, and swept away after their time.

A token says nothing: it is looked up, so a session can be ended by forgetting its row. Expired rows are kept for a
day, so that a late caller hears "expired" and not "unknown".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from cloudstead.core.caller import PrincipalKind
from cloudstead.core.tools import Tools
from cloudstead.services.iam import keys
from cloudstead.services.iam.model import Session
from cloudstead.store import Store

_KEPT_AFTER_EXPIRY = timedelta(days=1)
#: How many expired sessions one new session takes along, so that no call pays for a long absence.
_SWEPT_AT_ONCE_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whom a session lets act, and within what."""

    account: str
    arn: str
    user_id: str
    principal: PrincipalKind
    kind: Literal["role", "session", "federated"]
    issuer: str = ""
    policy: str = ""
    policy_arns: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tags: Sequence[str] = ()
    source_identity: str = ""


def open_session(store: Store, tools: Tools, identity: Identity, duration_s: int) -> Session:
    """New keys for this identity. They work once the surrounding transaction is done."""
    now = tools.clock.now().replace(microsecond=0)
    with store.transaction():
        _sweep(store, tools)
        return store.insert(
            Session(
                id=keys.new_access_key_id(keys.TEMPORARY, identity.account, tools),
                account=identity.account,
                secret=keys.new_secret(tools),
                token=keys.new_session_token(tools),
                arn=identity.arn,
                user_id=identity.user_id,
                principal=identity.principal,
                issuer=identity.issuer,
                kind=identity.kind,
                policy=identity.policy,
                policy_arns=list(identity.policy_arns),
                tags=dict(identity.tags),
                transitive_tags=list(identity.transitive_tags),
                source_identity=identity.source_identity,
                created_at=now,
                expires_at=now + timedelta(seconds=duration_s),
            )
        )


def shown(session: Session) -> dict[str, Any]:
    """As STS answers show credentials."""
    return {
        "AccessKeyId": session.id,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
        "Expiration": session.expires_at,
    }


def _sweep(store: Store, tools: Tools) -> None:
    """Forget some of the oldest sessions that are long over."""
    before = tools.clock.now() - _KEPT_AFTER_EXPIRY
    swept = 0
    for session in store.rows(Session):
        if session.expires_at < before:
            store.delete(session)
            swept += 1
            if swept == _SWEPT_AT_ONCE_MAX:
                return
