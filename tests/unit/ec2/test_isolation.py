"""Accounts and regions are worlds apart: no operation sees, changes or holds on to what is another's, whatever its request says."""

import contextlib
import random
import re

import botocore.session
import pytest
from tests.compat.wire_values import Values
from tests.unit.ec2.instances.world import ACCOUNT, TINY, evaluated
from tests.unit.ec2.vpc.cloud import Cloud

from cloudstead.app.operations import snake_case
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import image_catalogue
from cloudstead.services.ec2.default_vpc import open_region
from cloudstead.services.ec2.operations import INSTANCE_KINDS, VPC_KINDS

_MODEL = botocore.session.get_session().get_service_model("ec2")
_OPERATIONS = sorted(
    name for name in _MODEL.operation_names if any(hasattr(part, snake_case(name)) for part in Cloud()._parts)
)
_KINDS = (*VPC_KINDS, *INSTANCE_KINDS)
_ID = re.compile(rb"\b(?!ami-|snap-)[a-z]+(?:-[a-z]+)*-[0-9a-f]{17}\b")
_SEEDS = 30
_FOREIGN_LIKELIHOOD = 0.4
_OPTIONAL_LIKELIHOOD = 0.3

_OWNER = Caller(account=ACCOUNT, region="us-east-1", arn=f"arn:aws:iam::{ACCOUNT}:root", user_id=ACCOUNT)
_STRANGERS = {
    "another account": Caller(account="999999999999", region="us-east-1", arn="x", user_id="y"),
    "another region": Caller(account=ACCOUNT, region="eu-west-1", arn=_OWNER.arn, user_id=ACCOUNT),
}


class Home:
    """What one caller has: something of every kind."""

    def __init__(self, cloud, caller, others=frozenset()):
        self._cloud, self.caller = cloud, caller
        open_region(cloud.resources, caller.account, caller.region)
        tiny = next(
            id
            for id, image in image_catalogue.images(caller.region).items()
            if image.parameter == _TINY.parameter and image.name == _TINY.name
        )
        vpc = self.call("create_vpc", CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"][
            "VpcId"
        ]
        zone = f"{caller.region}a"
        subnet = self.call("create_subnet", VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=zone)
        subnet = subnet["Subnet"]["SubnetId"]
        other = self.call("create_vpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        gateway = self.call("create_internet_gateway")["InternetGateway"]["InternetGatewayId"]
        self.call("attach_internet_gateway", InternetGatewayId=gateway, VpcId=vpc)
        self.call("create_internet_gateway")
        group = self.call("create_security_group", GroupName="web", Description="w", VpcId=vpc)["GroupId"]
        pair = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": group}]}]
        self.call("authorize_security_group_ingress", GroupId=group, IpPermissions=pair)
        self.call("create_security_group", GroupName="other", Description="o", VpcId=other)
        self.call("create_network_acl", VpcId=vpc)
        table = self.call("create_route_table", VpcId=vpc)["RouteTable"]["RouteTableId"]
        self.call("associate_route_table", RouteTableId=table, SubnetId=subnet)
        self.call("create_network_interface", SubnetId=subnet, SecondaryPrivateIpAddressCount=1)
        spare = self.call("create_network_interface", SubnetId=subnet)["NetworkInterface"][
            "NetworkInterfaceId"
        ]
        address = self.call("allocate_address")["AllocationId"]
        self.call(
            "create_nat_gateway", SubnetId=subnet, AllocationId=self.call("allocate_address")["AllocationId"]
        )
        self.call("associate_address", AllocationId=address, NetworkInterfaceId=spare)
        self.call("allocate_address")
        self.call("create_managed_prefix_list", PrefixListName="p", AddressFamily="IPv4", MaxEntries=3)
        self.call("create_dhcp_options", DhcpConfigurations=[{"Key": "domain-name", "Values": ["x.test"]}])
        self.call("create_key_pair", KeyName="mine")
        data = {"ImageId": tiny, "InstanceType": "t3.micro"}
        self.call("create_launch_template", LaunchTemplateName="mine", LaunchTemplateData=data)
        instance = self.call("run_instances", **data, MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
        self.call("run_instances", **data, MinCount=1, MaxCount=1)
        cloud.settle()
        more = self.call("create_network_interface", SubnetId=subnet)["NetworkInterface"][
            "NetworkInterfaceId"
        ]
        asked = {"InstanceId": evaluated(instance)["InstanceId"], "DeviceIndex": 1}
        self.call("attach_network_interface", NetworkInterfaceId=more, **asked)
        cloud.settle()
        self.rows = {key: body for key, body in bodies(cloud.store).items() if key not in others}
        self.ids = sorted({id.decode() for body in self.rows.values() for id in _ID.findall(body)})

    def call(self, operation, **request):
        return getattr(self._cloud, operation)(caller=self.caller, **request)


_TINY = image_catalogue.images("us-east-1")[TINY]


def bodies(store):
    """Every row, as it is stored, but for the texts of launch templates: nobody looks at those before a launch."""
    found = store._execute("SELECT kind, id, body FROM rows WHERE kind != 'ec2.LaunchTemplateVersion'")
    return {(kind, id): bytes(body) for kind, id, body in found.fetchall()}


class Requests:
    """Requests of any shape, about one's own things and about another's."""

    def __init__(self, seed, own, foreign):
        self._random = random.Random(seed)
        self._seed, self._own, self._foreign = seed, own, foreign

    def of(self, operation):
        shape = _MODEL.operation_model(operation).input_shape
        asked = Values(f"{operation}/{self._seed}", direction="input").of(shape)
        kept = {
            name: self._sensible(value, name)
            for name, value in asked.items()
            if name in shape.required_members
            or name.lower().endswith(("id", "ids"))
            or self._random.random() < _OPTIONAL_LIKELIHOOD
        }
        kept.pop("DryRun", None)
        return kept

    def _sensible(self, value, name):
        match value:
            case dict():
                return {key: self._sensible(each, key) for key, each in value.items()}
            case list():
                return [self._sensible(each, name) for each in value[:2]]
            case bool():
                return value
            case int():
                return self._random.choice((0, 1, 2, 5))
            case str():
                return self._text(value, name.lower())
        return value

    def _text(self, value, name):
        if "cidr" in name:
            return self._random.choice(("0.0.0.0/0", "10.0.7.0/24", "10.7.0.0/16"))
        if name.endswith(("address", "ip", "addresses", "ips")):
            return self._random.choice(("10.0.1.9", "172.31.0.9"))
        if name in ("keyname", "launchtemplatename", "groupname", "imageid"):
            return {"groupname": "web", "imageid": TINY}.get(name, "mine")
        if name.endswith(("id", "ids", "groups", "resources", "resource", "arn")):
            home = self._foreign if self._random.random() < _FOREIGN_LIKELIHOOD else self._own
            return self._random.choice(_fitting(home.ids, name))
        return value


_PREFIXES = {
    "cidrblockassociation": "vpc-cidr-assoc subnet-cidr-assoc", "association": "rtbassoc aclassoc eipassoc dopt iip-assoc",
    "attachment": "eni-attach", "allocation": "eipalloc", "securitygrouprule": "sgr", "group": "sg", "networkacl": "acl",
    "routetable": "rtb", "internetgateway": "igw", "natgateway": "nat", "gateway": "igw nat", "networkinterface": "eni",
    "subnet": "subnet", "peer": "vpc", "vpc": "vpc", "instance": "i", "volume": "vol", "prefixlist": "pl",
    "dhcpoptions": "dopt", "launchtemplate": "lt", "keypair": "key",
}  # fmt: skip


def _fitting(ids, name):
    prefixes = next((prefixes for stem, prefixes in _PREFIXES.items() if stem in name), "").split()
    return [id for id in ids if id.rpartition("-")[0] in prefixes] or ids


class Undone(Exception):
    """Takes back what a request did, so that the next meets the same homes."""


@pytest.fixture(scope="module")
def homes():
    cloud = Cloud()
    owner = Home(cloud, _OWNER)
    strangers = {}
    for name, caller in _STRANGERS.items():
        strangers[name] = Home(cloud, caller, frozenset(bodies(cloud.store)))
    return cloud, owner, strangers


@pytest.mark.parametrize("stranger", _STRANGERS)
@pytest.mark.parametrize("operation", _OPERATIONS)
def test_no_operation_reaches_what_is_another_s(homes, operation, stranger):
    cloud, owner, strangers = homes
    home = strangers[stranger]
    theirs = {id.encode() for id in owner.ids}
    assert not theirs & {id.encode() for id in home.ids}
    for seed in range(_SEEDS):
        request = Requests(f"{operation} {stranger} {seed}", home, owner).of(operation)
        said = {id for id in theirs if id in repr(request).encode()}
        looks = operation.startswith(("Describe", "Get"))
        apart = contextlib.nullcontext() if looks else cloud.store.transaction()
        with contextlib.suppress(ServiceError, Undone), apart:
            answer = getattr(cloud, snake_case(operation))(caller=home.caller, **request)
            told = {id for id in theirs if id in repr(answer).encode()} - said
            assert not told, (request, answer)
            now = bodies(cloud.store)
            for key, body in owner.rows.items():
                assert now.get(key) == body, (key, request)
            for key, body in now.items():
                if key not in owner.rows:
                    held = theirs & set(_ID.findall(body))
                    assert not held, (key, request)
            raise Undone
