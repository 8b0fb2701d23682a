"""Which of a network's rules a name falls under, and whether that goes before what is known of the name. Pure.

The rule for the longest domain is the one. It yields to a zone that is longer still, and at a tie goes before it. A
rule without targets (SYSTEM) takes a domain out of a shorter rule: such names are answered as if there were none.
"""

from collections.abc import Sequence

from cloudstead.dataplane.dns.zones import Rule

_OCTETS = {"10": 1, "172": 2, "192": 2, "169": 2}  # how many of an address its network's reverse zone has


def chosen(rules: Sequence[Rule], name: str) -> Rule | None:
    """The rule for a name (in lower case, without the last dot) that sends it elsewhere."""
    best, best_length = None, -1
    for rule in rules:
        domain = rule.domain.rstrip(".").lower()
        if (not domain or name == domain or name.endswith("." + domain)) and len(domain) > best_length:
            best, best_length = rule, len(domain)
    return best if best is not None and best.targets else None


def goes_before(rule: Rule, zone: str) -> bool:
    """Whether a rule is asked rather than a zone that has the name too."""
    return _labels(rule.domain) >= _labels(_autodefined(zone))


def _labels(domain: str) -> int:
    domain = domain.rstrip(".")
    return domain.count(".") + 1 if domain else 0


def _autodefined(zone: str) -> str:
    """The zone as AWS counts it: of private addresses that in which whole ranges are, not a network's own part."""
    if not zone.endswith(".in-addr.arpa"):
        return zone
    octets = zone.removesuffix(".in-addr.arpa").split(".")
    kept = _OCTETS.get(octets[-1], len(octets))
    return ".".join([*octets[-kept:], "in-addr.arpa"])
