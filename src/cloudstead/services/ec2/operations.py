"""EC2's operations on instances and what they are made from, and what others may ask of EC2.

Those of the VPC side are in `vpc_operations`; `app` puts both together.
"""

from collections.abc import Mapping, Sequence

from cloudstead.services.ec2 import image_catalogue
from cloudstead.services.ec2.default_vpc import opening
from cloudstead.services.ec2.images import Images
from cloudstead.services.ec2.instance_profiles import ProfileAssociations
from cloudstead.services.ec2.instance_rows import Image, Instance, KeyPair, LaunchTemplate, Volume
from cloudstead.services.ec2.instance_types import InstanceTypes
from cloudstead.services.ec2.instances_attributes import InstanceAttributes
from cloudstead.services.ec2.instances_console import Console, ReadConsole
from cloudstead.services.ec2.instances_describe import DescribeInstances
from cloudstead.services.ec2.instances_launch import Neighbours, RunInstances
from cloudstead.services.ec2.instances_lifecycle import Lifecycle
from cloudstead.services.ec2.instances_status import InstanceStatus
from cloudstead.services.ec2.key_pairs import KeyPairs
from cloudstead.services.ec2.launch_templates import LaunchTemplates
from cloudstead.services.ec2.regions import Regions
from cloudstead.services.ec2.rows import Ec2Row, Resources
from cloudstead.services.ec2.service_interfaces import ServiceInterfaces
from cloudstead.services.ec2.tagging import Tags
from cloudstead.services.ec2.volumes import DescribeVolumes
from cloudstead.services.ec2.vpc_operations import VPC_KINDS, vpc_parts

__all__ = [
    "INSTANCE_KINDS",
    "VPC_KINDS",
    "ServiceInterfaces",
    "instance_parts",
    "opening",
    "public_parameters",
    "vpc_parts",
]

#: The kinds of this side that can be tagged.
INSTANCE_KINDS: tuple[type[Ec2Row], ...] = (Instance, Volume, Image, KeyPair, LaunchTemplate)


def instance_parts(
    resources: Resources,
    neighbours: Neighbours,
    read_console: ReadConsole,
    *,
    more_kinds: Sequence[type[Ec2Row]] = (),
) -> list[object]:
    """The classes whose public methods are EC2's operations on instances.

    `more_kinds` are the kinds of the VPC side that can be tagged.
    """
    return [
        RunInstances(resources, neighbours),
        DescribeInstances(resources),
        Lifecycle(resources, neighbours.network, neighbours.machines_missing),
        InstanceStatus(resources),
        InstanceAttributes(resources, neighbours.network),
        Console(resources, read_console),
        ProfileAssociations(resources, neighbours.find_profile),
        InstanceTypes(),
        DescribeVolumes(resources),
        Images(resources),
        KeyPairs(resources),
        LaunchTemplates(resources),
        Regions(),
        Tags(resources, (*INSTANCE_KINDS, *more_kinds)),
    ]


def public_parameters(region: str) -> Mapping[str, str]:
    """The public SSM parameters of a region that hold image ids, by name."""
    return image_catalogue.public_parameters(region)
