"""What a network's resolver does with a name before it looks for it: the DNS firewall, then the forwarding rules.

Of firewall rules the lowest priority that knows the name decides. Of forwarding rules the most specific domain does,
and it goes before a private zone unless that is more specific; a SYSTEM rule takes its domain out of a wider one.
"""

from collections.abc import Iterator

from cloudstead.dataplane.dns.compiled import CNAME, type_number
from cloudstead.dataplane.dns.evaluate import NOERROR, NXDOMAIN, RRset
from cloudstead.dataplane.dns.wire import Question, Reply
from cloudstead.dataplane.dns.wirenames import ROOT, parent, to_wire
from cloudstead.dataplane.dns.zones import FirewallRule, Network, Rule

_BELOW = "*."
_ALL = "*"


class Guard:
    def __init__(self, network: Network) -> None:
        self.network = network
        self._exact: dict[bytes, list[FirewallRule]] = {}
        self._below: dict[bytes, list[FirewallRule]] = {}
        self._rules = {to_wire(rule.domain): rule for rule in network.rules}
        for rule in sorted(network.firewall, key=lambda each: each.priority):
            for domain in rule.domains:
                self._list(domain, rule)

    def firewall(self, question: Question) -> FirewallRule | None:
        """The rule that decides about a question; None if none knows it."""
        found = [
            rule
            for rules in self._knowing(question.name)
            for rule in rules
            if not rule.type or type_number(rule.type) == question.type
        ]
        return min(found, key=lambda each: each.priority, default=None)

    def rule(self, name: bytes) -> tuple[bytes, Rule] | None:
        """The most specific forwarding rule and its domain; None also where that is a SYSTEM rule."""
        for domain in _up(name):
            rule = self._rules.get(domain)
            if rule is not None:
                return (domain, rule) if rule.targets else None
        return None

    def _list(self, domain: str, rule: FirewallRule) -> None:
        if domain == _ALL:
            self._exact.setdefault(ROOT, []).append(rule)
            self._below.setdefault(ROOT, []).append(rule)
        elif domain.startswith(_BELOW):
            self._below.setdefault(to_wire(domain.removeprefix(_BELOW)), []).append(rule)
        else:
            self._exact.setdefault(to_wire(domain), []).append(rule)

    def _knowing(self, name: bytes) -> Iterator[list[FirewallRule]]:
        yield self._exact.get(name, [])
        for above in _up(name):
            if above != name:
                yield self._below.get(above, [])


def blocked(question: Question, rule: FirewallRule) -> Reply:
    """What a rule has said instead of the answer."""
    if rule.block_response == "OVERRIDE":
        instead = RRset(question.name, CNAME, rule.override_ttl_s, (to_wire(rule.override_domain),))
        return Reply(question, NOERROR, answer=(instead,))
    return Reply(question, NXDOMAIN if rule.block_response == "NXDOMAIN" else NOERROR)


def _up(name: bytes) -> Iterator[bytes]:
    yield name
    while name != ROOT:
        name = parent(name)
        yield name
