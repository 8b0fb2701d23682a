"""DescribeAccountAttributes: the default VPC of a region, and what the account may have there."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2.network_rows import Vpc
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.ec2.security_groups import PER_INTERFACE_MAX

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import DescribeAccountAttributesRequestTypeDef

_INSTANCES = "20"  # what AWS says to everybody since it counts vCPUs


class AccountAttributes:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def describe_account_attributes(
        self, caller: Caller, request: "DescribeAccountAttributesRequestTypeDef"
    ) -> dict[str, Any]:
        known = self._known(caller)
        names: Iterable[str] = request.get("AttributeNames") or known
        for name in names:
            if name not in known:
                raise ServiceError(
                    f"Value ({name}) for parameter attributeName is invalid. Unknown attribute.",
                    code="InvalidParameterValue",
                )
        return {
            "AccountAttributes": [
                {"AttributeName": name, "AttributeValues": [{"AttributeValue": known[name]}]}
                for name in names
            ]
        }

    def _known(self, caller: Caller) -> dict[str, str]:
        default = next((vpc.id for vpc in self._resources.mine(Vpc, caller) if vpc.is_default), "none")
        addresses = str(self._resources.settings.elastic_addresses_max)
        return {
            "supported-platforms": "VPC",
            "default-vpc": default,
            "max-instances": _INSTANCES,
            "max-elastic-ips": addresses,
            "vpc-max-elastic-ips": addresses,
            "vpc-max-security-groups-per-interface": str(PER_INTERFACE_MAX),
        }
