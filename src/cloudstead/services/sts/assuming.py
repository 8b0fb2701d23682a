"""AssumeRole: whether the caller may take a role on, for how long, and as whom.

What decides is the role's trust policy. What an identity's own policies say is enforcement's business, which is not
built.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.iam import operations as iam
from cloudstead.services.sts import session_policies, session_tags
from cloudstead.services.sts.errors import AccessDenied, ValidationError
from cloudstead.services.sts.session_tags import SessionTags
from cloudstead.store import Store

if TYPE_CHECKING:
    from types_boto3_sts.type_defs import AssumeRoleRequestTypeDef

_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")
_DEFAULT_S = 3600
_CHAINED_MAX_S = 3600


class Assuming:
    """One caller who wants a role. `calling` is the session it signed with, if it was one."""

    def __init__(
        self, store: Store, tools: Tools, caller: Caller, request: "AssumeRoleRequestTypeDef"
    ) -> None:
        self._store = store
        self._tools = tools
        self._caller = caller
        self._request = request
        self._calling = iam.session_of(store, caller)

    def answer(self) -> dict[str, Any]:
        """Open the session. For use inside a transaction."""
        role = self._role()
        tags = session_tags.wanted(self._request, self._inherited())
        source = self._source_identity()
        self._check_trust(role.trust_policy, self._context(tags, source))
        packed = session_policies.check(self._store, role.account, self._request)
        name = self._request["RoleSessionName"]
        identity = iam.Identity(
            account=role.account,
            arn=arn("sts", f"assumed-role/{role.name}/{name}", account=role.account),
            user_id=f"{role.id}:{name}",
            principal="role",
            kind="role",
            issuer=role.id,
            policy=self._request.get("Policy", ""),
            policy_arns=session_policies.arns(self._request),
            tags=tags.tags,
            transitive_tags=tags.transitive,
            source_identity=source,
        )
        session = iam.open_session(self._store, self._tools, identity, self._duration_s(role.max_session_s))
        answer: dict[str, Any] = {
            "Credentials": iam.show_credentials(session),
            "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        }
        if source:
            answer["SourceIdentity"] = source
        return {**answer, "PackedPolicySize": packed} if packed else answer

    def _role(self) -> iam.Role:
        """The role asked for. Who may not have it hears the same, whether it is there or not."""
        text = self._request["RoleArn"]
        if self._caller.principal == "root":
            raise AccessDenied("Roles may not be assumed by root accounts.")
        if not _ARN.fullmatch(text):
            raise ValidationError(f"{text} is invalid")
        role = iam.role_of(self._store, text) if ":role/" in text else None
        # Federated users may call nothing of STS but GetCallerIdentity.
        if role is None or (self._calling is not None and self._calling.kind == "federated"):
            raise self._denied("sts:AssumeRole")
        return role

    def _inherited(self) -> Mapping[str, str]:
        """The tags that the calling session hands on."""
        calling = self._calling
        return {} if calling is None else {key: calling.tags[key] for key in calling.transitive_tags}

    def _source_identity(self) -> str:
        """Once set it stays, through all sessions that follow from one another."""
        asked = self._request.get("SourceIdentity", "")
        known = self._calling.source_identity if self._calling is not None else ""
        if known and asked not in ("", known):
            raise self._denied("sts:SetSourceIdentity")
        return known or asked

    def _check_trust(self, trust_policy: str, context: iam.Context) -> None:
        actions = ["sts:AssumeRole"]
        if self._request.get("Tags"):
            actions.append("sts:TagSession")
        if "sts:sourceidentity" in context:
            actions.append("sts:SetSourceIdentity")
        asking = iam.asking_of(self._store, self._caller)
        for action in actions:
            if not iam.is_trusted(trust_policy, action, asking, context):
                raise self._denied(action)

    def _context(self, tags: SessionTags, source: str) -> iam.Context:
        """What conditions of the trust policy may ask about."""
        caller, now = self._caller, self._tools.clock.now()
        found: dict[str, Sequence[str]] = {
            "aws:currenttime": [now.isoformat()],
            "aws:epochtime": [str(int(now.timestamp()))],
            "aws:requestedregion": [caller.region],
            "aws:sourceip": [caller.source_ip],
            "aws:userid": [caller.user_id],
            "sts:rolesessionname": [self._request["RoleSessionName"]],
            **{f"aws:requesttag/{key.lower()}": [value] for key, value in tags.tags.items()},
        }
        sometimes: dict[str, Sequence[str]] = {
            "aws:tagkeys": list(tags.tags),
            "aws:username": [caller.arn.rpartition("/")[2]] if caller.principal == "user" else [],
            "sts:externalid": [self._request["ExternalId"]] if "ExternalId" in self._request else [],
            "sts:sourceidentity": [source] if source else [],
            "sts:transitivetagkeys": tags.transitive,
        }
        return found | {key: values for key, values in sometimes.items() if values}

    def _duration_s(self, most_s: int) -> int:
        asked = self._request.get("DurationSeconds", _DEFAULT_S)
        chained = self._calling is not None and self._calling.kind == "role"
        if chained and asked > _CHAINED_MAX_S:
            raise ValidationError(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
            )
        if asked > most_s:
            raise ValidationError(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
        return asked

    def _denied(self, action: str) -> AccessDenied:
        return AccessDenied(
            f"User: {self._caller.arn} is not authorized to perform: {action} "
            f"on resource: {self._request['RoleArn']}"
        )
