"""Zones for tests: said as in a zone file, asked as by a resolver."""

from random import Random

import dns.flags
import dns.message
import dns.rcode

from cloudstead.dataplane.dns.health import Health
from cloudstead.dataplane.dns.image import Image
from cloudstead.dataplane.dns.responder import Elsewhere, Responder, Said
from cloudstead.dataplane.dns.zones import Batch, PutRecords, PutZone, RecordSet, Zone

SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"


def plain(name, type, *values, ttl_s=300, **more):
    return RecordSet(name=name, type=type, ttl_s=ttl_s, values=values, **more)


def putting(zone, *sets):
    """The changes that make these all there is of their names and types."""
    together = {}
    for each in sets:
        together.setdefault((each.name, each.type), []).append(each)
    return [PutRecords(zone, name, type, tuple(these)) for (name, type), these in together.items()]


def zone_of(id, name, *sets, **more):
    """A zone with the SOA and NS that Route 53 gives it."""
    apex = [
        plain(name, "SOA", SOA, ttl_s=900),
        plain(name, "NS", "ns-1.awsdns-1.com.", "ns-2.awsdns-2.net.", ttl_s=172800),
    ]
    return [PutZone(Zone(id=id, name=name, **more)), *putting(id, *apex, *sets)]


class World:
    """An image, health and chance, and answers as dnspython reads them."""

    def __init__(self, *changes, seed=1):
        self.image, self.health, self.random = Image(), Health(), Random(seed)
        self.apply(*changes)

    def apply(self, *changes):
        flat = [one for each in changes for one in (each if isinstance(each, list) else [each])]
        self.image.apply(Batch(self.image.number + 1, tuple(flat)))

    def responder(self, view=None):
        return Responder(self.image, self.health, view=view, random=self.random)

    def said(self, name, type="A", *, view=None, peer="192.0.2.1", **options):
        query = dns.message.make_query(name, type, **options)
        return query, self.responder(view).respond(query.to_wire(), peer)

    def ask(self, name, type="A", **more):
        query, outcome = self.said(name, type, **more)
        assert not isinstance(outcome, Elsewhere), "it is not ours"
        assert isinstance(outcome, Said)
        answer = dns.message.from_wire(outcome.reply.over_tcp()[2:])
        assert query.is_response(answer)
        return answer

    def values(self, name, type="A", **more):
        """The values of the last RRset, sorted."""
        answer = self.ask(name, type, **more).answer
        return sorted(each.to_text() for each in answer[-1]) if answer else []


def lines(section):
    return [line for rrset in section for line in rrset.to_text().splitlines()]


def code(message):
    return dns.rcode.to_text(message.rcode())


def authoritative(message):
    return bool(message.flags & dns.flags.AA)
