"""DescribeInstances. Its cost for a thousand instances is what callers feel most: see `instance_shown` for how
elements are remembered.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cloudstead.core import ids
from cloudstead.core.cached import Cached
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters
from cloudstead.services.ec2.instance_filters import FIELDS
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.instance_shown import reservations, whole
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import DescribeInstancesRequestTypeDef


_REMEMBERED_MAX = 64  # accounts and regions


def find_instances(resources: Resources, caller: Caller, wanted: Sequence[str]) -> list[Instance]:
    """The caller's instances of these ids, each once, in the order asked for; or the error that names all unknown."""
    found, missing = [], []
    for id in dict.fromkeys(wanted):
        row = resources.store.get(Instance, id)
        if row is not None and row.account == caller.account and row.region == caller.region:
            found.append(row)
        elif not ids.well_formed(id, Instance.prefix):
            raise Instance.malformed(id)
        else:
            missing.append(id)
    if len(missing) > 1:
        raise ServiceError(
            f"The instance IDs '{', '.join(missing)}' do not exist", code="InvalidInstanceID.NotFound"
        )
    if missing:
        raise Instance.missing(missing[0])
    return found


class DescribeInstances:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._remembered: dict[tuple[str, str], tuple[int, list[Cached]]] = {}

    def describe_instances(
        self, caller: Caller, request: "DescribeInstancesRequestTypeDef"
    ) -> dict[str, Any]:
        store = self._resources.store
        with store.reading():
            if not request:
                return {"Reservations": self._all(caller)}
            if wanted := request.get("InstanceIds"):
                rows = find_instances(self._resources, caller, wanted)
            else:
                rows = self._resources.mine(Instance, caller)
            found = [whole(store, row) for row in rows]
            if asked := request.get("Filters"):
                found = filters.select(found, asked, FIELDS)
            some, token = page(found, request, key=lambda one: one.instance.id, ids="InstanceIds")
        return {"Reservations": reservations(some), "NextToken": token}

    def _all(self, caller: Caller) -> list[Cached]:
        """Every instance of the caller's. While nothing changes, and people mostly look, it is the same list."""
        store, scope = self._resources.store, (caller.account, caller.region)
        moment, known = store.moment(), self._remembered.get(scope)
        if known is None or known[0] != moment:
            if known is None and len(self._remembered) >= _REMEMBERED_MAX:
                self._remembered.clear()
            found = [whole(store, row) for row in self._resources.mine(Instance, caller)]
            known = self._remembered[scope] = moment, reservations(found)
        return known[1]
