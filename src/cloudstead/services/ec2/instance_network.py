"""What instances ask of the VPC they live in; `vpc_networking` fulfils it.

All of it happens inside the caller's transaction: an instance is never stored without its interfaces.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cloudstead.core.caller import Caller
from cloudstead.services.ec2.network_rows import NetworkInterface, Subnet


@dataclass(frozen=True, kw_only=True)
class NewInterface:
    """An interface to be made with an instance."""

    instance_id: str
    subnet: Subnet
    groups: tuple[str, ...]
    device_index: int = 0
    network_card: int = 0
    description: str = ""
    delete_on_termination: bool = True
    private_ip: str | None = None  # None: any free one
    more_private_ips: tuple[str, ...] = ()
    more_private_ip_count: int = 0
    ipv6_addresses: tuple[str, ...] = ()
    ipv6_count: int | None = None  # None: as the subnet has it
    #: Whether it gets a public address while the instance is up; None: as the subnet has it.
    public: bool | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class Networking(Protocol):
    def choose_subnet(self, caller: Caller, *, subnet_id: str | None, zone: str | None) -> Subnet:
        """The subnet asked for, or the default one of the zone, or of any zone; AWS's error if there is none."""
        ...

    def choose_groups(
        self, caller: Caller, subnet: Subnet, *, ids: Sequence[str], names: Sequence[str]
    ) -> tuple[str, ...]:
        """The ids of these groups of the subnet's VPC; of its default group if none is asked for."""
        ...

    def create_for_instance(self, caller: Caller, wanted: NewInterface) -> NetworkInterface:
        """Make an interface that is attached from the start, with its public address if it is to have one."""
        ...

    def attach_for_instance(
        self,
        caller: Caller,
        interface_id: str,
        *,
        instance_id: str,
        device_index: int,
        delete_on_termination: bool,
    ) -> NetworkInterface:
        """Attach one that is there already and free."""
        ...

    def start(self, instance_id: str) -> None:
        """The instance is wanted running: give it the public addresses it has only while it is up. Safe to repeat."""
        ...

    def stop(self, instance_id: str) -> None:
        """The instance is not wanted running: take those addresses away. Safe to repeat."""
        ...

    def release_for_instance(self, instance_id: str) -> None:
        """The machine is gone: delete or detach its interfaces, as each attachment says. Safe to repeat."""
        ...

    def change(
        self,
        caller: Caller,
        interface_id: str,
        *,
        groups: Sequence[str] | None = None,
        source_dest_check: bool | None = None,
    ) -> None:
        """Change an interface as ModifyNetworkInterfaceAttribute does, with its checks."""
        ...
