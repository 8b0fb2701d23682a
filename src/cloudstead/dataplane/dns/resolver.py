"""The resolver of networks, in the places that a server has for others: names beyond zones, who is asked beyond, and
who asks through outbound endpoints.

`desk` has put a question to the firewall and to the rules before it comes here. What is left is where a chain leads:
out of a zone, or within the answer of somebody else.
"""

from collections.abc import Callable
from dataclasses import replace

import dns.message
import dns.name
import dns.rdatatype

from cloudstead.dataplane.dns.answers import Answers, Found
from cloudstead.dataplane.dns.firewall import blocked, met, met_by
from cloudstead.dataplane.dns.forward import Asker
from cloudstead.dataplane.dns.guard import Guard
from cloudstead.dataplane.dns.image import Image
from cloudstead.dataplane.dns.outbound import Outbound
from cloudstead.dataplane.dns.zones import Batch, FirewallRule, Network, PutNetwork, Rule

_REVERSE = (".in-addr.arpa", ".ip6.arpa")
#: How many octets the reverse zones of private ranges have, by the first.
_OCTETS = {"10": 1, "172": 2, "192": 2, "169": 2}


class Resolver:
    """One for all networks. `views` gives a network's view, the very same one while nothing changes."""

    def __init__(
        self,
        names: Answers,
        views: Callable[[str], Network],
        image: Image,
        outbound: Outbound,
        others: Asker,
    ) -> None:
        self._names = names
        self._views = views
        self._image = image
        self._outbound = outbound
        self._others = others
        self._guards: dict[str, Guard] = {}

    def serves(self, view: str | None) -> bool:
        """Called before questions are answered, so here the image learns what has become of the network."""
        if view is not None:
            network = self._views(view)
            if self._image.networks.get(view) is not network:
                self._image.apply(Batch(self._image.number, (PutNetwork(network),)))
                self._guards[view] = Guard(network)
        return self._names.serves(view)

    def lookup(self, view: str | None, name: str, type: str) -> Found | None:
        reverse = name.endswith(_REVERSE)
        if view is not None:
            if reverse and not self._views(view).autodefined_reverse:
                return None
            if self._blocks(view, name, type):
                return None
        found = self._names.lookup(view, name, type)
        return replace(found, zone=_autodefined(found.zone)) if found is not None and reverse else found

    def beyond(self, network: str) -> Asker:
        """Who answers a network's questions that nothing here knows."""
        return _Beyond(self, network, self._others)

    def outbound(self, network: str) -> Callable[[Rule], Asker]:
        """Who answers a network's questions that a rule sends to somebody's own name servers."""
        return lambda rule: _Beyond(self, network, self._outbound.by(rule))

    def met(self, network: str, answer: dns.message.Message) -> FirewallRule | None:
        """The firewall rule that an answered question met."""
        guard = self._guards.get(network)
        return (
            met_by(guard, answer)
            if guard is not None and guard.network.firewall and answer.question
            else None
        )

    def checked(
        self, network: str, query: dns.message.QueryMessage, answer: dns.message.Message
    ) -> dns.message.Message:
        """The answer, unless the firewall blocks where it leads to."""
        guard = self._guards.get(network)
        if guard is None or not guard.network.firewall:
            return answer
        rule = met_by(guard, answer)
        return blocked(query, rule) if rule is not None and rule.action == "BLOCK" else answer

    def _blocks(self, view: str, name: str, type: str) -> bool:
        guard = self._guards.get(view)
        if guard is None or not guard.network.firewall:
            return False
        rule = met(guard, dns.name.from_text(name), dns.rdatatype.from_text(type))
        return rule is not None and rule.action == "BLOCK"


class _Beyond:
    def __init__(self, resolver: Resolver, network: str, asker: Asker) -> None:
        self._resolver = resolver
        self._network = network
        self._asker = asker

    async def ask(self, query: dns.message.QueryMessage) -> dns.message.Message:
        """Never raises. What is blocked is not asked: a chain of a zone may lead to it."""
        unasked = dns.message.make_response(query)
        said = self._resolver.checked(self._network, query, unasked)
        if said is not unasked:
            return said
        return self._resolver.checked(self._network, query, await self._asker.ask(query))


def _autodefined(zone: str) -> str:
    """The reverse zone as AWS counts it: of private addresses that of the whole range. It matters where a rule is too."""
    if not zone.endswith(".in-addr.arpa"):
        return zone
    octets = zone.removesuffix(".in-addr.arpa").split(".")
    return ".".join([*octets[-_OCTETS.get(octets[-1], len(octets)) :], "in-addr.arpa"])
