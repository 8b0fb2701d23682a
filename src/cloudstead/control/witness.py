"""A word outside of the store about how far the store had come.

A state that was restored from a backup, or is empty because somebody deleted its file, knows less than there is in the
world: what came to be since would look as if no row explained it. Such a state is told by this witness, and then nothing
is swept until a person has decided.
"""

import contextlib
import os
from pathlib import Path

_WIDTH = 20
_FOR_GOOD = 10**_WIDTH - 1


class Witness:
    """A file with the number of the newest change that was acted upon."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def contradicts(self, seq: int) -> str | None:
        """Why a store whose newest change is this one cannot be trusted about what is gone; None if it can.

        Said once, it is said at each later start too, however far such a store has come by then.
        """
        if self._newest() <= seq:
            return None
        self._write(_FOR_GOOD)
        return (
            "the state is older than what there is (restored from a backup, or lost?): what it does not know is left "
            f"alone. To have it removed, delete {self._path} and start anew"
        )

    def note(self, seq: int) -> None:
        """This far the store had come. Not synced: a word that a power cut takes away is one of caution less."""
        self._write(seq)

    def close(self) -> None:
        os.close(self._file)

    def _write(self, seq: int) -> None:
        with contextlib.suppress(OSError):  # a full disk; what was noted before stays
            os.pwrite(self._file, f"{seq:0{_WIDTH}}\n".encode(), 0)

    def _newest(self) -> int:
        try:
            return int(os.pread(self._file, _WIDTH, 0))
        except ValueError:
            return 0
