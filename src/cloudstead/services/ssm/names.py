"""Names of parameters: what may be one, and the ways to ask for one.

A name can be asked for with a version (`name:3`), with a label (`name:prod`) and as an ARN. An ARN does not tell
whether the name begins with a slash, so it stands for two names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.ssm.errors import HierarchyLevelLimitExceededException, ValidationException

_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
_PATH = re.compile(r"/(?:[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*/?)?")
_RESERVED = re.compile(r"/?(?:aws|ssm)", re.IGNORECASE)
_LEVELS_MAX = 15
#: The whole ARN counts.
_LENGTH_MAX = 1011
_SECRETS = "/aws/reference/secretsmanager/"

#: Below it are the parameters that AWS publishes.
PUBLIC = "/aws/service/"


@dataclass(frozen=True)
class Asked:
    """A parameter as a request names it."""

    names: Sequence[str]  # those that it may be, likeliest first
    selector: str  # a version number or a label; empty: the latest


def read(text: str, caller: Caller) -> Asked:
    """What a request asks for by this text; without names if nobody can have it."""
    if text.startswith(_SECRETS):
        raise NotBuilt("References to Secrets Manager are not built: Secrets Manager itself is not")
    if not text.startswith("arn:"):
        name, colon, selector = text.partition(":")
        return Asked([name] if bool(colon) == bool(selector) and ":" not in selector else [], selector)
    _, _, service, region, account, resource = [*text.split(":", 5), *[""] * 5][:6]
    path, _, selector = resource.partition(":")
    if service != "ssm" or region != caller.region or not path.startswith("parameter/") or ":" in selector:
        return Asked([], selector)
    name = path.removeprefix("parameter/")
    if account == "":  # nobody's, and so public
        return Asked([f"/{name}"] if f"/{name}".startswith(PUBLIC) else [], selector)
    return Asked([f"/{name}", name] if account == caller.account else [], selector)


def check_new(name: str, caller: Caller) -> str:
    """Raise unless a parameter may be given this name."""
    if "/" in name and not name.startswith("/"):
        raise ValidationException("Parameter name must be a fully qualified name.")
    if name.lower().startswith("/aws"):
        # As AWS has it, which does not call it a validation error.
        raise ValidationException(
            f"No access to reserved parameter name: {name}.", code="AccessDeniedException"
        )
    if not name.startswith("/") and _RESERVED.match(name):
        raise ValidationException(
            'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).'
        )
    if _RESERVED.match(name) or not _NAME.fullmatch(name):
        raise ValidationException(
            'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist '
            "of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the "
            "following 3 symbols .-_"
        )
    if len(name.removeprefix("/").split("/")) > _LEVELS_MAX:
        raise HierarchyLevelLimitExceededException(f"A hierarchy can have a maximum of {_LEVELS_MAX} levels.")
    whole = arn("ssm", f"parameter/{name.removeprefix('/')}", account=caller.account, region=caller.region)
    if len(whole) > _LENGTH_MAX:
        raise ValidationException(
            f"The parameter name exceeds the maximum length of {_LENGTH_MAX} characters, its ARN included."
        )
    return name


def check_path(path: str) -> str:
    """Raise unless this may be a place in the hierarchy; gives it with a slash at its end."""
    public = path.lower().startswith(PUBLIC.removesuffix("/"))
    if not _PATH.fullmatch(path) or (not public and _RESERVED.match(path)):
        raise ValidationException(
            "The parameter doesn't meet the parameter name requirements. "
            'The parameter name must begin with a forward slash "/". '
            'It can\'t be prefixed with "aws" or "ssm" (case-insensitive). '
            "It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). "
            "Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "
            '"/". Valid example: /get/parameters2-/by1./path0_.'
        )
    return path if path.endswith("/") else path + "/"


def below(name: str, path: str, *, recursive: bool) -> bool:
    """Whether a parameter stands below a path that ends in a slash. Names without a slash stand at the root."""
    whole = name if name.startswith("/") else f"/{name}"
    return whole.startswith(path) and (recursive or "/" not in whole[len(path) :])
