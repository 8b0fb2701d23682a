"""Where the CNAMEs of an answer lead to, as the DNS firewall looks at it; the name asked for is `guard`'s affair."""

from collections.abc import Iterator

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from cloudstead.dataplane.dns import wire
from cloudstead.dataplane.dns.guard import Guard
from cloudstead.dataplane.dns.respond import UDP_BYTES_MAX
from cloudstead.dataplane.dns.zones import FirewallRule

_CHAIN_MAX = 16


def met(guard: Guard, name: dns.name.Name, type: int) -> FirewallRule | None:
    """The rule that a question about a name meets."""
    asked = dns.message.make_query(name, dns.rdatatype.RdataType.make(type))
    return guard.firewall(wire.read(asked.to_wire()))


def met_by(guard: Guard, answer: dns.message.Message) -> FirewallRule | None:
    """The rule that an answered question met: by its own name, or by where its CNAMEs lead to.

    A rule that the name itself meets ends the search if it blocks, or trusts redirections.
    """
    asked = answer.question[0]
    own = met(guard, asked.name, asked.rdtype)
    if own is not None and (own.action == "BLOCK" or own.trusts_redirection):
        return own
    for name in _redirections(asked.name, answer):
        found = met(guard, name, asked.rdtype)
        if found is not None and (own is None or found.action == "BLOCK"):
            return found
    return own


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


def _redirections(name: dns.name.Name, answer: dns.message.Message) -> Iterator[dns.name.Name]:
    """Where the CNAMEs of an answer lead to, one after the other."""
    aliases = {rrset.name: rrset[0].target for rrset in answer.answer if rrset.rdtype == dns.rdatatype.CNAME}
    for _ in range(_CHAIN_MAX):
        if name not in aliases:
            return
        name = aliases[name]
        yield name
