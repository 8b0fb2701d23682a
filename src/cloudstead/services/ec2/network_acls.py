"""Network ACLs: what may enter and leave a subnet, entry by entry, without memory of what was let through before.

Every subnet has exactly one, from birth the default one of its VPC. The last entry of each ACL, which denies all, is
stored nowhere: it is shown because AWS shows it, and true because what no entry allows is dropped.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import acl_entries, client_tokens, filters, tags
from cloudstead.services.ec2.acl_entries import EVERYTHING, EVERYTHING6
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.network_rows import AclAssociation, AclEntry, NetworkAcl, Subnet, Vpc
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources
from cloudstead.store import Store

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateNetworkAclEntryRequestTypeDef,
        CreateNetworkAclRequestTypeDef,
        DeleteNetworkAclEntryRequestTypeDef,
        DeleteNetworkAclRequestTypeDef,
        DescribeNetworkAclsRequestTypeDef,
        ReplaceNetworkAclAssociationRequestTypeDef,
        ReplaceNetworkAclEntryRequestTypeDef,
    )

_ENTRIES_MAX = 20  # in each direction
_PER_VPC_MAX = 200


# --- for VPCs and subnets


def insert_default(resources: Resources, vpc: Vpc) -> NetworkAcl:
    """The ACL that each VPC is born with: it lets everything through."""
    families = (EVERYTHING, EVERYTHING6) if vpc.ipv6_cidrs else (EVERYTHING,)
    return resources.store.insert(
        NetworkAcl(
            id=resources.new_id(NetworkAcl),
            account=vpc.account,
            region=vpc.region,
            vpc_id=vpc.id,
            is_default=True,
            entries=tuple(entry for family in families for entry in family),
        )
    )


def open_to_ipv6(resources: Resources, vpc: Vpc) -> None:
    """The VPC has its first IPv6 range: let it through the default ACL too, unless that was changed."""
    acl = _default(resources.store, vpc.id)
    if acl.entries == EVERYTHING:
        resources.store.update(acl, entries=(*EVERYTHING, *EVERYTHING6))


def associate_new_subnet(resources: Resources, subnet: Subnet) -> NetworkAcl:
    """Put a subnet that was just made behind the default ACL of its VPC."""
    return _associate(resources, _default(resources.store, subnet.vpc_id), subnet.id)


def forget_subnet(resources: Resources, subnet: Subnet) -> None:
    """Let go of a subnet that is about to be deleted. Safe to repeat."""
    for acl in resources.store.rows(NetworkAcl, vpc_id=subnet.vpc_id):
        kept = tuple(each for each in acl.associations if each.subnet_id != subnet.id)
        resources.store.update(acl, associations=kept)


def in_force(store: Store, subnet: Subnet) -> NetworkAcl:
    """The ACL of a subnet."""
    for acl in store.rows(NetworkAcl, vpc_id=subnet.vpc_id):
        if any(each.subnet_id == subnet.id for each in acl.associations):
            return acl
    raise AssertionError(f"{subnet.id} has no network ACL")


def _default(store: Store, vpc_id: str) -> NetworkAcl:
    return store.rows(NetworkAcl, vpc_id=vpc_id, is_default=True)[0]


def _associate(resources: Resources, acl: NetworkAcl, subnet_id: str) -> NetworkAcl:
    new = AclAssociation(id=ids.new("aclassoc", resources.tools.random), subnet_id=subnet_id)
    return resources.store.update(acl, associations=(*acl.associations, new))


# --- as answers show them


def _shown(resources: Resources, acl: NetworkAcl) -> dict[str, Any]:
    return {
        "NetworkAclId": acl.id,
        "VpcId": acl.vpc_id,
        "OwnerId": acl.account,
        "IsDefault": acl.is_default,
        "Associations": [
            {"NetworkAclAssociationId": each.id, "NetworkAclId": acl.id, "SubnetId": each.subnet_id}
            for each in acl.associations
        ],
        "Entries": [acl_entries.shown(entry) for entry in _with_the_last(resources.store, acl)],
        "Tags": tags.shown(acl.tags),
    }


def _with_the_last(store: Store, acl: NetworkAcl) -> list[AclEntry]:
    vpc = store.get(Vpc, acl.vpc_id)
    last = acl_entries.last(ipv6=vpc is not None and bool(vpc.ipv6_cidrs))
    return sorted((*acl.entries, *last), key=lambda entry: (not entry.egress, entry.number))


_FIELDS: Fields[NetworkAcl] = {
    "association.association-id": lambda acl: [each.id for each in acl.associations],
    "association.network-acl-id": lambda acl: [acl.id for _ in acl.associations],
    "association.subnet-id": lambda acl: [each.subnet_id for each in acl.associations],
    "default": lambda acl: acl.is_default,
    "network-acl-id": lambda acl: acl.id,
    "owner-id": lambda acl: acl.account,
    "vpc-id": lambda acl: acl.vpc_id,
}


def _fields(store: Store) -> Fields[NetworkAcl]:
    """With those of entries: the last one counts too."""

    def of_entries(member: str) -> Any:
        return lambda acl: [acl_entries.text(entry, member) for entry in _with_the_last(store, acl)]

    return {**_FIELDS, **{f"entry.{member}": of_entries(member) for member in acl_entries.FILTERED}}


class NetworkAcls:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_network_acl(self, caller: Caller, request: "CreateNetworkAclRequestTypeDef") -> dict[str, Any]:
        wanted = tags.wanted(request, NetworkAcl.resource_type)
        with self._resources.store.transaction():
            made = client_tokens.made_before(self._resources, caller, NetworkAcl, request)
            if made is None:
                made = self._insert(caller, request["VpcId"], wanted)
                client_tokens.remember(self._resources, caller, made, request)
        return {
            "NetworkAcl": _shown(self._resources, made),
            "ClientToken": request.get("ClientToken"),
        }

    def describe_network_acls(
        self, caller: Caller, request: "DescribeNetworkAclsRequestTypeDef"
    ) -> dict[str, Any]:
        found = self._resources.find_all(NetworkAcl, caller, list(request.get("NetworkAclIds") or ()))
        found = filters.select(found, request.get("Filters"), _fields(self._resources.store))
        some, token = page(found, request, key=lambda acl: acl.id, ids="NetworkAclIds")
        return {"NetworkAcls": [_shown(self._resources, acl) for acl in some], "NextToken": token}

    def delete_network_acl(self, caller: Caller, request: "DeleteNetworkAclRequestTypeDef") -> None:
        with self._resources.store.transaction():
            acl = self._resources.find(NetworkAcl, caller, request["NetworkAclId"])
            if acl.is_default or acl.associations:
                raise ServiceError(
                    f"The networkAcl '{acl.id}' has dependencies and cannot be deleted.",
                    code="DependencyViolation",
                )
            client_tokens.forget(self._resources, acl)
            self._resources.store.delete(acl)

    def create_network_acl_entry(
        self, caller: Caller, request: "CreateNetworkAclEntryRequestTypeDef"
    ) -> None:
        entry = acl_entries.read(request)
        with self._resources.store.transaction():
            acl = self._resources.find(NetworkAcl, caller, request["NetworkAclId"])
            if _entry(acl, entry.number, egress=entry.egress) is not None:
                raise ServiceError(
                    f"The network acl entry identified by {entry.number} already exists.",
                    code="NetworkAclEntryAlreadyExists",
                )
            if sum(each.egress == entry.egress for each in acl.entries) >= _ENTRIES_MAX:
                raise ServiceError(
                    "The maximum number of network acl entries has been reached.",
                    code="NetworkAclEntryLimitExceeded",
                )
            self._resources.store.update(acl, entries=(*acl.entries, entry))

    def replace_network_acl_entry(
        self, caller: Caller, request: "ReplaceNetworkAclEntryRequestTypeDef"
    ) -> None:
        entry = acl_entries.read(request)
        with self._resources.store.transaction():
            acl, kept = self._without(caller, request)
            self._resources.store.update(acl, entries=(*kept, entry))

    def delete_network_acl_entry(
        self, caller: Caller, request: "DeleteNetworkAclEntryRequestTypeDef"
    ) -> None:
        with self._resources.store.transaction():
            acl, kept = self._without(caller, request)
            self._resources.store.update(acl, entries=kept)

    def replace_network_acl_association(
        self, caller: Caller, request: "ReplaceNetworkAclAssociationRequestTypeDef"
    ) -> dict[str, Any]:
        with self._resources.store.transaction():
            before, association = self._associated(caller, request["AssociationId"])
            acl = self._resources.find(NetworkAcl, caller, request["NetworkAclId"])
            if acl.vpc_id != before.vpc_id:
                raise ServiceError(
                    f"Network ACL {acl.id} and subnet {association.subnet_id} belong to different networks",
                    code="InvalidParameterValue",
                )
            kept = tuple(each for each in before.associations if each.id != association.id)
            before = self._resources.store.update(before, associations=kept)
            acl = _associate(self._resources, before if acl.id == before.id else acl, association.subnet_id)
        return {"NewAssociationId": acl.associations[-1].id}

    # --- inside

    def _insert(self, caller: Caller, vpc_id: str, wanted: Mapping[str, str]) -> NetworkAcl:
        vpc = self._resources.find(Vpc, caller, vpc_id)
        if len(self._resources.store.rows(NetworkAcl, vpc_id=vpc.id)) >= _PER_VPC_MAX:
            raise ServiceError(
                "The maximum number of network ACLs has been reached.", code="NetworkAclLimitExceeded"
            )
        return self._resources.store.insert(
            NetworkAcl(
                id=self._resources.new_id(NetworkAcl),
                account=vpc.account,
                region=vpc.region,
                tags=dict(wanted),
                vpc_id=vpc.id,
            )
        )

    def _without(self, caller: Caller, request: Mapping[str, Any]) -> tuple[NetworkAcl, tuple[AclEntry, ...]]:
        """The ACL, and its entries but the one that the request names."""
        acl = self._resources.find(NetworkAcl, caller, request["NetworkAclId"])
        number, egress = request["RuleNumber"], request["Egress"]
        gone = _entry(acl, number, egress=egress)
        if gone is None:
            side = "egress" if egress else "ingress"
            raise ServiceError(
                f"The {side} entry with rule number {number} does not exist in network ACL '{acl.id}'.",
                code="InvalidNetworkAclEntry.NotFound",
            )
        return acl, tuple(each for each in acl.entries if each is not gone)

    def _associated(self, caller: Caller, id: str) -> tuple[NetworkAcl, AclAssociation]:
        for acl in self._resources.mine(NetworkAcl, caller):
            for association in acl.associations:
                if association.id == id:
                    return acl, association
        raise ServiceError(f"The association ID '{id}' does not exist", code="InvalidAssociationID.NotFound")


def _entry(acl: NetworkAcl, number: int, *, egress: bool) -> AclEntry | None:
    found: Iterable[AclEntry] = (
        each for each in acl.entries if (each.number, each.egress) == (number, egress)
    )
    return next(iter(found), None)
