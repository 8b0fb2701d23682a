"""The edge: a namespace that stands for the internet, one per cloud.

The host has one link to it, and each network's router has one. Public addresses are routes here, nothing more:
translation is the router's affair, so a packet shows its real sender on every hop. A packet whose source is not
routed back where it came from is dropped, so no network can send from another's public address.
"""

import hashlib
import json
import socket
from pathlib import Path

import msgspec

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.network import namespaces, naming
from cloudstead.dataplane.network.commands import ip, ip_batch, ipv6_on, nft
from cloudstead.dataplane.network.journal import Journal, Record

_SYSCTLS = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/rp_filter": "1",
    "ipv4/conf/default/rp_filter": "1",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv6/conf/default/disable_ipv6": "0",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/default/accept_dad": "0",
}
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")


class Edge:
    def __init__(
        self, file: Path, journal: Journal, cloud: str, *, pool: naming.Pool, gateway_port: int, egress: bool
    ) -> None:
        self._file = file
        self._journal = journal
        self._link = naming.host_link(cloud)
        self._table = f"cloudstead_{cloud}"
        self._pool = pool
        self._port = gateway_port
        self._egress = egress
        made = [
            *(*self._inner_lines(), *self._host_lines(), *self._host_lines6()),
            *(self._inner_rules(), self._host_rules()),
        ]
        self._revision = hashlib.sha256("\n".join(made).encode()).hexdigest()[:24]

    def whole(self) -> bool:
        record = self._journal.read(naming.EDGE)
        return (
            record is not None
            and record.revision == self._revision
            and namespaces.alive(self._file)
            and _exists(self._link)
        )

    async def ensure(self) -> None:
        if self.whole():
            return
        record = self._journal.read(naming.EDGE) or self._journal.fresh(naming.EDGE)
        record = msgspec.structs.replace(record, revision="")
        self._journal.write(record)
        await self._refuse_a_taken_pool()
        if not namespaces.alive(self._file):
            self._forget_uplinks()
            await _drop(None, self._link)  # it led to an edge that is no more
        namespaces.make(self._file, _SYSCTLS)
        if not _exists(self._link):
            await ip_batch(None, [f'link add {self._link} type veth peer name host netns "{self._file}"'])
        await nft(self._file, self._inner_rules())
        await ip_batch(self._file, self._inner_lines())
        await ip_batch(None, self._host_lines() + (self._host_lines6() if ipv6_on(self._link) else []))
        record = await self._set_egress(record)
        self._journal.write(msgspec.structs.replace(record, revision=self._revision))

    def _inner_lines(self) -> list[str]:
        return [
            "link set lo up",
            f"address replace {self._pool.edge} peer {self._pool.host} dev host",
            "link set host up",
            f"route replace blackhole {self._pool.cidr}",
            f"address replace {naming.GATEWAY6}/64 dev host nodad",
            f"route replace blackhole {self._pool.cidr6}",
            f"route replace {self._pool.host6}/128 dev host",
            *([f"route replace default via {self._pool.host} dev host"] if self._egress else []),
        ]

    def _forget_uplinks(self) -> None:
        """Every network lost its way out with the edge; each is to be built anew."""
        for id in self._journal.ids():
            record = self._journal.read(id)
            if record is not None:
                self._journal.write(msgspec.structs.replace(record, revision="", wiring=""))

    def _host_lines(self) -> list[str]:
        pool, link = self._pool, self._link
        return [
            f"address replace {pool.host} peer {pool.edge} dev {link}",
            f"link set {link} up",
            f"route replace {pool.cidr} via {pool.edge} dev {link} src {pool.host}",
        ]

    def _host_lines6(self) -> list[str]:
        pool, link = self._pool, self._link
        return [
            f"address replace {pool.host6}/128 dev {link} nodad",
            f"route replace {pool.cidr6} via {naming.GATEWAY6} dev {link} src {pool.host6}",
        ]

    async def attach(
        self, network: str, router: Path, transit: str, public: list[str], public6: list[str]
    ) -> None:
        """Lead these addresses, and no others, to the network's router."""
        name = naming.uplink(network)
        said = await ip(self._file, "-j", "-batch", "-", input=b"link show\nroute show table all\n")
        links, routes = (json.loads(line) for line in said.splitlines())
        lines = []
        if all(each["ifname"] != name for each in links):
            lines.append(f'link add {name} type veth peer name {naming.EDGE} netns "{router}"')
            lines.append(f"link set {name} addrgenmode none up")
            lines.append(f"address add {naming.GATEWAY6}/64 dev {name} nodad")
        present = {
            each["dst"]
            for each in routes
            if each.get("dev") == name
            and each.get("protocol", "boot") == "boot"
            and each.get("table") != "local"
        }
        wanted = {
            transit: "",
            **dict.fromkeys(public, f" via {transit}"),
            **dict.fromkeys(public6, f" via {naming.ROUTER6}"),
        }
        lines += [f"route del {each} dev {name}" for each in sorted(present - wanted.keys())]
        # In order: the transit address first, for the others lead over it.
        lines += [
            f"route replace {each}{via} dev {name}" + (" onlink" if via else "")
            for each, via in wanted.items()
            if each not in present
        ]
        await ip_batch(self._file, lines)

    async def detach(self, network: str) -> None:
        if not namespaces.alive(self._file):
            return
        await _drop(self._file, naming.uplink(network))

    async def remove(self) -> None:
        record = self._journal.read(naming.EDGE)
        if record is None:
            return
        self._journal.write(msgspec.structs.replace(record, revision=""))
        await _drop(None, self._link)
        await self._take_egress_back(record)
        namespaces.remove(self._file)
        self._journal.forget(naming.EDGE)

    async def _refuse_a_taken_pool(self) -> None:
        pools = {"-4": self._pool.cidr, **({"-6": self._pool.cidr6} if ipv6_on("default") else {})}
        for family, pool in pools.items():
            for route in json.loads(await ip(None, family, "-j", "route", "show", "root", pool) or "[]"):
                if route["dst"] != "default" and route.get("dev") != self._link:
                    raise DriverError(
                        f"{pool} is already in use here ({route['dst']} dev {route.get('dev')}): "
                        "choose another pool of public addresses"
                    )

    async def _set_egress(self, record: Record) -> Record:
        """Let instances out by the host's own uplink, or take that back."""
        if not self._egress:
            return await self._take_egress_back(record)
        if not record.forwarding:
            record = msgspec.structs.replace(record, forwarding=_forwarding())
            self._journal.write(record)
        await nft(None, self._host_rules())
        _set_forwarding("1")
        return record

    async def _take_egress_back(self, record: Record) -> Record:
        if not record.forwarding:
            return record
        await nft(None, _dropped(self._table))
        _set_forwarding(record.forwarding)
        return msgspec.structs.replace(record, forwarding="")

    def _inner_rules(self) -> str:
        """What instances may begin towards the host: the API, and with egress whatever lies behind the host."""
        beyond = f"ip daddr != {self._pool.host} accept" if self._egress else ""
        return f"""
add table inet cloudstead
delete table inet cloudstead
table inet cloudstead {{
  chain forward {{
    type filter hook forward priority filter; policy accept;
    oifname "host" goto to-host
  }}
  chain to-host {{
    ct state established,related accept
    ip daddr {self._pool.host} tcp dport {self._port} accept
    {beyond}
    drop
  }}
  chain input {{
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
    iifname "host" icmp type echo-request accept
  }}
}}
"""

    def _host_rules(self) -> str:
        link = self._link
        return f"""
{_dropped(self._table)}
table inet {self._table} {{
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "{link}" ct state established,related accept
    iifname "{link}" ip daddr {self._pool.host} tcp dport {self._port} accept
    iifname "{link}" drop
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    oifname "{link}" ct state established,related accept
    oifname "{link}" drop
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {self._pool.cidr} oifname != "{link}" masquerade
  }}
}}
"""


def _dropped(table: str) -> str:
    return f"add table inet {table}\ndelete table inet {table}"


async def _drop(namespace: Path | None, link: str) -> None:
    """Delete a link. The kernel may be first, at any moment: a link ends with the namespace of its peer."""

    def there() -> bool:
        return _exists(link) if namespace is None else namespaces.inside(namespace, lambda: _exists(link))

    if there():
        try:
            await ip_batch(namespace, [f"link del {link}"])
        except DriverError:
            if there():
                raise


def _exists(link: str) -> bool:
    try:
        socket.if_nametoindex(link)
    except OSError:
        return False
    return True


def _forwarding() -> str:
    return _FORWARD.read_text(encoding="ascii").strip()


def _set_forwarding(value: str) -> None:
    _FORWARD.write_text(value, encoding="ascii")
