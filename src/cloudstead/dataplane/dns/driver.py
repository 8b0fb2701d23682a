"""What Route 53 Resolver needs of whoever really listens at an inbound endpoint's addresses."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class EndpointSeen(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    addresses: tuple[str, ...]  # sorted


class EndpointsDriver(Protocol):
    """Raises DriverError if the world says no for now."""

    async def observe(self) -> list[EndpointSeen]:
        """Every endpoint that listens."""
        ...

    async def ensure(self, id: str, network: str, addresses: Sequence[str]) -> None:
        """Listen at just these addresses of the network, over UDP and TCP. Safe to repeat."""
        ...

    async def remove(self, id: str) -> None:
        """Listen no more. Safe to repeat."""
        ...
