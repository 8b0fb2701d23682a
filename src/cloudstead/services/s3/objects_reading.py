"""The plain bytes of an object, out of the sealed ones: any part of it, opening no more than that part needs.

An object completed from parts is their sealed bodies one behind the other, each with a salt of its own.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from cloudstead.dataplane.objects.driver import Entry, ObjectStore
from cloudstead.services.s3 import encryption
from cloudstead.services.s3.objects_meta import Meta
from cloudstead.services.s3.reach import within_reach


@dataclass(frozen=True)
class Body:
    """An object's bytes and what opens them."""

    engine: ObjectStore
    entry: Entry
    meta: Meta
    key: bytes

    async def whole(self) -> bytes | bytearray:
        """Of an object put in one piece that is small."""
        there = self.engine.peek(self.entry)
        with within_reach():
            sealed = await self.engine.read_whole(self.entry) if there is None else there
        return encryption.open_whole(self.key, sealed)


async def read(body: Body, start: int, end: int) -> AsyncGenerator[bytes]:
    """The plain bytes [start, end) in pieces."""
    keys = encryption.keys_of(body.key)
    at_plain = at_sealed = 0
    for sealed in _sealed_sizes(body):
        size = encryption.plain_size(sealed, len(keys))
        first, last = max(start - at_plain, 0), min(end - at_plain, size)
        if first < last:
            async with aclosing(_read_piece(body, keys, _Sealed(at_sealed, sealed), first, last)) as pieces:
                async for piece in pieces:
                    yield piece
        at_plain += size
        at_sealed += sealed
        if at_plain >= end:
            return


def _sealed_sizes(body: Body) -> list[int]:
    if not body.entry.parts_count:
        return [body.entry.size]
    return [part.size for part in body.engine.parts(body.entry)]


@dataclass(frozen=True)
class _Sealed:
    """One sealed body within an object's bytes."""

    at: int
    size: int


async def _read_piece(
    body: Body, keys: Sequence[bytes], piece: _Sealed, start: int, end: int
) -> AsyncGenerator[bytes]:
    """[start, end) of what is left of a piece once `keys`, the innermost first, have opened it."""
    if not keys:
        with within_reach():
            async for each in body.engine.read(body.entry, piece.at + start, piece.at + end):
                yield each
        return
    key, outer = keys[0], keys[1:]
    size = encryption.plain_size(piece.size, len(keys))
    begin, stop = encryption.sealed_span(start, end, size)
    salt = None if begin == 0 else await _salt(body, outer, piece)
    async with aclosing(_read_piece(body, outer, piece, begin, stop)) as sealed:
        async for plain in encryption.opened(key, sealed, salt=salt, start=start, end=end, size=size):
            yield plain


async def _salt(body: Body, outer: Sequence[bytes], piece: _Sealed) -> bytes:
    found = b""
    async with aclosing(_read_piece(body, outer, piece, 0, encryption.SALT_BYTES)) as begin:
        async for each in begin:
            found += each
    return found
