"""What Route 53 asks of others: EC2's VPCs, what name servers acknowledged, and the answer a name server would give."""

import ipaddress
from collections.abc import Callable
from random import Random

import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from cloudstead.dataplane.dns.blocks import Asker
from cloudstead.dataplane.dns.compiled import type_number
from cloudstead.dataplane.dns.evaluate import Circumstances, resolve_in
from cloudstead.dataplane.dns.health import IsHealthy
from cloudstead.dataplane.dns.image import Image
from cloudstead.dataplane.dns.places import REGIONS
from cloudstead.dataplane.dns.wirenames import to_wire
from cloudstead.dataplane.dns.zones import Batch
from cloudstead.services.ec2.network_rows import Vpc
from cloudstead.services.route53.operations import Answered, Ask, Neighbours, Question
from cloudstead.store import Store

#: Whom an answer is for if nobody says: an address of which no table knows the place.
_NOBODY = "0.0.0.0"  # noqa: S104 - nothing listens there


def neighbours(
    store: Store, acknowledged: Callable[[], int], is_healthy: IsHealthy, random: Random
) -> Neighbours:
    def network_owner(region: str, id: str) -> str | None:
        vpc = store.get(Vpc, id)
        return None if vpc is None or vpc.region != region else vpc.account

    return Neighbours(
        network_owner=network_owner,
        acknowledged=acknowledged,
        find_place=REGIONS.get,
        ask=asking(is_healthy, random),
    )


def asking(is_healthy: IsHealthy, random: Random) -> Ask:
    """Answers a question about one zone by the evaluator of the name servers, in an image made for it."""

    def ask(told: Batch, question: Question) -> Answered:
        image = Image()
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
