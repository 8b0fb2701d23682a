"""Names as they stand on the wire: length and bytes of each label, a zero at the end, in lower case.

Everything behind the edges is keyed by these bytes. Lower case is `bytes.lower`: a length is at most 63, which is
below every letter, so it never changes one.
"""

import re

import dns.name

ROOT = b"\0"
_STAR = b"\x01*"
_NAME_BYTES_MAX = 255
#: Names without escapes, which most are, take a shorter way: a million of them are read at a start.
_PLAIN = re.compile(r"(?:[A-Za-z0-9_*-]{1,63}\.)*[A-Za-z0-9_*-]{1,63}\.?").fullmatch
_LABEL_BYTES_MAX = 63


def is_name(given: bytes) -> bool:
    """Whether bytes are one name and nothing else, without a pointer."""
    at, last = 0, len(given) - 1
    while at < last:
        length = given[at]
        if not 0 < length <= _LABEL_BYTES_MAX:
            return False
        at += length + 1
    return at == last < _NAME_BYTES_MAX and given[at] == 0


def to_wire(text: str) -> bytes:
    """The wire form, in lower case, of a name in a zone file. Absolute, whether it ends with a dot or not."""
    if _PLAIN(text):
        wire = b"".join(
            len(label).to_bytes() + label for label in text.lower().encode().removesuffix(b".").split(b".")
        )
        if is_name(wire + ROOT):
            return wire + ROOT
    return (dns.name.from_text(text).to_wire() or ROOT).lower()


def to_text(name: bytes) -> str:
    """As in a zone file, without the last dot."""
    return dns.name.from_wire(name, 0)[0].to_text(omit_final_dot=True)


def parent(name: bytes) -> bytes:
    """The name without its first label. Not for the root."""
    return name[name[0] + 1 :]


def wildcard_of(name: bytes) -> bytes:
    return _STAR + name


def is_below(name: bytes, other: bytes) -> bool:
    """Whether a name is `other` or below it."""
    while len(name) > len(other):
        name = parent(name)
    return name == other
