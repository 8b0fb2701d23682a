"""The resolver of a network: firewall first, then rules and the names that are known here, then all others.

It takes both places of a server: what is known at once is found by `lookup`; what is blocked, forwarded by a rule
or unknown is no name of ours to the server, and `ask` answers it.
"""

from collections.abc import Callable
from typing import Protocol

import dns.message
import dns.rdatatype

from cloudstead.dataplane.dns import rules
from cloudstead.dataplane.dns.answers import Answers, Found
from cloudstead.dataplane.dns.firewall import Firewall, blocked
from cloudstead.dataplane.dns.outbound import Outbound
from cloudstead.dataplane.dns.zones import FirewallRule, Network, Rule

_REVERSE = (".in-addr.arpa", ".ip6.arpa")


class Asker(Protocol):
    """Who answers what the server does not know."""

    async def ask(self, query: dns.message.QueryMessage) -> dns.message.Message: ...


class Resolver:
    """One for all networks. `views` gives a network's view, the same one while nothing changes."""

    def __init__(
        self, names: Answers, views: Callable[[str], Network], outbound: Outbound, others: Asker
    ) -> None:
        self._names = names
        self._views = views
        self._outbound = outbound
        self._others = others
        self._firewalls: dict[str, tuple[Network, Firewall]] = {}

    def serves(self, view: str | None) -> bool:
        return self._names.serves(view)

    def lookup(self, view: str | None, name: str, type: str) -> Found | None:
        if view is None:
            return self._names.lookup(view, name, type)
        network = self._views(view)
        met = self._firewall(network).decide(name, dns.rdatatype.from_text(type))
        if met is not None and met.action == "BLOCK":
            return None
        if name.endswith(_REVERSE) and not network.autodefined_reverse:
            return None
        found = self._names.lookup(view, name, type)
        if found is not None:
            rule = rules.chosen(network.rules, name)
            if rule is not None and rules.goes_before(rule, found.zone):
                return None
        return found

    def of(self, network: str) -> Asker:
        """Who answers the rest of one network's questions."""
        return _Rest(self, network)

    def met(self, network: str, answer: dns.message.Message) -> FirewallRule | None:
        """The firewall's rule that an answered question met, for the query log."""
        asked = dns.message.make_query(answer.question[0].name, answer.question[0].rdtype)
        return self._firewall(self._views(network)).decide_on(asked, answer)

    async def ask(self, view: str, query: dns.message.QueryMessage) -> dns.message.Message:
        """The answer to what `lookup` did not find. Never raises."""
        network, asked = self._views(view), query.question[0]
        firewall = self._firewall(network)
        name = asked.name.to_text(omit_final_dot=True).lower()
        met = firewall.decide(name, asked.rdtype)
        if met is not None and met.action == "BLOCK":
            return blocked(query, met)
        rule = rules.chosen(network.rules, name)
        answer = await self._forwarded(query, rule)
        met = firewall.decide_on(query, answer)
        return blocked(query, met) if met is not None and met.action == "BLOCK" else answer

    async def _forwarded(self, query: dns.message.QueryMessage, rule: Rule | None) -> dns.message.Message:
        return await (self._others.ask(query) if rule is None else self._outbound.ask(query, rule))

    def _firewall(self, network: Network) -> Firewall:
        known = self._firewalls.get(network.id)
        if known is not None and known[0].firewall is network.firewall:
            return known[1]
        made = Firewall(network.firewall)
        self._firewalls[network.id] = network, made
        return made


class _Rest:
    def __init__(self, resolver: Resolver, network: str) -> None:
        self._resolver = resolver
        self._network = network

    async def ask(self, query: dns.message.QueryMessage) -> dns.message.Message:
        return await self._resolver.ask(self._network, query)
