"""Networks in the kernel: a namespace for each router, one for each instance, nftables between them.

    host ── edge ──┬── router vpc-1 ──┬── i-1 (eth0, eth1)
                   │                  └── i-2
                   └── router vpc-2 ───── i-3

Needs root. All of it hangs on files under the data directory, so two clouds on one machine never meet; only
the host link's name and the pool of public addresses are shared by all, and differ from cloud to cloud.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.network import firewall, links, namespaces, naming, routing
from cloudstead.dataplane.network.commands import ip, ip_batch, nft
from cloudstead.dataplane.network.driver import NetworkSeen, NetworkSpec, revision, wiring
from cloudstead.dataplane.network.edge import Edge
from cloudstead.dataplane.network.journal import Journal, Record
from cloudstead.dataplane.network.links import Placed

_ROUTER = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/rp_filter": "0",  # nftables checks sources, per address
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
    "ipv4/conf/all/accept_redirects": "0",
    "ipv4/conf/default/accept_redirects": "0",
    "ipv6/conf/all/accept_redirects": "0",
    "ipv6/conf/default/accept_redirects": "0",
    "ipv4/conf/default/proxy_arp": "1",  # neighbours of a subnet are reached through the router
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv6/conf/default/disable_ipv6": "0",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/default/forwarding": "1",
    "ipv6/conf/default/accept_dad": "0",
}
_INSTANCE = {
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "2",
    "ipv4/ping_group_range": "0 2147483647",
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv6/conf/default/disable_ipv6": "0",
    "ipv6/conf/default/accept_ra": "0",
    "ipv6/conf/default/accept_dad": "0",
}
_BACKLOG = 1024


class LinuxNetworks:
    """The NetworkDriver of a Linux host, as root.

    `cloud` is six hexadecimal digits that differ between clouds on one host. With `egress`, instances that may
    reach the internet reach it through the host's uplink, for which the host gets a table of its own in nftables.
    """

    def __init__(
        self,
        data: Path,
        cloud: str,
        *,
        pool: naming.Pool = naming.Pool(),  # noqa: B008 - frozen
        gateway_port: int = naming.GATEWAY_PORT,
        egress: bool = False,
    ) -> None:
        self._files = data.absolute() / "run" / "netns"
        self._journal = Journal(data.absolute() / "run" / "network")
        self._pool = pool
        self._port = gateway_port
        self._edge = Edge(
            self.namespace(naming.EDGE),
            self._journal,
            cloud,
            pool=pool,
            gateway_port=gateway_port,
            egress=egress,
        )
        self._edge_lock = asyncio.Lock()
        self._locks: dict[str, asyncio.Lock] = {}

    def namespace(self, id: str) -> Path:
        """The file that holds the network namespace of a network's router (vpc-…) or of an instance (i-…)."""
        return self._files / id

    async def observe(self) -> list[NetworkSeen]:
        ids = {*self._journal.ids(), *(file.name for file in self._files.glob("vpc-*"))}
        return [NetworkSeen(id=id, revision=self._seen(id)) for id in sorted(ids)]

    async def ensure(self, spec: NetworkSpec) -> None:
        async with self._alone(spec.id):
            await self._ensure(spec)

    async def remove(self, id: str) -> None:
        async with self._alone(id):
            await self._remove(id)
            async with self._edge_lock:
                if set(self._journal.ids()) <= {id}:
                    await self._edge.remove()  # before the last record goes: who would remove it later?
                self._journal.forget(id)

    async def ensure_edge(self) -> None:
        """Make the host link now, so that the gateway can listen on `pool.host` before there is any network."""
        async with self._edge_lock:
            await self._edge.ensure()

    async def teardown(self) -> None:
        """Remove every network, and the edge."""
        for seen in await self.observe():
            await self.remove(seen.id)
        async with self._edge_lock:
            await self._edge.remove()

    def open_socket(
        self, id: str, kind: Literal["tcp", "udp"], address: str, port: int, *, listen: bool = True
    ) -> socket.socket:
        if not namespaces.alive(self.namespace(id)):
            raise DriverError(f"{id}: no such network")
        try:
            return namespaces.inside(self.namespace(id), lambda: _bound(kind, address, port, listen=listen))
        except OSError as e:
            raise DriverError(f"{id}: {address} port {port}: {e}") from e

    def _seen(self, id: str) -> str:
        record = self._journal.read(id)
        return record.revision if record is not None and self._stands(record) else ""

    def _stands(self, record: Record) -> bool:
        """Whether everything that the record names is still there."""
        return self._edge.whole() and all(
            namespaces.alive(self.namespace(each)) for each in (record.id, *record.instances)
        )

    async def _ensure(self, spec: NetworkSpec) -> None:
        record = self._journal.read(spec.id)
        if record is not None and record.wiring == wiring(spec) and self._stands(record):
            await self._permit(spec, record)
        else:
            await self._build(spec)

    async def _permit(self, spec: NetworkSpec, record: Record) -> None:
        """Change what is permitted, and nothing else: a rule holds as soon as one process has run."""
        self._journal.write(msgspec.structs.replace(record, revision=""))
        await nft(self.namespace(spec.id), self._rules(spec, record))
        self._journal.write(msgspec.structs.replace(record, revision=revision(spec)))

    def _rules(self, spec: NetworkSpec, record: Record) -> str:
        return firewall.ruleset(spec, transit=record.transit, pool=self._pool, gateway_port=self._port)

    async def _build(self, spec: NetworkSpec) -> None:
        record = await self._begin(spec)
        await asyncio.to_thread(self._make_namespaces, spec)
        # Rules first: a link that they do not know carries nothing.
        rules = nft(self.namespace(spec.id), self._rules(spec, record))
        await _together(rules, self._attach(spec, record))
        await self._wire(spec, record)
        for id in set(record.instances) - _instances(spec):
            namespaces.remove(self.namespace(id))
        self._journal.write(
            msgspec.structs.replace(
                record,
                revision=revision(spec),
                wiring=wiring(spec),
                instances=tuple(sorted(_instances(spec))),
                placed=_placed(spec),
            )
        )

    def _make_namespaces(self, spec: NetworkSpec) -> None:
        namespaces.make(self.namespace(spec.id), _ROUTER)
        for id in sorted(_instances(spec)):
            namespaces.make(self.namespace(id), _INSTANCE)

    async def _begin(self, spec: NetworkSpec) -> Record:
        """Write down what is about to be made; keep what is known to be in its place."""
        async with self._edge_lock:
            if self._journal.read(spec.id) is None:  # an edge without a network would be seen by nobody
                self._journal.write(self._journal.fresh(spec.id))
            await self._edge.ensure()
            record = self._journal.read(spec.id) or self._journal.fresh(spec.id)
            if not namespaces.alive(self.namespace(spec.id)):
                record = msgspec.structs.replace(record, placed={})
            wanted = _placed(spec)
            record = msgspec.structs.replace(
                record,
                revision="" if record.revision != revision(spec) else record.revision,
                wiring="",
                transit=record.transit or self._free_transit(),
                instances=tuple(sorted({*record.instances, *_instances(spec)})),
                placed={
                    id: _during(old, wanted[id])
                    for id, old in record.placed.items()
                    if id in wanted
                    and _same_place(old, wanted[id])
                    and namespaces.alive(self.namespace(old.instance))
                },
            )
            self._journal.write(record)
            return record

    def _free_transit(self) -> str:
        taken = {record.transit for id in self._journal.ids() if (record := self._journal.read(id))}
        address = self._pool.free_transit(taken)
        if address is None:
            raise DriverError(f"no address is left in {self._pool.reserved} for one more network")
        return address

    async def _attach(self, spec: NetworkSpec, record: Record) -> None:
        async with self._edge_lock:
            await self._edge.attach(
                spec.id,
                self.namespace(spec.id),
                record.transit,
                routing.public_addresses(spec),
                routing.public6(spec),
            )

    async def _wire(self, spec: NetworkSpec, record: Record) -> None:
        router = self.namespace(spec.id)
        said = await ip(router, "-j", "-batch", "-", input=links.READ.encode())
        now = links.seen(said)
        placed = {id: each for id, each in record.placed.items() if naming.veth(id) in now.links}
        files = {id: str(self.namespace(id)) for id in _instances(spec)}
        lines = links.router_commands(spec, self._pool, record.transit, now, placed=placed, files=files)
        await ip_batch(router, lines)
        _answer_at_once(router, [e.id for e in routing.attached(spec) if e.id not in placed])
        if spec.ipv6_cidrs:
            rules = await ip(router, "-6", "-j", "rule", "show")
            present = links.rules_seen(json.loads(rules))
            await ip_batch(router, links.rule_commands(links.rules(spec), present), "-6")
        moved = {each.instance for each in routing.attached(spec) if _unsettled(placed.get(each.id))}
        await _together(*(self._dress(id, spec, placed) for id in sorted(filter(None, moved))))

    async def _dress(self, instance: str, spec: NetworkSpec, placed: dict[str, Placed]) -> None:
        """Give an instance's interfaces their addresses and routes."""
        file = self.namespace(instance)
        interfaces = [each for each in spec.interfaces if each.instance == instance]
        for each in sorted(interfaces, key=lambda e: e.device):
            old = placed.get(each.id)
            if not _unsettled(old):
                continue
            present: set[str] = set()
            if old is not None:
                said = await ip(file, "-j", "address", "show", "dev", f"eth{each.device}")
                addresses = (a for link in json.loads(said) for a in link.get("addr_info", ()))
                present = {f"{a['local']}/{a['prefixlen']}" for a in addresses}
            ours = () if old is None else old.addresses
            await ip_batch(file, links.instance_commands(each, spec, present, ours))
        if len(interfaces) > 1:
            for family in (4, 6) if any(each.ipv6_addresses for each in interfaces) else (4,):
                said = await ip(file, f"-{family}", "-j", "rule", "show")
                rules = {(rule["src"], rule["table"]) for rule in json.loads(said)}
                lines = links.source_commands(interfaces, spec, family, rules)
                await ip_batch(file, lines, f"-{family}")

    async def _remove(self, id: str) -> None:
        record = self._journal.read(id) or self._journal.fresh(id)
        self._journal.write(msgspec.structs.replace(record, revision="", wiring="", placed={}))
        async with self._edge_lock:
            await self._edge.detach(id)
        router = self.namespace(id)
        if namespaces.alive(router):
            # A socket of ours may hold the namespace open; its links must go all the same.
            said = await ip(router, "-j", "link", "show")
            names = [each["ifname"] for each in json.loads(said) if each["ifname"] != "lo"]
            await ip_batch(router, links.removal(names))
        for each in (*record.instances, id):
            namespaces.remove(self.namespace(each))

    @asynccontextmanager
    async def _alone(self, id: str) -> AsyncIterator[None]:
        async with self._locks.setdefault(id, asyncio.Lock()):
            try:
                yield
            except OSError as e:
                raise DriverError(f"{id}: {e}") from e


def _bound(kind: Literal["tcp", "udp"], address: str, port: int, *, listen: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((address, port))
        if kind == "tcp" and listen:
            bound.listen(_BACKLOG)
        elif not listen:
            # Where it goes is the route table's to say, once it is on its way; until then no table may refuse it.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, naming.INTERNET)
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound


def _answer_at_once(router: Path, interfaces: list[str]) -> None:
    """Answer for neighbours without the kernel's random delay of up to 0.8 s, which no default setting reaches."""

    def write() -> None:
        for id in interfaces:
            Path(f"/proc/sys/net/ipv4/neigh/{naming.veth(id)}/proxy_delay").write_text("0", encoding="ascii")

    if interfaces:
        namespaces.inside(router, write)


async def _together(*work: Coroutine[object, object, object]) -> None:
    """Wait for all to end, then raise the first failure: none may go on after the lock is let go."""
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _instances(spec: NetworkSpec) -> set[str]:
    return {each.instance for each in spec.interfaces if each.instance is not None}


def _placed(spec: NetworkSpec) -> dict[str, Placed]:
    return {
        each.id: Placed(each.instance or "", each.device, each.mac, links.addresses(each, spec))
        for each in routing.attached(spec)
    }


def _same_place(old: Placed, new: Placed) -> bool:
    return (old.instance, old.device, old.mac) == (new.instance, new.device, new.mac)


def _during(old: Placed, new: Placed) -> Placed:
    """While addresses change, the old and the new ones are ours."""
    if old == new:
        return old
    both = tuple(dict.fromkeys((*old.addresses, *new.addresses)))
    return msgspec.structs.replace(new, addresses=both, settled=False)


def _unsettled(placed: Placed | None) -> bool:
    return placed is None or not placed.settled
