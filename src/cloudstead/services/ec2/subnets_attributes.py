"""What can be changed of a subnet: its attributes, and its IPv6 range."""

from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import subnets
from cloudstead.services.ec2.network_rows import NetworkInterface, Subnet, Vpc
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AssociateSubnetCidrBlockRequestTypeDef,
        DisassociateSubnetCidrBlockRequestTypeDef,
        ModifySubnetAttributeRequestTypeDef,
    )

#: The field of the row by request member.
_ATTRIBUTES = {
    "AssignIpv6AddressOnCreation": "ipv6_on_creation",
    "MapPublicIpOnLaunch": "public_ip_on_launch",
    "EnableResourceNameDnsARecordOnLaunch": "resource_name_a",
    "EnableResourceNameDnsAAAARecordOnLaunch": "resource_name_aaaa",
    "PrivateDnsHostnameTypeOnLaunch": "hostname_type",
}
_NOT_BUILT = (
    "EnableDns64",
    "MapCustomerOwnedIpOnLaunch",
    "CustomerOwnedIpv4Pool",
    "EnableLniAtDeviceIndex",
    "DisableLniAtDeviceIndex",
)


class SubnetAttributes:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def modify_subnet_attribute(self, caller: Caller, request: "ModifySubnetAttributeRequestTypeDef") -> None:
        field, value = _asked(request)
        with self._resources.store.transaction():
            subnet = self._resources.find(Subnet, caller, request["SubnetId"])
            if field == "ipv6_on_creation" and value and not subnet.ipv6_cidrs:
                raise ServiceError(
                    f"Invalid value 'true' for assignIpv6AddressOnCreation. The subnet '{subnet.id}' has no IPv6 CIDR "
                    "block associated with it.",
                    code="InvalidParameterValue",
                )
            self._resources.store.update(subnet, **{field: value})

    def associate_subnet_cidr_block(
        self, caller: Caller, request: "AssociateSubnetCidrBlockRequestTypeDef"
    ) -> dict[str, Any]:
        text = request.get("Ipv6CidrBlock")
        if request.get("Ipv6IpamPoolId") or request.get("Ipv6NetmaskLength"):
            raise NotBuilt("ec2: AssociateSubnetCidrBlock from an IPAM pool is not built in Cloudstead yet.")
        if not text:
            raise ServiceError(
                "The request must contain the parameter ipv6CidrBlock", code="MissingParameter"
            )
        store = self._resources.store
        with store.transaction():
            subnet = self._resources.find(Subnet, caller, request["SubnetId"])
            if subnet.ipv6_cidrs:
                raise ServiceError(
                    f"This subnet '{subnet.id}' has met its maximum number of allowed IPv6 CIDRs: 1",
                    code="SubnetCidrLimitExceeded",
                )
            vpc = self._resources.find(Vpc, caller, subnet.vpc_id)
            network = subnets.read_ipv6(vpc, text)
            others = store.rows(Subnet, vpc_id=vpc.id)
            subnets.check_free(network, [each.cidr for other in others for each in other.ipv6_cidrs])
            added = subnets.associated(self._resources, network)
            store.update(subnet, ipv6_cidrs=(added,))
        return {"SubnetId": subnet.id, "Ipv6CidrBlockAssociation": subnets.shown6(added, state="associating")}

    def disassociate_subnet_cidr_block(
        self, caller: Caller, request: "DisassociateSubnetCidrBlockRequestTypeDef"
    ) -> dict[str, Any]:
        id, store = request["AssociationId"], self._resources.store
        with store.transaction():
            for subnet in self._resources.mine(Subnet, caller):
                for each in subnet.ipv6_cidrs:
                    if each.id == id:
                        self._check_unused(subnet)
                        store.update(subnet, ipv6_cidrs=(), ipv6_on_creation=False)
                        gone = subnets.shown6(each, state="disassociating")
                        return {"SubnetId": subnet.id, "Ipv6CidrBlockAssociation": gone}
        raise ServiceError(
            f"The subnet CIDR block association ID '{id}' does not exist",
            code="InvalidSubnetCidrBlockAssociationID.NotFound",
        )

    def _check_unused(self, subnet: Subnet) -> None:
        for interface in self._resources.store.rows(NetworkInterface, subnet_id=subnet.id):
            if interface.ipv6_addresses:
                raise ServiceError(
                    f"The subnet {subnet.id} currently has an address within CIDR block {subnet.ipv6_cidr}",
                    code="InvalidCidrBlock.InUse",
                )


def _asked(request: "ModifySubnetAttributeRequestTypeDef") -> tuple[str, object]:
    """The one attribute to be changed, as the row's field and its new value."""
    values: dict[str, Any] = {name: value for name, value in request.items() if name != "SubnetId"}
    for name in _NOT_BUILT:
        if values.pop(name, None) not in (None, {"Value": False}):
            raise NotBuilt(f"ec2: ModifySubnetAttribute with {name} is not built in Cloudstead yet.")
    asked = [(name, value) for name, value in values.items() if value is not None]
    if not asked:
        raise ServiceError("No attributes specified.", code="MissingParameter")
    if len(asked) > 1:
        raise ServiceError(
            "Fields for multiple attribute types specified", code="InvalidParameterCombination"
        )
    ((name, value),) = asked
    if name == "PrivateDnsHostnameTypeOnLaunch":
        return _ATTRIBUTES[name], value
    return _ATTRIBUTES[name], bool(value.get("Value"))
