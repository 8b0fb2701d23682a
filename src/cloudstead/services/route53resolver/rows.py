"""The rows of Route 53 Resolver.

What a reader would get wrong: what is associated with a VPC names it by its id alone, for the VPC is EC2's. A rule,
a rule group and a query log configuration may be used by other accounts, if their policy lets these.
"""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from cloudstead.core.arn import arn
from cloudstead.store import Row

SERVICE = "route53resolver"


class Owned(Row, frozen=True, kw_only=True):
    """A resource of an account in a region."""

    prefix: ClassVar[str]  # of its ids
    resource: ClassVar[str]  # as its ARN calls the kind
    noun: ClassVar[str]  # as error messages call it: "Resolver rule with ID '…' does not exist"

    account: str
    region: str
    creator_request_id: str = ""
    asked: str = ""  # a digest of the request that made it, to be told from others with its creator's id
    tags: dict[str, str] = {}
    created_at: datetime
    changed_at: datetime

    def arn(self) -> str:
        return arn(SERVICE, f"{self.resource}/{self.id}", account=self.account, region=self.region)


class Shareable(Owned, frozen=True, kw_only=True):
    """One that a policy may let other accounts use."""

    policy: str = ""


# --- endpoints


class Endpoint(Owned, frozen=True, kw_only=True):
    """Where questions come into a VPC, or leave it. Its addresses are rows of their own."""

    prefix: ClassVar[str] = "rslvr"
    resource: ClassVar[str] = "resolver-endpoint"
    noun: ClassVar[str] = "Resolver endpoint"

    name: str = ""
    direction: Literal["INBOUND", "OUTBOUND"]
    vpc_id: str
    groups: tuple[str, ...]
    ip_type: Literal["IPV4", "IPV6", "DUALSTACK"] = "IPV4"
    want: Literal["present", "absent"] = "present"
    state: Literal["CREATING", "OPERATIONAL"] = "CREATING"  # written by the reconciler alone


class EndpointAddress(Row, frozen=True, kw_only=True):
    """A network interface of an endpoint with its addresses; `ip` or `ipv6` is empty where the type has none."""

    endpoint_id: str
    subnet_id: str
    interface_id: str
    ip: str = ""
    ipv6: str = ""
    created_at: datetime
    changed_at: datetime
    want: Literal["present", "absent"] = "present"
    attached: bool = False  # written by the reconciler alone


# --- rules


class Target(msgspec.Struct, frozen=True, kw_only=True):
    ip: str = ""
    ipv6: str = ""
    port: int = 53


class Rule(Shareable, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "rslvr-rr"
    resource: ClassVar[str] = "resolver-rule"
    noun: ClassVar[str] = "Resolver rule"

    name: str = ""
    domain: str  # with the last dot
    type: Literal["FORWARD", "SYSTEM"]
    targets: tuple[Target, ...] = ()
    endpoint_id: str = ""
    status_message: str = ""


class RuleAssociation(Row, frozen=True, kw_only=True):
    account: str
    region: str
    name: str = ""
    rule_id: str
    vpc_id: str


# --- the DNS firewall


class DomainList(Owned, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "rslvr-fdl"
    resource: ClassVar[str] = "firewall-domain-list"
    noun: ClassVar[str] = "firewall domain list"

    name: str
    domains: tuple[str, ...] = ()  # sorted, with the last dot
    status: Literal["COMPLETE", "COMPLETE_IMPORT_FAILED"] = "COMPLETE"
    status_message: str = ""


class FirewallRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of a group. The list that it names and the query type tell it from the group's others."""

    list_id: str
    qtype: str = ""
    name: str
    priority: int
    action: Literal["ALLOW", "BLOCK", "ALERT"]
    block_response: Literal["NODATA", "NXDOMAIN", "OVERRIDE", ""] = ""
    override_domain: str = ""
    override_ttl_s: int | None = None
    redirection: Literal["INSPECT_REDIRECTION_DOMAIN", "TRUST_REDIRECTION_DOMAIN"] = (
        "INSPECT_REDIRECTION_DOMAIN"
    )
    creator_request_id: str
    asked: str
    created_at: datetime
    changed_at: datetime


class RuleGroup(Shareable, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "rslvr-frg"
    resource: ClassVar[str] = "firewall-rule-group"
    noun: ClassVar[str] = "firewall rule group"

    name: str
    rules: tuple[FirewallRule, ...] = ()


class GroupAssociation(Owned, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "rslvr-frgassoc"
    resource: ClassVar[str] = "firewall-rule-group-association"
    noun: ClassVar[str] = "firewall rule group association"

    name: str
    group_id: str
    vpc_id: str
    priority: int
    protected: bool = False


# --- query logs


class QueryLog(Shareable, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "rqlc"
    resource: ClassVar[str] = "resolver-query-log-config"
    noun: ClassVar[str] = "Resolver query logging configuration"

    name: str
    destination: str  # an ARN


class QueryLogAssociation(Row, frozen=True, kw_only=True):
    account: str
    region: str
    log_id: str
    vpc_id: str
    created_at: datetime


# --- what is set of a VPC


class VpcSettings(Row, frozen=True, kw_only=True):
    """What was set of one VPC, whose id is the row's; absent means AWS's defaults."""

    account: str
    region: str
    config_id: str  # rslvr-rc-…
    firewall_id: str  # rslvr-fc-…
    dnssec_id: str  # rdsc-…
    autodefined_reverse: bool = True
    fail_open: bool = False
    dnssec_asked: bool = False  # whether anybody ever set it: only then it is listed


def stamp(at: datetime) -> str:
    """A time as the API tells it, a text."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
