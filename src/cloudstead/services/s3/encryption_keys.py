"""Which key a body is sealed under: ours, one of its own that KMS made, or one that the client brings with each request.

A key of KMS never seals a body. It encrypts the object's own key, which lies beside the object and which KMS must open
for every read: who disables the key in KMS ends that. What a reader would get wrong: a client's own key is never
kept, only its MD5, to tell whether the same one comes again.
"""

import binascii
import dataclasses
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from hmac import compare_digest
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudstead.core.caller import Caller
from cloudstead.core.streams import HttpFacts
from cloudstead.core.tools import Tools
from cloudstead.services.kms import operations as kms
from cloudstead.services.s3.errors import (
    AccessDenied,
    InvalidRequest,
    S3Error,
    bad_argument,
)
from cloudstead.services.s3.objects_meta import Encryption
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Store

_KEY_BYTES = 32
_KMS_KINDS = ("aws:kms", "aws:kms:dsse")
_CUSTOMER = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
#: The alias of the key that AWS manages for S3.
_AWS_MANAGED = "alias/aws/s3"
#: What S3 adds to a client's encryption context.
_PLACE = "aws:s3:arn"
#: What KMS says of a key that is S3's answer, too.
_REFUSALS = (
    kms.DisabledException,
    kms.InvalidArnException,
    kms.InvalidCiphertextException,
    kms.KMSInvalidStateException,
    kms.NotFoundException,
)


@dataclass(frozen=True)
class Vault:
    """The keys of a cloud."""

    store: Store
    tools: Tools
    sealing_key: bytes  # 32 bytes that lie outside the store

    # --- for what is written

    def chosen(self, caller: Caller, request: Mapping[str, Any], bucket: Bucket) -> Encryption:
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
        if (kind or self._default_kind(bucket)) in _KMS_KINDS:
            _check_signed(caller, request)
        if kind is None:
            return self.with_key(caller, self._default(caller, bucket, request), bucket, request["Key"])
        bucket_key = bool(request.get("BucketKeyEnabled", self._rule(bucket).get("BucketKeyEnabled", False)))
        context = request.get("SSEKMSEncryptionContext")
        named = self.named(caller, kind, request.get("SSEKMSKeyId"), bucket, context, bucket_key=bucket_key)
        return self.with_key(caller, named, bucket, request["Key"])

    def with_key(self, caller: Caller, encryption: Encryption, bucket: Bucket, key: str) -> Encryption:
        """With a new key for this object alone, if it is KMS that keeps such."""
        if encryption.kind not in _KMS_KINDS:
            return encryption
        context = _context(encryption, bucket, key)
        with _told_by_s3():
            _, sealed = self._kms.data_key(_in_region_of(bucket, caller), encryption.key_id, context)
        return replace(encryption, sealed_key=sealed)

    # --- for bodies

    def key(
        self,
        encryption: Encryption,
        bucket: Bucket,
        key: str,
        customer: bytes | None = None,
        *,
        caller: Caller | None = None,
    ) -> bytes:
        """What the body of this key in this bucket is sealed under. KMS asks whether a `caller` may, if there is one."""
        if encryption.kind == "SSE-C":
            assert customer is not None
            return customer
        if encryption.kind not in _KMS_KINDS:
            return self.sealing_key
        with _told_by_s3():
            if not encryption.sealed_key:
                return self._kms.derived(caller, encryption.key_id, encryption.context.encode())
            context = _context(encryption, bucket, key)
            opened = self._kms.open(encryption.key_id, encryption.sealed_key, context, caller=caller)
        return opened if encryption.layers == 1 else opened + self.sealing_key

    def key_to_read(
        self,
        caller: Caller,
        encryption: Encryption,
        bucket: Bucket,
        named: Mapping[str, Any],
        *,
        copying: Mapping[str, Any] | None = None,
    ) -> bytes:
        """As `key`, for a caller to read the object that is `named`, or to copy it by the request `copying`.

        Raises unless the request brings the client's key where one is needed.
        """
        customer = (
            self.check_customer(encryption, named)
            if copying is None
            else self.check_customer(encryption, copying, "CopySource")
        )
        if encryption.kind in _KMS_KINDS:
            _check_signed(caller, named)
        return self.key(encryption, bucket, named["Key"], customer, caller=caller)

    def moved(
        self, caller: Caller, encryption: Encryption, bucket: Bucket, key: str, new_key: str
    ) -> Encryption:
        """How the same bytes are sealed under another key of the bucket: their own key stays, its place is another."""
        if not encryption.sealed_key or encryption.bucket_key:
            return encryption
        return self.wrapped_anew(caller, encryption, encryption, bucket, (key, new_key))

    def wrapped_anew(
        self, caller: Caller, before: Encryption, after: Encryption, bucket: Bucket, keys: tuple[str, str]
    ) -> Encryption:
        """The object's own key, out of the old place and KMS's old key, into the new ones."""
        opening, sealing = (
            _context(each, bucket, key) for each, key in zip((before, after), keys, strict=True)
        )
        with _told_by_s3():
            own = self._kms.open(before.key_id, before.sealed_key, opening, caller=caller)
            sealed = self._kms.seal(_in_region_of(bucket, caller), after.key_id, own, sealing)
        return replace(after, sealed_key=sealed)

    def check_reader(self, caller: Caller, encryption: Encryption, request: Mapping[str, Any]) -> None:
        """Raise unless the caller might read, for who asks about the object and not for its bytes."""
        self.check_customer(encryption, request)
        if encryption.kind in _KMS_KINDS:
            _check_signed(caller, request)

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

    def _default(self, caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> Encryption:
        if bucket.encryption is None:
            return Encryption()
        rule = self._rule(bucket)
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        bucket_key = bool(request.get("BucketKeyEnabled", rule.get("BucketKeyEnabled", False)))
        kind = self._default_kind(bucket)
        context = request.get("SSEKMSEncryptionContext")
        name = default.get("KMSMasterKeyID")
        return self.named(caller, kind, name, bucket, context, bucket_key=bucket_key)

    def _default_kind(self, bucket: Bucket) -> str:
        default = self._rule(bucket).get("ApplyServerSideEncryptionByDefault") or {}
        kind: str = default.get("SSEAlgorithm", "AES256")
        return kind

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

    def named(
        self,
        caller: Caller,
        kind: str,
        key_id: str | None,
        bucket: Bucket,
        context: str | None,
        *,
        bucket_key: bool,
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
        with _told_by_s3():
            found = self._found(caller, key_id or _AWS_MANAGED, bucket)
        return Encryption(kind, found, context or "", bucket_key=bucket_key)

    def _found(self, caller: Caller, name: str, bucket: Bucket) -> str:
        """The ARN of the key of this id, ARN or alias. A name without an account is the caller's, as at AWS."""
        if name == _AWS_MANAGED and caller.account == bucket.account:
            return self._kms.managed(bucket.account, bucket.region)
        return self._kms.find(_in_region_of(bucket, caller), name)

    @property
    def _kms(self) -> kms.KeyStore:
        return kms.KeyStore(self.store, self.tools, self.sealing_key, "s3")


@contextmanager
def _told_by_s3() -> Iterator[None]:
    """What KMS refuses, in S3's words."""
    try:
        yield
    except kms.AccessDeniedException as e:
        raise AccessDenied(e.message) from None
    except _REFUSALS as e:
        raise S3Error(e.message, code=f"KMS.{e.code}", status=e.status) from None


def _check_signed(caller: Caller, request: Mapping[str, Any]) -> None:
    """Nobody without a name gets to KMS, nor who signs as in old times."""
    http = request.get("_Http")
    old = isinstance(http, HttpFacts) and http.signature_version == 2
    if old or not caller.account:
        raise bad_argument(
            "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.",
            "Authorization",
            None,
        )


def _in_region_of(bucket: Bucket, caller: Caller) -> Caller:
    """KMS is asked in the region of the bucket."""
    return caller if caller.region == bucket.region else dataclasses.replace(caller, region=bucket.region)


def _context(encryption: Encryption, bucket: Bucket, key: str) -> dict[str, str]:
    """What an object's key is sealed in with: its place, or with a bucket key the bucket's, and what the client says."""
    own = msgspec.json.decode(_decoded(encryption.context) or b"{}", type=dict[str, str])
    return {**own, _PLACE: bucket.arn("" if encryption.bucket_key else key)}


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
