"""Which rules hold in which VPC. Two for one domain cannot; of nested domains the longer is asked."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.services.route53resolver import rules
from cloudstead.services.route53resolver.directory import Directory, missing
from cloudstead.services.route53resolver.errors import (
    InvalidRequestException,
    LimitExceededException,
    ResourceExistsException,
    ResourceNotFoundException,
    wrong,
)
from cloudstead.services.route53resolver.paging import Fields, filtered, paged
from cloudstead.services.route53resolver.rows import Rule, RuleAssociation

ASSOCIATIONS_MAX = 2000
_PREFIX = "rslvr-rrassoc"
_RESOURCE = "resolver-rule-association"


class RuleAssociations:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def associate_resolver_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        vpc = request["VPCId"]
        with self._store.transaction():
            if request["ResolverRuleId"] == rules.INTERNET:
                raise InvalidRequestException("Cannot associate the auto defined internet resolver rule.")
            rule = self._directory.find_usable(
                Rule, caller, request["ResolverRuleId"], "AssociateResolverRule", missing(Rule)
            )
            if not self._directory.vpcs.has_vpc(caller, vpc):
                raise wrong("VPCId", f"The vpc ID '{vpc}' does not exist")
            self._check_free(caller, rule, vpc)
            made = self._store.insert(
                RuleAssociation(
                    id=ids.new(_PREFIX, self._directory.tools.random),
                    account=caller.account,
                    region=caller.region,
                    name=request.get("Name", ""),
                    rule_id=rule.id,
                    vpc_id=vpc,
                )
            )
        # It holds from this moment; AWS's answer, which its waiters know, says that it is on its way.
        return {
            "ResolverRuleAssociation": {
                **_shown(made),
                "Status": "CREATING",
                "StatusMessage": "Creating the association",
            }
        }

    def disassociate_resolver_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            found = self._store.rows(
                RuleAssociation,
                rule_id=request["ResolverRuleId"],
                vpc_id=request["VPCId"],
                account=caller.account,
            )
            if not found:
                raise ResourceNotFoundException(
                    f"Resolver Rule Association between Resolver Rule '{request['ResolverRuleId']}' and VPC "
                    f"'{request['VPCId']}' does not exist",
                    fields={"ResourceType": _RESOURCE},
                )
            self._store.delete(found[0])
        return {
            "ResolverRuleAssociation": {
                **_shown(found[0]),
                "Status": "DELETING",
                "StatusMessage": "Deleting the association",
            }
        }

    def get_resolver_rule_association(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        id = request["ResolverRuleAssociationId"]
        for each in self._every(caller):
            if each["Id"] == id:
                return {"ResolverRuleAssociation": each}
        raise ResourceNotFoundException(
            f"ResolverRuleAssociation '{id}' does not Exist", fields={"ResourceType": _RESOURCE}
        )

    def list_resolver_rule_associations(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        return paged(
            "ResolverRuleAssociations",
            filtered(self._every(caller), request, _FIELDS),
            request,
            key=lambda each: str(each["Id"]),
            shown=lambda each: each,
            size=10,
            tells_size=True,
        )

    # --- inside

    def _every(self, caller: Caller) -> list[dict[str, Any]]:
        """The one that each VPC has from the beginning, then those that were made."""
        made = self._store.rows(RuleAssociation, account=caller.account, region=caller.region)
        return [*map(_internet, self._directory.vpcs.vpcs(caller)), *map(_shown, made)]

    def _check_free(self, caller: Caller, rule: Rule, vpc: str) -> None:
        for other in self._store.rows(RuleAssociation, vpc_id=vpc):
            held = self._store.get(Rule, other.rule_id)
            if other.rule_id == rule.id:
                raise ResourceExistsException(
                    f"Resolver rule '{rule.id}' is already associated with VPC '{vpc}'",
                    fields={"ResourceType": _RESOURCE},
                )
            if held is not None and held.domain == rule.domain:
                raise InvalidRequestException(
                    "Cannot associate rules with same domain name with same VPC. Conflict with resolver rule "
                    f"'{held.id}'"
                )
        if (
            len(self._store.rows(RuleAssociation, account=caller.account, region=caller.region))
            >= ASSOCIATIONS_MAX
        ):
            raise LimitExceededException(
                f"Account '{caller.account}' has exceeded 'max-rule-association'",
                fields={"ResourceType": _RESOURCE},
            )


def _shown(row: RuleAssociation) -> dict[str, Any]:
    return {
        "Id": row.id,
        "ResolverRuleId": row.rule_id,
        "Name": row.name,
        "VPCId": row.vpc_id,
        "Status": "COMPLETE",
        "StatusMessage": "",
    }


def _internet(vpc_id: str) -> dict[str, Any]:
    return {
        "Id": f"rslvr-autodefined-assoc-{vpc_id}-internet-resolver",
        "ResolverRuleId": rules.INTERNET,
        "Name": "System Rule Association",
        "VPCId": vpc_id,
        "Status": "COMPLETE",
        "StatusMessage": "",
    }


_FIELDS: Fields[dict[str, Any]] = {
    "name": lambda each: each["Name"],
    "resolverruleid": lambda each: each["ResolverRuleId"],
    "status": lambda each: each["Status"],
    "vpcid": lambda each: each["VPCId"],
}
