"""Access keys as the gateway asks for them: by id, once per request, from memory.

Temporary ones end with the user or role that they act for, whatever their time.
"""

from functools import lru_cache

from cloudstead.core.arn import arn
from cloudstead.core.caller import Credential
from cloudstead.core.tools import Tools
from cloudstead.services.iam import keys
from cloudstead.services.iam.model import AccessKey, Account, Role, Session, User
from cloudstead.store import Store


class StoredCredentials:
    """`core.caller.Credentials` over IAM's rows. Two look-ups in dictionaries for each `find`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, access_key_id: str) -> Credential | None:
        if access_key_id.startswith(keys.TEMPORARY):
            session = self._store.get(Session, access_key_id)
            return _temporary(session) if session and self._has_issuer(session) else None
        key = self._store.get(AccessKey, access_key_id)
        if key is None:
            return None
        if not key.owner:
            return _root(key.id, key.secret, key.account, key.active)
        user = self._store.get(User, key.owner)
        return _user(key, user) if user else None

    def _has_issuer(self, session: Session) -> bool:
        """Whether the user or role a session acts for is still there. The root user always is."""
        if not session.issuer:
            return True
        kind = Role if session.kind == "role" else User
        return self._store.get(kind, session.issuer) is not None


def ensure_root(store: Store, tools: Tools, account: str) -> tuple[str, str]:
    """The account's root access key, as (access key id, secret). Makes the account and the key if there are none."""
    with store.transaction():
        if store.get(Account, account) is None:
            store.insert(Account(id=account, created_at=tools.this_second()))
        found = store.rows(AccessKey, owner="", account=account)
        key = found[0] if found else store.insert(_new_root_key(tools, account))
    return key.id, key.secret


def _new_root_key(tools: Tools, account: str) -> AccessKey:
    return AccessKey(
        id=keys.new_access_key_id(keys.LONG_TERM, account, tools),
        account=account,
        owner="",
        secret=keys.new_secret(tools),
        created_at=tools.this_second(),
    )


@lru_cache(maxsize=1024)  # found for every request
def _root(id: str, secret: str, account: str, active: bool) -> Credential:
    return Credential(
        access_key_id=id,
        secret_access_key=secret,
        account=account,
        arn=arn("iam", "root", account=account),
        user_id=account,
        principal="root",
        active=active,
    )


def _user(key: AccessKey, user: User) -> Credential:
    return Credential(
        access_key_id=key.id,
        secret_access_key=key.secret,
        account=key.account,
        arn=user.arn(),
        user_id=user.id,
        principal="user",
        active=key.active,
    )


def _temporary(session: Session) -> Credential:
    return Credential(
        access_key_id=session.id,
        secret_access_key=session.secret,
        account=session.account,
        arn=session.arn,
        user_id=session.user_id,
        principal=session.principal,
        session_token=session.token,
        expires_at=session.expires_at,
    )
