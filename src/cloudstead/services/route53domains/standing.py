"""How a registration stands, in the status codes of EPP (RFC 5731 and 3915), and whether it is delegated."""

from cloudstead.services.route53domains.lifetimes import Phase
from cloudstead.services.route53domains.rows import Domain


def codes(domain: Domain, phase: Phase) -> list[str]:
    found = []
    if domain.locked:
        found.append("clientTransferProhibited")
    if domain.held and phase == "registered":
        found.append("clientHold")
    match phase:
        case "expired":
            found += ["autoRenewPeriod", "clientHold"]
        case "redemption":
            found += ["pendingDelete", "redemptionPeriod"]
        case "ending":
            found.append("pendingDelete")
    if not domain.name_servers:
        found.append("inactive")
    return found or ["ok"]


def is_delegated(domain: Domain) -> bool:
    """Whether its TLD's zone leads to its name servers."""
    return bool(domain.name_servers) and not domain.held
