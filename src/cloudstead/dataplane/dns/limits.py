"""How many answers a part of the net gets in a second over UDP, where anybody can write a victim's address.

Who is over the limit hears nothing, but every second time a cut answer: somebody real then asks over TCP, which no
forged address can do. This machine and private networks are never limited.
"""

import ipaddress
import struct
from collections.abc import Callable

from cloudstead.dataplane.dns.blocks import Asker
from cloudstead.dataplane.dns.wire import QR, RD, TC

_BLOCKS_MAX = 65536
#: A household or a small network is one who asks.
_BITS = {4: 24, 6: 56}
_SLIP = 2
_HEADER_BYTES = 12
_OPCODE = 0x7800


class Limits:
    """Answers left for each block: a second's worth, filled up as time goes by."""

    def __init__(self, answers_per_s: int, now_s: Callable[[], float]) -> None:
        self._per_s = answers_per_s
        self._now_s = now_s
        self._left: dict[tuple[int, int], tuple[float, float, int]] = {}

    def passed(self, message: bytes, said: bytes, peer: str) -> bytes | None:
        """What may be sent of an answer: all of it, that it exists, or nothing."""
        asker = Asker.at(peer)
        if _is_near(asker):
            return said
        block = asker.version, asker.address >> (asker.width - _BITS[asker.version])
        now_s = self._now_s()
        left, at_s, refused = self._left.get(block, (float(self._per_s), now_s, 0))
        left = min(left + (now_s - at_s) * self._per_s, self._per_s)
        if len(self._left) >= _BLOCKS_MAX:
            self._left.clear()  # a flood from everywhere: nobody's past is worth the memory
        if left >= 1:
            self._left[block] = left - 1, now_s, 0
            return said
        self._left[block] = left, now_s, refused + 1
        return _cut(message, said) if refused % _SLIP else None


def _cut(message: bytes, said: bytes) -> bytes | None:
    """The answer's header and question, with the TC bit; nothing, if it has no question to repeat."""
    id, flags, questions = struct.unpack_from("!HHH", said)
    if questions != 1:
        return None
    end = said.find(0, _HEADER_BYTES) + 5
    asked = struct.unpack_from("!H", message, 2)[0]
    flags = QR | TC | asked & (RD | _OPCODE) | flags & 0xF
    return struct.pack("!HHHHHH", id, flags, 1, 0, 0, 0) + said[_HEADER_BYTES:end]


def _is_near(asker: Asker) -> bool:
    """Whether an address cannot be a victim's far away: this machine's, or a private network's."""
    address = (ipaddress.IPv4Address if asker.version == 4 else ipaddress.IPv6Address)(asker.address)
    return address.is_loopback or any(address in each for each in _PRIVATE)


_PRIVATE = [
    ipaddress.ip_network(each)
    for each in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "169.254.0.0/16",
        "fc00::/7",
    )
]
