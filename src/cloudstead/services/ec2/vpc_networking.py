"""What instances need of a VPC, out of its real rows: `instance_network.Networking` says what each method promises."""

from collections.abc import Sequence

from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import interfaces, public_addresses, security_groups
from cloudstead.services.ec2.instance_network import NewInterface
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import NetworkInterface, Subnet, Vpc
from cloudstead.services.ec2.rows import Resources


class VpcNetworking:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    # --- choosing

    def choose_subnet(self, caller: Caller, *, subnet_id: str | None, zone: str | None) -> Subnet:
        if subnet_id is None:
            return self._default_subnet(caller, zone)
        subnet = self._resources.find(Subnet, caller, subnet_id)
        if zone is not None and zone != subnet.zone:
            raise ServiceError(
                f"Value ({zone}) for parameter availabilityZone is invalid. "
                f"The subnet '{subnet.id}' is in the availability zone {subnet.zone}.",
                code="InvalidParameterValue",
            )
        return subnet

    def choose_groups(
        self, caller: Caller, subnet: Subnet, *, ids: Sequence[str], names: Sequence[str]
    ) -> tuple[str, ...]:
        return security_groups.choose(self._resources, caller, subnet, ids=ids, names=names)

    def _default_subnet(self, caller: Caller, zone: str | None) -> Subnet:
        """That of the zone; of any zone, the one with the first name: AWS chooses, and here all are alike."""
        vpc = next((vpc for vpc in self._resources.mine(Vpc, caller) if vpc.is_default), None)
        if vpc is None:
            raise ServiceError("No default VPC for this user", code="VPCIdNotSpecified")
        subnets = self._resources.store.rows(Subnet, vpc_id=vpc.id, default_for_zone=True)
        if not subnets:
            raise ServiceError(
                f"No subnets found for the default VPC '{vpc.id}'. Please specify a subnet.",
                code="MissingInput",
            )
        fitting = [subnet for subnet in subnets if zone in (None, subnet.zone)]
        if not fitting:
            raise ServiceError(f"No default subnet for availability zone: '{zone}'.", code="InvalidInput")
        return min(fitting, key=lambda subnet: subnet.zone)

    # --- an instance's interfaces

    def create_for_instance(self, caller: Caller, wanted: NewInterface) -> NetworkInterface:
        public = wanted.subnet.public_ip_on_launch if wanted.public is None else wanted.public
        self._forgo_automatic(wanted.instance_id)
        return interfaces.insert(
            self._resources,
            caller,
            wanted.subnet,
            groups=wanted.groups,
            description=wanted.description,
            private_ip=wanted.private_ip,
            more_private_ips=wanted.more_private_ips,
            more_private_ip_count=wanted.more_private_ip_count,
            ipv6_addresses=wanted.ipv6_addresses,
            ipv6_count=wanted.ipv6_count,
            tags=wanted.tags,
            instance_id=wanted.instance_id,
            attachment=interfaces.new_attachment(
                self._resources,
                device_index=wanted.device_index,
                delete_on_termination=wanted.delete_on_termination,
                network_card=wanted.network_card,
            ),
            public=public,
        )

    def attach_for_instance(
        self,
        caller: Caller,
        interface_id: str,
        *,
        instance_id: str,
        device_index: int,
        delete_on_termination: bool,
    ) -> NetworkInterface:
        interface = self._resources.find(NetworkInterface, caller, interface_id)
        instance = self._resources.find(Instance, caller, instance_id)
        self._forgo_automatic(instance_id)
        attachment = interfaces.new_attachment(
            self._resources, device_index=device_index, delete_on_termination=delete_on_termination
        )
        return interfaces.attach(self._resources, interface, instance, attachment)

    def change(
        self,
        caller: Caller,
        interface_id: str,
        *,
        groups: Sequence[str] | None = None,
        source_dest_check: bool | None = None,
    ) -> None:
        interface = self._resources.find(NetworkInterface, caller, interface_id)
        interfaces.change(
            self._resources, caller, interface, groups=groups, source_dest_check=source_dest_check
        )

    # --- an instance's life

    def start(self, instance_id: str) -> None:
        for interface in self._of(instance_id):
            up = self._resources.store.update(interface, instance_up=True)
            public_addresses.provide(self._resources, up)

    def stop(self, instance_id: str) -> None:
        for interface in self._of(instance_id):
            down = self._resources.store.update(interface, instance_up=False)
            public_addresses.withdraw(self._resources, down)

    def release_for_instance(self, instance_id: str) -> None:
        for interface in self._of(instance_id):
            assert interface.attachment is not None, interface.id
            if interface.attachment.delete_on_termination:
                interfaces.delete(self._resources, interface)
            else:
                interfaces.let_go(self._resources, interface)

    def _of(self, instance_id: str) -> list[NetworkInterface]:
        return self._resources.store.rows(NetworkInterface, instance_id=instance_id)

    def _forgo_automatic(self, instance_id: str) -> None:
        """An instance launched with more than one interface has no automatic public address."""
        for other in self._of(instance_id):
            public_addresses.withdraw(self._resources, other)
