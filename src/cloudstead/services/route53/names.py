r"""Domain names as Route 53 keeps and shows them: lower case, with the last dot, and octal escapes (`\052` is a star).

What a reader would get wrong: a zone file's escapes are decimal. `zone_text` translates for whoever reads those.
"""

import re

LABEL_BYTES_MAX = 63
NAME_BYTES_MAX = 255

_ESCAPE = re.compile(r"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")


class BadName(Exception):
    """Why a text is no domain name, in AWS's words: `DomainLabelEmpty (Domain label is empty)`."""


def normal(text: str) -> str:
    """The one way that a name is kept, whatever way it was written."""
    return shown(labels(text))


def shown(labels: list[bytes]) -> str:
    return "".join(f"{_escaped(label)}." for label in labels) or "."


def labels(text: str) -> list[bytes]:
    """A name's labels in lower case, the root's left out. Raises BadName."""
    if text == ".":
        return []
    found = [bytearray()]
    for character, escaped in _characters(text):
        if character == ord(".") and not escaped:
            found.append(bytearray())
        else:
            found[-1].append(character)
    if len(found) > 1 and not found[-1]:
        found.pop()
    _check(found)
    return [bytes(label).lower() for label in found]


def order(name: str) -> tuple[bytes, ...]:
    """What a list of names is sorted by: the labels from the last to the first."""
    return tuple(_escaped(label).encode() for label in reversed(labels(name)))


def within(name: str, zone: str) -> bool:
    """Whether a name, as kept, is the zone's or lies below it."""
    return zone in (".", name) or name.endswith(f".{zone}")


def zone_text(text: str) -> str:
    """The same name as a zone file writes it, absolute."""
    return "".join(f"{_decimal(label)}." for label in labels(text)) or "."


def _characters(text: str) -> list[tuple[int, bool]]:
    found: list[tuple[int, bool]] = []
    at = 0
    while at < len(text):
        if (escape := _ESCAPE.match(text, at)) is not None:
            found.append((int(escape[1], 8) if escape[1] else ord(escape[2]), True))
            at = escape.end()
        else:
            found.append((ord(text[at]), False))
            at += 1
    if any(
        character > 0xFF or (not escaped and not 0x21 <= character <= 0x7E) for character, escaped in found
    ):
        raise BadName("UnsupportedCharacter (Value contains unsupported characters)")
    return found


def _check(labels: list[bytearray]) -> None:
    if any(not label for label in labels):
        raise BadName("DomainLabelEmpty (Domain label is empty)")
    if any(len(label) > LABEL_BYTES_MAX for label in labels):
        raise BadName("DomainLabelTooLong (Domain label is too long)")
    if sum(len(label) + 1 for label in labels) + 1 > NAME_BYTES_MAX:
        raise BadName("DomainNameTooLong (Domain name is too long)")


def _escaped(label: bytes) -> str:
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in label)


def _decimal(label: bytes) -> str:
    return "".join(chr(byte) if byte in _PLAIN or byte == ord("*") else f"\\{byte:03d}" for byte in label)
