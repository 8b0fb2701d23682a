"""The default VPC: every account has one in every region, before its first call there.

It is made at that call. A row remembers that it was, so a default VPC that was deleted stays deleted until somebody
asks for another. The one thing a reader would get wrong: this runs before every EC2 operation, so when the region is
open already it must cost no more than one look.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import security_groups, subnets, vpc_cidrs, vpcs
from cloudstead.services.ec2.network_rows import (
    InternetGateway,
    Permission,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Vpc,
)
from cloudstead.services.ec2.regions import Zone, zones
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.ec2.vpc_cidrs import Ranges
from cloudstead.store import Row

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import CreateDefaultSubnetRequestTypeDef, CreateDefaultVpcRequestTypeDef

Operation = Callable[[Caller, dict[str, Any]], Mapping[str, Any] | None]

_CIDR = "172.31.0.0/16"
_SUBNET_PREFIX = 20


class OpenedRegion(Row, frozen=True, kw_only=True):
    """An account has got its default VPC in a region: `id` is account/region."""


def opening(resources: Resources, operation: Operation) -> Operation:
    """The operation, which opens the caller's region first."""
    store = resources.store

    def opened(caller: Caller, request: dict[str, Any]) -> Mapping[str, Any] | None:
        if store.get(OpenedRegion, f"{caller.account}/{caller.region}") is None:
            open_region(resources, caller.account, caller.region)
        return operation(caller, request)

    return opened


def open_region(resources: Resources, account: str, region: str) -> None:
    """Give the account its default VPC in the region, unless it ever had one. Safe to repeat."""
    caller = Caller(account=account, region=region, arn=f"arn:aws:iam::{account}:root", user_id=account)
    id = f"{account}/{region}"
    with resources.store.transaction():
        if resources.store.get(OpenedRegion, id) is None:
            resources.store.insert(OpenedRegion(id=id))
            _make(resources, caller)


class DefaultVpcs:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_default_vpc(
        self,
        caller: Caller,
        request: "CreateDefaultVpcRequestTypeDef",  # noqa: ARG002 - the contract's
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            if _default(self._resources, caller) is not None:
                raise ServiceError(
                    "A Default VPC already exists for this account in this region.",
                    code="DefaultVpcAlreadyExists",
                )
            vpc = _make(self._resources, caller)
        return {"Vpc": vpcs.shown(vpc, state="pending")}

    def create_default_subnet(
        self, caller: Caller, request: "CreateDefaultSubnetRequestTypeDef"
    ) -> dict[str, Any]:
        if request.get("Ipv6Native"):
            raise NotBuilt("ec2: CreateDefaultSubnet with Ipv6Native is not built in Cloudstead yet.")
        zone = subnets.zone_asked(caller, request)
        if zone is None:
            raise ServiceError(
                "The request must contain the parameter availabilityZone", code="MissingParameter"
            )
        with self._resources.store.transaction():
            vpc = _default(self._resources, caller)
            if vpc is None:
                raise ServiceError(
                    "No default VPC exists for this account in this region.", code="DefaultVpcDoesNotExist"
                )
            for known in self._resources.store.rows(Subnet, vpc_id=vpc.id, zone=zone.name):
                if known.default_for_zone:
                    raise ServiceError(
                        f"'{known.id}' is already the default subnet in {zone.name}.",
                        code="DefaultSubnetAlreadyExistsInAvailabilityZone",
                    )
            subnet = _add_subnet(self._resources, caller, vpc, zone)
        return {"Subnet": subnets.shown(self._resources, subnet)}


def _default(resources: Resources, caller: Caller) -> Vpc | None:
    return next((vpc for vpc in resources.mine(Vpc, caller) if vpc.is_default), None)


def _make(resources: Resources, caller: Caller) -> Vpc:
    ranges = Ranges((vpc_cidrs.associated(resources, _CIDR),))
    vpc = vpcs.insert(resources, caller, ranges, default=True)
    for zone in zones(caller.region):
        _add_subnet(resources, caller, vpc, zone)
    gateway = resources.store.insert(
        InternetGateway(
            id=resources.new_id(InternetGateway),
            account=caller.account,
            region=caller.region,
            vpc_id=vpc.id,
        )
    )
    (table,) = resources.store.rows(RouteTable, vpc_id=vpc.id)
    out = Route(destination="0.0.0.0/0", target="internet", target_id=gateway.id)
    resources.store.update(table, routes=(out,))
    if resources.settings.ssh_from:
        _open_ssh(resources, vpc)
    return vpc


def _open_ssh(resources: Resources, vpc: Vpc) -> None:
    """The tutorials' first login, which on AWS takes a rule of one's own; to be seen and revoked like any other."""
    (group,) = resources.store.rows(SecurityGroup, vpc_id=vpc.id)
    ssh = Permission(protocol="tcp", from_port=22, to_port=22, cidr=resources.settings.ssh_from)
    security_groups.insert_rule(
        resources, group, ssh, egress=False, description="ssh from the machine that runs this cloud"
    )


def _add_subnet(resources: Resources, caller: Caller, vpc: Vpc, zone: Zone) -> Subnet:
    cidr = subnets.free_range(resources, vpc, _SUBNET_PREFIX)
    return subnets.insert(resources, caller, vpc, zone, cidr, default=True)
