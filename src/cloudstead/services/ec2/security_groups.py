"""Security groups as rows: found by id or name, chosen for an interface, made with their first rules.

Everything of an interface's VPC is known by id; names are looked up within one VPC. The operations stand beside:
`security_groups_lifecycle` for the groups, `security_group_rules` for what they permit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2.network_rows import (
    NetworkInterface,
    Permission,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from cloudstead.services.ec2.rows import Resources

DEFAULT = "default"
PER_INTERFACE_MAX = 5
EVERYTHING = Permission(protocol="-1", cidr="0.0.0.0/0")
EVERYTHING6 = Permission(protocol="-1", cidr6="::/0")


def insert(
    resources: Resources, vpc: Vpc, *, name: str, description: str, tags: Mapping[str, str] | None = None
) -> SecurityGroup:
    """A new group, which lets everything out and nothing in."""
    group = resources.store.insert(
        SecurityGroup(
            id=resources.new_id(SecurityGroup),
            account=vpc.account,
            region=vpc.region,
            tags=dict(tags or {}),
            vpc_id=vpc.id,
            name=name,
            description=description,
        )
    )
    insert_rule(resources, group, EVERYTHING, egress=True)
    if vpc.ipv6_cidrs:
        insert_rule(resources, group, EVERYTHING6, egress=True)
    return group


def insert_default(resources: Resources, vpc: Vpc) -> SecurityGroup:
    """The group that each VPC is born with: its members may talk to each other and to everybody outside."""
    group = insert(resources, vpc, name=DEFAULT, description="default VPC security group")
    insert_rule(resources, group, Permission(protocol="-1", group=group.id), egress=False)
    return group


def insert_rule(
    resources: Resources,
    group: SecurityGroup,
    permission: Permission,
    *,
    egress: bool,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> SecurityGroupRule:
    return resources.store.insert(
        SecurityGroupRule(
            id=resources.new_id(SecurityGroupRule),
            account=group.account,
            region=group.region,
            tags=dict(tags or {}),
            vpc_id=group.vpc_id,
            group_id=group.id,
            egress=egress,
            permission=permission,
            peer_group_id=permission.group,
            prefix_list_id=permission.prefix_list,
            description=description,
        )
    )


def delete(resources: Resources, group: SecurityGroup) -> None:
    """Forget a group and its rules; whether it may go is the caller's to check."""
    for rule in resources.store.rows(SecurityGroupRule, group_id=group.id):
        resources.store.delete(rule)
    resources.store.delete(group)


def delete_all(resources: Resources, vpc_id: str) -> None:
    """Forget all groups of a VPC that is about to go."""
    for group in resources.store.rows(SecurityGroup, vpc_id=vpc_id):
        delete(resources, group)


def default_vpc(resources: Resources, caller: Caller, *, why: str = "") -> Vpc:
    """The VPC in which groups go by name; VPCIdNotSpecified, and why that matters, if there is none."""
    for vpc in resources.mine(Vpc, caller):
        if vpc.is_default:
            return vpc
    raise ServiceError(f"No default VPC for this user{why}", code="VPCIdNotSpecified")


def find(resources: Resources, caller: Caller, request: Mapping[str, Any]) -> SecurityGroup:
    """The group a request is about: by GroupId, or in the default VPC by GroupName."""
    if id := request.get("GroupId"):
        return resources.find(SecurityGroup, caller, id)
    name = request.get("GroupName")
    if not name:
        raise ServiceError(
            "The request must contain the parameter groupName or groupId", code="MissingParameter"
        )
    return find_by_name(resources, caller, name)


def find_by_name(resources: Resources, caller: Caller, name: str) -> SecurityGroup:
    vpc = default_vpc(resources, caller, why=". GroupName is only supported for EC2-Classic and default VPC.")
    return _named(resources, vpc.id, name)


def named(resources: Resources, vpc_id: str, name: str) -> SecurityGroup | None:
    found = resources.store.rows(SecurityGroup, vpc_id=vpc_id, name=name)
    return found[0] if found else None


def choose(
    resources: Resources,
    caller: Caller,
    place: Subnet | NetworkInterface,
    *,
    ids: Sequence[str],
    names: Sequence[str] = (),
) -> tuple[str, ...]:
    """The ids of the groups asked for, each once; of the default group of the place's VPC if none is."""
    chosen = [_fitting(resources, caller, place, id).id for id in ids]
    chosen += [_named(resources, place.vpc_id, name).id for name in names]
    if not chosen:
        chosen = [_named(resources, place.vpc_id, DEFAULT).id]
    different = tuple(dict.fromkeys(chosen))
    if len(different) > PER_INTERFACE_MAX:
        raise ServiceError(
            "The maximum number of security groups per interface has been reached.",
            code="SecurityGroupsPerInterfaceLimitExceeded",
        )
    return different


def members(resources: Resources, group: SecurityGroup) -> list[NetworkInterface]:
    """The interfaces that have this group."""
    in_vpc = resources.store.rows(NetworkInterface, vpc_id=group.vpc_id)
    return [interface for interface in in_vpc if group.id in interface.groups]


def _fitting(
    resources: Resources, caller: Caller, place: Subnet | NetworkInterface, id: str
) -> SecurityGroup:
    group = resources.find(SecurityGroup, caller, id)
    if group.vpc_id != place.vpc_id:
        what = "subnet" if isinstance(place, Subnet) else "network interface"
        raise ServiceError(
            f"Security group {group.id} and {what} {place.id} belong to different networks.",
            code="InvalidParameter",
        )
    return group


def _named(resources: Resources, vpc_id: str, name: str) -> SecurityGroup:
    group = named(resources, vpc_id, name)
    if group is None:
        vpc = resources.store.get(Vpc, vpc_id)
        which = "default VPC" if vpc is not None and vpc.is_default else "VPC"
        raise ServiceError(
            f"The security group '{name}' does not exist in {which} '{vpc_id}'", code="InvalidGroup.NotFound"
        )
    return group
