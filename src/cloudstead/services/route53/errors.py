"""Route 53's errors, with AWS's wording for what is said in more than one place.

The model says each one's status; those without one are 400.
"""

from collections.abc import Sequence

from cloudstead.core.errors import ServiceError


class InvalidInput(ServiceError):
    code = "InvalidInput"


class InvalidChangeBatch(ServiceError):
    code = "InvalidChangeBatch"


class InvalidDomainName(ServiceError):
    code = "InvalidDomainName"


class InvalidVPCId(ServiceError):
    code = "InvalidVPCId"


class InvalidPaginationToken(ServiceError):
    code = "InvalidPaginationToken"


class HostedZoneAlreadyExists(ServiceError):
    code = "HostedZoneAlreadyExists"


class HostedZoneNotEmpty(ServiceError):
    code = "HostedZoneNotEmpty"


class HostedZoneNotFound(ServiceError):
    code = "HostedZoneNotFound"


class HostedZoneNotPrivate(ServiceError):
    code = "HostedZoneNotPrivate"


class TooManyHostedZones(ServiceError):
    code = "TooManyHostedZones"


class ConflictingDomainExists(ServiceError):
    code = "ConflictingDomainExists"


class DelegationSetAlreadyCreated(ServiceError):
    code = "DelegationSetAlreadyCreated"


class DelegationSetAlreadyReusable(ServiceError):
    code = "DelegationSetAlreadyReusable"


class DelegationSetInUse(ServiceError):
    code = "DelegationSetInUse"


class LimitsExceeded(ServiceError):
    code = "LimitsExceeded"


class LastVPCAssociation(ServiceError):
    code = "LastVPCAssociation"


class NotAuthorizedException(ServiceError):
    code = "NotAuthorizedException"


class PublicZoneVPCAssociation(ServiceError):
    code = "PublicZoneVPCAssociation"


class VPCAssociationNotFound(ServiceError):
    code = "VPCAssociationNotFound"


class VPCAssociationAuthorizationNotFound(ServiceError):
    code = "VPCAssociationAuthorizationNotFound"


class TooManyVPCAssociationAuthorizations(ServiceError):
    code = "TooManyVPCAssociationAuthorizations"


class NoSuchHostedZone(ServiceError):
    code = "NoSuchHostedZone"


class NoSuchDelegationSet(ServiceError):
    code = "NoSuchDelegationSet"


class NoSuchChange(ServiceError):
    code = "NoSuchChange"


class NoSuchHealthCheck(ServiceError):
    code = "NoSuchHealthCheck"


class CidrBlockInUseException(ServiceError):
    code = "CidrBlockInUseException"


class CidrCollectionAlreadyExistsException(ServiceError):
    code = "CidrCollectionAlreadyExistsException"


class CidrCollectionInUseException(ServiceError):
    code = "CidrCollectionInUseException"


class CidrCollectionVersionMismatchException(ServiceError):
    code = "CidrCollectionVersionMismatchException"


class NoSuchCidrCollectionException(ServiceError):
    code = "NoSuchCidrCollectionException"


class NoSuchCidrLocationException(ServiceError):
    code = "NoSuchCidrLocationException"


class HealthCheckAlreadyExists(ServiceError):
    code = "HealthCheckAlreadyExists"


class HealthCheckVersionMismatch(ServiceError):
    code = "HealthCheckVersionMismatch"


class TooManyHealthChecks(ServiceError):
    code = "TooManyHealthChecks"


def no_such_zone(id: str) -> NoSuchHostedZone:
    return NoSuchHostedZone(f"No hosted zone found with ID: {id}")


def no_such_health_check(id: str) -> NoSuchHealthCheck:
    return NoSuchHealthCheck(f"No health check exists with the specified ID {id}.")


def no_such_delegation_set(id: str) -> NoSuchDelegationSet:
    return NoSuchDelegationSet(f"No delegation set found with ID: {id}")


def bad_batch(messages: Sequence[str]) -> InvalidChangeBatch:
    """All that is wrong with a batch, in one list, as AWS tells it."""
    return InvalidChangeBatch(f"[{', '.join(messages)}]")
