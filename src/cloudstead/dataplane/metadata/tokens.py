"""IMDSv2 session tokens: an expiry and a MAC over it and the instance's id.

They are not stored: a token outlives a restart of ours, and is worth nothing to another instance. Like AWS's they
are 56 characters long.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from datetime import datetime

TTL_S_MAX = 21600

_EXPIRY = struct.Struct(">d")
_MAC_BYTES = 32


class Tokens:
    def __init__(self, secret: bytes) -> None:
        assert len(secret) >= 32
        self._secret = secret

    def issue(self, instance: str, now: datetime, ttl_s: int) -> str:
        assert 1 <= ttl_s <= TTL_S_MAX
        expiry = _EXPIRY.pack(now.timestamp() + ttl_s)
        return base64.urlsafe_b64encode(expiry + self._mac(instance, expiry)).decode()

    def valid(self, token: str, instance: str, now: datetime) -> bool:
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii"))
        except (ValueError, binascii.Error):
            return False
        if len(raw) != _EXPIRY.size + _MAC_BYTES:
            return False
        expiry, mac = raw[: _EXPIRY.size], raw[_EXPIRY.size :]
        if not hmac.compare_digest(mac, self._mac(instance, expiry)):
            return False
        return now.timestamp() < float(_EXPIRY.unpack(expiry)[0])

    def _mac(self, instance: str, expiry: bytes) -> bytes:
        return hmac.digest(self._secret, instance.encode() + b"\0" + expiry, hashlib.sha256)
