"""The plain bytes of an object, out of the sealed ones: any part of it, opening no more than that part needs.

An object completed from parts is their sealed bodies one behind the other, each with a salt of its own.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from cloudstead.dataplane.objects.driver import Entry, ObjectStore
from cloudstead.services.s3 import encryption
from cloudstead.services.s3.objects_meta import Meta


@dataclass(frozen=True)
class Body:
    """An object's bytes and what opens them."""

    engine: ObjectStore
    entry: Entry
    meta: Meta
    key: bytes

    async def whole(self) -> bytes:
        """Of an object put in one piece that is small."""
        return encryption.open_whole(self.key, await self.engine.read_whole(self.entry))


async def read(body: Body, start: int, end: int) -> AsyncGenerator[bytes]:
    """The plain bytes [start, end) in pieces."""
    at_plain = at_sealed = 0
    for sealed in _sealed_sizes(body):
        size = encryption.plain_size(sealed)
        first, last = max(start - at_plain, 0), min(end - at_plain, size)
        if first < last:
            async with aclosing(_read_piece(body, at_sealed, size, first, last)) as pieces:
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


async def _read_piece(body: Body, at: int, size: int, start: int, end: int) -> AsyncGenerator[bytes]:
    """From one sealed body that begins at `at`: [start, end) of its `size` plain bytes."""
    begin, stop = encryption.sealed_span(start, end, size)
    salt = None if begin == 0 else await _salt(body, at)
    sealed = body.engine.read(body.entry, at + begin, at + stop)
    plain = encryption.opened(body.key, sealed, salt=salt, start=start, end=end, size=size)
    async for piece in plain:
        yield piece


async def _salt(body: Body, at: int) -> bytes:
    found = b""
    async for piece in body.engine.read(body.entry, at, at + encryption.SALT_BYTES):
        found += piece
    return found
