"""SecureStrings at rest: AES-256-GCM under a key that lies outside the store.

Who has the database alone reads none of them. The place a value belongs to is sealed in with it, so that a sealed
value copied to another parameter does not open there.
"""

import base64
from random import Random

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Seal:
    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, text: str, place: str, chance: Random) -> str:
        nonce = chance.randbytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), place.encode())
        return base64.b64encode(sealed).decode()

    def open(self, sealed: str, place: str) -> str:
        """The text again. Raises cryptography's InvalidTag if it was sealed with another key or elsewhere."""
        whole = base64.b64decode(sealed)
        nonce, body = whole[:_NONCE_BYTES], whole[_NONCE_BYTES:]
        return self._cipher.decrypt(nonce, body, place.encode()).decode()
