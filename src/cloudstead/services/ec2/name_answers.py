"""The names of EC2 as a name server answers them: worked out from the rows at each question, for nothing is written down.

Inside a network (the view is its id) a public name leads to the private address behind it, as on AWS; private names
exist nowhere else. The names of the APIs lead to our own endpoint there, so that tools inside an instance find it.
"""

import ipaddress
import re

from cloudstead.dataplane.dns import Found, address_of_reverse
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.names import private_dns_name, private_domain, public_dns_name
from cloudstead.services.ec2.network_rows import ElasticAddress, NetworkInterface, PublicAddress, Vpc
from cloudstead.store import Store

_DASHED = r"(\d{1,3}(?:-\d{1,3}){3})"
_PUBLIC = re.compile(rf"(?:ec2-{_DASHED}\.)?(compute-1|[a-z0-9-]+\.compute)\.amazonaws\.com")
_PRIVATE = re.compile(rf"(?:ip-{_DASHED}|(i-[0-9a-f]+))")
_API = re.compile(r"(?:[a-z0-9-]+\.)*(?:amazonaws\.com|api\.aws)")
_REVERSE = (".in-addr.arpa", ".ip6.arpa")
_TTL_S = 60


class Ec2Names:
    """`Answers` over EC2's rows. `api_address` is where instances reach the endpoint."""

    def __init__(self, store: Store, *, api_address: str) -> None:
        self._store = store
        self._api_address = api_address

    def serves(self, view: str | None) -> bool:
        """A VPC has no resolver while its enableDnsSupport is false."""
        vpc = self._store.get(Vpc, view) if view is not None else None
        return vpc is None or vpc.dns_support

    def lookup(self, view: str | None, name: str, type: str) -> Found | None:
        with self._store.reading():
            vpc = self._store.get(Vpc, view) if view is not None else None
            if name.endswith(_REVERSE):
                return self._reverse(vpc, name, type)
            public = _PUBLIC.fullmatch(name)
            if public is not None:
                return self._public(vpc, public[1], public[2], type)
            if vpc is not None and (name == _domain(vpc) or name.endswith("." + _domain(vpc))):
                return self._private(vpc, name, type)
            if vpc is not None and _API.fullmatch(name):
                return _found("amazonaws.com", [self._api_address] if type == "A" else [])
        return None

    def cidr(self, network: str) -> str | None:
        """The first range of a network; None if there is no such network."""
        vpc = self._store.get(Vpc, network)
        return vpc.cidr if vpc is not None else None

    # --- kinds of names

    def _public(self, vpc: Vpc | None, dashed: str | None, domain: str, type: str) -> Found:
        zone = f"{domain}.amazonaws.com"
        if dashed is None:
            return _found(zone, [])
        address = dashed.replace("-", ".")
        interface, region = self._behind(address)
        if region is None or public_dns_name(address, region) != f"ec2-{dashed}.{zone}":
            return Found(zone=zone, records=None)
        if vpc is not None and interface is not None and interface.vpc_id == vpc.id:
            address = _private_of(interface, address)
        return _found(zone, [address] if type == "A" else [])

    def _private(self, vpc: Vpc, name: str, type: str) -> Found:
        zone = _domain(vpc)
        if name == zone:
            return _found(zone, [])
        found = _PRIVATE.fullmatch(name.removesuffix("." + zone))
        if found is not None and found[1] is not None:
            address = found[1].replace("-", ".")
            if _inside(vpc, address):
                return _found(zone, [address] if type == "A" else [])
        elif found is not None:
            return self._of_instance(vpc, zone, found[2], type)
        return Found(zone=zone, records=None)

    def _of_instance(self, vpc: Vpc, zone: str, id: str, type: str) -> Found:
        """A name made from an instance's id; which types it has, the instance says."""
        instance = self._store.get(Instance, id)
        if instance is None or instance.vpc_id != vpc.id:
            return Found(zone=zone, records=None)
        interfaces = self._store.rows(NetworkInterface, instance_id=id)
        wanted = {"A": instance.resource_name_a, "AAAA": instance.resource_name_aaaa}
        if not interfaces or not any(wanted.values()):
            return Found(zone=zone, records=None)
        first = interfaces[0]
        addresses = {"A": [first.primary.address], "AAAA": list(first.ipv6_addresses[:1])}
        return _found(zone, addresses[type] if wanted.get(type) else [])

    def _reverse(self, vpc: Vpc | None, name: str, type: str) -> Found | None:
        address = address_of_reverse(name)
        if address is None:
            return None
        zone = name.partition(".")[2]
        if vpc is not None and _inside(vpc, address):
            return _found(zone, [private_dns_name(address, vpc.region) + "."] if type == "PTR" else [])
        _, region = self._behind(address)
        if region is None:
            return None
        return _found(zone, [public_dns_name(address, region) + "."] if type == "PTR" else [])

    def _behind(self, address: str) -> tuple[NetworkInterface | None, str | None]:
        """The interface that a public address leads to and the address's region; nothing for one that is free."""
        taken = self._store.get(PublicAddress, address)
        if taken is None:
            return None, None
        elastic = self._store.get(ElasticAddress, taken.owner)
        interface = self._store.get(
            NetworkInterface, elastic.interface_id if elastic is not None else taken.owner
        )
        owner = elastic or interface
        return interface, owner.region if owner is not None else None


def _found(zone: str, records: list[str]) -> Found:
    return Found(zone=zone, records=tuple(records), ttl_s=_TTL_S)


def _domain(vpc: Vpc) -> str:
    return private_domain(vpc.region)


def _private_of(interface: NetworkInterface, public: str) -> str:
    for each in interface.addresses:
        if each.public is not None and each.public.address == public:
            return each.address
    return public


def _inside(vpc: Vpc, address: str) -> bool:
    try:
        wanted = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return any(wanted in ipaddress.ip_network(each.cidr) for each in vpc.cidrs)
