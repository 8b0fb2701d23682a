"""STS's errors."""

from cloudstead.core.errors import ServiceError


class AccessDenied(ServiceError):
    code = "AccessDenied"
    status = 403


class ValidationError(ServiceError):
    code = "ValidationError"


class InvalidParameterValue(ServiceError):
    code = "InvalidParameterValue"


class PackedPolicyTooLarge(ServiceError):
    code = "PackedPolicyTooLarge"
