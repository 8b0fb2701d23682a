"""DescribeInstanceStatus: a machine that was seen running passes its checks, for they are made of the same look."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.ec2 import filters
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.instance_rows import STATE_CODES, Instance
from cloudstead.services.ec2.instance_shown import state
from cloudstead.services.ec2.instances_describe import find_instances
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.regions import zone_named
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import DescribeInstanceStatusRequestTypeDef


def _status(instance: Instance) -> str:
    return "ok" if instance.shown_state == "running" else "not-applicable"


def _reachability(instance: Instance) -> str | None:
    return "passed" if instance.shown_state == "running" else None


def _zone_id(instance: Instance) -> str | None:
    zone = zone_named(instance.region, instance.zone)
    return zone.id if zone is not None else None


def _none(_: Instance) -> None:
    return None


_FIELDS: Fields[Instance] = {
    "availability-zone": lambda instance: instance.zone,
    "availability-zone-id": _zone_id,
    **{
        f"event.{name}": _none
        for name in (
            "code",
            "description",
            "instance-event-id",
            "not-after",
            "not-before",
            "not-before-deadline",
        )
    },
    "instance-state-code": lambda instance: STATE_CODES[instance.shown_state],
    "instance-state-name": lambda instance: instance.shown_state,
    "instance-status.reachability": _reachability,
    "instance-status.status": _status,
    "system-status.reachability": _reachability,
    "system-status.status": _status,
    "attached-ebs-status.status": _status,
    "operator.managed": lambda _: False,
    "operator.principal": _none,
}


class InstanceStatus:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def describe_instance_status(
        self, caller: Caller, request: "DescribeInstanceStatusRequestTypeDef"
    ) -> dict[str, Any]:
        if wanted := request.get("InstanceIds"):
            found = find_instances(self._resources, caller, wanted)
        else:
            found = self._resources.mine(Instance, caller)
        if not request.get("IncludeAllInstances"):
            found = [instance for instance in found if instance.shown_state == "running"]
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda instance: instance.id, ids="InstanceIds")
        return {"InstanceStatuses": [_shown(instance) for instance in some], "NextToken": token}


def _shown(instance: Instance) -> dict[str, Any]:
    check: dict[str, Any] = {"Status": _status(instance)}
    if instance.shown_state == "running":
        check["Details"] = [{"Name": "reachability", "Status": "passed"}]
    return {
        "AvailabilityZone": instance.zone,
        "AvailabilityZoneId": _zone_id(instance),
        "InstanceId": instance.id,
        "InstanceState": state(instance.shown_state),
        "InstanceStatus": check,
        "SystemStatus": check,
        "AttachedEbsStatus": check,
    }
