"""IAM's errors, with AWS's wording for what is said in more than one place."""

from cloudstead.core.errors import ServiceError


class NoSuchEntity(ServiceError):
    code = "NoSuchEntity"
    status = 404


class EntityAlreadyExists(ServiceError):
    code = "EntityAlreadyExists"
    status = 409


class DeleteConflict(ServiceError):
    code = "DeleteConflict"
    status = 409


class LimitExceeded(ServiceError):
    code = "LimitExceeded"
    status = 409


class MalformedPolicyDocument(ServiceError):
    code = "MalformedPolicyDocument"


class ValidationError(ServiceError):
    code = "ValidationError"


class InvalidInput(ServiceError):
    code = "InvalidInput"


class UnmodifiableEntity(ServiceError):
    code = "UnmodifiableEntity"


class InvalidUserType(ServiceError):
    code = "InvalidUserType"


class PasswordPolicyViolation(ServiceError):
    code = "PasswordPolicyViolation"


class AccessDenied(ServiceError):
    code = "AccessDenied"
    status = 403


def over_quota(name: str, limit: int) -> LimitExceeded:
    return LimitExceeded(f"Cannot exceed quota for {name}: {limit}")
