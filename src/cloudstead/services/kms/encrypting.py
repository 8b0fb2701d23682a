"""What keys are for: texts of up to 4 KiB encrypted and opened, and keys for more than that made."""

from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt
from cloudstead.services.kms import access
from cloudstead.services.kms.directory import Directory, check_usable
from cloudstead.services.kms.errors import (
    DryRunOperationException,
    IncorrectKeyException,
    InvalidKeyUsageException,
    ValidationException,
)
from cloudstead.services.kms.keys import SYMMETRIC
from cloudstead.services.kms.rows import Key, Material

CONTEXT_BYTES_MAX = 8192

_SIZES = {"AES_256": 32, "AES_128": 16}
#: What no answer here could have.
_NOT_BUILT = {
    "Recipient": "Attested recipients of answers (Nitro enclaves) are not built in Cloudstead's KMS",
    "GrantTokens": "Grants are not built in Cloudstead's KMS",
    "DryRunModifiers": "DryRunModifiers are not built in Cloudstead's KMS",
    "CustomKeyStoreId": "Custom key stores are not built in Cloudstead's KMS",
}


class Encrypting:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def encrypt(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        _check_built(request)
        _check_algorithm(request, "EncryptionAlgorithm")
        key = self._usable(caller, request, "kms:Encrypt")
        context = _context(request, "EncryptionContext")
        _check_dry_run(request)
        return {
            "CiphertextBlob": self._directory.encrypt(key, request["Plaintext"], context),
            "KeyId": key.id,
            "EncryptionAlgorithm": SYMMETRIC,
        }

    def decrypt(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        _check_built(request)
        _check_algorithm(request, "EncryptionAlgorithm")
        key, material, text = self._opened(
            caller, request, "KeyId", "EncryptionContext", action="kms:Decrypt"
        )
        _check_dry_run(request)
        return {
            "KeyId": key.id,
            "Plaintext": text,
            "EncryptionAlgorithm": SYMMETRIC,
            "KeyMaterialId": material.id,
        }

    def re_encrypt(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        _check_built(request)
        _check_algorithm(request, "SourceEncryptionAlgorithm")
        _check_algorithm(request, "DestinationEncryptionAlgorithm")
        source, material, text = self._opened(
            caller, request, "SourceKeyId", "SourceEncryptionContext", action="kms:ReEncryptFrom"
        )
        destination = self._usable(
            caller, request, "kms:ReEncryptTo", "DestinationKeyId", "DestinationEncryptionContext"
        )
        context = _context(request, "DestinationEncryptionContext")
        _check_dry_run(request)
        return {
            "CiphertextBlob": self._directory.encrypt(destination, text, context),
            "SourceKeyId": source.id,
            "KeyId": destination.id,
            "SourceEncryptionAlgorithm": SYMMETRIC,
            "DestinationEncryptionAlgorithm": SYMMETRIC,
            "SourceKeyMaterialId": material.id,
            "DestinationKeyMaterialId": destination.materials[-1].id,
        }

    def generate_data_key(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        plain, answer = self._data_key(caller, request, "kms:GenerateDataKey")
        return {**answer, "Plaintext": plain}

    def generate_data_key_without_plaintext(
        self, caller: Caller, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        return self._data_key(caller, request, "kms:GenerateDataKeyWithoutPlaintext")[1]

    def generate_random(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        del caller
        _check_built(request)
        if "NumberOfBytes" not in request:
            raise ValidationException("NumberOfBytes is required.")
        return {"Plaintext": self._directory.tools.random.randbytes(request["NumberOfBytes"])}

    # --- inside

    def _data_key(
        self, caller: Caller, request: Mapping[str, Any], action: str
    ) -> tuple[bytes, dict[str, Any]]:
        """A new key, in clear and as it is answered."""
        _check_built(request)
        if ("KeySpec" in request) == ("NumberOfBytes" in request):
            raise ValidationException("Please specify either number of bytes or key spec.")
        size = request.get("NumberOfBytes") or _SIZES[request["KeySpec"]]
        key = self._usable(caller, request, action)
        context = _context(request, "EncryptionContext")
        _check_dry_run(request)
        plain = self._directory.tools.random.randbytes(size)
        return plain, {
            "CiphertextBlob": self._directory.encrypt(key, plain, context),
            "KeyId": key.id,
            "KeyMaterialId": key.materials[-1].id,
        }

    def _usable(
        self,
        caller: Caller,
        request: Mapping[str, Any],
        action: str,
        member: str = "KeyId",
        context: str = "EncryptionContext",
    ) -> Key:
        key = self._directory.find(caller, request[member])
        access.check(self._directory.store, caller, key, action, context=request.get(context))
        check_usable(key)
        return key

    def _opened(
        self, caller: Caller, request: Mapping[str, Any], member: str, context: str, *, action: str
    ) -> tuple[Key, Material, bytes]:
        """What a ciphertext says, and by which key."""
        if "CiphertextBlob" not in request:
            raise ValidationException(
                "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: "
                "Member must not be null"
            )
        directory, ciphertext = self._directory, request["CiphertextBlob"]
        expected = directory.find(caller, request[member]) if member in request else None
        key, material = directory.of_ciphertext(caller.region, ciphertext)
        if expected is not None and expected.id != key.id:
            raise IncorrectKeyException(
                "The key ID in the request does not identify a CMK that can perform this operation."
            )
        pairs = _context(request, context)
        access.check(directory.store, caller, key, action, context=pairs)
        return key, material, directory.decrypt(key, material, ciphertext, pairs)


def _context(request: Mapping[str, Any], member: str) -> Mapping[str, str]:
    pairs: Mapping[str, str] = request.get(member) or {}
    if sum(len(name.encode()) + len(value.encode()) for name, value in pairs.items()) > CONTEXT_BYTES_MAX:
        raise ValidationException(f"The encryption context may have at most {CONTEXT_BYTES_MAX} bytes")
    return pairs


def _check_built(request: Mapping[str, Any]) -> None:
    for member, text in _NOT_BUILT.items():
        if request.get(member):
            raise NotBuilt(text)


def _check_algorithm(request: Mapping[str, Any], member: str) -> None:
    algorithm = request.get(member, SYMMETRIC)
    if algorithm != SYMMETRIC:
        raise InvalidKeyUsageException(f"Algorithm {algorithm} is incompatible with key spec {SYMMETRIC}.")


def _check_dry_run(request: Mapping[str, Any]) -> None:
    """Whoever asks to be told only is told so by an error, as at AWS."""
    if request.get("DryRun"):
        raise DryRunOperationException("The request would have succeeded, but the DryRun option is set.")
