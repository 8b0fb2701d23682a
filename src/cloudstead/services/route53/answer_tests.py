"""TestDNSAnswer: what a name server would say, by the very evaluator that name servers use."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.dataplane.dns.zones import Batch
from cloudstead.services.route53 import name_servers, names
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.errors import InvalidInput
from cloudstead.services.route53.feed import Feed


class Question(msgspec.Struct, frozen=True, kw_only=True):
    zone: str
    name: str  # as a zone file writes it
    type: str
    asker: str  # the address that the answer may depend on; empty if nobody said
    subnet: str = ""  # the client's network as the resolver tells it, `192.0.2.0/24`


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    code: str  # `NOERROR`
    data: tuple[str, ...]


#: Answers a question from what a name server would have been told.
Ask = Callable[[Batch, Question], Answered]

_MASKS = {4: 24, 6: 48}


class TestAnswers:
    def __init__(self, directory: Directory, feed: Feed, ask: Ask) -> None:
        self._directory = directory
        self._feed = feed
        self._ask = ask

    def test_dns_answer(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        zone = self._directory.zone(caller, request["HostedZoneId"])
        name = _name(request["RecordName"])
        if not names.within(name, zone.name):
            raise InvalidInput(f"The record name {name} does not lie within the hosted zone {zone.name}")
        question = Question(
            zone=zone.id,
            name=names.zone_text(name),
            type=request["RecordType"],
            asker=request.get("ResolverIP", ""),
            subnet=_subnet(request),
        )
        answered = self._ask(self._feed.zone(zone), question)
        servers = zone.name_servers or name_servers.PRIVATE
        return {
            "Nameserver": servers[0],
            "RecordName": request["RecordName"],
            "RecordType": request["RecordType"],
            "RecordData": list(answered.data),
            "ResponseCode": answered.code,
            "Protocol": "UDP",
        }


def _name(text: str) -> str:
    try:
        return names.normal(text)
    except names.BadName as e:
        raise InvalidInput(f"FATAL problem: {e} encountered with '{text}'") from None


def _subnet(request: Mapping[str, Any]) -> str:
    address, mask = request.get("EDNS0ClientSubnetIP"), request.get("EDNS0ClientSubnetMask")
    if mask and not address:
        raise InvalidInput("EDNS0ClientSubnetMask can only be specified together with EDNS0ClientSubnetIP.")
    if not address:
        return ""
    version = 6 if ":" in address else 4
    bits = mask or str(_MASKS[version])
    if not bits.isdecimal() or int(bits) > (128 if version == 6 else 32):
        raise InvalidInput(f"The EDNS0ClientSubnetMask {mask} is not valid.")
    return f"{address}/{bits}"
