"""What callers were promised of networks: what they made is there as they made it, and no address is in two places."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf

from cloudstead.services.ec2.network_rows import (
    ElasticAddress,
    NatGateway,
    NetworkInterface,
    PublicAddress,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)

#: From which state callers may see a NAT gateway go to which.
NAT_ARROWS = {
    "pending": {"available", "failed", "deleting", "deleted"},
    "available": {"deleting"},
    "deleting": {"deleted"},
    "failed": {"deleted"},
    "deleted": set(),
}


@dataclass
class PromisedInterface:
    id: str
    subnet: str
    addresses: tuple
    groups: tuple
    instance: str = ""
    attachment: str = ""
    first: bool = False  # of its instance, made with it
    from_boot: float = inf  # of its instance, when it must be there
    automatic: bool = False  # it has a public address by itself while its instance is up
    leaving: bool = False
    goes_with_instance: bool = False


@dataclass
class PromisedAddress:
    id: str
    address: str
    interface: str = ""
    private: str = ""
    association: str = ""

    def free(self):
        self.interface = self.private = self.association = ""


@dataclass
class PromisedNat:
    id: str
    interface: str
    becomes: tuple  # what it may come to, if it is not deleted before
    want: str = "present"
    shown: str = "pending"
    ended_at: object = None


@dataclass
class NetworkPromises:
    store: object
    host: object
    clock: object
    settings: object
    broken: object
    say: object
    vpcs: dict = field(default_factory=dict)  # id: its internet gateway, "" for none
    tables: dict = field(default_factory=dict)  # vpc: its main route table
    routes: dict = field(default_factory=dict)  # (table, destination): (kind of target, its id)
    subnets: dict = field(default_factory=dict)  # id: vpc
    public_subnets: set = field(default_factory=set)  # those that give their instances public addresses
    groups: dict = field(default_factory=dict)  # id: vpc
    rules: dict = field(default_factory=dict)  # id: (group, egress, protocol, port, cidr or group)
    interfaces: dict = field(default_factory=dict)
    addresses: dict = field(default_factory=dict)
    nats: dict = field(default_factory=dict)
    placed: set = field(default_factory=set)  # (interface, attachment) known to be carried

    def forget_all(self):
        for known in (
            self.vpcs,
            self.tables,
            self.routes,
            self.subnets,
            self.public_subnets,
            self.groups,
            self.rules,
            self.interfaces,
            self.addresses,
            self.nats,
            self.placed,
        ):
            known.clear()

    def check(self, instances):
        """`instances` are the promised ones."""
        rows = self.store.rows(NetworkInterface)
        for nat in list(self.nats.values()):
            self._check_nat(nat)
        for promised in list(self.interfaces.values()):
            self._check_interface(promised, instances)
        for promised in self.addresses.values():
            self._check_address(promised)
        self._check_made()
        self._check_routes()
        self._check_places(rows)
        self._check_private(rows)
        self._check_public(rows)
        if len(self.addresses) > self.settings.elastic_addresses_max:
            self.broken(f"{len(self.addresses)} elastic addresses are allocated")

    # --- what was made

    def _check_made(self):
        """It is there, and what it needs is there."""
        for kind, known in ((Subnet, self.subnets), (SecurityGroup, self.groups)):
            for id, vpc in known.items():
                row = self.store.get(kind, id)
                if row is None or row.vpc_id != vpc:
                    self.broken(f"{id} is gone, though nobody deleted it")
        for id in self.vpcs:
            row = self.store.get(Vpc, id)
            if row is None or not row.visible:
                self.broken(f"{id} is gone, though nobody deleted it")
        for id, (group, *_) in self.rules.items():
            row = self.store.get(SecurityGroupRule, id)
            if row is None or row.group_id != group:
                self.broken(f"{id} of {group} is gone, though nobody revoked it")

    def _check_routes(self):
        found = {
            (table, route.destination): (route.target, route.target_id)
            for table in self.tables.values()
            for route in self.store.get(RouteTable, table).routes
        }
        if found != self.routes:
            self.broken(f"routes are {found}, and were acknowledged as {self.routes}")

    def _check_interface(self, promised, instances):
        row = self.store.get(NetworkInterface, promised.id)
        instance = instances.get(promised.instance)
        if promised.instance and (instance is None or instance.gone):
            self._check_survived(promised, row)
            return
        if row is None:
            self.broken(f"{promised.id} is gone, though nobody deleted it")
            del self.interfaces[promised.id]
            return
        if promised.leaving and not row.instance_id:
            there = self.host.networks.carries(row.vpc_id, promised.instance, row.id)
            if there and self.host.runs(promised.instance):
                self.broken(f"{row.id} is free, and {promised.instance} has it still")
            promised.instance, promised.attachment, promised.leaving = "", "", False
        attachment = row.attachment.id if row.attachment is not None else ""
        shown = (row.subnet_id, tuple(each.address for each in row.addresses), row.groups)
        if shown != (promised.subnet, promised.addresses, promised.groups):
            self.broken(f"{row.id} is {shown}, and was acknowledged otherwise: {promised}")
        if not promised.automatic and any(_is_automatic(each) for each in row.addresses):
            self.broken(f"{row.id} has a public address that nobody asked for")
        if (row.instance_id, attachment) != (promised.instance, promised.attachment):
            self.broken(f"{row.id} is attached to {row.instance_id or 'nothing'} by {attachment}: {promised}")

    def _check_survived(self, promised, row):
        """Its instance is terminated: it went along, or is free again."""
        if promised.goes_with_instance:
            if row is not None:
                self.broken(f"{row.id} outlived {promised.instance}")
            del self.interfaces[promised.id]
            return
        if row is None or row.instance_id or row.attachment is not None:
            self.broken(f"{promised.id} was not set free when {promised.instance} was terminated")
        promised.instance, promised.attachment, promised.leaving = "", "", False
        promised.first = False

    def _check_nat(self, promised):
        row = self.store.get(NatGateway, promised.id)
        if row is None:
            if promised.shown not in ("failed", "deleted"):
                self.broken(f"{promised.id} is gone, though it was {promised.shown}")
            elif self.clock.latest - promised.ended_at < timedelta(
                seconds=self.settings.terminated_visible_s
            ):
                self.broken(f"{promised.id} is forgotten too soon")
            del self.nats[promised.id]
            return
        shown = row.shown_state
        if shown != promised.shown:
            self.say(f"  {row.id} {promised.shown} -> {shown}")
            if shown not in NAT_ARROWS[promised.shown]:
                self.broken(f"{row.id} went from {promised.shown} to {shown}")
        if promised.shown == "pending" and shown in ("available", "failed") and shown not in promised.becomes:
            self.broken(f"{row.id} is {shown}, and was to be {promised.becomes}")
        if promised.want == "absent" and shown in ("pending", "available"):
            self.broken(f"{row.id} is {shown}, and was deleted")
        if promised.want == "present" and shown in ("deleting", "deleted"):
            self.broken(f"{row.id} is {shown}, though nobody deleted it")
        promised.shown, promised.ended_at = shown, row.deleted_at

    # --- addresses

    def _check_address(self, promised):
        row = self.store.get(ElasticAddress, promised.id)
        if row is None or row.address != promised.address:
            self.broken(f"{promised.id} is gone, though nobody released it")
            return
        if promised.interface and self.store.get(NetworkInterface, promised.interface) is None:
            promised.free()
        shown = (row.interface_id, row.private_ip, row.association_id)
        if shown != (promised.interface, promised.private, promised.association):
            self.broken(f"{row.id} stands in front of {shown}, and was acknowledged otherwise: {promised}")

    def _check_places(self, rows):
        """`placed` is said only when the network carries it where it is attached."""
        placed = set()
        for row in rows:
            if not row.placed:
                continue
            place = (row.id, row.attachment.id if row.attachment is not None else "")
            if place not in self.placed and not self.host.networks.carries_at(row):
                self.broken(f"{row.id} is said to be placed, and {row.vpc_id} does not carry it")
            placed.add(place)
        self.placed = placed

    def _check_private(self, rows):
        taken = Counter((row.subnet_id, each.address) for row in rows for each in row.addresses)
        self._check_once(taken)
        self._check_once(Counter(row.mac for row in rows))
        for row in rows:
            if self.store.get(Subnet, row.subnet_id) is None:
                self.broken(f"{row.id} is in {row.subnet_id}, which is gone")
            for group in row.groups:
                if self.store.get(SecurityGroup, group) is None:
                    self.broken(f"{row.id} is in {group}, which is gone")

    def _check_public(self, rows):
        """Each public address is taken once, by who has it, and stands in front of one private address at most."""
        elastic = {row.address: row for row in self.store.rows(ElasticAddress)}
        owners = {address: row.id for address, row in elastic.items()}
        fronts = []
        for row in rows:
            for each in row.addresses:
                if each.public is None:
                    continue
                fronts.append(each.public.address)
                if each.public.owner == "amazon":
                    owners[each.public.address] = row.id
                    continue
                one = elastic.get(each.public.address)
                if one is None or (one.interface_id, one.private_ip) != (row.id, each.address):
                    self.broken(f"{each.public.address} stands in front of {row.id}, and is not its own")
        self._check_once(Counter(fronts))
        associated = sum(1 for row in elastic.values() if row.association_id)
        if associated != sum(1 for address in fronts if address in elastic):
            self.broken("an elastic address is associated, and stands in front of nothing")
        taken = {row.id: row.owner for row in self.store.rows(PublicAddress)}
        if taken != owners:
            self.broken(f"of the pool {sorted(taken)} are taken, and {sorted(owners)} are in use")

    def _check_once(self, counts):
        for what, count in counts.items():
            if count > 1:
                self.broken(f"{what} is given {count} times")


def _is_automatic(address):
    return address.public is not None and address.public.owner == "amazon"
