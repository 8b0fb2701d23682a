"""Uploads read while they come, so that no body, however large, is ever held: see core.streams.Incoming.

The headers are proven before the first byte is asked for. What the signature says of the body (its hash, or the
signatures of its chunks) can only be compared at the end: until then nothing of it is to be believed.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from hashlib import sha256

from cloudstead.core.errors import ServiceError
from cloudstead.core.streams import Incoming
from cloudstead.dataplane.http import BodyStream, HttpRequest
from cloudstead.dataplane.http.message import BodyAborted, BodyLate
from cloudstead.gateway.chunked import (
    ChunkedDecoder,
    announced_trailers,
    decoded_length,
    incomplete,
    malformed_trailer,
    no_length,
    plain_headers,
)
from cloudstead.gateway.refusals import Refused, as_error
from cloudstead.gateway.sigv4 import STREAMING, Proof

#: What S3 takes in one request.
UPLOAD_BYTES_MAX = 5 * 1024**3
#: Bodies up to this size come whole: the quick path.
WHOLE_BYTES_MAX = 64 * 1024
#: What an operation may take that reads its body as one document.
DOCUMENT_BYTES_MAX = 32 * 1024 * 1024

_LENGTH = re.compile(r"[0-9]{1,18}")
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_NEVER_S3 = (
    "application/x-www-form-urlencoded",
    "application/x-amz-",
    "application/json",
    "application/cbor",
)


def wants_stream(request: HttpRequest) -> bool:
    """Whether the body is to be read while it comes: all that S3 may take and that is large, or of unknown size.

    A guess by the headers alone. What turns out to be another service's is read whole, within its bounds.
    """
    if request.method not in ("PUT", "POST"):
        return False
    headers = request.headers
    if _comes_whole(headers):
        return False
    return is_for_s3(request)


def is_for_s3(request: HttpRequest) -> bool:
    """By the headers alone; of what is not signed in them, whatever is no other service's."""
    headers = request.headers
    authorization = headers.get("authorization", "")
    if authorization.startswith("AWS4"):
        return "/s3/aws4_request" in authorization
    return "x-amz-target" not in headers and not headers.get("content-type", "").startswith(_NEVER_S3)


def request_timeout() -> ServiceError:
    return ServiceError(
        "Your socket connection to the server was not read from or written to within the timeout period. "
        "Idle connections will be closed.",
        code="RequestTimeout",
    )


def _comes_whole(headers: Mapping[str, str]) -> bool:
    """Whether a body is none or small. One that waits to be invited is neither: who is refused is to send nothing."""
    length = int(headers.get("content-length", "0"))
    if length == 0:
        return "transfer-encoding" not in headers
    return length <= WHOLE_BYTES_MAX and headers.get("expect", "").lower() != "100-continue"


def incoming(
    request: HttpRequest, headers: Mapping[str, str], proof: Proof | None
) -> tuple[Incoming, Mapping[str, str]]:
    """The body of a streamed request, and the headers of the plain request that it stands for."""
    assert request.stream is not None
    payload = headers.get("x-amz-content-sha256", "")
    if payload.startswith(STREAMING):
        length = _bounded(decoded_length(headers))
        decoder = ChunkedDecoder.of(payload, length, proof)
        chunked = ChunkedBody(request.stream, decoder, length, announced_trailers(headers))
        return chunked, plain_headers(headers, length)
    told = headers.get("content-length", "")
    if not _LENGTH.fullmatch(told):
        raise _chunks_of_http() if "transfer-encoding" in headers else no_length()
    said = payload if _SHA256_HEX.fullmatch(payload) else None
    return PlainBody(request.stream, _bounded(int(told)), said), headers


def check_length_told(headers: Mapping[str, str]) -> None:
    """Content of no length at all is an empty object at best by mistake."""
    if "content-length" not in headers and "transfer-encoding" not in headers:
        raise no_length()


async def chunks_of(request: HttpRequest) -> AsyncGenerator[bytes]:
    """The body as it came, streamed or not."""
    if request.stream is None:
        yield request.body
        return
    async for chunk in PlainBody(request.stream, 0, None):
        yield chunk


async def whole(chunks: AsyncIterator[bytes], bytes_max: int) -> bytes:
    """All of a body, for an operation that cannot begin before the end."""
    found: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > bytes_max:
            raise ServiceError("Your request was too big.", code="MaxMessageLengthExceeded")
        found.append(chunk)
    return b"".join(found)


class PlainBody:
    """A body as it is, its hash compared once all has come."""

    def __init__(self, stream: BodyStream, length: int, sha256_said: str | None) -> None:
        self.length = length
        self.trailers: Mapping[str, str] = {}
        self._stream = stream
        self._said = sha256_said
        self._hash = sha256()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._stream.__anext__()
        except StopAsyncIteration:
            self._check()
            raise
        except BodyAborted as e:
            raise _aborted(e) from e
        if self._said is not None:
            self._hash.update(chunk)
        return chunk

    def _check(self) -> None:
        if self._said is not None and self._said != (computed := self._hash.hexdigest()):
            facts = {"ClientComputedContentSHA256": self._said, "S3ComputedContentSHA256": computed}
            raise as_error(Refused("payload", **facts), "s3")


class ChunkedBody:
    """The content of an aws-chunked body, each chunk's signature compared as it ends."""

    def __init__(
        self, stream: BodyStream, decoder: ChunkedDecoder, length: int, announced: list[str]
    ) -> None:
        self.length = length
        self._stream = stream
        self._decoder = decoder
        self._announced = announced

    @property
    def trailers(self) -> Mapping[str, str]:
        return self._decoder.trailers

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._content()
        except Refused as e:
            raise as_error(e, "s3") from e
        except BodyAborted as e:
            raise _aborted(e) from e

    async def _content(self) -> bytes:
        content = b""
        while not content:
            try:
                content = self._decoder.feed(await self._stream.__anext__())
            except StopAsyncIteration:
                self._decoder.finish()
                if sorted(self._decoder.trailers) != self._announced:
                    raise malformed_trailer() from None
                raise
        return content


def _chunks_of_http() -> ServiceError:
    """S3 has a coding of its own for bodies in pieces, which tells the length before."""
    text = "A header you provided implies functionality that is not implemented"
    return ServiceError(text, code="NotImplemented", status=501, fields={"Header": "Transfer-Encoding"})


def _aborted(e: BodyAborted) -> ServiceError:
    return request_timeout() if isinstance(e, BodyLate) else incomplete()


def _bounded(length: int) -> int:
    if length > UPLOAD_BYTES_MAX:
        raise ServiceError(
            "Your proposed upload exceeds the maximum allowed size",
            code="EntityTooLarge",
            fields={"ProposedSize": length, "MaxSizeAllowed": UPLOAD_BYTES_MAX},
        )
    return length
