"""Values by address block, the longest block that an address lies in first."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

Of = TypeVar("Of")

_IPV4_MAPPED = 0xFFFF


class Asker(NamedTuple):
    """Who asks: an address of which only the first `bits` are known, if a resolver told us of its client (ECS)."""

    version: int
    address: int
    bits: int

    @classmethod
    def at(cls, text: str) -> "Asker":
        if ":" not in text:
            return cls(4, int.from_bytes(socket.inet_aton(text)), 32)
        address = int.from_bytes(socket.inet_pton(socket.AF_INET6, text.partition("%")[0]))
        if address >> 32 == _IPV4_MAPPED:
            return cls(4, address & 0xFFFFFFFF, 32)
        return cls(6, address, 128)

    @property
    def width(self) -> int:
        return 32 if self.version == 4 else 128


class Blocks(Generic[Of]):
    """A table for each length of block, tried from the longest: a look-up costs as much as there are lengths."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, int], dict[int, Of]] = {}
        self._lengths: dict[int, list[int]] = {4: [], 6: []}

    def put(self, block: str, value: Of) -> None:
        network = ipaddress.ip_network(block, strict=False)
        width, length = network.max_prefixlen, network.prefixlen
        table = self._tables.setdefault((network.version, length), {})
        table[int(network.network_address) >> (width - length)] = value
        if length not in self._lengths[network.version]:
            self._lengths[network.version].append(length)
            self._lengths[network.version].sort(reverse=True)

    def matching(self, asker: Asker) -> Iterator[Of]:
        """What holds for the address, of the longest block first. A block longer than what is known holds nothing."""
        for length in self._lengths[asker.version]:
            if length <= asker.bits:
                table = self._tables[asker.version, length]
                key = asker.address >> (asker.width - length)
                if key in table:
                    yield table[key]
