"""The registry's zones as the name servers are told them: a root, the TLDs, and where their servers are.

The root and the TLDs are heard only where a question comes to them: each in a view of its own, which here stands for a
server of its own (`ROOT_VIEW`, `TLD_VIEW`). In one view with everybody's hosted zones the deepest zone would answer at
once, and nobody would see a delegation. What a resolver asks first, the addresses of all these servers and of those of
hosted zones, follows by a rule (`RegistryNames`).

Delegations live for a minute, not for AWS's two days: who changes name servers here wants to see it.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloudstead.dataplane.dns import Found
from cloudstead.dataplane.dns import zones as told
from cloudstead.services.route53domains.names import is_below
from cloudstead.services.route53domains.rows import Domain
from cloudstead.services.route53domains.standing import is_delegated
from cloudstead.services.route53domains.tlds import tld_of, zones
from cloudstead.store import Store

ROOT_VIEW = "registry-root"
TLD_VIEW = "registry-tld"
#: Where the servers of the registry have their names. `internal` is nobody's on the internet.
HOME = "registry.internal"
ROOT_SERVER = f"root.{HOME}"
TLD_SERVER = f"tld.{HOME}"

_TTL_S = 60
_ROOT_ZONE = "registry-root"
_HOSTED = re.compile(r"ns-\d+\.awsdns-\d+\.(?:com|net|org|co\.uk)")

#: A zone's id, a name and a type.
Key = tuple[str, str, str]
Values = tuple[str, ...]


@dataclass(frozen=True)
class Servers:
    """The addresses of the name servers: of the root, of the TLDs, and of hosted zones (`ns-1.awsdns-02.com`)."""

    root: Sequence[str]
    tld: Sequence[str]
    hosted: Sequence[str]


class RegistryNames:
    """`dns.Answers` for the names of all these servers."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    def serves(self, _view: str | None) -> bool:
        return True

    def lookup(self, _view: str | None, name: str, type: str) -> Found | None:
        if name == HOME or name.endswith(f".{HOME}"):
            known = {ROOT_SERVER: self._servers.root, TLD_SERVER: self._servers.tld, HOME: ()}
            return _found(HOME, known.get(name), type)
        if _HOSTED.fullmatch(name):
            return _found(name.split(".", 1)[1], self._servers.hosted, type)
        return None


class Delegations:
    """`dns.Source` of the registry's zones: the first answer is everything, later ones are what changed since.

    A number is a moment of the store. Who asks from another number than the last one given is told everything anew;
    what was taken away meanwhile goes by its zone being dropped first.
    """

    def __init__(self, store: Store, servers: Servers) -> None:
        self._store = store
        self._servers = servers
        self._number = 0
        self._looked = 0
        self._given: Mapping[Key, Values] = {}

    def since(self, number: int) -> told.Batch | None:
        known = number != 0 and number == self._number
        with self._store.reading():
            moment = max(self._store.moment(), 1)
            if known and moment == self._looked:
                return None
            records = registry_records(self._store.rows(Domain), self._servers)
        self._looked = moment
        changes = _difference(self._given, records) if known else _everything(records)
        if not changes:
            return None
        self._number, self._given = moment, records
        return told.Batch(moment, (*changes, *_serials(changes, moment)))


def delegated_to(store: Store, name: str) -> tuple[str, ...]:
    """The name servers that the registry leads to for a domain of this name; none if it leads nowhere."""
    domain = store.get(Domain, name)
    if domain is None or not is_delegated(domain):
        return ()
    return tuple(server.name for server in domain.name_servers)


def registry_zones() -> list[told.Zone]:
    tlds = [told.Zone(id=zone_id(name), name=name, networks=(TLD_VIEW,)) for name in zones()]
    return [
        told.Zone(id=_ROOT_ZONE, name=".", networks=(ROOT_VIEW,)),
        *tlds,
    ]


def zone_id(tld: str) -> str:
    return f"registry-{tld}"


def registry_records(domains: Iterable[Domain], servers: Servers) -> dict[Key, Values]:
    """Everything that these zones say but for their SOAs, which carry the moment."""
    found: dict[Key, Values] = {}
    for key, values in (*_root(servers), *_tlds(), *_domains(domains, servers)):
        found[key] = (*found.get(key, ()), *(value for value in values if value not in found.get(key, ())))
    return found


# --- what stands in each of them

Records = Iterator[tuple[Key, Values]]


def _root(servers: Servers) -> Records:
    yield (_ROOT_ZONE, ".", "NS"), (f"{ROOT_SERVER}.",)
    for tld in zones():
        if "." not in tld:
            yield (_ROOT_ZONE, tld, "NS"), (f"{TLD_SERVER}.",)
    yield from _addresses(_ROOT_ZONE, ROOT_SERVER, servers.root)
    yield from _addresses(_ROOT_ZONE, TLD_SERVER, servers.tld)


def _tlds() -> Records:
    names = zones()
    for tld in names:
        yield (zone_id(tld), tld, "NS"), (f"{TLD_SERVER}.",)
        if "." in tld:
            yield (zone_id(tld.partition(".")[2]), tld, "NS"), (f"{TLD_SERVER}.",)


def _domains(domains: Iterable[Domain], servers: Servers) -> Records:
    """A domain's delegation: its servers, the addresses of those inside it and of AWS's own, its DS records."""
    for domain in domains:
        if not is_delegated(domain):
            continue
        zone = zone_id(tld_of(domain.id).name)
        yield (zone, domain.id, "NS"), tuple(f"{server.name}." for server in domain.name_servers)
        for server in domain.name_servers:
            if is_below(server.name, domain.id):
                yield from _addresses(zone, server.name, server.glue)
            elif hosted := _HOSTED.fullmatch(server.name):
                yield from _addresses(zone_id(hosted[0].split(".", 2)[2]), server.name, servers.hosted)
        if domain.keys:
            yield (
                (zone, domain.id, "DS"),
                tuple(f"{key.tag} {key.algorithm} {key.digest_type} {key.digest}" for key in domain.keys),
            )


def _found(zone: str, addresses: Iterable[str] | None, type: str) -> Found:
    if addresses is None:
        return Found(zone=zone, records=None, ttl_s=_TTL_S)
    return Found(zone=zone, records=tuple(each for each in addresses if _kind(each) == type), ttl_s=_TTL_S)


def _kind(address: str) -> str:
    return "A" if ipaddress.ip_address(address).version == 4 else "AAAA"


def _addresses(zone: str, name: str, addresses: Iterable[str]) -> Records:
    for address in addresses:
        yield (zone, name, _kind(address)), (address,)


# --- as changes


def _everything(records: Mapping[Key, Values]) -> list[told.Change]:
    fresh: list[told.Change] = []
    for zone in registry_zones():
        fresh += [told.DropZone(zone.id), told.PutZone(zone)]
    return [*fresh, *(_put(key, values) for key, values in records.items())]


def _difference(before: Mapping[Key, Values], now: Mapping[Key, Values]) -> list[told.Change]:
    gone = [_put(key, ()) for key in before.keys() - now.keys()]
    return [*gone, *(_put(key, values) for key, values in now.items() if before.get(key) != values)]


def _put(key: Key, values: Values) -> told.Change:
    zone, name, kind = key
    sets = (told.RecordSet(name=name, type=kind, ttl_s=_TTL_S, values=values),) if values else ()
    return told.PutRecords(zone, name, kind, sets)


def _serials(changes: Iterable[told.Change], moment: int) -> list[told.Change]:
    """The SOA of every zone that changes. Its serial is the moment, as far as 32 bits go."""
    changed = {change.zone for change in changes if isinstance(change, told.PutRecords)}
    zones_ = [zone for zone in registry_zones() if zone.id in changed]
    return [_put((zone.id, zone.name, "SOA"), (_soa(zone, moment),)) for zone in zones_]


def _soa(zone: told.Zone, moment: int) -> str:
    server = TLD_SERVER if zone.networks == (TLD_VIEW,) else ROOT_SERVER
    return f"{server}. hostmaster.{HOME}. {moment % 2**32} 7200 900 1209600 {_TTL_S}"
