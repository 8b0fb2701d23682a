"""DHCP options: what a VPC tells its instances about names and time.

Every region has one set that new VPCs get, with Amazon's resolver; "default" stands for none at all.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import filters, tags
from cloudstead.services.ec2.filters import Fields
from cloudstead.services.ec2.names import private_domain
from cloudstead.services.ec2.network_rows import DhcpOptions, Vpc
from cloudstead.services.ec2.paging import page
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AssociateDhcpOptionsRequestTypeDef,
        CreateDhcpOptionsRequestTypeDef,
        DeleteDhcpOptionsRequestTypeDef,
        DescribeDhcpOptionsRequestTypeDef,
    )

#: Stands for the resolver of whichever VPC it is.
AMAZON = "AmazonProvidedDNS"

#: How many values each option may have.
_OPTIONS = {
    "domain-name": 1,
    "domain-name-servers": 4,
    "ntp-servers": 8,
    "netbios-name-servers": 4,
    "netbios-node-type": 1,
    "ipv6-address-preferred-lease-time": 1,
}
_SETS_MAX = 1000

_FIELDS: Fields[DhcpOptions] = {
    "dhcp-options-id": lambda options: options.id,
    "key": lambda options: options.configurations,
    "owner-id": lambda options: options.account,
    "value": lambda options: [value for values in options.configurations.values() for value in values],
}


def default(resources: Resources, caller: Caller) -> DhcpOptions:
    """The region's set for new VPCs, made at first use."""
    wanted: dict[str, tuple[str, ...]] = {
        "domain-name": (private_domain(caller.region),),
        "domain-name-servers": (AMAZON,),
    }
    for options in resources.mine(DhcpOptions, caller):
        if options.configurations == wanted:
            return options
    return _insert(resources, caller, wanted, {})


class DhcpOptionSets:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create_dhcp_options(
        self, caller: Caller, request: "CreateDhcpOptionsRequestTypeDef"
    ) -> dict[str, Any]:
        configurations = _read(request["DhcpConfigurations"])
        wanted_tags = tags.wanted(request, DhcpOptions.resource_type)
        with self._resources.store.transaction():
            if len(self._resources.mine(DhcpOptions, caller)) >= _SETS_MAX:
                raise ServiceError(
                    "The maximum number of DHCP options sets has been reached.",
                    code="DhcpOptionsLimitExceeded",
                )
            options = _insert(self._resources, caller, configurations, wanted_tags)
        return {"DhcpOptions": _shown(options)}

    def describe_dhcp_options(
        self, caller: Caller, request: "DescribeDhcpOptionsRequestTypeDef"
    ) -> dict[str, Any]:
        found = self._resources.find_all(DhcpOptions, caller, list(request.get("DhcpOptionsIds") or ()))
        found = filters.select(found, request.get("Filters"), _FIELDS)
        some, token = page(found, request, key=lambda options: options.id, ids="DhcpOptionsIds")
        return {"DhcpOptions": [_shown(options) for options in some], "NextToken": token}

    def delete_dhcp_options(self, caller: Caller, request: "DeleteDhcpOptionsRequestTypeDef") -> None:
        with self._resources.store.transaction():
            options = self._resources.find(DhcpOptions, caller, request["DhcpOptionsId"])
            if any(vpc.visible for vpc in self._resources.store.rows(Vpc, dhcp_options_id=options.id)):
                raise ServiceError(
                    f"The dhcpOptions '{options.id}' has dependencies and cannot be deleted.",
                    code="DependencyViolation",
                )
            self._resources.store.delete(options)

    def associate_dhcp_options(self, caller: Caller, request: "AssociateDhcpOptionsRequestTypeDef") -> None:
        id = request["DhcpOptionsId"]
        with self._resources.store.transaction():
            vpc = self._resources.find(Vpc, caller, request["VpcId"])
            if id != "default":
                self._resources.find(DhcpOptions, caller, id)
            self._resources.store.update(vpc, dhcp_options_id=id)


def _read(asked: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    configurations: dict[str, tuple[str, ...]] = {}
    for one in asked:
        key, values = one.get("Key", ""), tuple(one.get("Values") or ())
        if key not in _OPTIONS:
            raise _invalid(key, "key", f"Expecting one of {', '.join(_OPTIONS)}.")
        if key in configurations:
            raise _invalid(key, "key", "It is specified more than once.")
        if not 1 <= len(values) <= _OPTIONS[key]:
            raise _invalid(key, "key", f"It takes 1 to {_OPTIONS[key]} values.")
        if key.endswith("-servers"):
            _check_addresses(key, values)
        if key == "netbios-node-type" and values[0] not in ("1", "2", "4", "8"):
            raise _invalid(values[0], "netbios-node-type", "Expecting 1, 2, 4 or 8.")
        configurations[key] = values
    if not configurations:
        raise ServiceError(
            "The request must contain the parameter dhcpConfiguration", code="MissingParameter"
        )
    return configurations


def _check_addresses(key: str, values: Sequence[str]) -> None:
    for value in values:
        try:
            if key != "domain-name-servers" or value != AMAZON:
                ipaddress.ip_address(value)
        except ValueError:
            raise _invalid(value, key, "It is not an IP address.") from None


def _insert(
    resources: Resources,
    caller: Caller,
    configurations: dict[str, tuple[str, ...]],
    wanted_tags: dict[str, str],
) -> DhcpOptions:
    return resources.store.insert(
        DhcpOptions(
            id=resources.new_id(DhcpOptions),
            account=caller.account,
            region=caller.region,
            tags=wanted_tags,
            configurations=configurations,
        )
    )


def _shown(options: DhcpOptions) -> dict[str, Any]:
    return {
        "DhcpOptionsId": options.id,
        "OwnerId": options.account,
        "DhcpConfigurations": [
            {"Key": key, "Values": [{"Value": value} for value in values]}
            for key, values in options.configurations.items()
        ],
        "Tags": tags.shown(options.tags),
    }


def _invalid(value: str, parameter: str, why: str) -> ServiceError:
    return ServiceError(
        f"Value ({value}) for parameter {parameter} is invalid. {why}", code="InvalidParameterValue"
    )
