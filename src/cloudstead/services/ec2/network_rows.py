"""The rows of a VPC: what is wanted of a network, and the little that is seen of it.

All but the fields that say so are written by operations alone. `vpc_id` stands on everything that belongs to a
VPC, for it is what the compiler of networks looks things up by.
"""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2.rows import Ec2Row
from cloudstead.store import Row


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a row."""


# --- the network and its subnets


class CidrAssociation(Part, frozen=True):
    """A range of a VPC or subnet, with the id under which it can be taken away."""

    id: str  # vpc-cidr-assoc-… or subnet-cidr-assoc-…
    cidr: str


class Vpc(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "vpc"
    resource_type: ClassVar[str] = "vpc"
    id_error: ClassVar[str] = "InvalidVpcID"
    noun: ClassVar[str] = "vpc"

    cidrs: tuple[CidrAssociation, ...]  # the primary range first
    ipv6_cidrs: tuple[CidrAssociation, ...] = ()
    dhcp_options_id: str  # "default" for none
    tenancy: str = "default"
    is_default: bool = False
    dns_support: bool = True
    dns_hostnames: bool = False
    address_usage_metrics: bool = False
    want: Literal["present", "absent"] = "present"  # absent: stays until its network is gone

    @property
    def visible(self) -> bool:
        return self.want == "present"

    @property
    def cidr(self) -> str:
        return self.cidrs[0].cidr


class Subnet(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "subnet"
    resource_type: ClassVar[str] = "subnet"
    id_error: ClassVar[str] = "InvalidSubnetID"
    noun: ClassVar[str] = "subnet"

    vpc_id: str
    zone: str
    zone_id: str
    cidr: str
    ipv6_cidrs: tuple[CidrAssociation, ...] = ()  # at most one
    default_for_zone: bool = False
    public_ip_on_launch: bool = False
    ipv6_on_creation: bool = False
    dns64: bool = False
    hostname_type: str = "ip-name"
    resource_name_a: bool = False
    resource_name_aaaa: bool = False

    @property
    def ipv6_cidr(self) -> str | None:
        return self.ipv6_cidrs[0].cidr if self.ipv6_cidrs else None


class DhcpOptions(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "dopt"
    resource_type: ClassVar[str] = "dhcp-options"
    id_error: ClassVar[str] = "InvalidDhcpOptionID"
    malformed_error: ClassVar[str] = "InvalidDhcpOptionsId"
    noun: ClassVar[str] = "dhcpOption"

    configurations: dict[str, tuple[str, ...]]


# --- routing

Target = Literal["local", "internet", "egress", "nat", "interface"]


class Route(Part, frozen=True):
    destination: str  # a CIDR, or pl-…
    target: Target
    target_id: str = ""  # igw-…, eigw-…, nat-…, eni-…; "" for local
    origin: str = "CreateRoute"


class RouteAssociation(Part, frozen=True):
    """A subnet's explicit choice of a table; the one without a subnet makes the table the main one."""

    id: str  # rtbassoc-…
    subnet_id: str = ""


class RouteTable(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "rtb"
    resource_type: ClassVar[str] = "route-table"
    id_error: ClassVar[str] = "InvalidRouteTableID"
    malformed_error: ClassVar[str] = "InvalidRouteTableId"
    noun: ClassVar[str] = "routeTable"

    vpc_id: str
    routes: tuple[Route, ...]
    associations: tuple[RouteAssociation, ...] = ()

    @property
    def main(self) -> bool:
        return any(not each.subnet_id for each in self.associations)


class InternetGateway(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "igw"
    resource_type: ClassVar[str] = "internet-gateway"
    id_error: ClassVar[str] = "InvalidInternetGatewayID"
    malformed_error: ClassVar[str] = "InvalidInternetGatewayId"
    noun: ClassVar[str] = "internetGateway"

    vpc_id: str = ""


class EgressOnlyGateway(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "eigw"
    resource_type: ClassVar[str] = "egress-only-internet-gateway"
    id_error: ClassVar[str] = "InvalidEgressOnlyInternetGatewayId"
    noun: ClassVar[str] = "egressOnlyInternetGateway"

    vpc_id: str


NatState = Literal["pending", "available", "failed", "deleting", "deleted"]


class NatGateway(Ec2Row, frozen=True, kw_only=True):
    """It works through a network interface of its own, `interface_id`."""

    prefix: ClassVar[str] = "nat"
    resource_type: ClassVar[str] = "natgateway"
    id_error: ClassVar[str] = "InvalidNatGatewayID"
    noun: ClassVar[str] = "natGateway"

    vpc_id: str
    subnet_id: str
    interface_id: str
    private_ip: str
    public_ip: str = ""
    allocation_id: str = ""
    association_id: str = ""
    connectivity: Literal["public", "private"] = "public"
    created_at: datetime
    want: Literal["present", "absent"] = "present"
    deleted_at: datetime | None = None
    state: NatState = "pending"  # written by the reconciler alone
    failure_code: str = ""  # written by the reconciler alone
    failure: str = ""  # written by the reconciler alone

    @property
    def shown_state(self) -> NatState:
        """Deleting from the moment it was asked for."""
        return "deleting" if self.want == "absent" and self.state in {"pending", "available"} else self.state

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(f"NAT gateway {id} was not found", code="NatGatewayNotFound")

    @classmethod
    def malformed(cls, id: str) -> ServiceError:
        return ServiceError(f"The request NAT gateway ID {id} is malformed", code="NatGatewayMalformed")


# --- interfaces and addresses


class PublicAssociation(Part, frozen=True):
    """A public address in front of a private one."""

    address: str
    owner: str  # the account for an elastic address, "amazon" for an automatic one
    allocation_id: str = ""
    association_id: str = ""


class PrivateAddress(Part, frozen=True):
    address: str
    public: PublicAssociation | None = None


class Attachment(Part, frozen=True, kw_only=True):
    id: str  # eni-attach-…
    device_index: int
    network_card: int = 0
    delete_on_termination: bool
    attached_at: datetime
    leaving: bool = False  # detaching: the interface is to be taken out of the instance


class NetworkInterface(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "eni"
    resource_type: ClassVar[str] = "network-interface"
    id_error: ClassVar[str] = "InvalidNetworkInterfaceID"
    malformed_error: ClassVar[str] = "InvalidNetworkInterfaceId"
    noun: ClassVar[str] = "networkInterface"

    vpc_id: str
    subnet_id: str
    zone: str
    mac: str
    addresses: tuple[PrivateAddress, ...]  # the primary first
    ipv6_addresses: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    description: str = ""
    requester_id: str = ""  # who made it by itself, and not with an instance
    source_dest_check: bool = True
    type: Literal["interface", "nat_gateway", "service"] = "interface"
    nat_gateway_id: str = ""  # whose interface it is, for type nat_gateway
    service_id: str = (
        ""  # whose it is, for type service: something of another service that listens and asks there
    )
    instance_id: str = ""  # "" while it is not attached
    attachment: Attachment | None = None
    auto_public: bool = False  # its primary address gets a public one while the instance is up
    instance_up: bool = False  # the instance is wanted running: see public_addresses.provide
    created_at: datetime
    placed: bool = False  # written by the reconciler alone: the network carries it, where it is attached

    @property
    def primary(self) -> PrivateAddress:
        return self.addresses[0]

    @property
    def place(self) -> tuple[str, str]:
        """Where its primary address is, for the index that tells whether an address is free."""
        return self.subnet_id, self.addresses[0].address

    @property
    def place6(self) -> tuple[str, str]:
        return self.subnet_id, self.ipv6_addresses[0] if self.ipv6_addresses else ""

    @property
    def crowds(self) -> str:
        """The subnet in which it has more addresses than `place` and `place6` tell, for the index too."""
        return self.subnet_id if len(self.addresses) > 1 or len(self.ipv6_addresses) > 1 else ""

    @property
    def working(self) -> bool:
        """Whether packets are to come and go through it."""
        if self.type != "interface":
            return True
        return self.attachment is not None and not self.attachment.leaving


class ElasticAddress(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "eipalloc"
    resource_type: ClassVar[str] = "elastic-ip"
    id_error: ClassVar[str] = "InvalidAllocationID"
    noun: ClassVar[str] = "allocation"

    address: str
    association_id: str = ""  # eipassoc-…; "" while it is not associated
    interface_id: str = ""
    private_ip: str = ""
    ptr_record: str = ""

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(f"The allocation ID '{id}' does not exist", code="InvalidAllocationID.NotFound")


class PublicAddress(Row, frozen=True, kw_only=True):
    """An address of the public pool that is taken; `id` is the address, so the row is its lock."""

    owner: str  # eipalloc-… or eni-…


# --- who may talk to whom


class SecurityGroup(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "sg"
    resource_type: ClassVar[str] = "security-group"
    id_error: ClassVar[str] = "InvalidGroup"
    noun: ClassVar[str] = "security group"

    vpc_id: str
    name: str
    description: str

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(f"The security group '{id}' does not exist", code="InvalidGroup.NotFound")

    @classmethod
    def malformed(cls, id: str) -> ServiceError:
        return ServiceError(f'Invalid id: "{id}" (expecting "sg-...")', code="InvalidGroupId.Malformed")


class Permission(Part, frozen=True):
    """What one rule permits: one protocol, one range of ports, one peer."""

    protocol: str  # "tcp", "udp", "icmp", "icmpv6", "-1", or a number
    from_port: int | None = None
    to_port: int | None = None
    cidr: str = ""
    cidr6: str = ""
    prefix_list: str = ""
    group: str = ""


class SecurityGroupRule(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "sgr"
    resource_type: ClassVar[str] = "security-group-rule"
    id_error: ClassVar[str] = "InvalidSecurityGroupRuleId"
    noun: ClassVar[str] = "security group rule"

    vpc_id: str
    group_id: str
    egress: bool
    permission: Permission
    peer_group_id: str = ""  # permission.group, once more for the index
    prefix_list_id: str = ""  # permission.prefix_list, once more for the index
    description: str = ""


class AclEntry(Part, frozen=True):
    number: int
    egress: bool
    allow: bool
    protocol: str  # a number, or "-1"
    cidr: str = ""
    cidr6: str = ""
    from_port: int | None = None
    to_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None


class AclAssociation(Part, frozen=True):
    id: str  # aclassoc-…
    subnet_id: str


class NetworkAcl(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "acl"
    resource_type: ClassVar[str] = "network-acl"
    id_error: ClassVar[str] = "InvalidNetworkAclID"
    malformed_error: ClassVar[str] = "InvalidNetworkAclId"
    noun: ClassVar[str] = "networkAcl"

    vpc_id: str
    is_default: bool = False
    entries: tuple[AclEntry, ...] = ()
    associations: tuple[AclAssociation, ...] = ()


class PrefixEntry(Part, frozen=True):
    cidr: str
    description: str = ""


class PrefixList(Ec2Row, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "pl"
    resource_type: ClassVar[str] = "prefix-list"
    id_error: ClassVar[str] = "InvalidPrefixListID"
    malformed_error: ClassVar[str] = "InvalidPrefixListId"
    noun: ClassVar[str] = "prefix list"

    name: str
    family: Literal["IPv4", "IPv6"]
    entries_max: int
    versions: tuple[tuple[PrefixEntry, ...], ...]  # the first is version 1
    state: str = "create-complete"

    @property
    def entries(self) -> tuple[PrefixEntry, ...]:
        return self.versions[-1]

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(f"The prefix list ({id}) does not exist.", code="InvalidPrefixListID.NotFound")


#: Every kind that the packets of a VPC depend on.
NETWORK_KINDS: tuple[type[Row], ...] = (
    Vpc,
    Subnet,
    RouteTable,
    InternetGateway,
    EgressOnlyGateway,
    NatGateway,
    NetworkInterface,
    ElasticAddress,
    SecurityGroup,
    SecurityGroupRule,
    NetworkAcl,
    PrefixList,
)
