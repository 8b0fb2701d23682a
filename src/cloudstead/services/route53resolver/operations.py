"""Route 53 Resolver's operations, and what they come to for one VPC."""

from typing import Any

from cloudstead.control.steps import Controller
from cloudstead.core.tools import Tools
from cloudstead.dataplane.dns.driver import EndpointsDriver
from cloudstead.services.ec2.operations import ServiceInterfaces
from cloudstead.services.route53resolver.departures import departures
from cloudstead.services.route53resolver.directory import Directory
from cloudstead.services.route53resolver.domain_lists import DomainLists
from cloudstead.services.route53resolver.endpoints import Endpoints
from cloudstead.services.route53resolver.firewall_rules import FirewallRules
from cloudstead.services.route53resolver.group_associations import GroupAssociations
from cloudstead.services.route53resolver.imports import Imports, ReadObject
from cloudstead.services.route53resolver.policies import Policies
from cloudstead.services.route53resolver.query_log_delivery import QueryLogDeliveries
from cloudstead.services.route53resolver.query_logs import HasBucket, QueryLogs
from cloudstead.services.route53resolver.reconcile import Endpoints as EndpointsController
from cloudstead.services.route53resolver.rule_associations import RuleAssociations
from cloudstead.services.route53resolver.rule_groups import RuleGroups
from cloudstead.services.route53resolver.rules import Rules
from cloudstead.services.route53resolver.tagging import Tags
from cloudstead.services.route53resolver.view import Views
from cloudstead.services.route53resolver.vpc_settings import Settings
from cloudstead.store import Store

__all__ = ["HasBucket", "QueryLogDeliveries", "ReadObject", "Views", "controllers", "parts"]


def parts(
    store: Store, tools: Tools, vpcs: ServiceInterfaces, has_bucket: HasBucket, read_object: ReadObject
) -> list[object]:
    """The classes whose public methods are Route 53 Resolver's operations."""
    directory = Directory(store, tools, vpcs)
    return [
        Endpoints(directory),
        Rules(directory),
        RuleAssociations(directory),
        Policies(directory),
        QueryLogs(directory, has_bucket),
        DomainLists(directory),
        Imports(directory, read_object),
        RuleGroups(directory),
        FirewallRules(directory),
        GroupAssociations(directory),
        Settings(directory),
        Tags(directory),
    ]


def controllers(store: Store, vpcs: ServiceInterfaces, driver: EndpointsDriver) -> list[Controller[Any, Any]]:
    """What makes endpoints operational, and forgets what was of VPCs that are gone."""
    return [EndpointsController(store, vpcs, driver), *departures(vpcs)]
