"""The log file that all processes of a cloud write to, moved aside when it has grown.

Each process has the file open, and any of them may find that it is time. Whoever gets the lock on the file moves it;
the others notice at their next line that the path leads elsewhere.
"""

import contextlib
import fcntl
import logging
import os
from logging.handlers import WatchedFileHandler
from pathlib import Path

LOG_BYTES_MAX = 16 << 20


class SharedLog(WatchedFileHandler):
    """Twice `bytes_max` is kept at most, or a line more: the file itself, and the one before it, `.log.1`."""

    def __init__(self, path: Path, bytes_max: int = LOG_BYTES_MAX) -> None:
        super().__init__(path, encoding="utf-8")
        self._path, self._bytes_max = path, bytes_max

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # a full disk is told of at the write
            if os.fstat(self._descriptor()).st_size > self._bytes_max:
                self._move()
        super().emit(record)

    def reopenIfNeeded(self) -> None:  # noqa: N802 - the base's name
        before = _inode(self._descriptor())
        super().reopenIfNeeded()
        after = _inode(self._descriptor())
        # What a daemon says besides, as when Python itself crashes, goes to the new file too.
        for descriptor in (1, 2):
            if _inode(descriptor) == before != after:
                os.dup2(self._descriptor(), descriptor)

    def _descriptor(self) -> int:
        assert self.stream is not None, "nothing is logged after the end"
        return self.stream.fileno()

    def _move(self) -> None:
        with self._path.open("rb") as file:  # opened anew: forks share one lock on what they share open
            fcntl.flock(file, fcntl.LOCK_EX)
            now = os.fstat(file.fileno())
            if os.path.samestat(now, self._path.stat()) and now.st_size > self._bytes_max:
                self._path.replace(self._path.with_suffix(".log.1"))


def _inode(descriptor: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino
