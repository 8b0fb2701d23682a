"""What a bucket may be called. Names are host names, and unlike those have no room for dots side by side or addresses."""

import ipaddress
import re

from cloudstead.services.s3.errors import InvalidBucketName

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{3,63}}\Z){_LABEL}(?:\.{_LABEL})*")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check(name: str) -> None:
    """Raise InvalidBucketName unless a new bucket may have this name."""
    good = (
        _NAME.fullmatch(name) is not None
        and not _is_address(name)
        and not name.startswith(_RESERVED_PREFIXES)
        and not name.endswith(_RESERVED_SUFFIXES)
    )
    if not good:
        raise InvalidBucketName(fields={"BucketName": name})


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
