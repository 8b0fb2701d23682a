"""Checksums of content: every algorithm S3 knows, over one stream, and those of parts made into an object's.

FULL_OBJECT is the checksum of the bytes; COMPOSITE is the checksum of the parts' checksums, and says how many
there were. Of a CRC the former follows from the parts without reading them again, of a hash it does not: that is
why AWS knows no full-object SHA-256 of a multipart upload.
"""

import binascii
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec
from awscrt import checksums as crt

from cloudstead.services.s3.errors import BadDigest, InvalidDigest, InvalidRequest

Type = Literal["FULL_OBJECT", "COMPOSITE"]

DEFAULT = "CRC64NVME"


class Running(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, function: Callable[[bytes, int], int], size_bytes: int) -> None:
        self._function = function
        self._size_bytes = size_bytes
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size_bytes, "big")


class _XxHash:
    def __init__(self, hash: crt.XXHash) -> None:
        self._hash = hash

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        digest: bytes = self._hash.finalize()
        return digest


@dataclass(frozen=True)
class Algorithm:
    name: str
    size_bytes: int
    start: Callable[[], Running]
    #: The checksum of two pieces from theirs and the length of the second; hashes have none.
    combine: Callable[[int, int, int], int] | None = None
    types: tuple[Type, ...] = ("COMPOSITE",)  # what an upload of parts may have; the first is its default

    @property
    def member(self) -> str:
        """The member of requests and answers that carries it."""
        return f"Checksum{self.name}"

    @property
    def header(self) -> str:
        return f"x-amz-checksum-{self.name.lower()}"

    def of(self, data: bytes) -> bytes:
        running = self.start()
        running.update(data)
        return running.digest()


_EITHER: tuple[Type, ...] = ("COMPOSITE", "FULL_OBJECT")
_ALL = (
    Algorithm("CRC32", 4, lambda: _Crc(crt.crc32, 4), crt.combine_crc32, _EITHER),
    Algorithm("CRC32C", 4, lambda: _Crc(crt.crc32c, 4), crt.combine_crc32c, _EITHER),
    Algorithm("CRC64NVME", 8, lambda: _Crc(crt.crc64nvme, 8), crt.combine_crc64nvme, ("FULL_OBJECT",)),
    Algorithm("SHA1", 20, lambda: hashlib.sha1(usedforsecurity=False)),
    Algorithm("SHA256", 32, hashlib.sha256),
    Algorithm("SHA512", 64, hashlib.sha512),
    Algorithm("MD5", 16, lambda: hashlib.md5(usedforsecurity=False)),
    Algorithm("XXHASH64", 8, lambda: _XxHash(crt.XXHash.new_xxhash64())),
    Algorithm("XXHASH3", 8, lambda: _XxHash(crt.XXHash.new_xxhash3_64())),
    Algorithm("XXHASH128", 16, lambda: _XxHash(crt.XXHash.new_xxhash3_128())),
)
ALGORITHMS: Mapping[str, Algorithm] = {algorithm.name: algorithm for algorithm in _ALL}
_BY_HEADER = {algorithm.header: algorithm for algorithm in _ALL}
_MEMBERS = [(algorithm.member, algorithm) for algorithm in _ALL]


class Checksum(msgspec.Struct, frozen=True, array_like=True):
    """The checksum of an object or a part, as it is kept."""

    algorithm: str
    digest: bytes
    type: Type = "FULL_OBJECT"
    parts: int = 0  # of a composite one

    @property
    def text(self) -> str:
        text = b64encode(self.digest).decode()
        return f"{text}-{self.parts}" if self.type == "COMPOSITE" else text

    def shown(self) -> dict[str, Any]:
        """The members that tell it, in answers about an object."""
        return {f"Checksum{self.algorithm}": self.text, "ChecksumType": self.type}

    def shown_of_part(self) -> dict[str, Any]:
        """A part has no type of its own."""
        return {f"Checksum{self.algorithm}": self.text}


# --- of an upload of parts


def full(algorithm: Algorithm, parts: Iterable[tuple[bytes, int]]) -> Checksum:
    """The checksum of the whole from each part's and its length."""
    assert algorithm.combine is not None
    value = 0
    for digest, length in parts:
        value = algorithm.combine(value, int.from_bytes(digest, "big"), length)
    return Checksum(algorithm.name, value.to_bytes(algorithm.size_bytes, "big"))


def composite(algorithm: Algorithm, digests: Iterable[bytes]) -> Checksum:
    """The checksum of the parts' checksums."""
    running, count = algorithm.start(), 0
    for count, digest in enumerate(digests, 1):  # noqa: B007 - it is how many there were
        running.update(digest)
    return Checksum(algorithm.name, running.digest(), "COMPOSITE", count)


# --- what a request says about its body


@dataclass(frozen=True)
class Claimed:
    """What the content is said to be. Without any word S3 computes its own default.

    `kept` is the algorithm whose checksum is wanted, where that is not the one that is said.
    """

    algorithm: Algorithm
    digest: bytes | None = None
    md5: bytes | None = None
    in_trailer: bool = False
    kept: Algorithm | None = None

    @property
    def said(self) -> bool:
        """Whether the client names a checksum, now or in the trailer."""
        return self.digest is not None or self.in_trailer


def claimed(request: Mapping[str, Any], trailer: str = "", *, default: str = DEFAULT) -> Claimed:
    """Read Content-MD5 and the checksum headers; `trailer` is the value of x-amz-trailer."""
    found = given(request)
    announced = _BY_HEADER.get(trailer.strip().lower())
    if trailer and announced is None and trailer.strip().lower().startswith("x-amz-checksum-"):
        raise InvalidRequest("The value specified in the x-amz-trailer header is not supported")
    algorithm = found[0] if found else announced
    _check_named(request.get("ChecksumAlgorithm"), algorithm)
    return Claimed(
        algorithm or ALGORITHMS[default],
        digest=found[1] if found else None,
        md5=_content_md5(request.get("ContentMD5")),
        in_trailer=found is None and announced is not None,
    )


def given(request: Mapping[str, Any]) -> tuple[Algorithm, bytes] | None:
    """The one checksum that a request gives in a member of its own."""
    found = [(algorithm, request[member]) for member, algorithm in _MEMBERS if member in request]
    if not found:
        return None
    if len(found) > 1:
        raise InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    algorithm, text = found[0]
    digest = _decoded(text, algorithm.size_bytes)
    if digest is None:
        raise InvalidRequest(f"Value for {algorithm.header} header is invalid.")
    return algorithm, digest


def _check_named(name: str | None, algorithm: Algorithm | None) -> None:
    """x-amz-sdk-checksum-algorithm announces the header or trailer that must be there."""
    if name is None:
        return
    if name.upper() not in ALGORITHMS:
        raise InvalidRequest(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(ALGORITHMS)}]"
        )
    if algorithm is None:
        raise InvalidRequest(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers "
            "were found."
        )
    if algorithm.name != name.upper():
        raise InvalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")


def _content_md5(text: str | None) -> bytes | None:
    if text is None:
        return None
    digest = _decoded(text, 16)
    if digest is None:
        raise InvalidDigest("The Content-MD5 you specified was invalid.", fields={"Content-MD5": text})
    return digest


def _decoded(text: str, size_bytes: int) -> bytes | None:
    try:
        digest = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) == size_bytes else None


# --- the content as it comes


class Digests:
    """MD5, and the checksums that are claimed and wanted, of a stream; `finish` compares."""

    def __init__(self, claimed: Claimed) -> None:
        self._claimed = claimed
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._running = claimed.algorithm.start()
        self._kept: Running | None = None
        if claimed.kept is not None and claimed.kept is not claimed.algorithm:
            self._kept = claimed.kept.start()

    def update(self, data: bytes) -> None:
        self._md5.update(data)
        self._running.update(data)
        if self._kept is not None:
            self._kept.update(data)

    def finish(self, trailers: Mapping[str, str] | None = None) -> tuple[bytes, Checksum]:
        """The MD5 and the checksum. Raises BadDigest if the content is not what was claimed."""
        said, algorithm = self._claimed, self._claimed.algorithm
        md5, digest = self._md5.digest(), self._running.digest()
        if said.md5 is not None and said.md5 != md5:
            raise BadDigest(
                "The Content-MD5 you specified did not match what we received.",
                fields={
                    "ExpectedDigest": b64encode(said.md5).decode(),
                    "CalculatedDigest": b64encode(md5).decode(),
                },
            )
        expected = self._trailing(trailers or {}) if said.in_trailer else said.digest
        if expected is not None and expected != digest:
            raise mismatch(algorithm)
        if self._kept is not None and said.kept is not None:
            return md5, Checksum(said.kept.name, self._kept.digest())
        return md5, Checksum(algorithm.name, digest)

    def _trailing(self, trailers: Mapping[str, str]) -> bytes:
        header = self._claimed.algorithm.header
        text = trailers.get(header)
        if text is None:
            raise InvalidRequest(f"The trailer {header} was announced but not sent.")
        digest = _decoded(text.strip(), self._claimed.algorithm.size_bytes)
        if digest is None:
            raise InvalidRequest(f"Value for {header} trailing header is invalid.")
        return digest


def mismatch(algorithm: Algorithm) -> BadDigest:
    return BadDigest(f"The {algorithm.name} you specified did not match the calculated checksum.")
