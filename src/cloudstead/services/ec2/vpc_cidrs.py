"""The ranges of VPCs: the first ones, those added and taken away later, and which may stand together.

IPv6 ranges come from one block for the whole cloud, for unlike private ones they can be reached from outside: no two
VPCs have the same.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.dataplane.network.naming import Pool
from cloudstead.services.ec2 import cidrs, network_acls, security_groups
from cloudstead.services.ec2.network_rows import (
    CidrAssociation,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AssociateVpcCidrBlockRequestTypeDef,
        DisassociateVpcCidrBlockRequestTypeDef,
    )

_CIDRS_MAX = 5
_IPV6_PREFIX = 56
#: Ranges that do not go together in one VPC. Source: the VPC user guide, "IPv4 CIDR block association restrictions".
_PRIVATE = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_NEVER_ADDED = IPv4Network("198.19.0.0/16")
_GUIDE = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"


@dataclass(frozen=True)
class Ranges:
    """What a VPC is made with."""

    ipv4: tuple[CidrAssociation, ...]
    ipv6: tuple[CidrAssociation, ...] = ()


def first_ranges(resources: Resources, request: Mapping[str, Any]) -> Ranges:
    """The ranges that a CreateVpc request asks for."""
    _refuse_pools("CreateVpc", request)
    if not request.get("CidrBlock"):
        raise ServiceError(
            "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.", code="MissingParameter"
        )
    ipv4 = associated(resources, str(_checked(request["CidrBlock"])))
    if not request.get("AmazonProvidedIpv6CidrBlock"):
        return Ranges((ipv4,))
    return Ranges((ipv4,), (associated(resources, _free6(resources)),))


def associated(resources: Resources, cidr: str) -> CidrAssociation:
    return CidrAssociation(id=ids.new("vpc-cidr-assoc", resources.tools.random), cidr=cidr)


def shown(each: CidrAssociation, *, state: str = "associated") -> dict[str, Any]:
    return {"AssociationId": each.id, "CidrBlock": each.cidr, "CidrBlockState": {"State": state}}


def shown6(vpc: Vpc, each: CidrAssociation, *, state: str = "associated") -> dict[str, Any]:
    return {
        "AssociationId": each.id,
        "Ipv6CidrBlock": each.cidr,
        "Ipv6CidrBlockState": {"State": state},
        "NetworkBorderGroup": vpc.region,
        "Ipv6Pool": "Amazon",
        "Ipv6AddressAttribute": "public",
        "IpSource": "amazon",
    }


class VpcCidrs:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def associate_vpc_cidr_block(
        self, caller: Caller, request: "AssociateVpcCidrBlockRequestTypeDef"
    ) -> dict[str, Any]:
        _refuse_pools("AssociateVpcCidrBlock", request)
        text, ipv6 = request.get("CidrBlock"), bool(request.get("AmazonProvidedIpv6CidrBlock"))
        if bool(text) == ipv6:
            raise ServiceError(
                "Exactly one of 'cidrBlock' and 'amazonProvidedIpv6CidrBlock' should be provided.",
                code="InvalidParameterCombination" if text else "MissingParameter",
            )
        with self._resources.store.transaction():
            vpc = self._resources.find(Vpc, caller, request["VpcId"])
            if text:
                added = self._add(vpc, text)
                return {"VpcId": vpc.id, "CidrBlockAssociation": shown(added, state="associating")}
            added = self._add6(vpc)
        return {"VpcId": vpc.id, "Ipv6CidrBlockAssociation": shown6(vpc, added, state="associating")}

    def disassociate_vpc_cidr_block(
        self, caller: Caller, request: "DisassociateVpcCidrBlockRequestTypeDef"
    ) -> dict[str, Any]:
        id, store = request["AssociationId"], self._resources.store
        with store.transaction():
            for vpc in self._resources.mine(Vpc, caller):
                for each in vpc.cidrs:
                    if each.id == id:
                        self._check_unused(vpc, each)
                        store.update(vpc, cidrs=tuple(one for one in vpc.cidrs if one is not each))
                        return {"VpcId": vpc.id, "CidrBlockAssociation": shown(each, state="disassociating")}
                for each in vpc.ipv6_cidrs:
                    if each.id == id:
                        self._check_unused6(vpc, each)
                        store.update(vpc, ipv6_cidrs=tuple(one for one in vpc.ipv6_cidrs if one is not each))
                        gone = shown6(vpc, each, state="disassociating")
                        return {"VpcId": vpc.id, "Ipv6CidrBlockAssociation": gone}
        raise ServiceError(
            f"The vpc CIDR block association ID '{id}' does not exist",
            code="InvalidVpcCidrBlockAssociationIdError.NotFound",
        )

    def _add(self, vpc: Vpc, text: str) -> CidrAssociation:
        network = _checked(text)
        _check_room(vpc, vpc.cidrs)
        _check_company(network, IPv4Network(vpc.cidr))
        other = cidrs.overlapping(network, (each.cidr for each in vpc.cidrs))
        if other is not None:
            raise ServiceError(
                f"The CIDR '{network}' conflicts with the CIDR '{other}' of the VPC", code="InvalidVpc.Range"
            )
        added = associated(self._resources, str(network))
        self._resources.store.update(vpc, cidrs=(*vpc.cidrs, added))
        return added

    def _add6(self, vpc: Vpc) -> CidrAssociation:
        _check_room(vpc, vpc.ipv6_cidrs)
        added = associated(self._resources, _free6(self._resources))
        vpc = self._resources.store.update(vpc, ipv6_cidrs=(*vpc.ipv6_cidrs, added))
        self._open6(vpc)
        return added

    def _open6(self, vpc: Vpc) -> None:
        """Groups that let all IPv4 out let all IPv6 out from now on, and the default ACL likewise."""
        store = self._resources.store
        for group in store.rows(SecurityGroup, vpc_id=vpc.id):
            out = [rule.permission for rule in store.rows(SecurityGroupRule, group_id=group.id, egress=True)]
            if security_groups.EVERYTHING in out and security_groups.EVERYTHING6 not in out:
                security_groups.insert_rule(self._resources, group, security_groups.EVERYTHING6, egress=True)
        network_acls.open_to_ipv6(self._resources, vpc)

    def _check_unused(self, vpc: Vpc, gone: CidrAssociation) -> None:
        if gone is vpc.cidrs[0]:
            raise ServiceError(
                f"The vpc CIDR block with association ID {gone.id} may not be disassociated. "
                "It is the primary IPv4 CIDR block of the VPC",
                code="OperationNotPermitted",
            )
        for subnet in self._resources.store.rows(Subnet, vpc_id=vpc.id):
            if cidrs.within(IPv4Network(subnet.cidr), [gone.cidr]):
                raise _in_use(vpc, gone)

    def _check_unused6(self, vpc: Vpc, gone: CidrAssociation) -> None:
        for subnet in self._resources.store.rows(Subnet, vpc_id=vpc.id):
            if any(cidrs.within(ipaddress.IPv6Network(each.cidr), [gone.cidr]) for each in subnet.ipv6_cidrs):
                raise _in_use(vpc, gone)


def _checked(text: str) -> IPv4Network:
    network = cidrs.read4(text)
    if not 16 <= network.prefixlen <= 28:
        raise ServiceError(f"The CIDR '{text}' is invalid.", code="InvalidVpc.Range")
    return network


def _check_room(vpc: Vpc, present: tuple[CidrAssociation, ...]) -> None:
    if len(present) >= _CIDRS_MAX:
        raise ServiceError(
            f"This network '{vpc.id}' has met its maximum number of allowed CIDRs: {_CIDRS_MAX}",
            code="CidrLimitExceeded",
        )


def _check_company(network: IPv4Network, primary: IPv4Network) -> None:
    """Private ranges go together with others of their own block only, and with public ones if those came later."""
    home = next((block for block in _PRIVATE if primary.subnet_of(block)), None)
    away = any(network.overlaps(block) for block in _PRIVATE if block != home)
    if away or network.overlaps(_NEVER_ADDED):
        raise ServiceError(
            f"The CIDR '{network}' is restricted. Use a CIDR from the same private address range as the current VPC "
            f"CIDR, or use a publicly-routable CIDR. For additional restrictions, see {_GUIDE}.",
            code="InvalidVpc.Range",
        )


def _free6(resources: Resources) -> str:
    """A range that no VPC has; the last one of the block is the cloud's own."""
    taken = {each.cidr for vpc in resources.store.rows(Vpc) for each in vpc.ipv6_cidrs}
    block = ipaddress.IPv6Network(Pool(resources.settings.public_pool).cidr6)
    *ranges, _own = block.subnets(new_prefix=_IPV6_PREFIX)
    for network in ranges:
        if str(network) not in taken:
            return str(network)
    raise ServiceError(
        "There are no more IPv6 CIDR blocks available in the Amazon pool.", code="InsufficientCidrBlocks"
    )


def _in_use(vpc: Vpc, cidr: CidrAssociation) -> ServiceError:
    return ServiceError(
        f"The vpc {vpc.id} currently has a subnet within CIDR block {cidr.cidr}",
        code="InvalidCidrBlock.InUse",
    )


def _refuse_pools(operation: str, request: Mapping[str, Any]) -> None:
    """Addresses that a caller brought along, and address plans."""
    for member in (
        "Ipv6Pool",
        "Ipv6CidrBlock",
        "Ipv4IpamPoolId",
        "Ipv4NetmaskLength",
        "Ipv6IpamPoolId",
        "Ipv6NetmaskLength",
    ):
        if request.get(member):
            raise NotBuilt(f"ec2: {operation} with {member} is not built in Cloudstead yet.")
