"""Route 53 Resolver's errors, with AWS's wording for what is said in more than one place.

The firewall's operations complain by ValidationException, all older ones by InvalidParameterException.
"""

from cloudstead.core.errors import ServiceError


class ResourceNotFoundException(ServiceError):
    code = "ResourceNotFoundException"


class UnknownResourceException(ServiceError):
    code = "UnknownResourceException"


class InvalidParameterException(ServiceError):
    code = "InvalidParameterException"


class InvalidRequestException(ServiceError):
    code = "InvalidRequestException"


class InvalidNextTokenException(ServiceError):
    code = "InvalidNextTokenException"


class InvalidPolicyDocument(ServiceError):
    code = "InvalidPolicyDocument"


class InvalidTagException(ServiceError):
    code = "InvalidTagException"


class ResourceExistsException(ServiceError):
    code = "ResourceExistsException"


class ResourceInUseException(ServiceError):
    code = "ResourceInUseException"


class LimitExceededException(ServiceError):
    code = "LimitExceededException"


class ConflictException(ServiceError):
    code = "ConflictException"


class ValidationException(ServiceError):
    code = "ValidationException"


def wrong(field: str, text: str) -> InvalidParameterException:
    return InvalidParameterException(text, fields={"FieldName": field})


def cannot_find(id: str) -> ResourceNotFoundException:
    """As the firewall's operations say it."""
    return ResourceNotFoundException(f"[RSLVR-02025] Can't find the resource with ID '{id}'.")
