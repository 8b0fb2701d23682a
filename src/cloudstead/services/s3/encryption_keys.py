"""Which key a body is sealed under: ours, one of the key store's, or one that the client brings with each request.

The key store is KMS's place until KMS is built: a key that AWS manages for S3 in each account and region, and keys
that somebody made. Their material lies sealed in the store, under a key that lies outside of it. What a reader
would get wrong: a client's own key is never kept, only its MD5, to tell whether the same one comes again.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5
from hmac import compare_digest, digest
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloudstead.core import ids
from cloudstead.core.arn import arn
from cloudstead.core.tools import Tools
from cloudstead.services.s3.errors import (
    AccessDenied,
    InvalidRequest,
    KMSNotFoundException,
    S3Error,
    bad_argument,
)
from cloudstead.services.s3.objects_meta import Encryption
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Row, Store

_NONCE_BYTES = 12
_KEY_BYTES = 32
_KMS_KINDS = ("aws:kms", "aws:kms:dsse")
_CUSTOMER = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
#: The alias of the key that AWS manages for S3.
_AWS_MANAGED = "alias/aws/s3"


class KmsKey(Row, frozen=True, kw_only=True):
    """A key of the key store; its id is its ARN."""

    account: str
    region: str
    alias: str = ""
    sealed: bytes  # the material


@dataclass(frozen=True)
class Vault:
    """The keys of a cloud."""

    store: Store
    tools: Tools
    sealing_key: bytes  # 32 bytes that lie outside the store

    # --- for what is written

    def chosen(self, request: Mapping[str, Any], bucket: Bucket) -> Encryption:
        """How a new object is encrypted: as the request says, else as the bucket does."""
        customer = self.customer(request)
        kind = request.get("ServerSideEncryption")
        if customer is not None:
            return self._customers(customer, kind, bucket)
        if kind is None and request.get("SSEKMSKeyId"):
            raise bad_argument(
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
                "x-amz-server-side-encryption",
                None,
            )
        if kind is None:
            return self._default(bucket, request)
        bucket_key = bool(request.get("BucketKeyEnabled", self._rule(bucket).get("BucketKeyEnabled", False)))
        return self._named(
            kind, request.get("SSEKMSKeyId"), bucket, request.get("SSEKMSEncryptionContext"), bucket_key
        )

    def make_key(self, account: str, region: str, alias: str = "") -> KmsKey:
        """A new key of the key store. Nobody else ever sees its material."""
        id = arn("kms", f"key/{ids.uuid(self.tools.random)}", account=account, region=region)
        material = self.tools.random.randbytes(_KEY_BYTES)
        nonce = self.tools.random.randbytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(self.sealing_key).encrypt(nonce, material, id.encode())
        return self.store.insert(KmsKey(id=id, account=account, region=region, alias=alias, sealed=sealed))

    # --- for bodies

    def key(self, encryption: Encryption, customer: bytes | None = None) -> bytes:
        """What bodies encrypted this way are sealed under."""
        if encryption.kind == "SSE-C":
            assert customer is not None
            return customer
        if encryption.kind in _KMS_KINDS:
            return digest(self._material(encryption.key_id), encryption.context.encode(), "sha256")
        return self.sealing_key

    def key_to_read(self, encryption: Encryption, request: Mapping[str, Any], prefix: str = "") -> bytes:
        """As `key`, for a request to read: raises unless it brings the client's key where one is needed."""
        return self.key(encryption, self.check_customer(encryption, request, prefix))

    def check_customer(
        self, encryption: Encryption, request: Mapping[str, Any], prefix: str = ""
    ) -> bytes | None:
        """The client's key, the very one the object was encrypted under. Raises if it is not, or not needed."""
        customer = self.customer(request, prefix)
        if encryption.kind != "SSE-C":
            if customer is not None:
                raise InvalidRequest("The encryption parameters are not applicable to this object.")
            return None
        if customer is None:
            raise InvalidRequest(
                "The object was stored using a form of Server Side Encryption. The correct parameters must be "
                "provided to retrieve the object."
            )
        if not compare_digest(_md5(customer), encryption.customer_md5):
            raise AccessDenied
        return customer

    def customer(self, request: Mapping[str, Any], prefix: str = "") -> bytes | None:
        """The key that a request brings, checked against its MD5; `prefix` is CopySource for that of a source."""
        algorithm, text, said = (request.get(prefix + name) for name in _CUSTOMER)
        if algorithm is None and text is None and said is None:
            return None
        header = "x-amz-server-side-encryption-customer-"
        if algorithm is None:
            raise _incomplete("a valid encryption algorithm.", f"{header}algorithm")
        if algorithm != "AES256":
            raise S3Error(
                "The Encryption request you specified is not valid. Supported value: AES256.",
                code="InvalidEncryptionAlgorithmError",
                fields={"ArgumentName": f"{header}algorithm", "ArgumentValue": algorithm},
            )
        if text is None:
            raise _incomplete("an appropriate secret key.", f"{header}key")
        if said is None:
            raise _incomplete("the client calculated MD5 of the secret key.", f"{header}key-MD5")
        key = _decoded(text)
        if key is None or len(key) != _KEY_BYTES:
            raise bad_argument("The secret key was invalid for the specified algorithm.", f"{header}key", "")
        if not compare_digest(_md5(key), said):
            raise bad_argument(
                "The calculated MD5 hash of the key did not match the hash that was provided.",
                f"{header}key-MD5",
                said,
            )
        return key

    # --- inside

    def _rule(self, bucket: Bucket) -> Mapping[str, Any]:
        rules = (bucket.encryption or {}).get("Rules") or [{}]
        rule: Mapping[str, Any] = rules[0]
        return rule

    def _default(self, bucket: Bucket, request: Mapping[str, Any]) -> Encryption:
        if bucket.encryption is None:
            return Encryption()
        rule = self._rule(bucket)
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        bucket_key = bool(request.get("BucketKeyEnabled", rule.get("BucketKeyEnabled", False)))
        kind = default.get("SSEAlgorithm", "AES256")
        context = request.get("SSEKMSEncryptionContext")
        return self._named(kind, default.get("KMSMasterKeyID"), bucket, context, bucket_key)

    def _customers(self, customer: bytes, kind: str | None, bucket: Bucket) -> Encryption:
        if kind is not None:
            raise bad_argument(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method "
                "specified",
                "x-amz-server-side-encryption",
                kind,
            )
        blocked = (self._rule(bucket).get("BlockedEncryptionTypes") or {}).get("EncryptionType") or ()
        if "SSE-C" in blocked:
            raise AccessDenied
        return Encryption("SSE-C", customer_md5=_md5(customer))

    def _named(
        self, kind: str, key_id: str | None, bucket: Bucket, context: str | None, bucket_key: bool
    ) -> Encryption:
        if kind == "AES256":
            if key_id:
                raise bad_argument(
                    "x-amz-server-side-encryption-aws-kms-key-id is only applicable to aws:kms",
                    "x-amz-server-side-encryption",
                    kind,
                )
            return Encryption()
        if kind not in _KMS_KINDS:
            raise S3Error(
                "The encryption method specified is not supported",
                code="InvalidArgument",
                fields={"ArgumentName": "x-amz-server-side-encryption", "ArgumentValue": kind},
            )
        if context is not None and not _is_context(context):
            raise bad_argument(
                "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON "
                "which represents a string-string map",
                "x-amz-server-side-encryption-context",
                context,
            )
        key = self._found(key_id or _AWS_MANAGED, bucket)
        return Encryption(kind, key.id, context or "", bucket_key=bucket_key)

    def _found(self, name: str, bucket: Bucket) -> KmsKey:
        """The key of this id, ARN or alias."""
        here = arn("kms", "", account=bucket.account, region=bucket.region)
        short = name.removeprefix(here)
        if short == _AWS_MANAGED:
            return self._aws_managed(bucket)
        if short.startswith("alias/"):
            keys = self.store.rows(KmsKey, alias=short, account=bucket.account, region=bucket.region)
            found = keys[0] if keys else None
        else:
            id = name if name.startswith("arn:") else f"{here}key/{name}"
            found = self.store.get(KmsKey, id)
        if found is None or found.region != bucket.region:
            id = name if name.startswith("arn:") else here + (name if "/" in name else f"key/{name}")
            raise KMSNotFoundException(f"Key '{id}' does not exist", code="KMS.NotFoundException")
        return found

    def _aws_managed(self, bucket: Bucket) -> KmsKey:
        """Made when it is first asked for, as at AWS."""
        mine = {"alias": _AWS_MANAGED, "account": bucket.account, "region": bucket.region}
        if found := self.store.rows(KmsKey, **mine):
            return found[0]
        with self.store.transaction():
            if found := self.store.rows(KmsKey, **mine):
                return found[0]
            return self.make_key(bucket.account, bucket.region, _AWS_MANAGED)

    def _material(self, key_id: str) -> bytes:
        row = self.store.get(KmsKey, key_id)
        if row is None:
            raise KMSNotFoundException(f"Key '{key_id}' does not exist", code="KMS.NotFoundException")
        nonce, sealed = row.sealed[:_NONCE_BYTES], row.sealed[_NONCE_BYTES:]
        return AESGCM(self.sealing_key).decrypt(nonce, sealed, row.id.encode())


def _incomplete(what: str, argument: str) -> S3Error:
    return bad_argument(
        f"Requests specifying Server Side Encryption with Customer provided keys must provide {what}",
        argument,
        None,
    )


def _md5(key: bytes) -> str:
    return b64encode(md5(key, usedforsecurity=False).digest()).decode()


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_context(text: str) -> bool:
    try:
        msgspec.json.decode(_decoded(text) or b"", type=dict[str, str])
    except msgspec.DecodeError:
        return False
    return True
