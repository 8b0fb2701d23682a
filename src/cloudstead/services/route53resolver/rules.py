"""Resolver rules: where questions about a domain go. One is there from the beginning: the rest goes to the internet."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53resolver import domains
from cloudstead.services.route53resolver.directory import Directory, missing
from cloudstead.services.route53resolver.errors import (
    InvalidRequestException,
    LimitExceededException,
    ResourceExistsException,
    ResourceInUseException,
    wrong,
)
from cloudstead.services.route53resolver.paging import Fields, filtered, paged
from cloudstead.services.route53resolver.rows import SERVICE, Endpoint, Rule, RuleAssociation, Target, stamp

RULES_MAX = 1000
TARGETS_MAX = 6
INTERNET = "rslvr-autodefined-rr-internet-resolver"
_AWS = "Route 53 Resolver"  # who owns what nobody made


class Rules:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store

    def create_resolver_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        kind = request["RuleType"]
        if kind == "DELEGATE":
            raise NotBuilt(
                "route53resolver: CreateResolverRule of type DELEGATE is not built in Cloudstead yet."
            )
        if kind == "RECURSIVE":
            raise InvalidRequestException("[RSLVR-00718] Cannot create a rule with type RECURSIVE")
        if not domains.of_rule(request.get("DomainName", "")):
            raise wrong("DomainName", f"The domain name '{request.get('DomainName', '')}' is not valid.")
        with self._store.transaction():
            self._check_new(caller, request)
            rule = Rule(
                **self._directory.owned(caller, request, Rule.prefix),
                name=request.get("Name", ""),
                domain=domains.canonical(request["DomainName"]),
                type=kind,
                status_message="Successfully created Resolver Rule.",
                **self._way(caller, kind, request),
            )
            self._store.insert(rule)
        return {"ResolverRule": shown(self._directory, caller, rule)}

    def get_resolver_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        if request["ResolverRuleId"] == INTERNET:
            return {"ResolverRule": _internet(caller)}
        rule = self._directory.find_usable(
            Rule, caller, request["ResolverRuleId"], "GetResolverRule", missing(Rule)
        )
        return {"ResolverRule": shown(self._directory, caller, rule)}

    def list_resolver_rules(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        rules = self._directory.usable(Rule, caller, "ListResolverRules")
        every = [_internet(caller), *(shown(self._directory, caller, rule) for rule in rules)]
        return paged(
            "ResolverRules",
            filtered(every, request, _FIELDS),
            request,
            key=lambda rule: str(rule["Id"]),
            shown=lambda rule: rule,
            size=10,
            tells_size=True,
        )

    def update_resolver_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        config = request["Config"]
        with self._store.transaction():
            rule = self._own(caller, request["ResolverRuleId"])
            asked = {
                "TargetIps": [_target_shown(target) for target in rule.targets],
                "ResolverEndpointId": rule.endpoint_id,
                **config,
            }
            way = self._way(caller, rule.type, asked if rule.type == "FORWARD" else config)
            rule = self._store.update(
                rule,
                name=config.get("Name", rule.name),
                status_message=f"Successfully updated Resolver Rule [{rule.id}].",
                changed_at=self._directory.tools.clock.now(),
                **way,
            )
        return {"ResolverRule": shown(self._directory, caller, rule)}

    def delete_resolver_rule(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            rule = self._own(caller, request["ResolverRuleId"])
            if self._store.rows(RuleAssociation, rule_id=rule.id):
                raise ResourceInUseException(
                    "Please disassociate this resolver rule from VPC first before deleting",
                    fields={"ResourceType": Rule.resource},
                )
            self._store.delete(rule)
        return {"ResolverRule": {**shown(self._directory, caller, rule), "Status": "DELETING"}}

    # --- inside

    def _own(self, caller: Caller, id: str) -> Rule:
        if id == INTERNET:
            raise InvalidRequestException(f"Cannot change or delete the auto defined rule '{id}'.")
        return self._directory.find(Rule, caller, id, missing(Rule))

    def _check_new(self, caller: Caller, request: Mapping[str, Any]) -> None:
        mine, token = self._directory.mine(Rule, caller), request["CreatorRequestId"]
        if any(rule.creator_request_id == token for rule in mine):
            raise ResourceExistsException(
                f"Resolver rule with creator request ID '{token}' already exists",
                fields={"ResourceType": Rule.resource},
            )
        if len(mine) >= RULES_MAX:
            raise LimitExceededException(
                f"Account '{caller.account}' has exceeded 'max-rules'", fields={"ResourceType": Rule.resource}
            )

    def _way(self, caller: Caller, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Where questions go, and through which endpoint."""
        if kind == "SYSTEM":
            for member in ("TargetIps", "ResolverEndpointId"):
                if request.get(member):
                    raise InvalidRequestException(f"Cannot specify {member} for a rule of type SYSTEM")
            return {}
        endpoint_id = request.get("ResolverEndpointId", "")
        if not endpoint_id:
            raise InvalidRequestException("Resolver endpoint ID must be specified for a rule of type FORWARD")
        endpoint = self._directory.find(Endpoint, caller, endpoint_id, missing(Endpoint))
        if endpoint.direction != "OUTBOUND":
            raise InvalidRequestException(
                f"Cannot create resolver rule with inbound endpoint '{endpoint.id}': an outbound one is needed"
            )
        return {"endpoint_id": endpoint.id, "targets": _targets(request.get("TargetIps") or ())}


def _targets(asked: Any) -> tuple[Target, ...]:
    if not 1 <= len(asked) <= TARGETS_MAX:
        raise wrong("TargetIps", f"Between 1 and {TARGETS_MAX} target IP addresses must be specified.")
    return tuple(map(_target, asked))


def _target(asked: Mapping[str, Any]) -> Target:
    if asked.get("Protocol", "Do53") != "Do53" or asked.get("ServerNameIndication"):
        raise NotBuilt(
            "route53resolver: rules that forward by DNS over HTTPS are not built in Cloudstead yet."
        )
    if ("Ip" in asked) == ("Ipv6" in asked):
        raise wrong("TargetIps", "Each target needs either an IPv4 or an IPv6 address.")
    try:
        if "Ip" in asked:
            return Target(ip=str(ipaddress.IPv4Address(asked["Ip"])), port=asked.get("Port", 53))
        return Target(ipv6=str(ipaddress.IPv6Address(asked["Ipv6"])), port=asked.get("Port", 53))
    except ValueError as e:
        raise wrong("TargetIps", f"Invalid IP address: {e}") from None


def _target_shown(target: Target) -> dict[str, Any]:
    address = {"Ip": target.ip} if target.ip else {"Ipv6": target.ipv6}
    return {**address, "Port": target.port, "Protocol": "Do53"}


def shown(directory: Directory, caller: Caller, rule: Rule) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "Id": rule.id,
        "CreatorRequestId": rule.creator_request_id,
        "Arn": rule.arn(),
        "DomainName": rule.domain,
        "Status": "COMPLETE",
        "StatusMessage": rule.status_message,
        "RuleType": rule.type,
        "Name": rule.name,
        "OwnerId": rule.account,
        "ShareStatus": directory.share_status(rule, caller),
        "CreationTime": stamp(rule.created_at),
        "ModificationTime": stamp(rule.changed_at),
    }
    if rule.type == "FORWARD":
        answer["TargetIps"] = [_target_shown(target) for target in rule.targets]
        answer["ResolverEndpointId"] = rule.endpoint_id
    return answer


def _internet(caller: Caller) -> dict[str, Any]:
    return {
        "Id": INTERNET,
        "CreatorRequestId": "",
        "Arn": arn(SERVICE, f"autodefined-rule/{INTERNET}", region=caller.region),
        "DomainName": ".",
        "Status": "COMPLETE",
        "RuleType": "RECURSIVE",
        "Name": "Internet Resolver",
        "OwnerId": _AWS,
        "ShareStatus": "NOT_SHARED",
    }


_FIELDS: Fields[dict[str, Any]] = {
    "creatorrequestid": lambda rule: rule["CreatorRequestId"],
    "domainname": lambda rule: (rule["DomainName"], rule["DomainName"].rstrip(".")),
    "name": lambda rule: rule["Name"],
    "resolverendpointid": lambda rule: rule.get("ResolverEndpointId", ""),
    "status": lambda rule: rule["Status"],
    "type": lambda rule: rule["RuleType"],
}
