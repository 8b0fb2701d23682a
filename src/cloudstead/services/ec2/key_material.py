"""SSH keys: made, read in every form AWS reads, written in every form AWS writes, and their fingerprints.

An RSA key of 2048 bits takes about 30 ms to make here, seldom 100; it is made on the caller's thread.
How AWS computes fingerprints: EC2 user guide, "Verify the fingerprint of your key pair". PuTTY's format: its manual,
appendix "PPK file format".
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

from cloudstead.core.errors import ServiceError

KeyType = Literal["rsa", "ed25519"]
PrivateKey = RSAPrivateKey | Ed25519PrivateKey
PublicKey = RSAPublicKey | Ed25519PublicKey

_RSA_BITS = 2048
_RSA_BITS_TAKEN = (1024, 2048, 4096)


@dataclass(frozen=True)
class NewKey:
    type: KeyType
    private: PrivateKey

    @property
    def fingerprint(self) -> str:
        """As AWS computes it for a key that it made."""
        if isinstance(self.private, Ed25519PrivateKey):
            return _sha256(self.private.public_key())
        der = self.private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return _colons(hashlib.sha1(der, usedforsecurity=False).hexdigest())

    def public_line(self, name: str) -> str:
        return public_line(self.private.public_key(), name)

    def pem(self) -> str:
        """PKCS#1 for RSA, OpenSSH's own form for ED25519."""
        if isinstance(self.private, Ed25519PrivateKey):
            form = serialization.PrivateFormat.OpenSSH
        else:
            form = serialization.PrivateFormat.TraditionalOpenSSL
        text = self.private.private_bytes(
            serialization.Encoding.PEM, form, serialization.NoEncryption()
        ).decode()
        # OpenSSH does not read its own form without the newline at the end.
        return text if self.type == "ed25519" else text.rstrip("\n")

    def ppk(self, comment: str) -> str:
        """PuTTY's form, version 2: the one that every PuTTY reads."""
        public = _blob(self.private.public_key())
        secret = _secret_blob(self.private)
        algorithm = "ssh-ed25519" if self.type == "ed25519" else "ssh-rsa"
        signed = b"".join(map(_string, (algorithm.encode(), b"none", comment.encode(), public, secret)))
        mac_key = hashlib.sha1(b"putty-private-key-file-mac-key", usedforsecurity=False).digest()
        lines = [
            f"PuTTY-User-Key-File-2: {algorithm}",
            "Encryption: none",
            f"Comment: {comment}",
            *_block("Public-Lines", public),
            *_block("Private-Lines", secret),
            f"Private-MAC: {hmac.new(mac_key, signed, hashlib.sha1).hexdigest()}",
        ]
        return "\r\n".join(lines) + "\r\n"


def create(type: KeyType) -> NewKey:
    private = Ed25519PrivateKey.generate() if type == "ed25519" else generate_private_key(65537, _RSA_BITS)
    return NewKey(type, private)


# --- public keys from elsewhere


def read_public(material: bytes) -> PublicKey:
    """The public key in OpenSSH's form, RFC 4716's, or DER in base64. Raises InvalidKey.Format."""
    key = _parse(material.strip())
    if key is None:
        raise ServiceError("Key is not in valid OpenSSH public key format", code="InvalidKey.Format")
    if isinstance(key, RSAPublicKey) and key.key_size not in _RSA_BITS_TAKEN:
        raise ServiceError(
            "The key length is not supported; RSA keys have 1024, 2048 or 4096 bits", code="InvalidKey.Format"
        )
    return key


def imported_fingerprint(key: PublicKey) -> str:
    """As AWS computes it for a key that was imported."""
    if isinstance(key, Ed25519PublicKey):
        return _sha256(key)
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _colons(hashlib.md5(der, usedforsecurity=False).hexdigest())


def public_line(key: PublicKey, comment: str) -> str:
    """A line as in authorized_keys."""
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    return f"{line} {comment}"


def key_type(key: PublicKey) -> KeyType:
    return "ed25519" if isinstance(key, Ed25519PublicKey) else "rsa"


def _parse(material: bytes) -> PublicKey | None:
    key: object
    try:
        if material.startswith(b"---- BEGIN SSH2 PUBLIC KEY"):
            key = serialization.load_ssh_public_key(_from_rfc4716(material))
        elif material.startswith(b"-----BEGIN"):
            key = serialization.load_pem_public_key(material)
        elif material.startswith((b"ssh-", b"ecdsa-")):
            key = serialization.load_ssh_public_key(b" ".join(material.split()[:2]))
        else:
            key = _from_der(base64.b64decode(b"".join(material.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm, binascii.Error, struct.error):
        return None
    return key if isinstance(key, RSAPublicKey | Ed25519PublicKey) else None


def _from_rfc4716(material: bytes) -> bytes:
    """The key as a line of OpenSSH's: headers, which may go on after a backslash, are left out."""
    text = re.sub(rb"\\\r?\n", b"", material)
    body = b"".join(
        line.strip() for line in text.splitlines() if b":" not in line and not line.startswith(b"----")
    )
    blob = base64.b64decode(body, validate=True)
    (size,) = struct.unpack_from(">I", blob)
    return blob[4 : 4 + size] + b" " + base64.b64encode(blob)


def _from_der(der: bytes) -> object:
    if der[:4] in (b"\0\0\0\x07", b"\0\0\0\x0b"):  # the middle of an OpenSSH line, alone
        (size,) = struct.unpack_from(">I", der)
        return serialization.load_ssh_public_key(der[4 : 4 + size] + b" " + base64.b64encode(der))
    return serialization.load_der_public_key(der)


# --- inside


def _blob(key: PublicKey) -> bytes:
    """What OpenSSH writes in base64 between the algorithm and the comment."""
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])


def _secret_blob(key: PrivateKey) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return _string(key.private_bytes_raw())
    numbers = key.private_numbers()
    return b"".join(map(_mpint, (numbers.d, numbers.p, numbers.q, numbers.iqmp)))


def _sha256(key: PublicKey) -> str:
    return base64.b64encode(hashlib.sha256(_blob(key)).digest()).decode()


def _colons(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _mpint(number: int) -> bytes:
    return _string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _block(name: str, content: bytes) -> list[str]:
    text = base64.b64encode(content).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return [f"{name}: {len(lines)}", *lines]
