"""Bodies at rest: AES-256-GCM over chunks of 64 KiB, so that a range opens only the chunks it touches.

    16 bytes of salt | chunk, tag | chunk, tag | …

The salt makes a key for this body alone out of the one above it, so the chunks may be counted for nonces; the last
one is marked, so that a body cut short does not open. An empty body is one empty chunk. Nothing here knows which
object a body belongs to: a copy under the same key above shares the bytes as they are.

A key of 64 bytes is two: the body is sealed under the first, and what comes of it under the second.
"""

from collections.abc import AsyncIterator
from hmac import digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloudstead.dataplane.objects.driver import Corrupt

CHUNK_BYTES = 64 << 10
SALT_BYTES = 16
KEY_BYTES = 32
_TAG_BYTES = 16
_SEALED_CHUNK_BYTES = CHUNK_BYTES + _TAG_BYTES


def keys_of(key: bytes) -> list[bytes]:
    """A key for each layer, the innermost first."""
    return [key[at : at + KEY_BYTES] for at in range(0, len(key), KEY_BYTES)]


def sealed_size(size: int, layers: int = 1) -> int:
    for _ in range(layers):
        size += SALT_BYTES + _TAG_BYTES * _chunks(size)
    return size


def plain_size(sealed: int, layers: int = 1) -> int:
    """The size of what is in a sealed body."""
    for _ in range(layers):
        chunks = -(-(sealed - SALT_BYTES) // _SEALED_CHUNK_BYTES)
        sealed -= SALT_BYTES + _TAG_BYTES * chunks
    return sealed


def _chunks(size: int) -> int:
    return max(1, -(-size // CHUNK_BYTES))


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(digest(key, b"cloudstead body" + salt, "sha256"))


def _nonce(number: int, *, last: bool) -> bytes:
    return (number << 1 | last).to_bytes(12, "big")


#: Of the one chunk of a small body.
_ONLY_NONCE = _nonce(0, last=True)


def seal(key: bytes, salt: bytes, body: bytes) -> bytes:
    """A whole body at once: the quick path of small ones."""
    if len(key) > KEY_BYTES:
        return seal(key[KEY_BYTES:], salt, seal(key[:KEY_BYTES], salt, body))
    if len(body) <= CHUNK_BYTES:
        return salt + _cipher(key, salt).encrypt(_ONLY_NONCE, body, None)
    sealer = Sealer(key, salt)
    return sealer.update(body) + sealer.finish()


class Sealer:
    """A body piece by piece."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._cipher = _cipher(key, salt)
        self._begun = salt  # not given out yet
        self._rest = b""
        self._number = 0

    def update(self, data: bytes) -> bytes:
        """What is sealed now. A full chunk waits until more comes, for it may be the last."""
        body = memoryview(self._rest + data)
        sealed = [self._begun]
        self._begun = b""
        at = 0
        while len(body) - at > CHUNK_BYTES:
            sealed.append(self._seal(body[at : at + CHUNK_BYTES], last=False))
            at += CHUNK_BYTES
        self._rest = bytes(body[at:])
        return b"".join(sealed)

    def finish(self) -> bytes:
        sealed = self._begun + self._seal(self._rest, last=True)
        self._begun = b""
        return sealed

    def _seal(self, chunk: bytes | memoryview, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), chunk, None)
        self._number += 1
        return sealed


class Sealers:
    """As a Sealer, for a key of any number of layers. Each has the same salt, and makes another key of it."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._layers = [Sealer(each, salt) for each in keys_of(key)]

    def sealed_size(self, size: int) -> int:
        return sealed_size(size, len(self._layers))

    def update(self, data: bytes) -> bytes:
        for layer in self._layers:
            data = layer.update(data)
        return data

    def finish(self) -> bytes:
        sealed = b""
        for layer in self._layers:
            sealed = layer.update(sealed) + layer.finish()
        return sealed


# --- opening


def sealed_span(start: int, end: int, size: int) -> tuple[int, int]:
    """What of the sealed body must be read for [start, end) of the plain one; at 0 if the salt comes with it."""
    first, last = start // CHUNK_BYTES, max(start, end - 1) // CHUNK_BYTES
    begin = 0 if first == 0 else SALT_BYTES + first * _SEALED_CHUNK_BYTES
    return begin, min(SALT_BYTES + (last + 1) * _SEALED_CHUNK_BYTES, sealed_size(size))


def open_whole(key: bytes, sealed: bytes | bytearray) -> bytes | bytearray:
    """A whole body at once. Raises Corrupt if it was sealed under another key, or changed."""
    if len(key) > KEY_BYTES:
        return open_whole(key[:KEY_BYTES], open_whole(key[KEY_BYTES:], sealed))
    salt, rest = bytes(sealed[:SALT_BYTES]), memoryview(sealed)[SALT_BYTES:]
    if len(rest) <= _SEALED_CHUNK_BYTES:
        try:
            return _cipher(key, salt).decrypt(_ONLY_NONCE, rest, None)
        except InvalidTag as e:
            raise Corrupt("a sealed body does not open") from e
    size = plain_size(len(sealed))
    opener = _Opener(key, salt, size, 0)
    plain = bytearray(size)
    into = memoryview(plain)
    for number in range(_chunks(size)):
        at, start = number * _SEALED_CHUNK_BYTES, number * CHUNK_BYTES
        opener.open_into(rest[at : at + _SEALED_CHUNK_BYTES], into[start : start + CHUNK_BYTES])
    return plain


async def opened(
    key: bytes, pieces: AsyncIterator[bytes], *, salt: bytes | None, start: int, end: int, size: int
) -> AsyncIterator[bytes]:
    """The bytes [start, end) of a body from what `sealed_span` told to read. The salt comes first if it is None."""
    first = start // CHUNK_BYTES
    skip, left = start - first * CHUNK_BYTES, end - start
    buffer = b""
    opener = None if salt is None else _Opener(key, salt, size, first)
    async for piece in pieces:
        buffer += piece
        if opener is None:
            if len(buffer) < SALT_BYTES:
                continue
            opener = _Opener(key, buffer[:SALT_BYTES], size, first)
            buffer = buffer[SALT_BYTES:]
        plain, view, at = [], memoryview(buffer), 0
        while at < len(view) and len(view) - at >= (length := opener.next_bytes):
            plain.append(opener.open(view[at : at + length]))
            at += length
        buffer = buffer[at:]
        found = b"".join(plain)[skip:][:left]
        skip = 0 if plain else skip
        left -= len(found)
        if found:
            yield found


class _Opener:
    def __init__(self, key: bytes, salt: bytes, size: int, number: int) -> None:
        self._cipher = _cipher(key, salt)
        self._size = size
        self._last = _chunks(size) - 1
        self._number = number

    @property
    def next_bytes(self) -> int:
        """How long the next chunk is, sealed."""
        left = self._size - self._number * CHUNK_BYTES
        return min(CHUNK_BYTES, left) + _TAG_BYTES

    def open(self, sealed: bytes | memoryview) -> bytes:
        try:
            return self._cipher.decrypt(self._next_nonce(), sealed, None)
        except InvalidTag as e:
            raise Corrupt("a sealed body does not open") from e

    def open_into(self, sealed: memoryview, plain: memoryview) -> None:
        """As `open`, into room that is there already: a copy less of what is large."""
        try:
            self._cipher.decrypt_into(self._next_nonce(), sealed, None, plain)
        except InvalidTag as e:
            raise Corrupt("a sealed body does not open") from e

    def _next_nonce(self) -> bytes:
        nonce = _nonce(self._number, last=self._number == self._last)
        self._number += 1
        return nonce
