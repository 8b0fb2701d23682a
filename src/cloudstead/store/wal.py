"""Whether anything was committed since the last look, without asking SQLite: a comparison of 96 bytes.

SQLite keeps two copies of the write-ahead log's state at the start of the `-shm` file that its processes share, and
every commit, of whichever process, changes both before it returns (https://sqlite.org/walformat.html, 2.1). Only that
they differ from last time is believed, nothing else of them is understood: what changed, SQLite is asked.
"""

import mmap
from pathlib import Path

_BYTES = 96  # two copies of 48


class WalHeader:
    """Of one database, which this process has open in WAL mode and has read from."""

    def __init__(self, database: Path) -> None:
        with database.with_name(f"{database.name}-shm").open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), _BYTES, prot=mmap.PROT_READ)

    def read(self) -> bytes:
        """The same bytes as long as nobody has committed."""
        return self._shared[:_BYTES]

    def close(self) -> None:
        self._shared.close()
