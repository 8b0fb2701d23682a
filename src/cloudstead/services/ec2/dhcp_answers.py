"""What DHCP tells an instance: its address, and the options of its VPC, which may change while it runs."""

import ipaddress

from cloudstead.dataplane.dhcp import FindLease, Lease
from cloudstead.services.ec2.dhcp_options import AMAZON
from cloudstead.services.ec2.names import private_dns_name
from cloudstead.services.ec2.network_rows import DhcpOptions, NetworkInterface, Subnet, Vpc
from cloudstead.store import Store


def find_lease(store: Store, network: str) -> FindLease:
    """The leases of a network (vpc-…), read from the rows at each question."""

    def find(mac: str) -> Lease | None:
        with store.reading():
            for interface in store.rows(NetworkInterface, mac=mac, vpc_id=network):
                return _lease(store, interface)
        return None

    return find


def _lease(store: Store, interface: NetworkInterface) -> Lease | None:
    vpc, subnet = store.get(Vpc, interface.vpc_id), store.get(Subnet, interface.subnet_id)
    if vpc is None or subnet is None:
        return None
    options = _options(store, vpc)
    address = interface.primary.address
    node = options.get("netbios-node-type")
    return Lease(
        address=address,
        subnet=subnet.cidr,
        hostname=private_dns_name(address, interface.region).partition(".")[0],
        domain=" ".join(options.get("domain-name", ())),
        name_servers=_name_servers(vpc, options.get("domain-name-servers", ())),
        ntp_servers=_addresses(options.get("ntp-servers", ())),
        netbios_name_servers=_addresses(options.get("netbios-name-servers", ())),
        netbios_node_type=int(node[0]) if node else None,
    )


def _options(store: Store, vpc: Vpc) -> dict[str, tuple[str, ...]]:
    options = store.get(DhcpOptions, vpc.dhcp_options_id)
    return options.configurations if options is not None else {}


def _name_servers(vpc: Vpc, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The servers of the set; Amazon's stands for the resolver of the VPC, if that answers."""
    own = str(ipaddress.ip_network(vpc.cidr)[2])
    known = (own if each == AMAZON else each for each in asked if each != AMAZON or vpc.dns_support)
    return _addresses(tuple(known))


def _addresses(asked: tuple[str, ...]) -> tuple[str, ...]:
    """DHCP speaks of IPv4 addresses alone."""
    return tuple(each for each in asked if ":" not in each)
