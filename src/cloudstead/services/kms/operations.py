"""KMS's operations, and the key store as other services use it for their callers."""

from collections.abc import Mapping
from dataclasses import dataclass
from hmac import digest

from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.kms import access
from cloudstead.services.kms.aliases import Aliases
from cloudstead.services.kms.directory import Directory, check_usable
from cloudstead.services.kms.encrypting import Encrypting
from cloudstead.services.kms.errors import (
    AccessDeniedException,
    DisabledException,
    InvalidArnException,
    InvalidCiphertextException,
    KMSInvalidStateException,
    NotFoundException,
)
from cloudstead.services.kms.key_policies import KeyPolicies
from cloudstead.services.kms.keys import Keys
from cloudstead.services.kms.reconcile import KeyLives
from cloudstead.services.kms.rotation import Rotation
from cloudstead.services.kms.sealing import MATERIAL_BYTES, Seal
from cloudstead.services.kms.tags import Tags
from cloudstead.store import Store

__all__ = [
    "AccessDeniedException",
    "DisabledException",
    "InvalidArnException",
    "InvalidCiphertextException",
    "KMSInvalidStateException",
    "KeyStore",
    "NotFoundException",
    "key_lives",
    "parts",
]


def parts(store: Store, tools: Tools, sealing_key: bytes) -> list[object]:
    """The classes whose public methods are KMS's operations. `sealing_key`: 32 bytes that material is sealed under."""
    directory = Directory(store, tools, Seal(sealing_key))
    return [
        Keys(directory),
        Aliases(directory),
        KeyPolicies(directory),
        Tags(directory),
        Rotation(directory),
        Encrypting(directory),
    ]


def key_lives(store: Store, tools: Tools, sealing_key: bytes) -> KeyLives:
    """The controller that ends keys and rotates them when it is time."""
    return KeyLives(Directory(store, tools, Seal(sealing_key)))


@dataclass(frozen=True)
class KeyStore:
    """KMS as an AWS service of this cloud uses it, in the name of whoever called that service.

    `service` is the word in the alias of the key that AWS manages for it: `s3`. What cannot be done raises KMS's own
    errors, which are exported here.
    """

    store: Store
    tools: Tools
    sealing_key: bytes
    service: str

    def find(self, caller: Caller, name: str) -> str:
        """The ARN of the key with this id, ARN or alias; that of the key AWS manages is made when first asked for."""
        return self._directory.find(caller, name).id

    def managed(self, account: str, region: str) -> str:
        """The ARN of the key that AWS manages for the service."""
        return self._directory.aws_managed(self.service, account, region).id

    def data_key(self, caller: Caller, arn: str, context: Mapping[str, str]) -> tuple[bytes, bytes]:
        """32 new bytes, in clear and encrypted under the key."""
        plain = self.tools.random.randbytes(MATERIAL_BYTES)
        return plain, self._encrypt(caller, arn, plain, context, "kms:GenerateDataKey")

    def seal(self, caller: Caller, arn: str, plain: bytes, context: Mapping[str, str]) -> bytes:
        """Bytes that `open` has opened, encrypted anew."""
        return self._encrypt(caller, arn, plain, context, "kms:ReEncryptTo")

    def open(
        self, arn: str, ciphertext: bytes, context: Mapping[str, str], *, caller: Caller | None
    ) -> bytes:
        """What `data_key` encrypted under the key. Without a caller, who has just made it goes on with it."""
        key = self._directory.there(arn)
        _, material = self._directory.of_ciphertext(key.region, ciphertext)
        if caller is not None:
            access.check(self.store, caller, key, "kms:Decrypt", context=context, via=self.service)
        return self._directory.decrypt(key, material, ciphertext, context)

    def derived(self, caller: Caller | None, arn: str, label: bytes) -> bytes:
        """A key made of a key's first material: what S3 sealed bodies under before each had a key of its own."""
        directory = self._directory
        key = directory.there(arn)
        if caller is not None:
            access.check(self.store, caller, key, "kms:Decrypt", via=self.service)
        check_usable(key)
        return digest(directory.seal.open(key.materials[0].sealed, key.id), label, "sha256")

    def _encrypt(
        self, caller: Caller, arn: str, plain: bytes, context: Mapping[str, str], action: str
    ) -> bytes:
        directory = self._directory
        key = directory.find_key(caller, arn)
        access.check(self.store, caller, key, action, context=context, via=self.service)
        return directory.encrypt(key, plain, context)

    @property
    def _directory(self) -> Directory:
        return Directory(self.store, self.tools, Seal(self.sealing_key))
