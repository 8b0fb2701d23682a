"""The DNS firewall of a network: which rule a question meets, and what a blocked one is answered. Pure.

The first rule by priority that speaks of the name and the type decides, whatever it does: ALLOW and ALERT let the
question pass and end the search as BLOCK does.
"""

from collections.abc import Iterator, Sequence

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from cloudstead.dataplane.dns.respond import UDP_BYTES_MAX
from cloudstead.dataplane.dns.zones import FirewallRule

_CHAIN_MAX = 16
_ALL = "*"


class Firewall:
    """The rules of one network, in tables: a question costs a look-up for each of its labels, however many domains."""

    def __init__(self, rules: Sequence[FirewallRule]) -> None:
        self._rules = sorted(rules, key=lambda rule: rule.priority)
        self._types = [dns.rdatatype.from_text(rule.type) if rule.type else None for rule in self._rules]
        self._exact: dict[str, list[int]] = {}
        self._below: dict[
            str, list[int]
        ] = {}  # of `*.example.com`, by `example.com`; of `*` by the empty name
        for number, rule in enumerate(self._rules):
            for domain in rule.domains:
                self._add(number, domain.rstrip(".").lower())

    def decide(self, name: str, type: int) -> FirewallRule | None:
        """The rule that a question meets. `name` is in lower case, without the last dot."""
        if not self._rules:
            return None
        met = [number for number in self._speaking_of(name) if self._types[number] in (None, type)]
        return self._rules[min(met)] if met else None

    def decide_on(self, query: dns.message.QueryMessage, answer: dns.message.Message) -> FirewallRule | None:
        """The rule that an answer meets by where its CNAMEs lead to, unless the question's own rule trusts those."""
        asked = query.question[0]
        own = self.decide(_text(asked.name), asked.rdtype)
        if own is not None and (own.action == "BLOCK" or own.trusts_redirection):
            return own
        for name in redirections(asked.name, answer):
            met = self.decide(_text(name), asked.rdtype)
            if met is not None and (own is None or met.action == "BLOCK"):
                return met
        return own

    def _add(self, number: int, domain: str) -> None:
        if domain == _ALL:
            self._below.setdefault("", []).append(number)
        elif domain.startswith("*."):
            self._below.setdefault(domain[2:], []).append(number)
        else:
            self._exact.setdefault(domain, []).append(number)

    def _speaking_of(self, name: str) -> Iterator[int]:
        yield from self._exact.get(name, ())
        above = name
        while above:
            above = above.partition(".")[2]
            yield from self._below.get(above, ())


def redirections(name: dns.name.Name, answer: dns.message.Message) -> Iterator[dns.name.Name]:
    """Where the CNAMEs of an answer lead to, one after the other."""
    aliases = {rrset.name: rrset[0].target for rrset in answer.answer if rrset.rdtype == dns.rdatatype.CNAME}
    for _ in range(_CHAIN_MAX):
        if name not in aliases:
            return
        name = aliases[name]
        yield name


def blocked(query: dns.message.QueryMessage, rule: FirewallRule) -> dns.message.Message:
    """What a question is answered that is not let pass."""
    answer = dns.message.make_response(query, recursion_available=True, our_payload=UDP_BYTES_MAX)
    match rule.block_response:
        case "NXDOMAIN":
            answer.set_rcode(dns.rcode.NXDOMAIN)
        case "OVERRIDE":
            name, target = query.question[0].name, rule.override_domain.rstrip(".") + "."
            answer.answer.append(dns.rrset.from_text(name, rule.override_ttl_s, "IN", "CNAME", target))
        case "NODATA":
            pass
    return answer


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
