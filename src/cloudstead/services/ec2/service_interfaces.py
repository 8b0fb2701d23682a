"""What other services of this cloud have of a VPC: whether it and its parts are there, and interfaces in its subnets.

Such an interface is shown to its account as managed by its requester, and nobody but the service changes it. Its
addresses are the router's own, so what the service listens and asks with are sockets opened in the network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import interfaces, security_groups
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import NetworkInterface, Subnet, Vpc
from cloudstead.services.ec2.rows import Resources
from cloudstead.store import Row


@dataclass(frozen=True)
class ServiceInterfaces:
    resources: Resources

    #: The kind of row that changes when an interface becomes placed.
    kind: type[Row] = NetworkInterface
    vpc_kind: type[Row] = Vpc

    def exists(self, vpc_id: str) -> bool:
        """Whether there is such a VPC, whosever it is."""
        vpc = self.resources.store.get(Vpc, vpc_id)
        return vpc is not None and vpc.visible

    def vpcs(self, caller: Caller) -> list[str]:
        """The ids of the caller's VPCs in the region."""
        return [vpc.id for vpc in self.resources.mine(Vpc, caller)]

    def has_vpc(self, caller: Caller, id: str) -> bool:
        vpc = self.resources.store.get(Vpc, id)
        return (
            vpc is not None and vpc.visible and (vpc.account, vpc.region) == (caller.account, caller.region)
        )

    def subnet(self, caller: Caller, id: str) -> Subnet:
        """The caller's subnet; EC2's error if there is none."""
        return self.resources.find(Subnet, caller, id)

    def insert(
        self,
        caller: Caller,
        subnet: Subnet,
        *,
        groups: Sequence[str],
        description: str,
        service_id: str,
        ip: str | None = None,
        ipv6: str | None = None,
        with_ipv6: bool = False,
    ) -> NetworkInterface:
        """A new interface with these addresses, or free ones. EC2's errors for what cannot be had."""
        return interfaces.insert(
            self.resources,
            caller,
            subnet,
            groups=security_groups.choose(self.resources, caller, subnet, ids=groups),
            description=description,
            private_ip=ip,
            ipv6_addresses=[ipv6] if ipv6 else [],
            ipv6_count=1 if with_ipv6 and not ipv6 else 0,
            type="service",
            service_id=service_id,
        )

    def placed(self, id: str) -> bool:
        """Whether the network carries it, so that its addresses can be bound."""
        interface = self.resources.store.get(NetworkInterface, id)
        return interface is not None and interface.placed

    def ip(self, id: str) -> str:
        """The primary address of an interface."""
        interface = self.resources.store.get(NetworkInterface, id)
        return interface.primary.address if interface is not None else ""

    def add_ipv6(self, id: str, address: str | None) -> str:
        """Give it this address of IPv6, or a free one, in the place of what it has."""
        interface = self.resources.store.get(NetworkInterface, id)
        subnet = self.resources.store.get(Subnet, interface.subnet_id) if interface is not None else None
        if interface is None or subnet is None:
            raise ServiceError(
                f"The networkInterface ID '{id}' does not exist", code="InvalidNetworkInterfaceID.NotFound"
            )
        chosen = interfaces.choose_ipv6(
            self.resources, subnet, [address] if address else [], count=0 if address else 1
        )
        self.resources.store.update(interface, ipv6_addresses=chosen)
        return chosen[0]

    def instance_at(self, vpc_id: str, address: str) -> str:
        """The id of the instance that has this private address in a VPC; empty if none has."""
        for interface in self.resources.store.rows(NetworkInterface, vpc_id=vpc_id):
            held = (*(each.address for each in interface.addresses), *interface.ipv6_addresses)
            if address in held and self.resources.store.get(Instance, interface.instance_id) is not None:
                return interface.instance_id
        return ""

    def delete(self, id: str) -> None:
        """Take an interface away. Safe to repeat."""
        interface = self.resources.store.get(NetworkInterface, id)
        if interface is not None:
            interfaces.delete(self.resources, interface)
