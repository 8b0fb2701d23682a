"""KMS's errors, with AWS's wording for what is said in more than one place."""

from cloudstead.core.errors import ServiceError


class ValidationException(ServiceError):
    code = "ValidationException"


class AccessDeniedException(ServiceError):
    code = "AccessDeniedException"


class NotAuthorizedException(ServiceError):
    code = "NotAuthorizedException"


class NotFoundException(ServiceError):
    code = "NotFoundException"


class AlreadyExistsException(ServiceError):
    code = "AlreadyExistsException"


class DisabledException(ServiceError):
    code = "DisabledException"


class DryRunOperationException(ServiceError):
    code = "DryRunOperationException"


class IncorrectKeyException(ServiceError):
    code = "IncorrectKeyException"


class InvalidArnException(ServiceError):
    code = "InvalidArnException"


class InvalidCiphertextException(ServiceError):
    code = "InvalidCiphertextException"


class InvalidKeyUsageException(ServiceError):
    code = "InvalidKeyUsageException"


class InvalidMarkerException(ServiceError):
    code = "InvalidMarkerException"


class KMSInvalidStateException(ServiceError):
    code = "KMSInvalidStateException"


class LimitExceededException(ServiceError):
    code = "LimitExceededException"


class MalformedPolicyDocumentException(ServiceError):
    code = "MalformedPolicyDocumentException"


class TagException(ServiceError):
    code = "TagException"


def no_such_key(arn: str) -> NotFoundException:
    return NotFoundException(f"Key '{arn}' does not exist")


def no_such_alias(arn: str) -> NotFoundException:
    return NotFoundException(f"Alias {arn} is not found.")
