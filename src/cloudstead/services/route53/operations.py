"""Route 53's operations, and the feed that tells name servers of its zones.

What they need of others comes in as `Neighbours`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cloudstead.core.tools import Tools
from cloudstead.services.route53.answer_tests import Answered, Ask, Question, TestAnswers
from cloudstead.services.route53.changes import Changes
from cloudstead.services.route53.checker_ranges import CheckerRanges
from cloudstead.services.route53.cidr_collections import CidrCollections
from cloudstead.services.route53.delegation_sets import DelegationSets
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.feed import Feed, FindPlace, forgotten, servers_of
from cloudstead.services.route53.health_checks import HealthChecks, NoChecker, Observation, Reports
from cloudstead.services.route53.limits import Limits
from cloudstead.services.route53.record_changes import RecordChanges
from cloudstead.services.route53.record_listing import RecordLists
from cloudstead.services.route53.record_rules import FindTarget
from cloudstead.services.route53.tags import Tags
from cloudstead.services.route53.vpc_associations import VpcAssociations
from cloudstead.services.route53.zones import HostedZones
from cloudstead.services.route53.zones_listing import HostedZoneLists
from cloudstead.store import Store

__all__ = [
    "Answered",
    "Ask",
    "Feed",
    "Neighbours",
    "Observation",
    "Question",
    "Reports",
    "feed",
    "forgotten",
    "parts",
    "servers_of",
]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """What Route 53 asks of others."""

    #: The account of a VPC, by its region and id; None if there is none.
    network_owner: Callable[[str, str], str | None]
    #: The number of the feed that every name server has reached.
    acknowledged: Callable[[], int]
    #: Where a region or local zone is.
    find_place: FindPlace
    #: Answers a question as a name server would.
    ask: Ask
    #: Of the zones that services have for aliases: whether one has a name of a type; None if there is no such zone.
    find_target: FindTarget = lambda _zone, _name, _type: None
    #: What the checkers of health checks saw.
    reports: Reports = field(default_factory=NoChecker)
    #: Where these come from.
    checker_ranges: Sequence[str] = ()


def parts(store: Store, tools: Tools, neighbours: Neighbours) -> list[object]:
    """The classes whose public methods are Route 53's operations."""
    directory = Directory(store, tools, neighbours.network_owner, neighbours.acknowledged)
    return [
        HostedZones(directory),
        HostedZoneLists(directory),
        DelegationSets(directory),
        VpcAssociations(directory),
        RecordChanges(directory, neighbours.find_target, neighbours.find_place),
        RecordLists(directory),
        Changes(directory),
        CidrCollections(directory),
        HealthChecks(directory, neighbours.reports),
        CheckerRanges(neighbours.checker_ranges),
        TestAnswers(directory, feed(store, neighbours.find_place), neighbours.ask),
        Limits(directory),
        Tags(directory),
    ]


def feed(store: Store, find_place: FindPlace) -> Feed:
    """What name servers pull: a `Source` of the zones in the store."""
    return Feed(store, find_place)
