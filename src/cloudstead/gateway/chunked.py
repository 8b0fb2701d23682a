r"""aws-chunked bodies: S3 uploads whose payload is signed chunk by chunk, or ends in trailers.

    400;chunk-signature=…\r\n  0x400 bytes  \r\n
    0;chunk-signature=…\r\n
    x-amz-checksum-crc32c:…\r\n
    x-amz-trailer-signature:…\r\n\r\n

Each signature covers the one before it, the first that of the request. The decoder gives bytes out as they come,
before their chunk's signature is known: whoever stores them must not believe them until `finish` has returned.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest

from cloudstead.core.errors import ServiceError
from cloudstead.gateway.refusals import Refused
from cloudstead.gateway.sigv4 import Proof
from cloudstead.gateway.wire import WireRequest

_EMPTY_SHA256 = sha256(b"").hexdigest()
_LINE_BYTES_MAX = 8 * 1024
_TRAILERS_MAX = 16
_CHUNK_BYTES_MIN = 8192  # S3's own rule, and what keeps the work per byte bounded
_HEAD = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?")
_TRAILER = re.compile(rb"([A-Za-z0-9-]{1,128})[ \t]*:[ \t]*([\x21-\x7e]*)[ \t]*")


@dataclass(slots=True)
class ChunkSignatures:
    """The running signature of a body."""

    key: bytes
    signed_at: str
    scope: str
    last: str

    @classmethod
    def after(cls, proof: Proof) -> "ChunkSignatures":
        return cls(proof.signing_key, proof.claim.signed_at, proof.claim.scope, proof.claim.signature)

    def check_chunk(self, chunk_sha256: str, said: str) -> None:
        self._check(f"AWS4-HMAC-SHA256-PAYLOAD\n{self._common()}\n{_EMPTY_SHA256}\n{chunk_sha256}", said)

    def check_trailer(self, trailer: bytes, said: str) -> None:
        self._check(f"AWS4-HMAC-SHA256-TRAILER\n{self._common()}\n{sha256(trailer).hexdigest()}", said)

    def _common(self) -> str:
        return f"{self.signed_at}\n{self.scope}\n{self.last}"

    def _check(self, to_sign: str, said: str) -> None:
        computed = hmac_digest(self.key, to_sign.encode("latin-1"), "sha256").hex()
        if not compare_digest(computed.encode(), said.encode("latin-1")):
            raise Refused("mismatch", StringToSign=to_sign, SignatureProvided=said)
        self.last = computed


class ChunkedDecoder:
    """Feed it the body as it comes; what it gives back is the content. `finish` says whether all was there.

    Raises Refused for a wrong signature, ServiceError for a body that is not what it should be. `signatures` None
    means that nothing is signed, or nothing is to be checked.
    """

    def __init__(
        self, *, signed: bool, trailer: bool, signatures: ChunkSignatures | None, length: int
    ) -> None:
        self._signed = signed
        self._trailer = trailer
        self._signatures = signatures
        self._length = length
        self._buffer = b""
        self._at = 0  # how far the buffer has been read
        self._small_chunk = False
        self._chunk_left: int | None = None  # None: a chunk's head comes next
        self._chunk_said = ""
        self._chunk_hash = sha256()
        self._received = 0
        self._in_trailers = False
        self._signable = b""
        self._finished = False
        #: Names in lower case. To be believed after `finish`.
        self.trailers: dict[str, str] = {}

    @classmethod
    def of(cls, payload: str, length: int, proof: Proof | None) -> "ChunkedDecoder":
        """The decoder for what `x-amz-content-sha256` says. Without a proof signatures are read but not checked."""
        signed = payload.startswith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        signatures = ChunkSignatures.after(proof) if signed and proof is not None else None
        return cls(signed=signed, trailer=payload.endswith("-TRAILER"), signatures=signatures, length=length)

    def feed(self, data: bytes) -> bytes:
        self._buffer, self._at = self._buffer[self._at :] + data, 0
        content: list[bytes] = []
        while self._at < len(self._buffer):
            if self._finished:
                raise _malformed()
            if self._in_trailers:
                progress = self._read_trailer()
            elif self._chunk_left is None:
                progress = self._read_head()
            else:
                progress = self._read_content(content)
            if not progress:
                break
        return b"".join(content)

    def finish(self) -> None:
        """All bytes were fed. Raises unless the body is whole and, if signed, signed to its end."""
        if not self._finished or self._received != self._length:
            raise incomplete()

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", self._at, self._at + _LINE_BYTES_MAX)
        if end < 0:
            if len(self._buffer) - self._at >= _LINE_BYTES_MAX:
                raise _malformed()
            return None
        line, self._at = self._buffer[self._at : end], end + 2
        return line

    def _read_head(self) -> bool:
        line = self._line()
        if line is None:
            return False
        head = _HEAD.fullmatch(line)
        if head is None or (head[2] is None) is self._signed:
            raise _malformed()
        self._chunk_left = int(head[1], 16)
        self._chunk_said = head[2].decode() if head[2] else ""
        self._chunk_hash = sha256()
        self._received += self._chunk_left
        if self._received > self._length:
            raise incomplete()
        if self._chunk_left == 0:
            self._end_chunk()
            self._in_trailers = True
        elif self._small_chunk:
            raise _small_chunk()
        else:
            self._small_chunk = self._chunk_left < _CHUNK_BYTES_MIN
        return True

    def _read_content(self, content: list[bytes]) -> bool:
        """Take what has come of the chunk, and its line end once all has."""
        assert self._chunk_left is not None
        if self._chunk_left:
            piece = self._buffer[self._at : self._at + self._chunk_left]
            self._at += len(piece)
            self._chunk_left -= len(piece)
            if self._signatures is not None:
                self._chunk_hash.update(piece)
            content.append(piece)
        line_end = self._buffer[self._at : self._at + 2]
        if self._chunk_left or len(line_end) < 2:
            return False
        if line_end != b"\r\n":
            raise _malformed()
        self._at += 2
        self._end_chunk()
        return True

    def _end_chunk(self) -> None:
        if self._signatures is not None:
            self._signatures.check_chunk(self._chunk_hash.hexdigest(), self._chunk_said)
        self._chunk_left = None

    def _read_trailer(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if not line:
            self._end_trailers()
            return True
        found = _TRAILER.fullmatch(line)
        if found is None or not self._trailer or len(self.trailers) >= _TRAILERS_MAX:
            raise malformed_trailer()
        name, value = found[1].decode().lower(), found[2].decode()
        if name in self.trailers:
            raise malformed_trailer()
        self.trailers[name] = value
        if name != "x-amz-trailer-signature":
            self._signable += f"{name}:{value}\n".encode()
        return True

    def _end_trailers(self) -> None:
        said = self.trailers.pop("x-amz-trailer-signature", None)
        if self._trailer and self._signed and said is None:
            raise malformed_trailer()
        if self._trailer and self._signatures is not None:
            self._signatures.check_trailer(self._signable, said or "")
        self._finished = True


def decoded(request: WireRequest, payload: str, proof: Proof | None) -> WireRequest:
    """A whole aws-chunked request as the plain one it stands for: content as its body, trailers as headers."""
    length = decoded_length(request.headers)
    decoder = ChunkedDecoder.of(payload, length, proof)
    body = decoder.feed(request.body)
    decoder.finish()
    if sorted(decoder.trailers) != announced_trailers(request.headers):
        raise malformed_trailer()
    return replace(request, headers={**plain_headers(request.headers, length), **decoder.trailers}, body=body)


def decoded_length(headers: Mapping[str, str]) -> int:
    """How long the content says it is."""
    told = headers.get("x-amz-decoded-content-length", "")
    if not re.fullmatch(r"[0-9]{1,18}", told):
        raise no_length()
    return int(told)


def announced_trailers(headers: Mapping[str, str]) -> list[str]:
    names = [name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",")]
    return sorted(name for name in names if name)


def plain_headers(headers: Mapping[str, str], length: int) -> dict[str, str]:
    """The headers with the content's length. That Content-Encoding tells of the coding, S3 itself knows."""
    return {**headers, "content-length": str(length)}


def no_length() -> ServiceError:
    text = "You must provide the Content-Length HTTP header."
    return ServiceError(text, code="MissingContentLength", status=411)


def _malformed() -> ServiceError:
    return ServiceError("The request body is not a well-formed aws-chunked stream.", code="InvalidRequest")


def _small_chunk() -> ServiceError:
    text = "Only the last chunk is allowed to have a size less than 8192 bytes"
    return ServiceError(text, code="InvalidChunkSizeError", status=403)


def malformed_trailer() -> ServiceError:
    text = "The request contained trailing data that was not well-formed or did not conform to our published schema."
    return ServiceError(text, code="MalformedTrailerError")


def incomplete() -> ServiceError:
    text = "You did not provide the number of bytes specified by the Content-Length HTTP header"
    return ServiceError(text, code="IncompleteBody")
