"""Subnets: ranges of a VPC, each in one zone."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import cidrs, filters, network_acls, private_addresses, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.network_rows import (
    CidrAssociation,
    NetworkInterface,
    RouteTable,
    Subnet,
    Vpc,
)
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.regions import Zone, zones
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateSubnetRequestTypeDef,
        DeleteSubnetRequestTypeDef,
        DescribeSubnetsRequestTypeDef,
    )

_PER_VPC_MAX = 200

_FIELDS: Fields[Subnet] = {
    "availability-zone": lambda subnet: subnet.zone,
    "availability-zone-id": lambda subnet: subnet.zone_id,
    "cidr-block": lambda subnet: subnet.cidr,
    "customer-owned-ipv4-pool": lambda _: None,
    "default-for-az": lambda subnet: subnet.default_for_zone,
    "enable-dns64": lambda subnet: subnet.dns64,
    "enable-lni-at-device-index": lambda _: None,
    "ipv6-cidr-block-association.association-id": lambda subnet: [each.id for each in subnet.ipv6_cidrs],
    "ipv6-cidr-block-association.ipv6-cidr-block": lambda subnet: [each.cidr for each in subnet.ipv6_cidrs],
    "ipv6-cidr-block-association.state": lambda subnet: ["associated" for _ in subnet.ipv6_cidrs],
    "ipv6-native": lambda _: False,
    "map-customer-owned-ip-on-launch": lambda _: False,
    "map-public-ip-on-launch": lambda subnet: subnet.public_ip_on_launch,
    "outpost-arn": lambda _: None,
    "owner-id": lambda subnet: subnet.account,
    "private-dns-name-options-on-launch.enable-resource-name-dns-a-record": lambda s: s.resource_name_a,
    "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": lambda s: s.resource_name_aaaa,
    "private-dns-name-options-on-launch.hostname-type": lambda subnet: subnet.hostname_type,
    "state": lambda _: "available",
    "subnet-arn": lambda subnet: subnet.arn(),
    "subnet-id": lambda subnet: subnet.id,
    "vpc-id": lambda subnet: subnet.vpc_id,
}
#: Further names that AWS takes for the same.
_FIELDS = {
    **_FIELDS,
    "availabilityZone": _FIELDS["availability-zone"],
    "availabilityZoneId": _FIELDS["availability-zone-id"],
    "cidr": _FIELDS["cidr-block"],
    "cidrBlock": _FIELDS["cidr-block"],
    "defaultForAz": _FIELDS["default-for-az"],
}


def insert(
    resources: Resources,
    caller: Caller,
    vpc: Vpc,
    zone: Zone,
    cidr: IPv4Network,
    *,
    ipv6: IPv6Network | None = None,
    default: bool = False,
    wanted_tags: Mapping[str, str] | None = None,
) -> Subnet:
    """A new subnet under its VPC's default network ACL and main route table, if its ranges are free."""
    others = resources.store.rows(Subnet, vpc_id=vpc.id)
    if len(others) >= _PER_VPC_MAX:
        raise ServiceError("The maximum number of subnets has been reached.", code="SubnetLimitExceeded")
    check_free(cidr, [other.cidr for other in others])
    if ipv6 is not None:
        check_free(ipv6, [each.cidr for other in others for each in other.ipv6_cidrs])
    subnet = resources.store.insert(
        Subnet(
            id=resources.new_id(Subnet),
            account=caller.account,
            region=caller.region,
            tags=dict(wanted_tags or {}),
            vpc_id=vpc.id,
            zone=zone.name,
            zone_id=zone.id,
            cidr=str(cidr),
            ipv6_cidrs=() if ipv6 is None else (associated(resources, ipv6),),
            default_for_zone=default,
            public_ip_on_launch=default,
        )
    )
    network_acls.associate_new_subnet(resources, subnet)
    return subnet


def associated(resources: Resources, cidr: IPv6Network) -> CidrAssociation:
    return CidrAssociation(id=ids.new("subnet-cidr-assoc", resources.tools.random), cidr=str(cidr))


def free_range(resources: Resources, vpc: Vpc, prefix: int) -> IPv4Network:
    """The first range of this size in the VPC that no subnet touches."""
    taken = [other.cidr for other in resources.store.rows(Subnet, vpc_id=vpc.id)]
    for cidr in IPv4Network(vpc.cidr).subnets(new_prefix=prefix):
        if cidrs.overlapping(cidr, taken) is None:
            return cidr
    raise ServiceError(
        f"There is no free CIDR block of size /{prefix} in {vpc.id}.", code="InsufficientCidrBlocks"
    )


def zone_asked(caller: Caller, request: Mapping[str, Any]) -> Zone | None:
    """The zone that a request names by name or id; None if it leaves the choice."""
    name, id = request.get("AvailabilityZone"), request.get("AvailabilityZoneId")
    known = zones(caller.region)
    if not name and not id:
        return None
    for zone in known:
        if (not name or zone.name == name) and (not id or zone.id == id):
            return zone
    parameter, value = ("availabilityZone", name) if name else ("availabilityZoneId", id)
    choices = ", ".join(zone.name if name else zone.id for zone in known)
    raise ServiceError(
        f"Value ({value}) for parameter {parameter} is invalid. Subnets can currently only be created in the following "
        f"availability zones: {choices}.",
        code="InvalidParameterValue",
    )


def check_free(network: cidrs.Network, others: list[str]) -> None:
    if cidrs.overlapping(network, others) is not None:
        raise ServiceError(
            f"The CIDR '{network}' conflicts with another subnet", code="InvalidSubnet.Conflict"
        )


def read_ipv6(vpc: Vpc, text: str) -> IPv6Network:
    """An IPv6 range that a subnet of the VPC may have."""
    network = cidrs.read6(text)
    if network.prefixlen not in range(44, 65, 4) or not cidrs.within(
        network, (each.cidr for each in vpc.ipv6_cidrs)
    ):
        raise ServiceError(f"The CIDR '{text}' is invalid.", code="InvalidSubnet.Range")
    return network


def shown6(each: CidrAssociation, *, state: str = "associated") -> dict[str, Any]:
    return {
        "AssociationId": each.id,
        "Ipv6CidrBlock": each.cidr,
        "Ipv6CidrBlockState": {"State": state},
        "Ipv6AddressAttribute": "public",
        "IpSource": "amazon",
    }


def shown(resources: Resources, subnet: Subnet) -> dict[str, Any]:
    return {
        "SubnetId": subnet.id,
        "SubnetArn": subnet.arn(),
        "OwnerId": subnet.account,
        "VpcId": subnet.vpc_id,
        "State": "available",
        "AvailabilityZone": subnet.zone,
        "AvailabilityZoneId": subnet.zone_id,
        "CidrBlock": subnet.cidr,
        "AvailableIpAddressCount": private_addresses.available(resources.store, subnet),
        "Ipv6CidrBlockAssociationSet": [shown6(each) for each in subnet.ipv6_cidrs],
        "DefaultForAz": subnet.default_for_zone,
        "MapPublicIpOnLaunch": subnet.public_ip_on_launch,
        "MapCustomerOwnedIpOnLaunch": False,
        "AssignIpv6AddressOnCreation": subnet.ipv6_on_creation,
        "EnableDns64": subnet.dns64,
        "Ipv6Native": False,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": subnet.hostname_type,
            "EnableResourceNameDnsARecord": subnet.resource_name_a,
            "EnableResourceNameDnsAAAARecord": subnet.resource_name_aaaa,
        },
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        "Tags": tags.shown(subnet.tags),
    }


class Subnets:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_subnet(self, caller: Caller, request: "CreateSubnetRequestTypeDef") -> dict[str, Any]:
        _refuse_unbuilt(request)
        wanted_tags = tags.wanted(request, Subnet.resource_type)
        zone = zone_asked(caller, request) or zones(caller.region)[0]
        with self._resources.store.transaction():
            vpc = self._resources.find(Vpc, caller, request["VpcId"])
            cidr = _read_ipv4(vpc, request.get("CidrBlock"))
            text = request.get("Ipv6CidrBlock")
            ipv6 = read_ipv6(vpc, text) if text else None
            subnet = insert(self._resources, caller, vpc, zone, cidr, ipv6=ipv6, wanted_tags=wanted_tags)
        return {"Subnet": shown(self._resources, subnet)}

    def describe_subnets(self, caller: Caller, request: "DescribeSubnetsRequestTypeDef") -> dict[str, Any]:
        store = self._resources.store
        fields: Fields[Subnet] = {
            **_FIELDS,
            "available-ip-address-count": lambda s: private_addresses.available(store, s),
        }
        with store.reading():
            found = self._resources.find_all(Subnet, caller, list(request.get("SubnetIds") or ()))
            found = filters.select(found, request.get("Filters"), fields)
            some, token = page(found, request, key=lambda subnet: subnet.id, ids="SubnetIds")
            return {"Subnets": [shown(self._resources, subnet) for subnet in some], "NextToken": token}

    def delete_subnet(self, caller: Caller, request: "DeleteSubnetRequestTypeDef") -> None:
        store = self._resources.store
        with store.transaction():
            subnet = self._resources.find(Subnet, caller, request["SubnetId"])
            if store.rows(NetworkInterface, subnet_id=subnet.id):
                raise ServiceError(
                    f"The subnet '{subnet.id}' has dependencies and cannot be deleted.",
                    code="DependencyViolation",
                )
            network_acls.forget_subnet(self._resources, subnet)
            for table in store.rows(RouteTable, vpc_id=subnet.vpc_id):
                without = tuple(each for each in table.associations if each.subnet_id != subnet.id)
                store.update(table, associations=without)
            store.delete(subnet)


def _read_ipv4(vpc: Vpc, text: str | None) -> IPv4Network:
    if not text:
        raise ServiceError(
            "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.", code="MissingParameter"
        )
    network = cidrs.read4(text)
    if not 16 <= network.prefixlen <= 28 or not cidrs.within(network, (each.cidr for each in vpc.cidrs)):
        raise ServiceError(f"The CIDR '{text}' is invalid.", code="InvalidSubnet.Range")
    return network


def _refuse_unbuilt(request: Mapping[str, Any]) -> None:
    for member in (
        "Ipv6Native",
        "OutpostArn",
        "Ipv4IpamPoolId",
        "Ipv4NetmaskLength",
        "Ipv6IpamPoolId",
        "Ipv6NetmaskLength",
    ):
        if request.get(member):
            raise NotBuilt(f"ec2: CreateSubnet with {member} is not built in Cloudstead yet.")
