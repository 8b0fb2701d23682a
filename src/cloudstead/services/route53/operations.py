"""Route 53's operations. What they need of others comes in: who owns a VPC, and what name servers have acknowledged."""

from collections.abc import Callable

from cloudstead.core.tools import Tools
from cloudstead.services.route53.changes import Changes
from cloudstead.services.route53.delegation_sets import DelegationSets
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.limits import Limits
from cloudstead.services.route53.record_changes import RecordChanges
from cloudstead.services.route53.record_listing import RecordLists
from cloudstead.services.route53.record_rules import FindTarget
from cloudstead.services.route53.tags import Tags
from cloudstead.services.route53.vpc_associations import VpcAssociations
from cloudstead.services.route53.zones import HostedZones
from cloudstead.services.route53.zones_listing import HostedZoneLists
from cloudstead.store import Store

__all__ = ["parts"]


def parts(
    store: Store,
    tools: Tools,
    *,
    network_owner: Callable[[str, str], str | None],
    acknowledged: Callable[[], int],
    find_target: FindTarget = lambda _zone, _name, _type: None,
) -> list[object]:
    """The classes whose public methods are Route 53's operations.

    `network_owner(region, vpc)` is the account of a VPC, None if there is none; `acknowledged()` the number of the
    feed that every name server has reached. `find_target(zone, name, type)` tells of the zones that services have for
    aliases: None if there is no such zone, else whether it has the name.
    """
    directory = Directory(store, tools, network_owner, acknowledged)
    return [
        HostedZones(directory),
        HostedZoneLists(directory),
        DelegationSets(directory),
        VpcAssociations(directory),
        RecordChanges(directory, find_target),
        RecordLists(directory),
        Changes(directory),
        Limits(directory),
        Tags(directory),
    ]
