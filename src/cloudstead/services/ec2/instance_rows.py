"""The rows of instances and what belongs to them: volumes, key pairs, images, launch templates.

Operations write what is wanted, the reconcilers what was seen; the fields of the latter say so. The states on the
way (stopping, shutting-down) are nowhere stored: they follow from both.
"""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.images.driver import Recipe
from cloudstead.services.ec2.rows import Ec2Row
from cloudstead.store import Row


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a row."""


# --- instances

InstanceState = Literal["pending", "running", "shutting-down", "terminated", "stopping", "stopped"]
STATE_CODES: dict[InstanceState, int] = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}


class MetadataOptions(Part, frozen=True, kw_only=True):
    tokens: Literal["optional", "required"] = "optional"
    hop_limit: int = 1
    endpoint: Literal["enabled", "disabled"] = "enabled"
    ipv6: Literal["enabled", "disabled"] = "disabled"
    tags: Literal["enabled", "disabled"] = "disabled"


class Profile(Part, frozen=True, kw_only=True):
    """An IAM instance profile as an instance carries it."""

    id: str  # AIPA…
    arn: str
    association_id: str = ""  # iip-assoc-…


class Instance(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "i"
    resource_type: ClassVar[str] = "instance"
    id_error: ClassVar[str] = "InvalidInstanceID"
    noun: ClassVar[str] = "instance"

    reservation_id: str
    launch_index: int = 0
    client_token: str = ""
    created_at: datetime
    launched_at: datetime  # of the latest start

    image_id: str
    recipe: Recipe  # the image's, kept here: an image may be deregistered while its instances go on
    architecture: str
    root_device: str
    boot_mode: str = ""  # the image's
    type: str
    zone: str
    vpc_id: str
    subnet_id: str
    root_volume: str  # vol-…

    key_name: str = ""
    public_key: str = ""  # as it was at launch, in OpenSSH's form
    user_data: str = ""  # base64, as it was given
    profile: Profile | None = None
    metadata: MetadataOptions = MetadataOptions()
    monitoring: bool = False
    ebs_optimized: bool = False
    termination_protection: bool = False
    stop_protection: bool = False
    shutdown_behavior: Literal["stop", "terminate"] = "stop"
    credits: Literal["", "standard", "unlimited"] = ""  # burstable types only
    tenancy: str = "default"
    auto_recovery: str = "default"
    hostname_type: str = "ip-name"
    resource_name_a: bool = False
    resource_name_aaaa: bool = False

    want: Literal["running", "stopped", "terminated"] = "running"
    boot: int = 1  # raised with every start and reboot that is wanted
    force_stop: bool = False
    asked_at: datetime | None = None  # when somebody asked it to stop or terminate

    state: Literal["pending", "running", "stopped", "terminated"] = (
        "pending"  # written by the reconciler alone
    )
    started_boot: int = 0  # the boot that was seen running; written by the reconciler alone
    host_boot: str = ""  # of the machine it was seen running on; written by the reconciler alone
    ended_boot: int = 0  # the boot that ended by itself; written by the reconciler alone
    ended_as: Literal["stopped", "terminated"] = (
        "stopped"  # what that came to, by the behavior of then; written by the reconciler alone
    )
    terminated_at: datetime | None = None  # written by the reconciler alone

    @property
    def aim(self) -> Literal["running", "stopped", "terminated"]:
        """What is wanted of the machine, its own shutdown taken into account."""
        if self.want == "running" and self.ended_boot == self.boot:
            return self.ended_as
        return self.want

    @property
    def shown_state(self) -> InstanceState:
        """As callers see it: on the way from the moment it was asked for."""
        match self.aim, self.state:
            case _, "terminated":
                return "terminated"
            case "terminated", _:
                return "shutting-down"
            case "stopped", "pending" | "running":
                return "stopping"
            case "running", "stopped":
                return "pending"
            case _:
                return self.state

    @property
    def alive(self) -> bool:
        return self.aim != "terminated"

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(f"The instance ID '{id}' does not exist", code="InvalidInstanceID.NotFound")

    @classmethod
    def malformed(cls, id: str) -> ServiceError:
        return ServiceError(f'Invalid id: "{id}"', code="InvalidInstanceID.Malformed")


class Launch(Row, frozen=True, kw_only=True):
    """A client token that launched something: `id` is account/region/token. The row is the token's lock."""

    digest: str  # of the request
    reservation_id: str
    at: datetime


class Volume(Ec2Row, frozen=True, kw_only=True):
    """A root volume, so far: one that was made for an instance."""

    prefix: ClassVar[str] = "vol"
    resource_type: ClassVar[str] = "volume"
    id_error: ClassVar[str] = "InvalidVolume"
    noun: ClassVar[str] = "volume"

    zone: str
    size_gib: int
    type: str
    iops: int | None = None
    throughput: int | None = None
    encrypted: bool = False
    snapshot_id: str = ""
    image: str = ""  # name of the root file system underneath
    created_at: datetime
    instance_id: str = ""  # "" once its instance has let go of it
    device: str = ""
    attached_at: datetime | None = None
    delete_on_termination: bool = True
    want: Literal["present", "absent"] = "present"
    made: bool = False  # written by the reconciler alone

    @property
    def shown_state(self) -> str:
        if self.want == "absent":
            return "deleting"
        if self.instance_id:
            return "in-use"
        return "available" if self.made else "creating"

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(f"The volume '{id}' does not exist.", code="InvalidVolume.NotFound")

    @classmethod
    def malformed(cls, id: str) -> ServiceError:
        return ServiceError(
            f"Value ({id}) for parameter volumeId is invalid. Expected: 'vol-...'.",
            code="InvalidParameterValue",
        )


# --- what instances are made from


class ImageDevice(Part, frozen=True, kw_only=True):
    """A block device that an image maps. Without a snapshot it is one of the machine's own disks."""

    name: str
    size_gib: int = 0
    type: str = ""
    snapshot_id: str = ""
    virtual_name: str = ""


class Image(Ec2Row, frozen=True, kw_only=True):
    """An AMI: one of the catalogue, or a row for one that was imported."""

    prefix: ClassVar[str] = "ami"
    resource_type: ClassVar[str] = "image"
    id_error: ClassVar[str] = "InvalidAMIID"
    noun: ClassVar[str] = "image"

    name: str
    owner_alias: str = ""
    description: str
    recipe: Recipe
    created_at: datetime
    architecture: str = "x86_64"
    devices: tuple[ImageDevice, ...]  # the root first
    public: bool = False
    boot_mode: str = ""
    imds_v2: bool = False  # its instances ask for metadata tokens unless told otherwise
    parameter: str = ""  # name of the public SSM parameter that holds its id

    @property
    def root(self) -> ImageDevice:
        return self.devices[0]

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(f"The image id '[{id}]' does not exist", code="InvalidAMIID.NotFound")


class KeyPair(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "key"
    resource_type: ClassVar[str] = "key-pair"
    id_error: ClassVar[str] = "InvalidKeyPair"
    noun: ClassVar[str] = "key pair"

    name: str
    type: Literal["rsa", "ed25519"]
    fingerprint: str
    public_key: str  # in OpenSSH's form, with the name as its comment
    created_at: datetime

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(f"The key pair '{id}' does not exist", code="InvalidKeyPair.NotFound")


class LaunchTemplate(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "lt"
    resource_type: ClassVar[str] = "launch-template"
    id_error: ClassVar[str] = "InvalidLaunchTemplateId"
    noun: ClassVar[str] = "launch template"

    name: str
    client_token: str = ""
    created_at: datetime
    created_by: str
    default_version: int = 1
    latest_version: int = 1

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(
            f"The specified launch template, with template ID {id}, does not exist.",
            code="InvalidLaunchTemplateId.NotFound",
        )

    @classmethod
    def malformed(cls, id: str) -> ServiceError:
        return ServiceError(
            f"The launch template ID '{id}' is not valid. Specify a valid launch template ID.",
            code="InvalidLaunchTemplateId.Malformed",
        )


class LaunchTemplateVersion(Row, frozen=True, kw_only=True):
    """`id` is lt-…/number."""

    template_id: str
    number: int
    description: str = ""
    client_token: str = ""
    created_at: datetime
    created_by: str
    content: bytes  # the RequestLaunchTemplateData as it was given, in JSON
