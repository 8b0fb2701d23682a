"""SSM's errors, with AWS's wording for what is said in more than one place."""

from cloudstead.core.errors import ServiceError


class ValidationException(ServiceError):
    code = "ValidationException"


class ParameterNotFound(ServiceError):
    code = "ParameterNotFound"


class ParameterVersionNotFound(ServiceError):
    code = "ParameterVersionNotFound"


class ParameterAlreadyExists(ServiceError):
    code = "ParameterAlreadyExists"


class ParameterLimitExceeded(ServiceError):
    code = "ParameterLimitExceeded"


class ParameterMaxVersionLimitExceeded(ServiceError):
    code = "ParameterMaxVersionLimitExceeded"


class ParameterVersionLabelLimitExceeded(ServiceError):
    code = "ParameterVersionLabelLimitExceeded"


class ParameterPatternMismatchException(ServiceError):
    code = "ParameterPatternMismatchException"


class InvalidAllowedPatternException(ServiceError):
    code = "InvalidAllowedPatternException"


class HierarchyLevelLimitExceededException(ServiceError):
    code = "HierarchyLevelLimitExceededException"


class InvalidKeyId(ServiceError):
    code = "InvalidKeyId"


class PoliciesLimitExceededException(ServiceError):
    code = "PoliciesLimitExceededException"


class InvalidPolicyTypeException(ServiceError):
    code = "InvalidPolicyTypeException"


class InvalidPolicyAttributeException(ServiceError):
    code = "InvalidPolicyAttributeException"


class IncompatiblePolicyException(ServiceError):
    code = "IncompatiblePolicyException"


class InvalidFilterKey(ServiceError):
    code = "InvalidFilterKey"


class InvalidFilterOption(ServiceError):
    code = "InvalidFilterOption"


class InvalidFilterValue(ServiceError):
    code = "InvalidFilterValue"


class InvalidNextToken(ServiceError):
    code = "InvalidNextToken"


class InvalidResourceId(ServiceError):
    code = "InvalidResourceId"


class TooManyTagsError(ServiceError):
    code = "TooManyTagsError"


def not_found(asked: str) -> ParameterNotFound:
    return ParameterNotFound(f"Parameter {asked} not found.")


def version_not_found(name: str, selector: str | int) -> ParameterVersionNotFound:
    return ParameterVersionNotFound(
        f"Systems Manager could not find version {selector} of {name}. Verify the version and try again."
    )
