"""A body of unknown length, kept until its length is known: in memory while it is small, else in a file without a name."""

import tempfile
from collections.abc import AsyncIterator, Mapping

_MEMORY_BYTES_MAX = 1024 * 1024
_PIECE_BYTES = 256 * 1024


class Spool:
    """Fill it by `add`, then read it once: it is a core.streams.Incoming. Close it in any case."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES_MAX)  # noqa: SIM115 - `close` does
        self.length = 0
        self.trailers: Mapping[str, str] = {}

    def add(self, piece: bytes) -> None:
        self._file.write(piece)
        self.length += len(piece)

    def rewind(self) -> None:
        self._file.seek(0)

    def whole(self) -> bytes:
        return self._file.read()

    def close(self) -> None:
        self._file.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = self._file.read(_PIECE_BYTES)
        if not piece:
            raise StopAsyncIteration
        return piece
