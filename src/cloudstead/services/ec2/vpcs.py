"""VPCs: made with the things no VPC is without, described, changed, deleted when nothing of the caller's is left in them.

A deleted VPC is gone for callers at once; its row stays until its network is gone from the world.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import (
    client_tokens,
    dhcp_options,
    filters,
    network_acls,
    security_groups,
    tags,
    vpc_cidrs,
)
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.network_rows import (
    EgressOnlyGateway,
    InternetGateway,
    NetworkAcl,
    NetworkInterface,
    RouteAssociation,
    RouteTable,
    SecurityGroup,
    Subnet,
    Vpc,
)
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.ec2.vpc_cidrs import Ranges

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateVpcRequestTypeDef,
        DeleteVpcRequestTypeDef,
        DescribeVpcAttributeRequestTypeDef,
        DescribeVpcsRequestTypeDef,
        ModifyVpcAttributeRequestTypeDef,
        ModifyVpcTenancyRequestTypeDef,
    )

#: Request member by attribute, with the field of the row.
_ATTRIBUTES = {
    "enableDnsSupport": ("EnableDnsSupport", "dns_support"),
    "enableDnsHostnames": ("EnableDnsHostnames", "dns_hostnames"),
    "enableNetworkAddressUsageMetrics": ("EnableNetworkAddressUsageMetrics", "address_usage_metrics"),
}

_FIELDS: Fields[Vpc] = {
    "cidr": lambda vpc: vpc.cidr,
    "cidr-block-association.association-id": lambda vpc: [each.id for each in vpc.cidrs],
    "cidr-block-association.cidr-block": lambda vpc: [each.cidr for each in vpc.cidrs],
    "cidr-block-association.state": lambda vpc: ["associated" for _ in vpc.cidrs],
    "dhcp-options-id": lambda vpc: vpc.dhcp_options_id,
    "ipv6-cidr-block-association.association-id": lambda vpc: [each.id for each in vpc.ipv6_cidrs],
    "ipv6-cidr-block-association.ipv6-cidr-block": lambda vpc: [each.cidr for each in vpc.ipv6_cidrs],
    "ipv6-cidr-block-association.ipv6-pool": lambda vpc: ["Amazon" for _ in vpc.ipv6_cidrs],
    "ipv6-cidr-block-association.state": lambda vpc: ["associated" for _ in vpc.ipv6_cidrs],
    "is-default": lambda vpc: vpc.is_default,
    "owner-id": lambda vpc: vpc.account,
    "state": lambda _: "available",
    "vpc-id": lambda vpc: vpc.id,
}
#: Names that AWS takes besides the documented ones.
_FIELDS = {
    **_FIELDS,
    "cidr-block": _FIELDS["cidr"],
    "cidrBlock": _FIELDS["cidr"],
    "dhcpOptionsId": _FIELDS["dhcp-options-id"],
    "isDefault": _FIELDS["is-default"],
}


def insert(
    resources: Resources,
    caller: Caller,
    ranges: Ranges,
    *,
    default: bool = False,
    wanted_tags: Mapping[str, str] | None = None,
) -> Vpc:
    """A new VPC with its main route table, default security group and default network ACL."""
    if len(resources.mine(Vpc, caller)) >= resources.settings.vpcs_max:
        raise ServiceError("The maximum number of VPCs has been reached.", code="VpcLimitExceeded")
    vpc = resources.store.insert(
        Vpc(
            id=resources.new_id(Vpc),
            account=caller.account,
            region=caller.region,
            tags=dict(wanted_tags or {}),
            cidrs=ranges.ipv4,
            ipv6_cidrs=ranges.ipv6,
            dhcp_options_id=dhcp_options.default(resources, caller).id,
            is_default=default,
            dns_hostnames=default,
        )
    )
    resources.store.insert(
        RouteTable(
            id=resources.new_id(RouteTable),
            account=vpc.account,
            region=vpc.region,
            vpc_id=vpc.id,
            routes=(),
            associations=(RouteAssociation(id=ids.new("rtbassoc", resources.tools.random)),),
        )
    )
    security_groups.insert_default(resources, vpc)
    network_acls.insert_default(resources, vpc)
    return vpc


def shown(vpc: Vpc, *, state: str = "available") -> dict[str, Any]:
    return {
        "VpcId": vpc.id,
        "OwnerId": vpc.account,
        "State": state,
        "CidrBlock": vpc.cidr,
        "CidrBlockAssociationSet": [vpc_cidrs.shown(each) for each in vpc.cidrs],
        "Ipv6CidrBlockAssociationSet": [vpc_cidrs.shown6(vpc, each) for each in vpc.ipv6_cidrs],
        "DhcpOptionsId": vpc.dhcp_options_id,
        "InstanceTenancy": vpc.tenancy,
        "IsDefault": vpc.is_default,
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        "Tags": tags.shown(vpc.tags),
    }


class Vpcs:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_vpc(self, caller: Caller, request: "CreateVpcRequestTypeDef") -> dict[str, Any]:
        _refuse_tenancy(request.get("InstanceTenancy"))
        if request.get("VpcEncryptionControl"):
            raise NotBuilt("ec2: CreateVpc with VpcEncryptionControl is not built in Cloudstead yet.")
        wanted_tags = tags.wanted(request, Vpc.resource_type)
        with self._resources.store.transaction():
            ranges = vpc_cidrs.first_ranges(self._resources, request)
            vpc = insert(self._resources, caller, ranges, wanted_tags=wanted_tags)
        return {"Vpc": shown(vpc, state="pending")}

    def describe_vpcs(self, caller: Caller, request: "DescribeVpcsRequestTypeDef") -> dict[str, Any]:
        found = self._resources.find_all(Vpc, caller, list(request.get("VpcIds") or ()))
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda vpc: vpc.id, ids="VpcIds")
        return {"Vpcs": [shown(vpc) for vpc in some], "NextToken": token}

    def delete_vpc(self, caller: Caller, request: "DeleteVpcRequestTypeDef") -> None:
        store = self._resources.store
        with store.transaction():
            vpc = self._resources.find(Vpc, caller, request["VpcId"])
            if self._in_use(vpc):
                raise ServiceError(
                    f"The vpc '{vpc.id}' has dependencies and cannot be deleted.", code="DependencyViolation"
                )
            security_groups.delete_all(self._resources, vpc.id)
            for kind in (NetworkAcl, RouteTable):
                for row in store.rows(kind, vpc_id=vpc.id):
                    client_tokens.forget(self._resources, row)
                    store.delete(row)
            store.update(vpc, want="absent")

    def describe_vpc_attribute(
        self, caller: Caller, request: "DescribeVpcAttributeRequestTypeDef"
    ) -> dict[str, Any]:
        vpc = self._resources.find(Vpc, caller, request["VpcId"])
        known = _ATTRIBUTES.get(request["Attribute"])
        if known is None:
            raise ServiceError(
                f"Value ({request['Attribute']}) for parameter attribute is invalid. Unknown attribute.",
                code="InvalidParameterValue",
            )
        member, field = known
        return {"VpcId": vpc.id, member: {"Value": getattr(vpc, field)}}

    def modify_vpc_attribute(self, caller: Caller, request: "ModifyVpcAttributeRequestTypeDef") -> None:
        asked: dict[str, bool] = {}
        for member, field in _ATTRIBUTES.values():
            value: Any = request.get(member)
            if value is not None:
                asked[field] = bool(value.get("Value"))
        if not asked:
            raise ServiceError("No attributes specified.", code="MissingParameter")
        if len(asked) > 1:
            raise ServiceError(
                "Fields for multiple attribute types specified", code="InvalidParameterCombination"
            )
        with self._resources.store.transaction():
            vpc = self._resources.find(Vpc, caller, request["VpcId"])
            self._resources.store.update(vpc, **asked)

    def modify_vpc_tenancy(self, caller: Caller, request: "ModifyVpcTenancyRequestTypeDef") -> dict[str, Any]:
        if request["InstanceTenancy"] != "default":
            raise ServiceError(
                "The tenancy of a VPC can only be changed to default.", code="UnsupportedTenancy"
            )
        with self._resources.store.transaction():
            vpc = self._resources.find(Vpc, caller, request["VpcId"])
            self._resources.store.update(vpc, tenancy="default")
        return {"ReturnValue": True}

    def _in_use(self, vpc: Vpc) -> bool:
        """Whether anything is in it that the VPC did not come with."""
        rows, id = self._resources.store.rows, vpc.id
        return bool(
            rows(Subnet, vpc_id=id)
            or rows(NetworkInterface, vpc_id=id)
            or rows(InternetGateway, vpc_id=id)
            or rows(EgressOnlyGateway, vpc_id=id)
            or any(group.name != security_groups.DEFAULT for group in rows(SecurityGroup, vpc_id=id))
            or any(not acl.is_default for acl in rows(NetworkAcl, vpc_id=id))
            or any(not table.main for table in rows(RouteTable, vpc_id=id))
        )


def _refuse_tenancy(tenancy: str | None) -> None:
    if tenancy == "dedicated":
        raise NotBuilt("ec2: VPCs with InstanceTenancy dedicated are not built in Cloudstead yet.")
    if tenancy not in (None, "", "default"):
        raise ServiceError(
            f"Value ({tenancy}) for parameter instanceTenancy is invalid. Expecting default or dedicated.",
            code="InvalidParameterValue",
        )
