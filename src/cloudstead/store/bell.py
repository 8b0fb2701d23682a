"""Bells: how a commit in one process wakes another.

A bell is a pipe made by the supervisor before it forks. Ringing is a non-blocking write of one byte; a full pipe
means that the listener has not yet answered earlier rings, so nothing is lost by dropping this one. What changed is
read from the store, never from the bell: a ring too many is harmless, and a listener also looks by itself now and then.
"""

import contextlib
import os


class Bell:
    def __init__(self) -> None:
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self._write_fd, False)

    def fileno(self) -> int:
        """Readable when rung: for an event loop's add_reader."""
        return self._read_fd

    def ring(self) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._write_fd, b"!")

    def answer(self) -> None:
        """Take all rings so far."""
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._read_fd, 4096)) == 4096:
                pass
