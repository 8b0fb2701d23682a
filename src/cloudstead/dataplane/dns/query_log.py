"""What networks asked, until somebody takes it to where it is kept. So many bytes wait and no more."""

from collections.abc import Callable
from datetime import datetime

import dns.message
import msgspec

from cloudstead.core.clock import Clock
from cloudstead.dataplane.dns.zones import FirewallRule

BYTES_WAITING_MAX = 8 << 20
#: Of each, beside its answer: what Python needs for it.
_OVERHEAD_BYTES = 500


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """One question and what it was answered."""

    network: str
    at: datetime
    peer: str
    transport: str  # UDP or TCP
    answer: bytes
    rule: FirewallRule | None  # of the firewall


class QueryNotes:
    """`met` tells which firewall rule of a network an answered question met."""

    def __init__(self, clock: Clock, met: Callable[[str, dns.message.Message], FirewallRule | None]) -> None:
        self._clock = clock
        self._met = met
        self._waiting: list[Noted] = []
        self._waiting_bytes = 0
        self._lost = 0

    def note(self, network: str, peer: str, transport: str, answer: bytes) -> None:
        """Called between two packets, with every answer of a network whose questions are logged."""
        if self._waiting_bytes + len(answer) + _OVERHEAD_BYTES > BYTES_WAITING_MAX:
            self._lost += 1
            return
        said = dns.message.from_wire(answer)
        if not said.question:  # what could not be read asked for nothing
            return
        rule = self._met(network, said)
        self._waiting.append(
            Noted(
                network=network,
                at=self._clock.now(),
                peer=peer,
                transport=transport,
                answer=answer,
                rule=rule,
            )
        )
        self._waiting_bytes += len(answer) + _OVERHEAD_BYTES

    def take(self) -> tuple[list[Noted], int]:
        """What waited, and how many had to be dropped."""
        taken = self._waiting, self._lost
        self._waiting, self._waiting_bytes, self._lost = [], 0, 0
        return taken
