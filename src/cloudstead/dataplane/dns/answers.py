"""What a name server asks of whoever knows the names."""

import ipaddress
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is so about a name that is ours.

    `zone` is the domain we are the authority of, which the name is in. `records` is None if there is no such name
    (NXDOMAIN), and empty if there is, but nothing of this type (NODATA).
    """

    zone: str
    records: tuple[str, ...] | None
    ttl_s: int = 60


class Answers(Protocol):
    def serves(self, view: str | None) -> bool:
        """Whether who asks from there is answered at all; if not, questions meet silence."""
        ...

    def lookup(self, view: str | None, name: str, type: str) -> Found | None:
        """What is known of a name in a view; None if it is in no domain of ours. Called once per question; quick.

        `view` is the id of the network that the question comes from, None outside of all. `name` is in lower case,
        without the last dot; `type` is "A", "AAAA", "PTR", …; a record is written as in a zone file.
        """
        ...


def address_of_reverse(name: str) -> str | None:
    """The address a name of in-addr.arpa or ip6.arpa stands for; None for other names and for parts of an address."""
    labels = name.split(".")[:-2]
    labels.reverse()
    try:
        if name.endswith(".in-addr.arpa"):
            return str(ipaddress.IPv4Address(".".join(labels)))
        if name.endswith(".ip6.arpa") and len(labels) == 32 and all(len(one) == 1 for one in labels):
            return str(ipaddress.IPv6Address(int("".join(labels), 16)))
    except ValueError:
        return None
    return None
