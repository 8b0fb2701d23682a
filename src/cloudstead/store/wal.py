"""Whether anything was committed since the last look, without asking SQLite: a comparison of 96 bytes.

SQLite keeps two copies of the write-ahead log's state at the start of the `-shm` file that its processes share, and
every commit, of whichever process, changes both before it returns (https://sqlite.org/walformat.html, 2.1). Only that
they differ from last time is believed, nothing else of them is understood: what changed, SQLite is asked.

The one thing a reader would get wrong: no descriptor of that file may be closed while SQLite has it open in the same
process. POSIX would give up SQLite's locks with it (https://sqlite.org/howtocorrupt.html, 2.2), and the next process
to come would begin the memory anew under those that use it. So a file is opened once, for all who look into it.
"""

import mmap
from pathlib import Path
from typing import BinaryIO

_BYTES = 96  # two copies of 48


class WalHeader:
    """Of one database, which this process has open in WAL mode and has read from."""

    _opened: dict[tuple[int, int], "WalHeader"] = {}

    def __init__(self, inode: tuple[int, int], file: BinaryIO) -> None:
        """Only for `of`."""
        self._inode = inode
        self._file = file
        self._shared = mmap.mmap(file.fileno(), _BYTES, prot=mmap.PROT_READ)
        self._users = 0

    @classmethod
    def of(cls, database: Path) -> "WalHeader":
        path = database.with_name(f"{database.name}-shm")
        status = path.stat()
        inode = status.st_dev, status.st_ino
        found = cls._opened.get(inode)
        if found is None:
            found = cls._opened[inode] = cls(inode, path.open("rb"))
        found._users += 1
        return found

    def read(self) -> bytes:
        """The same bytes as long as nobody has committed."""
        return self._shared[:_BYTES]

    def close(self) -> None:
        """Only once the connection is closed for which `of` was called."""
        self._users -= 1
        if not self._users:
            del self._opened[self._inode]
            self._shared.close()
            self._file.close()
