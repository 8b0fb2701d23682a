"""Images (AMIs): the public ones of the catalogue and those that were imported here.

An image is public or one's own; launch permissions for single accounts are not built. Deregistering forgets the
image, not its root file system: instances may stand on it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.core.tools import Tools
from cloudstead.dataplane.images.driver import Recipe
from cloudstead.services.ec2 import filters, image_catalogue, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.instance_rows import Image, ImageDevice
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources
from cloudstead.store import Store

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        DeregisterImageRequestTypeDef,
        DescribeImageAttributeRequestTypeDef,
        DescribeImagesRequestTypeDef,
    )

#: Looks up the value of an SSM parameter; None if there is none of this name.
ReadParameter = Callable[[Caller, str], str | None]

_ALIASES = {"amazon", "aws-marketplace", "aws-backup-vault", "cloudstead"}


def find(store: Store, caller: Caller, id: str) -> Image:
    """The image of this id, if the caller may use it; InvalidAMIID.* otherwise."""
    found = image_catalogue.images(caller.region).get(id) or store.get(Image, id)
    if (
        found is not None
        and found.region == caller.region
        and (found.public or found.account == caller.account)
    ):
        return found
    raise Image.missing(id) if ids.well_formed(id, "ami") else Image.malformed(id)


def resolve(id: str, caller: Caller, read: ReadParameter) -> str:
    """The image id that `resolve:ssm:NAME` stands for; any other id as it is."""
    if not id.startswith("resolve:ssm:"):
        return id
    name = id.removeprefix("resolve:ssm:")
    value = image_catalogue.public_parameters(caller.region).get(name) or read(caller, name)
    if value is None:
        raise ServiceError(
            f"The SSM parameter '{name}' does not exist or you do not have access to it.",
            code="InvalidParameterValue",
        )
    return value


def register_imported(
    store: Store, tools: Tools, *, account: str, region: str, name: str, recipe: Recipe, size_bytes: int
) -> Image:
    """Let the account launch an image that was brought into the image store. Safe to repeat: a name is kept once."""
    with store.transaction():
        for known in store.rows(Image, name=name, account=account, region=region):
            return store.update(known, recipe=recipe)
        root = ImageDevice(
            name="/dev/xvda",
            size_gib=max(8, -(-size_bytes // 2**30) + 1),
            type="gp3",
            snapshot_id=ids.new("snap", tools.random),
        )
        return store.insert(
            Image(
                id=ids.new("ami", tools.random),
                account=account,
                region=region,
                name=name,
                description=f"Imported: login {recipe.login}",
                recipe=recipe,
                created_at=tools.clock.now(),
                devices=(root,),
                tags={"cloudstead:login": recipe.login},
            )
        )


# --- as answers show them


def _shown(image: Image, caller: Caller) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "ImageId": image.id,
        "ImageLocation": f"{image.owner_alias or image.account}/{image.name}",
        "ImageType": "machine",
        "Name": image.name,
        "Description": image.description,
        "OwnerId": image.account,
        "Public": image.public,
        "State": "available",
        "CreationDate": _timestamp(image.created_at),
        "Architecture": image.architecture,
        "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances",
        "RootDeviceName": image.root.name,
        "RootDeviceType": "ebs",
        "BlockDeviceMappings": [_mapping(device) for device in image.devices],
        "VirtualizationType": "hvm",
        "Hypervisor": "xen",
        "EnaSupport": True,
        "SriovNetSupport": "simple",
    }
    optional = {
        "ImageOwnerAlias": image.owner_alias,
        "BootMode": image.boot_mode,
        "ImdsSupport": "v2.0" if image.imds_v2 else "",
        "PublicSsmParameterName": image.parameter,
        "DeregistrationProtection": "disabled" if image.account == caller.account else "",
        "Tags": tags.shown(image.tags),
    }
    answer.update({name: value for name, value in optional.items() if value})
    return answer


def _mapping(device: ImageDevice) -> dict[str, Any]:
    if device.virtual_name:
        return {"DeviceName": device.name, "VirtualName": device.virtual_name}
    ebs: dict[str, Any] = {
        "DeleteOnTermination": True,
        "SnapshotId": device.snapshot_id,
        "VolumeSize": device.size_gib,
        "VolumeType": device.type,
        "Encrypted": False,
    }
    if device.type == "gp3":
        ebs |= {"Iops": 3000, "Throughput": 125}
    return {"DeviceName": device.name, "Ebs": ebs}


def _timestamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _snapshots(image: Image) -> Iterable[ImageDevice]:
    return (device for device in image.devices if device.snapshot_id)


_FIELDS: Fields[Image] = {
    "architecture": lambda image: image.architecture,
    "block-device-mapping.delete-on-termination": lambda image: ["true" for _ in _snapshots(image)],
    "block-device-mapping.device-name": lambda image: [device.name for device in image.devices],
    "block-device-mapping.encrypted": lambda image: ["false" for _ in _snapshots(image)],
    "block-device-mapping.snapshot-id": lambda image: [device.snapshot_id for device in _snapshots(image)],
    "block-device-mapping.volume-size": lambda image: [str(each.size_gib) for each in _snapshots(image)],
    "block-device-mapping.volume-type": lambda image: [device.type for device in _snapshots(image)],
    "boot-mode": lambda image: image.boot_mode or None,
    "creation-date": lambda image: _timestamp(image.created_at),
    "description": lambda image: image.description,
    "ena-support": lambda _: True,
    "free-tier-eligible": lambda _: True,
    "hypervisor": lambda _: "xen",
    "image-allowed": lambda _: True,
    "image-id": lambda image: image.id,
    "image-type": lambda _: "machine",
    "imds-support": lambda image: "v2.0" if image.imds_v2 else None,
    "is-public": lambda image: image.public,
    "kernel-id": lambda _: None,
    "manifest-location": lambda image: f"{image.owner_alias or image.account}/{image.name}",
    "name": lambda image: image.name,
    "owner-alias": lambda image: image.owner_alias or None,
    "owner-id": lambda image: image.account,
    "platform": lambda _: None,
    "platform-details": lambda _: "Linux/UNIX",
    "product-code": lambda _: None,
    "product-code.type": lambda _: None,
    "public-ssm-parameter-name": lambda image: image.parameter or None,
    "ramdisk-id": lambda _: None,
    "root-device-name": lambda image: image.root.name,
    "root-device-type": lambda _: "ebs",
    "source-image-id": lambda _: None,
    "source-image-region": lambda _: None,
    "source-instance-id": lambda _: None,
    "sriov-net-support": lambda _: "simple",
    "state": lambda _: "available",
    "state-reason-code": lambda _: None,
    "state-reason-message": lambda _: None,
    "usage-operation": lambda _: "RunInstances",
    "virtualization-type": lambda _: "hvm",
}


class Images:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def describe_images(self, caller: Caller, request: "DescribeImagesRequestTypeDef") -> dict[str, Any]:
        found = self._asked_for(caller, request.get("ImageIds") or ())
        if owners := request.get("Owners"):
            found = [image for image in found if _owned(image, owners, caller)]
        if users := request.get("ExecutableUsers"):
            found = [image for image in found if "all" in users and image.public]
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda image: image.id)
        return {"Images": [_shown(image, caller) for image in some], "NextToken": token}

    def describe_image_attribute(
        self, caller: Caller, request: "DescribeImageAttributeRequestTypeDef"
    ) -> dict[str, Any]:
        image = self._own(caller, request["ImageId"])
        answer: dict[str, Any] = {"ImageId": image.id}
        match request.get("Attribute"):
            case "description":
                answer["Description"] = {"Value": image.description}
            case "launchPermission":
                answer["LaunchPermissions"] = []
            case "productCodes":
                answer["ProductCodes"] = []
            case "blockDeviceMapping":
                answer["BlockDeviceMappings"] = [_mapping(device) for device in image.devices]
            case "sriovNetSupport":
                answer["SriovNetSupport"] = {"Value": "simple"}
            case "bootMode":
                answer["BootMode"] = {"Value": image.boot_mode} if image.boot_mode else {}
            case "imdsSupport":
                answer["ImdsSupport"] = {"Value": "v2.0"} if image.imds_v2 else {}
            case "deregistrationProtection":
                answer["DeregistrationProtection"] = {"Value": "disabled"}
            case "kernel" | "ramdisk" | "tpmSupport" | "uefiData" | "lastLaunchedTime":
                pass  # it has none
            case other:
                raise ServiceError(
                    f"Value ({other}) for parameter attribute is invalid. Unknown attribute.",
                    code="InvalidParameterValue",
                )
        return answer

    def deregister_image(self, caller: Caller, request: "DeregisterImageRequestTypeDef") -> dict[str, Any]:
        if request.get("DeleteAssociatedSnapshots"):
            raise NotBuilt(
                "ec2: DeregisterImage with DeleteAssociatedSnapshots is not built in Cloudstead yet."
            )
        with self._resources.store.transaction():
            image = self._own(caller, request["ImageId"])
            self._resources.store.delete(image)
        return {"Return": True}

    def _asked_for(self, caller: Caller, wanted: Sequence[str]) -> list[Image]:
        store = self._resources.store
        if not wanted:
            return [
                *self._resources.mine(Image, caller),
                *image_catalogue.images(caller.region).values(),
            ]
        found, missing = [], []
        for id in dict.fromkeys(wanted):
            try:
                found.append(find(store, caller, id))
            except ServiceError as e:
                if e.code != "InvalidAMIID.NotFound":
                    raise
                missing.append(id)
        if len(missing) > 1:
            raise ServiceError(
                f"The image ids '[{', '.join(missing)}]' do not exist", code="InvalidAMIID.NotFound"
            )
        if missing:
            raise Image.missing(missing[0])
        return found

    def _own(self, caller: Caller, id: str) -> Image:
        image = find(self._resources.store, caller, id)
        if image.account != caller.account:
            raise ServiceError(f"Not authorized for image:{id}", code="AuthFailure", status=403)
        return image


def _owned(image: Image, owners: Sequence[str], caller: Caller) -> bool:
    names = {image.account, image.owner_alias} | ({"self"} if image.account == caller.account else set())
    for owner in owners:
        if not (owner.isdecimal() and len(owner) == 12) and owner not in _ALIASES | {"self"}:
            raise ServiceError(
                f"Invalid value '{owner}' for Owner. Invalid owner.", code="InvalidUserID.Malformed"
            )
    return any(owner in names for owner in owners)
