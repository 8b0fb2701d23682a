"""Whatever a request says, it is answered in its shape or refused as the caller's fault: nothing else is raised."""

import contextlib
import random

import botocore.session
import pytest
from tests.compat.wire_values import Values
from tests.unit.ec2.vpc.cloud import Cloud

from cloudstead.app.operations import operations_of, snake_case
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2.vpc_operations import VPC_KINDS, vpc_parts

_MODEL = botocore.session.get_session().get_service_model("ec2")
_PARTS = vpc_parts(Cloud().resources)
_OPERATIONS = sorted(operations_of(dict.fromkeys(_MODEL.operation_names), *_PARTS))

_ADDRESSES = ("172.31.0.9", "172.31.0.4", "10.0.1.7", "198.18.3.3", "172.31.0.1", "2001:db8::7", "here")
_RANGES = (
    "0.0.0.0/0",
    "10.0.0.0/16",
    "10.0.9.0/24",
    "10.0.1.128/25",
    "172.31.0.0/16",
    "::/0",
    "2001:db8:1::/64",
    "10.0.0.0",
    "",
)
_PROTOCOLS = ("tcp", "udp", "icmp", "icmpv6", "-1", "6", "58", "50", "all", "xyz")
_SEEDS = 40
_OPTIONAL_LIKELIHOOD = 0.4  # of those that were made already: all at once they only refuse each other
_NUMBERS = (-1, 0, 1, 2, 5, 22, 100, 255, 256, 1000, 32766, 65535, 65536)


class Requests:
    """Requests of any shape that mostly speak of what there is."""

    def __init__(self, cloud, seed):
        self._cloud = cloud
        self._random = random.Random(seed)
        self._seed = seed

    def of(self, operation):
        shape = _MODEL.operation_model(operation).input_shape
        asked = Values(f"{operation}/{self._seed}", direction="input").of(shape)
        kept = {
            name: value
            for name, value in asked.items()
            if name in shape.required_members or self._random.random() < _OPTIONAL_LIKELIHOOD
        }
        return self._sensible(kept, "")

    def _sensible(self, value, name):
        match value:
            case dict():
                return {key: self._sensible(each, key) for key, each in value.items()}
            case list():
                return [self._sensible(each, name) for each in value]
            case bool():
                return value
            case int():
                return self._random.choice(_NUMBERS)
            case str() if self._random.random() < 0.9:
                return self._text(name, value)
        return value

    def _text(self, name, value):
        name = name.lower()
        if "cidr" in name:
            return self._random.choice(_RANGES)
        if name.endswith(("address", "addresses", "ip", "ips")):
            return self._random.choice(_ADDRESSES)
        if name.endswith(("id", "ids", "groups", "resources")):
            return self._id(name)
        return self._random.choice(_PROTOCOLS) if "protocol" in name else value

    def _id(self, name):
        """Of a kind that the member's name speaks of, mostly."""
        fitting = [
            kind
            for kind in VPC_KINDS
            if kind.__name__.lower()[-5:] in name.replace("groupid", "groupsecurity")
        ]
        kind = self._random.choice(fitting if fitting and self._random.random() < 0.9 else VPC_KINDS)
        rows = self._cloud.store.rows(kind)
        return self._random.choice(rows).id if rows else f"{kind.prefix}-0123456789abcdef0"


@pytest.fixture(scope="module")
def cloud():
    """A region in which there is one of everything."""
    cloud = Cloud()
    vpc = cloud.vpc(AmazonProvidedIpv6CidrBlock=True)
    subnet = cloud.subnet(vpc)
    gateway = cloud.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    cloud.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    cloud.create_security_group(GroupName="web", Description="w", VpcId=vpc)
    cloud.create_network_acl(VpcId=vpc)
    cloud.create_route_table(VpcId=vpc)
    cloud.create_network_interface(SubnetId=subnet, SecondaryPrivateIpAddressCount=1)
    cloud.create_nat_gateway(SubnetId=subnet, AllocationId=cloud.allocate_address()["AllocationId"])
    cloud.allocate_address()
    cloud.create_managed_prefix_list(PrefixListName="p", AddressFamily="IPv4", MaxEntries=3)
    cloud.running()
    return cloud


class Undone(Exception):
    """Takes back what a request did, so that the next meets the same region."""


@pytest.mark.parametrize("operation", _OPERATIONS)
def test_any_request_is_answered_or_refused(cloud, operation):
    before = {kind: cloud.store.rows(kind) for kind in VPC_KINDS}
    for seed in range(_SEEDS):
        request = Requests(cloud, seed).of(operation)
        with contextlib.suppress(ServiceError, Undone), cloud.store.transaction():
            getattr(cloud, snake_case(operation))(**request)
            raise Undone
    assert {kind: cloud.store.rows(kind) for kind in VPC_KINDS} == before
