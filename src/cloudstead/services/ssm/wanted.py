"""What the next version of a parameter shall be, and whether AWS takes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.core.ids import well_formed
from cloudstead.services.ssm.errors import (
    InvalidAllowedPatternException,
    InvalidKeyId,
    ParameterPatternMismatchException,
    ValidationException,
)
from cloudstead.services.ssm.patterns import TooSlow, all_fit
from cloudstead.services.ssm.rows import Policy, Tier, Type

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import PutParameterRequestTypeDef

#: How many bytes a value of each tier has at most.
SIZE_MAX: Mapping[Tier, int] = {"Standard": 4096, "Advanced": 8192}

_DEFAULT_KEY = "alias/aws/ssm"
_TIERS_PAGE = (
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a request says together with what the parameter says already."""

    type: Type
    value: str
    key_id: str
    description: str
    allowed_pattern: str
    data_type: str
    policies: list[Policy]
    tier: Tier


def key(caller: Caller, request: "PutParameterRequestTypeDef", type: str) -> str:
    """The KMS key of a SecureString. There is one alone, and it is none of KMS's: see `sealing`."""
    asked = request.get("KeyId")
    if type != "SecureString":
        if asked:
            raise ValidationException("KeyId is required for SecureString type parameter only.")
        return ""
    whole = arn("kms", _DEFAULT_KEY, account=caller.account, region=caller.region)
    if asked not in (None, _DEFAULT_KEY, whole):
        raise InvalidKeyId(f"Invalid keyId {asked}")
    return asked or _DEFAULT_KEY


def check(wanted: Wanted) -> None:
    if not wanted.value:
        raise ValidationException(
            "1 validation error detected: Value at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    if "}}" in wanted.value.partition("{{")[2]:
        raise ValidationException(
            'Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.'
        )
    _check_size(wanted)
    _check_data_type(wanted)
    _check_pattern(wanted)


def _check_size(wanted: Wanted) -> None:
    most, standard = SIZE_MAX[wanted.tier], wanted.tier == "Standard"
    if standard and wanted.policies:
        raise ValidationException(
            "Standard tier parameters don't support parameter policies. To use parameter policies, upgrade the "
            f"parameter to use the advanced-parameter tier. For more information, see {_TIERS_PAGE}"
        )
    if len(wanted.value.encode()) > most:
        more = (
            " To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. "
            f"For more information, see {_TIERS_PAGE}"
        )
        raise ValidationException(
            f"{wanted.tier} tier parameters support a maximum parameter value of {most} characters."
            + (more if standard else "")
        )


def _check_data_type(wanted: Wanted) -> None:
    if wanted.data_type == "text":
        return
    if wanted.data_type == "aws:ssm:integration":
        raise NotBuilt("Parameters of the data type aws:ssm:integration are not built")
    if wanted.data_type != "aws:ec2:image":
        raise ValidationException(
            f"The following data type is not supported: {wanted.data_type} (Data type names are all lowercase.)"
        )
    if wanted.type != "String" or not well_formed(wanted.value, "ami"):
        raise ValidationException(
            f"Parameter value, {wanted.value}, is not a valid image ID for data type aws:ec2:image."
        )


def _check_pattern(wanted: Wanted) -> None:
    if not wanted.allowed_pattern:
        return
    values = wanted.value.split(",") if wanted.type == "StringList" else [wanted.value]
    try:
        fit = all_fit(wanted.allowed_pattern, values)
    except (re.error, OverflowError, RecursionError):
        raise InvalidAllowedPatternException(
            "The request doesn't meet the regular expression requirement."
        ) from None
    except TooSlow:
        raise InvalidAllowedPatternException(
            f"It takes too long to find out whether the value fits the regular expression: {wanted.allowed_pattern}"
        ) from None
    if not fit:
        raise ParameterPatternMismatchException(
            f"Parameter value, cannot be validated against allowedPattern: {wanted.allowed_pattern}"
        )
