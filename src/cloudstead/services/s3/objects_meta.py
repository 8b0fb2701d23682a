"""What S3 keeps of an object beside its bytes: the metadata of one version, packed into the index's entry.

The entry's own size is that of the sealed bytes; the one that clients are told stands here. Fields are kept by
position: new ones go to the end, with a default.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from cloudstead.dataplane.objects.driver import Entry
from cloudstead.services.s3.checksums import Checksum
from cloudstead.services.s3.rows import Acl, Bucket, Grant

#: The longest that all of a client's own metadata may be, names and values together.
USER_METADATA_BYTES_MAX = 2048
#: Headers that a client sets and gets back, by the name of their member.
HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "WebsiteRedirectLocation",
)
DEFAULT_CONTENT_TYPE = "binary/octet-stream"
#: Metadata that is longer (of very many parts) is unpacked each time, not remembered.
_REMEMBERED_BYTES_MAX = 2048
ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")

Mode = Literal["GOVERNANCE", "COMPLIANCE"]


class Encryption(msgspec.Struct, frozen=True, array_like=True):
    """How the bytes are sealed: `AES256`, `aws:kms`, `aws:kms:dsse`, or `SSE-C` with a key that the client keeps."""

    kind: str = "AES256"
    key_id: str = ""  # of KMS: the key's ARN
    context: str = ""  # of KMS, as the client gave it
    bucket_key: bool = False
    customer_md5: str = ""  # of SSE-C: of the key, in base64
    sealed_key: bytes = b""  # of KMS: the object's own key, encrypted by KMS; empty in the oldest objects

    @property
    def layers(self) -> int:
        """How many times one behind the other the bytes are sealed."""
        return 2 if self.kind == "aws:kms:dsse" and self.sealed_key else 1


class Retention(msgspec.Struct, frozen=True, array_like=True):
    mode: Mode
    until_ms: int


class Renamed(msgspec.Struct, frozen=True, array_like=True):
    """By which rename an object got its key, so that a request that is sent again is known."""

    source: str
    token: str  # the client's


class Meta(msgspec.Struct, frozen=True, array_like=True):
    """The metadata of a version. `acl` None is the usual one: all for the bucket's owner."""

    size: int = 0
    encryption: Encryption = Encryption()
    checksum: Checksum | None = None
    headers: dict[str, str] = {}
    user: dict[str, str] = {}
    tags: dict[str, str] = {}
    storage_class: str = "STANDARD"
    acl: Acl | None = None
    retention: Retention | None = None
    held: bool | None = None  # by a legal hold; None: nobody ever said
    part_digests: list[bytes] = []  # of an object completed from parts: their checksums
    restored_until_ms: int = 0  # of an archived object
    owner: str = ""  # of a delete marker: who made it
    upload_id: str = ""  # of an object completed from parts: the upload it came from
    renamed: Renamed | None = None

    def acl_in(self, bucket: Bucket) -> Acl:
        return self.acl or Acl(bucket.acl.owner, [Grant(bucket.acl.owner, "FULL_CONTROL")])

    def archived(self, now_ms: int) -> bool:
        """Whether the bytes must be restored before anybody can read them."""
        return self.storage_class in ARCHIVED and self.restored_until_ms <= now_ms


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Meta)


def packed(meta: Meta) -> bytes:
    return _encoder.encode(meta)


@lru_cache(maxsize=4096)
def _unpacked(body: bytes) -> Meta:
    return _decoder.decode(body)


def of(entry: Entry) -> Meta:
    """The metadata of a version or a delete marker."""
    if len(entry.meta) > _REMEMBERED_BYTES_MAX:
        return _decoder.decode(entry.meta)
    return _unpacked(entry.meta) if entry.meta else Meta()


def to_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def from_ms(moment_ms: int) -> datetime:
    return datetime.fromtimestamp(moment_ms / 1000, UTC)


def modified_at(entry: Entry) -> datetime:
    """When it was put, to the second: as S3 tells it everywhere."""
    return from_ms(entry.modified_ms // 1000 * 1000)


def shown_encryption(encryption: Encryption, *, context: bool = False) -> dict[str, Any]:
    """The members that tell how something is encrypted; the context is told to who writes alone."""
    if encryption.kind == "SSE-C":
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": encryption.customer_md5}
    shown: dict[str, Any] = {"ServerSideEncryption": encryption.kind}
    if encryption.key_id:
        shown["SSEKMSKeyId"] = encryption.key_id
    if encryption.bucket_key:
        shown["BucketKeyEnabled"] = True
    if context and encryption.context:
        shown["SSEKMSEncryptionContext"] = encryption.context
    return shown
