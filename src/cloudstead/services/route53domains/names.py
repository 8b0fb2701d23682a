"""Names of domains and of name servers: as they are kept, and what is none."""

import re

from cloudstead.services.route53domains.errors import InvalidInput
from cloudstead.services.route53domains.tlds import Tld, tld_of, zones

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NAME_CHARS_MAX = 253
_ZONES = frozenset(zones())
#: What the registry keeps for itself, and what AWS's own names stand under here.
_RESERVED_LABELS = frozenset({"nic", "whois", "rdds"})
_RESERVED = re.compile(r"(?:awsdns-\d+\.(?:com|net|org|co\.uk)|(?:amazonaws|amazon|cloudfront)\.[a-z.]+)")


def domain_name(given: str) -> str:
    """The name as it is kept: lower case, without the last dot. Raises InvalidInput if no registry could have it."""
    name = given.lower().removesuffix(".")
    if "." not in name:
        raise InvalidInput("Give domain name must contain more than 1 label")
    if len(name) > _NAME_CHARS_MAX or not all(map(_LABEL.fullmatch, name.split("."))):
        raise InvalidInput(f"{given} is not a valid domain name")
    return name


def registrable(name: str) -> tuple[str, Tld] | None:
    """The one label before the TLD, and the TLD; None if the registry has no place for the name.

    Raises UnsupportedTLD.
    """
    tld = tld_of(name)
    label = name.removesuffix(f".{tld.name}")
    strange = label[2:4] == "--" and not label.startswith("xn--")
    return None if "." in label or strange else (label, tld)


def reserved(name: str) -> bool:
    label = name.partition(".")[0]
    return name in _ZONES or label in _RESERVED_LABELS or _RESERVED.fullmatch(name) is not None


def host_name(given: str) -> str:
    """The name of a name server, as it is kept."""
    name = given.lower().removesuffix(".")
    if "." not in name or len(name) > _NAME_CHARS_MAX or not all(map(_LABEL.fullmatch, name.split("."))):
        raise InvalidInput(f"Invalid name server: {given}")
    return name


def is_below(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")
