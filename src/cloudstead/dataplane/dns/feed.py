"""How what is told reaches the processes that answer, and how it is known that it did.

Each of them pulls: it asks for all that came after the last number it applied, and 0 asks for everything. So one that
was killed comes back whole with no special path, and nothing has to know who listens. What a process has applied it
writes into its slot of `Acknowledgements`; a change is INSYNC once the lowest number of all slots has reached it.
Health does not come this way: see `health`.
"""

import mmap
import struct
from typing import Protocol

from cloudstead.dataplane.dns.image import Image
from cloudstead.dataplane.dns.zones import Batch

_SLOT = struct.Struct("=q")
_ABSENT = -1


class Source(Protocol):
    """Who knows the zones."""

    def since(self, number: int) -> Batch | None:
        """All that changed after this number, as one batch; None if nothing did. After 0, all there is, `anew`.

        A batch may leave out what a later change of the same name and type has made void, and may be cut short to
        stay small: its own number then says how far it goes. Called by each name server after each ring.
        """
        ...


class Follower:
    """One name server's image, kept up with a source."""

    def __init__(self, source: Source, image: Image, told: "Acknowledgements", server: int) -> None:
        self._source = source
        self._image = image
        self._told = told
        self._server = server

    def catch_up(self) -> bool:
        """Apply the next batch, if there is one, and say so. Called again while it returns true, with answers between."""
        batch = self._source.since(self._image.number)
        if batch is not None:
            self._image.apply(batch)
        self._told.applied(self._server, self._image.number)
        return batch is not None


class Acknowledgements:
    """The number that each name server has applied, in memory that forked processes share. Made before the fork."""

    def __init__(self, servers: int) -> None:
        self._servers = servers
        self._shared = mmap.mmap(-1, max(servers, 1) * _SLOT.size)
        for server in range(servers):
            self.gone(server)

    def applied(self, server: int, number: int) -> None:
        _SLOT.pack_into(self._shared, server * _SLOT.size, number)

    def gone(self, server: int) -> None:
        """A server that is not there answers nobody with old news: nothing waits for it."""
        self.applied(server, _ABSENT)

    def acknowledged(self) -> int:
        """The highest number that all servers which are there have applied; 0 if there are none."""
        numbers = [_SLOT.unpack_from(self._shared, server * _SLOT.size)[0] for server in range(self._servers)]
        return min((number for number in numbers if number != _ABSENT), default=0)
