"""What is healthy: a byte for each check in memory that all processes share, so that the next question sees a flip.

A slot is given to a check when it is first named, by the one process that writes (the checker's); readers find it
through a table of names that the board itself carries, and look there only when its generation has moved.
"""

import mmap
import struct
from collections.abc import Callable

_HEADER = struct.Struct("=QQ")  # generation, bytes of names in use
_NAME_BYTES = 48
_UNHEALTHY, _HEALTHY = 1, 0


class HealthFull(Exception):
    """More checks than the board has room for."""


class Health:
    """The board. Made before the fork; one process calls `tell` and `forget`, any number ask `of`.

    A check that nobody told of is healthy, as a new one is on AWS until its first results are in.
    """

    def __init__(self, room: int = 4096) -> None:
        self._room = room
        self._shared = mmap.mmap(-1, _HEADER.size + room * (_NAME_BYTES + 1))
        self._slots: dict[str, int] = {}
        self._read = 0
        self._generation = 0

    @property
    def generation(self) -> int:
        """Moves whenever anything did. What was worked out under an older one may be wrong."""
        return int(_HEADER.unpack_from(self._shared)[0])

    def tell(self, check: str, healthy: bool) -> None:
        """Healthy or not, from now on."""
        slot = self._slot(check)
        state = _HEALTHY if healthy else _UNHEALTHY
        if self._shared[self._state_at(slot)] != state:
            self._shared[self._state_at(slot)] = state
            self._move()

    def forget(self, check: str) -> None:
        """A check that was deleted: whatever still names it is healthy."""
        if not self._generation and self.generation:
            self._read_names()
        slot = self._slots.pop(check, None)
        if slot is not None:
            self._shared[self._state_at(slot)] = _HEALTHY
            self._write_name(slot, b"")
            self._move()

    def of(self, check: str) -> bool:
        if self._generation != self.generation:
            self._read_names()
        slot = self._slots.get(check)
        return slot is None or self._shared[self._state_at(slot)] == _HEALTHY

    # --- the memory

    def _slot(self, check: str) -> int:
        if not self._generation and self.generation:
            self._read_names()  # another wrote before this process was
        slot = self._slots.get(check)
        if slot is None:
            slot = self._free()
            self._write_name(slot, check.encode())
            self._slots[check] = slot
        return slot

    def _free(self) -> int:
        used = _HEADER.unpack_from(self._shared)[1]
        taken = set(self._slots.values())
        slot = next((each for each in range(used) if each not in taken), used) if len(taken) < used else used
        if slot >= self._room:
            raise HealthFull(f"no room for more than {self._room} health checks")
        if slot == used:
            _HEADER.pack_into(self._shared, 0, self.generation, used + 1)
        return slot

    def _write_name(self, slot: int, name: bytes) -> None:
        assert len(name) <= _NAME_BYTES, name
        at = self._name_at(slot)
        self._shared[at : at + _NAME_BYTES] = name.ljust(_NAME_BYTES, b"\0")

    def _move(self) -> None:
        generation, used = _HEADER.unpack_from(self._shared)
        _HEADER.pack_into(self._shared, 0, generation + 1, used)

    def _read_names(self) -> None:
        generation, used = _HEADER.unpack_from(self._shared)
        named = ((self._name(slot), slot) for slot in range(used))
        self._slots = {name: slot for name, slot in named if name}
        self._generation = generation

    def _name(self, slot: int) -> str:
        at = self._name_at(slot)
        return self._shared[at : at + _NAME_BYTES].rstrip(b"\0").decode()

    def _name_at(self, slot: int) -> int:
        return _HEADER.size + slot * _NAME_BYTES

    def _state_at(self, slot: int) -> int:
        return _HEADER.size + self._room * _NAME_BYTES + slot


#: Whether a check is healthy, for who wants no board: `TestDNSAnswer` over rows, a test over a dict.
IsHealthy = Callable[[str], bool]
