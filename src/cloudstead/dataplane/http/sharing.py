"""Connections spread evenly over the processes that serve one port.

The kernel spreads them by a hash of their addresses, so of sixteen that live long one process may get eleven, and the
other core has little to do. A process that gets a connection while another has clearly fewer hands it on, before a
byte of it was read. Who has how many stands in memory that all share; where that is out of date, for a process was
killed, connections are spread as unevenly as without, or wait for the one that takes its place.
"""

import contextlib
import mmap
import socket
import struct
from collections.abc import Sequence

_COUNT = struct.Struct("=I")
_CLOSED = (1 << 32) - 1  # takes none
#: It is not worth handing on a connection for less.
_DIFFERENCE = 2
_TAKEN_AT_ONCE = 64


class Sharing:
    """Made before the processes are forked; each then takes its seat."""

    def __init__(self, seats: int) -> None:
        self._counts = mmap.mmap(-1, seats * _COUNT.size)
        self._counts[:] = _COUNT.pack(_CLOSED) * seats  # nobody sits there yet
        self._inboxes = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(seats)]
        for pair in self._inboxes:
            for end in pair:
                end.setblocking(False)

    def close(self) -> None:
        """In a process that has no seat, and forks no more that want one."""
        for pair in self._inboxes:
            for end in pair:
                end.close()
        self._counts.close()

    def seat(self, number: int) -> "Seat":
        return Seat(self._counts, self._inboxes, number)


class Seat:
    """What one process does with its connections and those of the others."""

    def __init__(
        self, counts: mmap.mmap, inboxes: Sequence[tuple[socket.socket, socket.socket]], number: int
    ) -> None:
        self._counts = counts
        self._outs = [out for out, _ in inboxes]
        self.inbox = inboxes[number][1]
        self._number = number
        self.tell(0)

    def tell(self, count: int) -> None:
        """How many connections this process has."""
        _COUNT.pack_into(self._counts, self._number * _COUNT.size, count)

    def close(self) -> None:
        """Nobody is to hand on anything to this process any more."""
        self.tell(_CLOSED)

    def hands_on(self, fd: int, count: int) -> bool:
        """Give a connection to who has the fewest, if that is clearly fewer than the `count` that this process has."""
        counts = [found for (found,) in _COUNT.iter_unpack(self._counts)]
        to = min(range(len(counts)), key=counts.__getitem__)
        if counts[to] + _DIFFERENCE > count or to == self._number:
            return False
        try:
            socket.send_fds(self._outs[to], [b"c"], [fd])
        except OSError:  # it has not taken earlier ones yet
            return False
        # Before it has looked itself: else all that come at once would go there.
        _COUNT.pack_into(self._counts, to * _COUNT.size, counts[to] + 1)
        return True

    def taken(self) -> list[socket.socket]:
        """The connections that others have handed on."""
        found: list[socket.socket] = []
        with contextlib.suppress(BlockingIOError):
            while len(found) < _TAKEN_AT_ONCE:
                _, fds, _, _ = socket.recv_fds(self.inbox, 1, 1)
                found += [socket.socket(fileno=fd) for fd in fds]
        return found
