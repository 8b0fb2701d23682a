"""What a DHCP server tells, and whom it asks."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Lease:
    """An interface's address, which is its own anyway, and what its network says about the world around."""

    address: str
    subnet: str  # a CIDR; its router is the first address after the base
    hostname: str
    domain: str = ""
    name_servers: tuple[str, ...] = ()
    ntp_servers: tuple[str, ...] = ()
    netbios_name_servers: tuple[str, ...] = ()
    netbios_node_type: int | None = None


#: By an interface's MAC address, in lower case with colons; None for one that is not there.
FindLease = Callable[[str], Lease | None]
