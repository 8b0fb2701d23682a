"""Route 53 and the name servers: what either is told of the other, and what Route 53 asks of EC2.

A commit rings a bell for each name server; it then pulls what it lacks from the rows and says how far it came. Both
ways go through memory and pipes that are made before the fork.
"""

import asyncio
import contextlib
import ipaddress
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from cloudstead.dataplane import dns as name_servers
from cloudstead.dataplane.dns.blocks import Asker
from cloudstead.dataplane.dns.compiled import type_number
from cloudstead.dataplane.dns.evaluate import Circumstances, resolve_in
from cloudstead.dataplane.dns.health import IsHealthy
from cloudstead.dataplane.dns.places import REGIONS
from cloudstead.dataplane.dns.wirenames import to_wire
from cloudstead.dataplane.dns.zones import Batch
from cloudstead.services.ec2.network_rows import Vpc
from cloudstead.services.route53.health_reports import HealthReports
from cloudstead.services.route53.operations import Answered, Ask, Neighbours, Question, feed, servers_of
from cloudstead.services.route53domains.operations import Heard, delegated_to
from cloudstead.store import Store
from cloudstead.store.bell import Bell

#: Whom an answer is for if nobody says: an address of which no table knows the place.
_NOBODY = "0.0.0.0"  # noqa: S104 - nothing listens there


#: The places of name servers: the one for everybody outside the networks, and all those inside of them.
PUBLIC, INSIDE = 0, 1

#: A name server looks by itself so often, should a ring be missed.
_LOOKS_EVERY_S = 1.0


@dataclass(frozen=True)
class NameServers:
    """What name servers share with those whose changes they follow. Made before the fork."""

    #: One for each name server there shall be, by its place.
    bells: Mapping[int, Bell] = field(default_factory=dict)
    told: name_servers.Acknowledgements = field(default_factory=lambda: name_servers.Acknowledgements(2))
    health: name_servers.Health = field(default_factory=name_servers.Health)

    def ring(self) -> None:
        for bell in self.bells.values():
            bell.ring()

    def acknowledged(self) -> int:
        """The number that all have reached. Where there is nobody to be told, nothing waits."""
        return self.told.acknowledged() if self.bells else sys.maxsize


class Following:
    """Keeps one name server's image level with the rows."""

    def __init__(self, store: Store, servers: NameServers, place: int) -> None:
        self.image = name_servers.Image()
        self._bell = servers.bells.get(place)
        heard = Heard(
            feed(store, REGIONS.get),
            lambda name: delegated_to(store, name),
            lambda zone: servers_of(store, zone),
        )
        self._follower = name_servers.Follower(heard, self.image, servers.told, place)

    async def catch_up(self) -> None:
        while self._follower.catch_up():  # noqa: ASYNC110 - there is no waiting, others have their turn
            await asyncio.sleep(0)

    async def run(self) -> None:
        """Until cancelled; where there is no name server, it is done at once."""
        if self._bell is None:
            return
        loop, rung = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._bell.fileno(), rung.set)
        try:
            while True:
                self._bell.answer()
                rung.clear()
                await self.catch_up()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(rung.wait(), _LOOKS_EVERY_S)
        finally:
            loop.remove_reader(self._bell.fileno())


def neighbours(
    store: Store, servers: NameServers, random: Random, checker_ranges: Sequence[str]
) -> Neighbours:
    def network_owner(region: str, id: str) -> str | None:
        vpc = store.get(Vpc, id)
        return None if vpc is None or vpc.region != region else vpc.account

    return Neighbours(
        network_owner=network_owner,
        acknowledged=servers.acknowledged,
        find_place=REGIONS.get,
        ask=asking(servers.health.of, random),
        reports=HealthReports(store),
        checker_ranges=checker_ranges,
    )


def asking(is_healthy: IsHealthy, random: Random) -> Ask:
    """Answers a question about one zone by the evaluator of the name servers, in an image made for it."""

    def ask(told: Batch, question: Question) -> Answered:
        image = name_servers.Image()
        image.apply(told)
        zone = image.zone(question.zone)
        assert zone is not None, "what is told begins with the zone"
        around = Circumstances(_asker(question), is_healthy, random)
        type = type_number(question.type)
        answer = resolve_in(image, zone, to_wire(question.name), type, around)
        data = tuple(_text(each.type, value) for each in answer.answer for value in each.values)
        return Answered(code=dns.rcode.to_text(dns.rcode.Rcode(answer.code)), data=data)

    return ask


def _asker(question: Question) -> Asker:
    if not question.subnet:
        return Asker.at(question.asker or _NOBODY)
    network = ipaddress.ip_network(question.subnet, strict=False)
    return Asker(network.version, int(network.network_address), network.prefixlen)


def _text(type: int, value: bytes) -> str:
    rdata = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.RdataType.make(type), value, 0, len(value))
    return rdata.to_text()
