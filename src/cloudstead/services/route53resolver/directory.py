"""The resolver's resources as its operations find them: the caller's own, and what others let the caller use."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.core.tools import Tools
from cloudstead.services.ec2.operations import ServiceInterfaces
from cloudstead.services.iam import operations as iam
from cloudstead.services.route53resolver.errors import (
    ResourceNotFoundException,
    ValidationException,
    cannot_find,
)
from cloudstead.services.route53resolver.rows import SERVICE, Owned, Shareable, VpcSettings
from cloudstead.services.route53resolver.tags import added
from cloudstead.store import Store

O = TypeVar("O", bound=Owned)  # noqa: E741 - a kind that has an owner
S = TypeVar("S", bound=Shareable)


@dataclass(frozen=True)
class Directory:
    store: Store
    tools: Tools
    vpcs: ServiceInterfaces

    # --- finding

    def mine(self, kind: type[O], caller: Caller) -> list[O]:
        """The caller's own of a kind, oldest first."""
        return self.store.rows(kind, account=caller.account, region=caller.region)

    def usable(self, kind: type[S], caller: Caller, action: str) -> list[S]:
        """The caller's own, then what others let the caller do this with."""
        theirs = [
            row
            for row in self.store.rows(kind, region=caller.region)
            if row.account != caller.account and self.lets(row, caller, action)
        ]
        return [*self.mine(kind, caller), *theirs]

    def find(
        self, kind: type[O], caller: Caller, id: str, missing: Callable[[str], ServiceError] = cannot_find
    ) -> O:
        row = self.store.get(kind, id)
        if row is None or (row.account, row.region) != (caller.account, caller.region):
            raise missing(id)
        return row

    def find_usable(
        self,
        kind: type[S],
        caller: Caller,
        id: str,
        action: str,
        missing: Callable[[str], ServiceError] = cannot_find,
    ) -> S:
        """One of this id that is the caller's, or that its owner lets the caller do this with."""
        row = self.store.get(kind, id)
        if row is None or row.region != caller.region:
            raise missing(id)
        if row.account != caller.account and not self.lets(row, caller, action):
            raise missing(id)
        return row

    def lets(self, row: Shareable, caller: Caller, action: str) -> bool:
        if not row.policy:
            return False
        context: dict[str, Sequence[str]] = {"aws:requestedregion": [caller.region]}
        asking = iam.asking_of(self.store, caller)
        return iam.decision(row.policy, f"{SERVICE}:{action}", asking, context, resource=row.arn()) == "Allow"

    def share_status(self, row: Shareable, caller: Caller) -> str:
        if row.account != caller.account:
            return "SHARED_WITH_ME"
        return "SHARED_BY_ME" if row.policy else "NOT_SHARED"

    def check_vpc(self, caller: Caller, id: str) -> None:
        if not self.vpcs.has_vpc(caller, id):
            raise cannot_find(id)

    def settings(self, caller: Caller, vpc_id: str) -> VpcSettings:
        """What is set of a VPC; its defaults under ids that stay, if nothing was set yet."""
        found = self.store.get(VpcSettings, vpc_id)
        if found is not None:
            return found
        digits = hashlib.sha256(vpc_id.encode()).hexdigest()
        return VpcSettings(
            id=vpc_id,
            account=caller.account,
            region=caller.region,
            config_id=f"rslvr-rc-{digits[:17]}",
            firewall_id=f"rslvr-fc-{digits[17:34]}",
            dnssec_id=f"rdsc-{digits[34:51]}",
        )

    # --- making

    def owned(self, caller: Caller, request: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """The fields that every new resource begins with."""
        now = self.tools.clock.now()
        return {
            "id": ids.new(prefix, self.tools.random),
            "account": caller.account,
            "region": caller.region,
            "creator_request_id": request.get("CreatorRequestId", ""),
            "asked": digest(request),
            "tags": added({}, request.get("Tags", ())),
            "created_at": now,
            "changed_at": now,
        }

    def made_before(self, kind: type[O], caller: Caller, request: Mapping[str, Any]) -> O | None:
        """What the creator's id made already, by the same request. Of the firewall; elsewhere a second one fails."""
        for row in self.mine(kind, caller):
            if row.creator_request_id == request["CreatorRequestId"]:
                if row.asked != digest(request):
                    raise ValidationException(
                        f"The {row.noun} with the creator request ID '{row.creator_request_id}' "
                        "exists already, with other parameters."
                    )
                return row
        return None


def digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(request, order="deterministic")).hexdigest()


def missing(kind: type[Owned]) -> Callable[[str], ServiceError]:
    """As the operations that are older than the firewall say it."""

    def say(id: str) -> ServiceError:
        text = f"{kind.noun} with ID '{id}' does not exist."
        return ResourceNotFoundException(text, fields={"ResourceType": kind.resource})

    return say
