"""Route 53 Domains' errors, with the wording of what is said in more than one place."""

from cloudstead.core.errors import ServiceError


class InvalidInput(ServiceError):
    code = "InvalidInput"


class UnsupportedTLD(ServiceError):
    code = "UnsupportedTLD"


class TLDRulesViolation(ServiceError):
    code = "TLDRulesViolation"


class DuplicateRequest(ServiceError):
    code = "DuplicateRequest"


class DomainLimitExceeded(ServiceError):
    code = "DomainLimitExceeded"


class OperationLimitExceeded(ServiceError):
    code = "OperationLimitExceeded"


class DnssecLimitExceeded(ServiceError):
    code = "DnssecLimitExceeded"


def not_found(name: str, account: str) -> InvalidInput:
    return InvalidInput(f"Domain {name} not found in {account} account")


def against_rules(tld: str, what: str) -> TLDRulesViolation:
    return TLDRulesViolation(f"The registry of .{tld} does not support {what}.")
