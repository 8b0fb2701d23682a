"""What the processes of one store must know of each other at once: a page of shared memory, and locks.

The sequence orders all commits of all processes. A commit gets its number, and tells which key it is about, in
one step under a lock held for microseconds; it takes the key back when the index shows it. So whoever holds
the lock and sees nobody under way with a key knows that the index tells everything before his own number.

A slot is what one process writes under: its place in the page, and its logs. It is held by a file lock, so the
kernel frees it however the process ends.
"""

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SLOTS = 64
UNDER_WAY_MAX = 1000
_WORDS_A_SLOT = (
    2048  # the oldest pin, how many pairs were ever used, then pairs: a commit under way and its key
)
_HEADER_WORDS = 16
_SEQUENCE, _NUMBER, _SLOTS_USED = 0, 1, 2
_BYTES = 8 * (_HEADER_WORDS + SLOTS * _WORDS_A_SLOT)


class Shared:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fd = os.open(folder / "shared", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, _BYTES)
            self._map = mmap.mmap(fd, _BYTES)
        finally:
            os.close(fd)
        self._words = memoryview(self._map).cast("Q")
        self._slots: dict[int, int] = {}  # held by this process: the locked file
        self._pins: dict[int, int] = {}
        self._pin_number = 0
        self._under_way: dict[int, int] = {}  # sequence -> word
        self._free: list[int] = []  # pairs of words, the lowest last
        self.slot = -1

    def close(self) -> None:
        for fd in self._slots.values():
            os.close(fd)
        self._slots.clear()
        os.close(self._lock)
        self._words.release()
        self._map.close()

    # --- slots

    def claim(self) -> int:
        """Take the first free slot for this process."""
        for slot in range(SLOTS):
            if self.try_slot(slot):
                self.slot = slot
                base = _base(slot) + 2
                self._free = list(range(base + 2 * (UNDER_WAY_MAX - 1), base - 1, -2))
                with self.locked():
                    self._words[_SLOTS_USED] = max(self._words[_SLOTS_USED], slot + 1)
                return slot
        raise OSError(f"{SLOTS} processes have these objects open already")

    def try_slot(self, slot: int) -> bool:
        """Hold a slot that nobody holds; True as well if this process does."""
        if slot in self._slots:
            return True
        fd = os.open(self._folder / f"slot-{slot}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._slots[slot] = fd
        return True

    def release_slot(self, slot: int) -> None:
        os.close(self._slots.pop(slot))

    def held(self) -> list[int]:
        return sorted(self._slots)

    def known_slots(self) -> list[int]:
        """Every slot that was ever held."""
        return sorted(int(path.name[5:]) for path in self._folder.glob("slot-*"))

    def clear_slot(self, slot: int) -> None:
        """Forget what a process that is gone had under way, once its log has been replayed."""
        base = _base(slot)
        self._words[base : base + _WORDS_A_SLOT] = memoryview(bytes(8 * _WORDS_A_SLOT)).cast("Q")

    # --- the sequence

    @contextmanager
    def locked(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    @property
    def sequence(self) -> int:
        """The last number given."""
        return self._words[_SEQUENCE]

    def next_number(self) -> int:
        """A number for a file, never given before. Only under the lock."""
        self._words[_NUMBER] += 1
        return self._words[_NUMBER]

    def raise_to(self, sequence: int, number: int) -> None:
        """Never give these numbers, nor lower ones."""
        with self.locked():
            self._words[_SEQUENCE] = max(self._words[_SEQUENCE], sequence)
            self._words[_NUMBER] = max(self._words[_NUMBER], number)

    # --- commits under way

    @property
    def room(self) -> int:
        """How many more commits may be under way."""
        return len(self._free)

    def begin(self, key: int) -> int:
        """The next number of the sequence, under way with a key. Only under the lock."""
        sequence = self._words[_SEQUENCE] + 1
        word = self._free.pop()
        pairs = _base(self.slot) + 1
        self._words[pairs] = max(self._words[pairs], (word - pairs + 1) // 2)
        self._words[word + 1] = key
        self._words[word] = sequence
        self._words[_SEQUENCE] = sequence  # last: whoever sees it without the lock sees it under way
        self._under_way[sequence] = word
        return sequence

    def end(self, sequence: int) -> None:
        """The index shows it, or it never happened."""
        word = self._under_way.pop(sequence)
        self._words[word] = 0
        self._free.append(word)

    def keys_under_way(self) -> dict[int, int]:
        """Every key that somebody is under way with, and whose slot that is. Only under the lock."""
        found: dict[int, int] = {}
        for slot in range(self._words[_SLOTS_USED]):
            words = self._pairs(slot)
            for at in range(0, len(words), 2):
                if words[at]:
                    found[words[at + 1]] = slot
        return found

    def busy_slots(self) -> list[int]:
        """Whose processes have something under way or pinned, if they live."""
        slots = range(self._words[_SLOTS_USED])
        return [slot for slot in slots if self._words[_base(slot)] or any(self._pairs(slot)[::2])]

    # --- pins: what is read now must not be given away

    def pin(self) -> int:
        self._pin_number += 1
        # Not `horizon`: pins that overlap for ever would keep it for ever.
        self._pins[self._pin_number] = self._lowest_under_way()
        self._tell_pins()
        return self._pin_number

    def unpin(self, pin: int) -> None:
        del self._pins[pin]
        self._tell_pins()

    def _tell_pins(self) -> None:
        # Pins are taken in the order of their sequences, so the first is the oldest. 0 says that there is none.
        self._words[_base(self.slot)] = next(iter(self._pins.values())) + 1 if self._pins else 0

    def horizon(self) -> int:
        """Nobody reads, or has under way, anything that was over before this."""
        low = self._lowest_under_way()
        for slot in range(self._words[_SLOTS_USED]):
            pinned = self._words[_base(slot)]
            low = min(low, pinned - 1) if pinned else low
        return low

    def _lowest_under_way(self) -> int:
        low = self.sequence + 1
        for slot in range(self._words[_SLOTS_USED]):
            low = min(low, *(sequence for sequence in self._pairs(slot)[::2] if sequence), low)
        return low

    def _pairs(self, slot: int) -> list[int]:
        first = _base(slot) + 2
        return self._words[first : first + 2 * self._words[first - 1]].tolist()


def _base(slot: int) -> int:
    return _HEADER_WORDS + slot * _WORDS_A_SLOT
