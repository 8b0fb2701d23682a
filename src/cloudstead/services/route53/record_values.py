r"""The values of records: whether they can be read, and what a zone file makes of them.

Route 53's escapes are octal (`\052`), a zone file's decimal: they are translated before anybody else reads a value.
Rows keep values as they were written, and so they are shown.
"""

import ipaddress
import re

import dns.exception
import dns.name
import dns.rdata

from cloudstead.services.route53 import names

STRING_BYTES_MAX = 255
TEXT_CHARACTERS_MAX = 4000

_ESCAPE = re.compile(r"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)
_STRING = re.compile(r'\s*"((?:[^"\\]|\\.)*)"', re.DOTALL)
_TEXT = ("TXT", "SPF")
#: How many fields a value has, and what AWS says of one that has not.
_FIELDS = {
    "A": (1, "ARRDATANotSingleField (Value contains spaces)"),
    "AAAA": (1, "AAAARRDATANotSingleField (Value contains spaces)"),
    "CNAME": (1, "CNAMERRDATANotSingleField (Value contains spaces)"),
    "NS": (1, "NSRRDATANotSingleField (Value contains spaces)"),
    "PTR": (1, "PTRRRDATANotSingleField (Value contains spaces)"),
    "MX": (2, "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"),
    "SRV": (4, "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)"),
    "DS": (4, "DSRRDATANotFourFields (DS record doesn't have 4 fields)"),
    "SSHFP": (3, "SSHFPRRDATANotThreeFields (SSHFP record doesn't have 3 fields)"),
    "TLSA": (4, "TLSARRDATANotFourFields (TLSA record doesn't have 4 fields)"),
    "SOA": (7, "SOARRDATANotSevenFields (SOA record doesn't have 7 fields)"),
}


def problem(type: str, value: str) -> str | None:
    """What is wrong with a value, as AWS puts it in an InvalidChangeBatch; None if nothing is."""
    found = _fields(type, value) or _address(type, value) or _strings(type, value) or _rest(type, value)
    return (
        None
        if found is None
        else f"Invalid Resource Record: 'FATAL problem: {found} encountered with '{value}''"
    )


def zone_text(type: str, value: str) -> str:
    """A good value as a zone file writes it, with absolute names."""
    return dns.rdata.from_text("IN", type, _decimal(value), dns.name.root, relativize=False).to_text()


def _fields(type: str, value: str) -> str | None:
    count, said = _FIELDS.get(type, (0, ""))
    return said if count and len(value.split()) != count else None


def _address(type: str, value: str) -> str | None:
    try:
        if type == "A":
            ipaddress.IPv4Address(value)
        elif type == "AAAA":
            ipaddress.IPv6Address(value)
    except ValueError:
        version = "IPv4" if type == "A" else "IPv6"
        return f"{type}RRDATAIllegal{version}Address (Value is not a valid {version} address)"
    return None


def _strings(type: str, value: str) -> str | None:
    """A text is one or more strings in quotation marks."""
    if type not in _TEXT:
        return None
    at, value = 0, value.rstrip()
    while (string := _STRING.match(value, at)) is not None:
        if len(_ESCAPE.sub("x", string[1]).encode()) > STRING_BYTES_MAX:
            return "CharacterStringTooLong (Value is too long)"
        if not string[1].isascii():
            return "UnsupportedCharacter (Value contains unsupported characters)"
        at = string.end()
    if at < len(value) or not value:
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    return None


def _rest(type: str, value: str) -> str | None:
    """Everything else, by reading it as a zone file's reader would."""
    try:
        if type in ("CNAME", "NS", "PTR"):
            names.labels(value)
        zone_text(type, value)
    except names.BadName as e:
        return str(e)
    except (dns.exception.DNSException, ValueError, OverflowError):
        return f"{type}RRDATAInvalid (Value is not valid for a record of type {type})"
    return None


def _decimal(value: str) -> str:
    return _ESCAPE.sub(lambda found: f"\\{int(found[1], 8):03d}" if found[1] else found[0], value)
