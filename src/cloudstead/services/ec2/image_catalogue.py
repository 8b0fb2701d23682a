"""The public images: what every region offers from the start.

Names, owners and logins are those of the images that tutorials use. What is inside is said in each description and
in its tags, for it is not what the name says: all but the tiny one are Debian 12, which is what can be built from
packages on any machine. Ids follow from region and name, so they are the same on every Cloudstead.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cloudstead.dataplane.images.driver import Recipe
from cloudstead.services.ec2.instance_rows import Image, ImageDevice

AMAZON = "137112412989"
CANONICAL = "099720109477"
DEBIAN = "136693071363"
#: Whose our own images are: no AWS account has this number.
CLOUDSTEAD = "000000000000"


@dataclass(frozen=True, kw_only=True)
class _Entry:
    name: str
    owner: str
    alias: str = ""
    recipe: Recipe
    description: str
    inside: str
    root: str = "/dev/xvda"
    size_gib: int = 8
    type: str = "gp3"
    ephemeral: bool = False  # Ubuntu's images map two disks that few machines have
    boot_mode: str = "uefi-preferred"
    imds_v2: bool = False
    created_at: datetime
    parameters: tuple[str, ...] = ()


def _debian(name: str, login: str, stands_for: str = "") -> Recipe:
    release = {"VARIANT": f"Debian in place of {stands_for}", "VARIANT_ID": name} if stands_for else {}
    return Recipe(name=name, source="debian", login=login, os_release=release)


def _at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


_AMAZON_LATEST = "/aws/service/ami-amazon-linux-latest"
_UBUNTU = "/aws/service/canonical/ubuntu/server"

_ENTRIES = (
    _Entry(
        name="al2023-ami-2023.6.20241010.0-kernel-6.1-x86_64",
        owner=AMAZON,
        alias="amazon",
        recipe=_debian("al2023", "ec2-user", "Amazon Linux 2023"),
        description="Debian 12 in place of Amazon Linux 2023: login ec2-user, apt and not dnf",
        inside="Debian 12",
        imds_v2=True,
        created_at=_at("2024-10-08 22:08:55"),
        parameters=(
            f"{_AMAZON_LATEST}/al2023-ami-kernel-default-x86_64",
            f"{_AMAZON_LATEST}/al2023-ami-kernel-6.1-x86_64",
        ),
    ),
    _Entry(
        name="amzn2-ami-hvm-2.0.20241001.0-x86_64-gp2",
        owner=AMAZON,
        alias="amazon",
        recipe=_debian("amzn2", "ec2-user", "Amazon Linux 2"),
        description="Debian 12 in place of Amazon Linux 2: login ec2-user, apt and not yum",
        inside="Debian 12",
        type="gp2",
        boot_mode="",
        created_at=_at("2024-10-04 01:52:31"),
        parameters=(
            f"{_AMAZON_LATEST}/amzn2-ami-hvm-x86_64-gp2",
            f"{_AMAZON_LATEST}/amzn2-ami-kernel-5.10-hvm-x86_64-gp2",
        ),
    ),
    _Entry(
        name="ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20240927",
        owner=CANONICAL,
        recipe=_debian("ubuntu-22.04", "ubuntu", "Ubuntu 22.04"),
        description="Debian 12 in place of Ubuntu 22.04 LTS: login ubuntu",
        inside="Debian 12",
        root="/dev/sda1",
        type="gp2",
        ephemeral=True,
        created_at=_at("2024-09-27 06:49:12"),
        parameters=(
            f"{_UBUNTU}/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
            f"{_UBUNTU}/jammy/stable/current/amd64/hvm/ebs-gp2/ami-id",
        ),
    ),
    _Entry(
        name="ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20240927",
        owner=CANONICAL,
        recipe=_debian("ubuntu-24.04", "ubuntu", "Ubuntu 24.04"),
        description="Debian 12 in place of Ubuntu 24.04 LTS: login ubuntu",
        inside="Debian 12",
        root="/dev/sda1",
        ephemeral=True,
        imds_v2=True,
        created_at=_at("2024-09-27 11:22:40"),
        parameters=(
            f"{_UBUNTU}/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
            f"{_UBUNTU}/noble/stable/current/amd64/hvm/ebs-gp3/ami-id",
        ),
    ),
    _Entry(
        name="debian-12-amd64-20241004-1890",
        owner=DEBIAN,
        recipe=_debian("debian-12", "admin"),
        description="Debian 12 (20241004-1890), built here from its packages: login admin",
        inside="Debian 12",
        created_at=_at("2024-10-04 17:38:02"),
        parameters=("/aws/service/debian/release/12/latest/amd64",),
    ),
    _Entry(
        name="cloudstead-tiny-1-x86_64",
        owner=CLOUDSTEAD,
        alias="cloudstead",
        recipe=Recipe(name="tiny", source="tiny", login="ec2-user"),
        description="busybox and an ssh server, 6 MB, for tests: login ec2-user",
        inside="busybox",
        size_gib=1,
        boot_mode="",
        created_at=_at("2025-01-01 00:00:00"),
        parameters=("/aws/service/cloudstead/tiny/latest/x86_64",),
    ),
)


@cache
def images(region: str) -> Mapping[str, Image]:
    """The public images of a region by id."""
    made = (_image(entry, region) for entry in _ENTRIES)
    return {image.id: image for image in made}


@cache
def public_parameters(region: str) -> Mapping[str, str]:
    """The public SSM parameters that hold image ids, by name."""
    return {parameter: _id("ami", region, entry.name) for entry in _ENTRIES for parameter in entry.parameters}


def recipes() -> Mapping[str, Recipe]:
    """How the images of the catalogue come to be, by their name in the image store."""
    return {entry.recipe.name: entry.recipe for entry in _ENTRIES}


def _image(entry: _Entry, region: str) -> Image:
    root = ImageDevice(
        name=entry.root,
        size_gib=entry.size_gib,
        type=entry.type,
        snapshot_id=_id("snap", region, entry.name),
    )
    spare = (
        ImageDevice(name="/dev/sdb", virtual_name="ephemeral0"),
        ImageDevice(name="/dev/sdc", virtual_name="ephemeral1"),
    )
    return Image(
        id=_id("ami", region, entry.name),
        account=entry.owner,
        region=region,
        name=entry.name,
        owner_alias=entry.alias,
        description=entry.description,
        recipe=entry.recipe,
        created_at=entry.created_at,
        devices=(root, *(spare if entry.ephemeral else ())),
        public=True,
        boot_mode=entry.boot_mode,
        imds_v2=entry.imds_v2,
        parameter=entry.parameters[0],
        tags={"cloudstead:inside": entry.inside, "cloudstead:login": entry.recipe.login},
    )


def _id(prefix: str, region: str, name: str) -> str:
    return f"{prefix}-0{hashlib.sha256(f'{region}/{name}'.encode()).hexdigest()[:16]}"
