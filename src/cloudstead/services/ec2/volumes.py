"""Volumes as callers see them: so far the root volumes that instances bring."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters, tags
from cloudstead.services.ec2.filters import Fields, Found
from cloudstead.services.ec2.instance_rows import Instance, Volume
from cloudstead.services.ec2.instance_shown import attachment_status
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.regions import zone_named
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        DeleteVolumeRequestTypeDef,
        DescribeVolumesRequestTypeDef,
        DescribeVolumeStatusRequestTypeDef,
    )


def _attached(volume: Volume, value: bool) -> bool | None:
    return value if volume.instance_id else None


def _status(volume: Volume) -> str:
    return "ok" if volume.made else "insufficient-data"


def _zone_id(volume: Volume) -> str | None:
    zone = zone_named(volume.region, volume.zone)
    return zone.id if zone is not None else None


_FIELDS: Fields[Volume] = {
    "attachment.attach-time": lambda volume: volume.attached_at,
    "attachment.delete-on-termination": lambda volume: _attached(volume, volume.delete_on_termination),
    "attachment.device": lambda volume: volume.device or None,
    "attachment.instance-id": lambda volume: volume.instance_id or None,
    "availability-zone": lambda volume: volume.zone,
    "availability-zone-id": _zone_id,
    "create-time": lambda volume: volume.created_at,
    "encrypted": lambda volume: volume.encrypted,
    "fast-restored": lambda _: False,
    "multi-attach-enabled": lambda _: False,
    "operator.managed": lambda _: False,
    "operator.principal": lambda _: None,
    "size": lambda volume: volume.size_gib,
    "snapshot-id": lambda volume: volume.snapshot_id or None,
    "status": lambda volume: volume.shown_state,
    "volume-id": lambda volume: volume.id,
    "volume-type": lambda volume: volume.type,
}

_STATUS_FIELDS: Fields[Volume] = {
    "availability-zone": lambda volume: volume.zone,
    "availability-zone-id": _zone_id,
    "volume-status.status": _status,
    "volume-status.details-name": lambda volume: [check["Name"] for check in _checks(volume)],
    "volume-status.details-status": lambda volume: [check["Status"] for check in _checks(volume)],
}


class DescribeVolumes:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def describe_volumes(self, caller: Caller, request: "DescribeVolumesRequestTypeDef") -> dict[str, Any]:
        found = self._resources.find_all(Volume, caller, list(request.get("VolumeIds") or ()))
        fields: Fields[Volume] = {**_FIELDS, "attachment.status": self._attachment_status}
        found = filters.select(found, request.get("Filters"), fields)
        some, token = page(found, request, key=lambda volume: volume.id, ids="VolumeIds")
        return {"Volumes": [self._shown(volume) for volume in some], "NextToken": token}

    def describe_volume_status(
        self, caller: Caller, request: "DescribeVolumeStatusRequestTypeDef"
    ) -> dict[str, Any]:
        found = self._resources.find_all(Volume, caller, list(request.get("VolumeIds") or ()))
        found = filters.select(found, request.get("Filters"), _STATUS_FIELDS)
        some, token = page(found, request, key=lambda volume: volume.id, ids="VolumeIds")
        return {"VolumeStatuses": [_shown_status(volume) for volume in some], "NextToken": token}

    def delete_volume(self, caller: Caller, request: "DeleteVolumeRequestTypeDef") -> None:
        """For root volumes that outlived their instance."""
        with self._resources.store.transaction():
            volume = self._resources.find(Volume, caller, request["VolumeId"])
            if volume.instance_id:
                raise ServiceError(
                    f"Volume {volume.id} is currently attached to {volume.instance_id}", code="VolumeInUse"
                )
            self._resources.store.update(volume, want="absent")

    def _attachment_status(self, volume: Volume) -> Found:
        instance = self._resources.store.get(Instance, volume.instance_id)
        return attachment_status(volume, instance) if volume.instance_id else None

    def _shown(self, volume: Volume) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "VolumeId": volume.id,
            "AvailabilityZone": volume.zone,
            "AvailabilityZoneId": _zone_id(volume),
            "CreateTime": volume.created_at,
            "Encrypted": volume.encrypted,
            "Size": volume.size_gib,
            "SnapshotId": volume.snapshot_id,
            "State": volume.shown_state,
            "VolumeType": volume.type,
            "Iops": volume.iops,
            "Throughput": volume.throughput,
            "MultiAttachEnabled": False,
            "Attachments": [],
            "Tags": tags.shown(volume.tags),
        }
        if volume.instance_id:
            attachment = {
                "AttachTime": volume.attached_at,
                "DeleteOnTermination": volume.delete_on_termination,
                "Device": volume.device,
                "InstanceId": volume.instance_id,
                "State": self._attachment_status(volume),
                "VolumeId": volume.id,
            }
            answer["Attachments"] = [attachment]
        return answer


def _checks(volume: Volume) -> list[dict[str, str]]:
    """Nobody measures how fast a disk is: AWS's word for that is `not-applicable`."""
    checks = {"io-enabled": "passed", "io-performance": "not-applicable"} if volume.made else {}
    return [{"Name": name, "Status": status} for name, status in checks.items()]


def _shown_status(volume: Volume) -> dict[str, Any]:
    return {
        "VolumeId": volume.id,
        "AvailabilityZone": volume.zone,
        "AvailabilityZoneId": _zone_id(volume),
        "Actions": [],
        "Events": [],
        "VolumeStatus": {"Status": _status(volume), "Details": _checks(volume)},
    }
