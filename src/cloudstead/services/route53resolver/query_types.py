"""The types of questions that a firewall rule may be for: by name, or any other as `TYPE` and its number."""

import re

from cloudstead.services.route53resolver.errors import ValidationException

_NAMED = ("A", "AAAA", "CAA", "CNAME", "DS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "TXT")
_NUMBERED = re.compile(r"TYPE(\d{1,5})")
_NUMBER_MAX = 65534


def checked_type(text: str) -> str:
    """The type in capital letters; empty for a rule that is for all."""
    text = text.upper()
    number = _NUMBERED.fullmatch(text)
    if not text or text in _NAMED or (number is not None and 1 <= int(number[1]) <= _NUMBER_MAX):
        return text
    raise ValidationException(f"The query type '{text}' is not valid.")
