"""Client tokens: the same request with the same token is answered with what it made the first time.

A token is forgotten with the thing that it made, so it never brings back what is gone.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2.rows import E, Resources
from cloudstead.store import Row

_LENGTH_MAX = 64


class ClientToken(Row, frozen=True, kw_only=True):
    """What a token made: `id` is account/region/kind/token. The row is the token's lock."""

    digest: str  # of the request
    made: str  # the id of what it made


def made_before(resources: Resources, caller: Caller, kind: type[E], request: Mapping[str, Any]) -> E | None:
    """The row of this kind that the request's token made already; to be asked inside the transaction that makes one.

    Raises IdempotentParameterMismatch if that was another request.
    """
    token = request.get("ClientToken")
    if not token:
        return None
    if len(token) > _LENGTH_MAX:
        raise ServiceError(
            f"Value ({token}) for parameter clientToken is invalid. It has more than {_LENGTH_MAX} characters.",
            code="InvalidParameterValue",
        )
    known = resources.store.get(ClientToken, _id(caller, kind, token))
    if known is None:
        return None
    made = resources.store.get(kind, known.made)
    if made is None:
        resources.store.delete(known)
        return None
    if known.digest != _digest(request):
        raise ServiceError(
            "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
            code="IdempotentParameterMismatch",
        )
    return made


def remember(resources: Resources, caller: Caller, made: E, request: Mapping[str, Any]) -> None:
    """Write down what the request's token made, if it has one."""
    token = request.get("ClientToken")
    if token:
        id = _id(caller, type(made), token)
        resources.store.insert(ClientToken(id=id, digest=_digest(request), made=made.id))


def forget(resources: Resources, made: Row) -> None:
    """Free the tokens that made this; to be called where it is deleted."""
    for known in resources.store.rows(ClientToken, made=made.id):
        resources.store.delete(known)


def _id(caller: Caller, kind: type[Row], token: str) -> str:
    return f"{caller.account}/{caller.region}/{kind.__name__}/{token}"


def _digest(request: Mapping[str, Any]) -> str:
    asked = {name: value for name, value in request.items() if name not in ("ClientToken", "DryRun")}
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
