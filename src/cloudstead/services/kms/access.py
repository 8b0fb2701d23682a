"""Who may do what with a key, by its key policy.

What policies of IAM say is not asked yet: within the key's account whoever the key policy does not deny may do
everything. Others need a key policy that lets them, and can use a key only, never manage it. Keys that AWS manages
are used by AWS's services and looked at by their account.
"""

from collections.abc import Mapping, Sequence

from cloudstead.core.caller import Caller
from cloudstead.services.iam import operations as iam
from cloudstead.services.kms.errors import AccessDeniedException
from cloudstead.services.kms.rows import Key
from cloudstead.store import Store

#: What can be let to another account.
_ACROSS_ACCOUNTS = frozenset(
    f"kms:{name}"
    for name in (
        "Decrypt",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GetKeyRotationStatus",
        "ReEncryptFrom",
        "ReEncryptTo",
    )
)
#: What the account's own people may do with a key that AWS manages; a service may use it for them besides.
_OF_AWS_MANAGED = frozenset(
    f"kms:{name}"
    for name in (
        "DescribeKey",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListKeyPolicies",
        "ListKeyRotations",
        "ListResourceTags",
    )
)


def check(
    store: Store,
    caller: Caller,
    key: Key,
    action: str,
    *,
    context: Mapping[str, str] | None = None,
    via: str = "",
) -> None:
    """Raise AccessDeniedException unless the caller may, `via` the AWS service of this name if it is one that asks."""
    own = caller.account == key.account
    if key.aws_service:
        if not own or (action not in _OF_AWS_MANAGED and via != key.aws_service):
            raise _denied(caller, key, action, f"no resource-based policy allows the {action} action")
        return
    asked = _context(caller, key, context or {}, via)
    said = iam.decision(key.policy, action, _asking(store, caller), asked, resource=key.id)
    if said == "Deny":
        raise _denied(caller, key, action, "", "with an explicit deny in a resource-based policy")
    if not own and (said != "Allow" or action not in _ACROSS_ACCOUNTS):
        raise _denied(caller, key, action, f"no resource-based policy allows the {action} action")


def allowed(store: Store, caller: Caller, key: Key, policy: str, action: str) -> bool:
    """Whether a key policy lets the caller do this, by itself or by leaving it to the account."""
    said = iam.decision(
        policy, action, _asking(store, caller), _context(caller, key, {}, ""), resource=key.id
    )
    return said == "Allow"


def _asking(store: Store, caller: Caller) -> iam.Asking:
    return iam.asking_of(store, caller) if caller.account else iam.Asking()


def _context(caller: Caller, key: Key, context: Mapping[str, str], via: str) -> dict[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {
        "aws:requestedregion": [key.region],
        "aws:sourceip": [caller.source_ip],
        "aws:securetransport": [str(caller.endpoint.startswith("https:")).lower()],
        "kms:calleraccount": [caller.account],
        "kms:keyspec": ["SYMMETRIC_DEFAULT"],
        "kms:keyusage": ["ENCRYPT_DECRYPT"],
        "kms:encryptioncontextkeys": list(context),
        "kms:viaservice": [f"{via}.{key.region}.amazonaws.com"] if via else [],
    }
    found |= {f"kms:encryptioncontext:{name.lower()}": [value] for name, value in context.items()}
    found |= {f"aws:resourcetag/{name.lower()}": [value] for name, value in key.tags.items()}
    return {name: values for name, values in found.items() if values}


def _denied(caller: Caller, key: Key, action: str, why: str, how: str = "") -> AccessDeniedException:
    who = caller.arn or "anonymous"
    return AccessDeniedException(
        f"User: {who} is not authorized to perform: {action} on resource: {key.id} {how or 'because ' + why}"
    )
