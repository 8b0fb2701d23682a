"""What keys are made of at rest, and what they make: AES-256-GCM in both places.

Material is sealed under a key that lies outside the store, together with where it belongs, so that it opens nowhere
else. A ciphertext names its key and its material, so nobody must remember what was encrypted under which:

    1 byte of format | 16 of the key's UUID | 4 of the material's place | 12 of nonce | the sealed text and its tag

All before the text is sealed in with it, and so is the encryption context.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MATERIAL_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_FORMAT = b"\x01"
_HEAD_BYTES = 1 + 16 + 4

Context = Mapping[str, str]


class Unreadable(Exception):
    """It was not made here, was changed since, or has another encryption context."""


@dataclass(frozen=True)
class Seal:
    """How material lies in the store. `key` is 32 bytes that lie outside of it."""

    key: bytes

    def close(self, material: bytes, arn: str, chance: Random) -> bytes:
        nonce = chance.randbytes(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, material, arn.encode())

    def open(self, sealed: bytes, arn: str) -> bytes:
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return AESGCM(self.key).decrypt(nonce, body, arn.encode())


@dataclass(frozen=True)
class Named:
    """What a ciphertext says of itself. It is to be believed once it has opened."""

    key_id: str
    material: int


def named(ciphertext: bytes) -> Named:
    """Raises Unreadable if it is no ciphertext of ours."""
    if len(ciphertext) < _HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES or not ciphertext.startswith(_FORMAT):
        raise Unreadable
    key_id = str(UUID(bytes=ciphertext[1:17]))
    return Named(key_id, int.from_bytes(ciphertext[17:_HEAD_BYTES], "big"))


def encrypted(material: bytes, by: Named, text: bytes, context: Context, chance: Random) -> bytes:
    head = _FORMAT + UUID(by.key_id).bytes + by.material.to_bytes(4, "big")
    nonce = chance.randbytes(_NONCE_BYTES)
    return head + nonce + AESGCM(material).encrypt(nonce, text, head + _canonical(context))


def decrypted(material: bytes, ciphertext: bytes, context: Context) -> bytes:
    """Raises Unreadable."""
    head, rest = ciphertext[:_HEAD_BYTES], ciphertext[_HEAD_BYTES:]
    try:
        return AESGCM(material).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + _canonical(context))
    except InvalidTag:
        raise Unreadable from None


def _canonical(context: Context) -> bytes:
    """The same bytes whatever order the pairs came in."""
    return msgspec.json.encode(dict(context), order="sorted")
