"""aws-chunked bodies: the published example, any cut of the bytes, and tampering with each part."""

import random
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstead.core.caller import Credential
from cloudstead.core.errors import ServiceError
from cloudstead.gateway.chunked import ChunkedDecoder, decoded
from cloudstead.gateway.claim import Claim
from cloudstead.gateway.refusals import Refused
from cloudstead.gateway.sigv4 import Proof, sign, signing_key
from cloudstead.gateway.wire import WireRequest

# The worked example of "Signature calculations for the Authorization header: transferring payload in multiple
# chunks", Amazon S3 API reference.
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
EXAMPLE_SIGNATURES = (
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
)
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


def proof(seed: str = SEED) -> Proof:
    credential = Credential(
        access_key_id="AKIAIOSFODNN7EXAMPLE",
        secret_access_key=SECRET,
        account="1",
        arn="",
        user_id="",
        principal="root",
    )
    signed_headers = "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
    claim = Claim(
        "AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3", signed_headers, seed, "20130524T000000Z"
    )
    return Proof(credential, claim, SIGNED, signing_key(SECRET, "20130524", "us-east-1", "s3"))


@dataclass
class Request:
    method: str = "PUT"
    path: str = "/examplebucket/chunkObject.txt"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


EXAMPLE = b"".join(
    b"%x;chunk-signature=%b\r\n%b\r\n" % (size, said.encode(), b"a" * size)
    for size, said in zip((65536, 1024, 0), EXAMPLE_SIGNATURES, strict=True)
)


def test_the_seed_of_the_published_example():
    request = Request(
        headers={
            "host": "s3.amazonaws.com",
            "x-amz-date": "20130524T000000Z",
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "x-amz-content-sha256": SIGNED,
            "content-encoding": "aws-chunked",
            "x-amz-decoded-content-length": "66560",
            "content-length": "66824",
        }
    )
    told = proof()
    assert sign(request, told.claim, told.signing_key, SIGNED, s3=True)[0] == SEED


@given(st.lists(st.integers(1, 70_000), max_size=6))
def test_the_published_example_in_any_pieces(cuts):
    decoder = ChunkedDecoder.of(SIGNED, 66560, proof())
    content, at = b"", 0
    for cut in [*cuts, len(EXAMPLE)]:
        content += decoder.feed(EXAMPLE[at : at + cut])
        at += cut
    decoder.finish()
    assert content == b"a" * 66560


def test_byte_by_byte():
    body = chunked([b"x" * 8192, b"y"], trailers={"x-amz-checksum-crc32": "AAAA"})
    decoder = ChunkedDecoder.of(SIGNED + "-TRAILER", 8193, proof())
    assert b"".join(decoder.feed(body[n : n + 1]) for n in range(len(body))) == b"x" * 8192 + b"y"
    decoder.finish()
    assert decoder.trailers == {"x-amz-checksum-crc32": "AAAA"}


def chunked(chunks: list[bytes], trailers: dict[str, str] | None = None, *, signed: bool = True) -> bytes:
    """What a client sends, written from the specification independently of the decoder."""
    told, last, out = proof(), SEED, b""
    common = "20130524T000000Z\n20130524/us-east-1/s3/aws4_request"
    for chunk in [*chunks, b""]:
        out += b"%x" % len(chunk)
        if signed:
            to_sign = f"AWS4-HMAC-SHA256-PAYLOAD\n{common}\n{last}\n{sha256(b'').hexdigest()}\n{sha256(chunk).hexdigest()}"
            last = digest(told.signing_key, to_sign.encode(), "sha256").hex()
            out += b";chunk-signature=" + last.encode()
        out += b"\r\n" + (chunk + b"\r\n" if chunk else b"")
    text = "".join(f"{name}:{value}\n" for name, value in (trailers or {}).items())
    out += text.replace("\n", "\r\n").encode()
    if trailers is not None and signed:
        to_sign = f"AWS4-HMAC-SHA256-TRAILER\n{common}\n{last}\n{sha256(text.encode()).hexdigest()}"
        out += f"x-amz-trailer-signature:{digest(told.signing_key, to_sign.encode(), 'sha256').hex()}\r\n".encode()
    return out + b"\r\n"


@given(
    last=st.binary(max_size=50),
    whole=st.integers(0, 3),
    signed=st.booleans(),
    trailer=st.booleans(),
    pieces=st.randoms(use_true_random=False),
)
def test_what_is_sent_is_what_comes_out(last, whole, signed, trailer, pieces: random.Random):
    chunks = [bytes([n]) * 8192 for n in range(whole)] + ([last] if last else [])
    trailers = {"x-amz-checksum-sha256": "abc=", "x-amz-meta": "1"} if trailer or not signed else None
    body = chunked(chunks, trailers, signed=signed)
    kind = (SIGNED if signed else "STREAMING-UNSIGNED-PAYLOAD") + ("-TRAILER" if trailers is not None else "")
    decoder = ChunkedDecoder.of(kind, sum(map(len, chunks)), proof())
    content = b""
    while body:
        cut = pieces.randint(1, 9000)
        content, body = content + decoder.feed(body[:cut]), body[cut:]
    decoder.finish()
    assert content == b"".join(chunks)
    assert decoder.trailers == (trailers or {})


@given(st.integers(0, len(EXAMPLE) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at, by):
    body = bytearray(EXAMPLE)
    body[at] ^= by
    decoder = ChunkedDecoder.of(SIGNED, 66560, proof())
    try:
        content = decoder.feed(bytes(body))
        decoder.finish()
    except (Refused, ServiceError):
        return
    assert content == b"a" * 66560  # only the letter case of a size, whose value is signed as the content
    assert bytes(body).lower() == EXAMPLE


@pytest.mark.parametrize("cut", [1, 2, 100, 66_000])
def test_an_end_cut_off_is_missed(cut):
    decoder = ChunkedDecoder.of(SIGNED, 66560, proof())
    decoder.feed(EXAMPLE[:-cut])
    with pytest.raises(ServiceError) as caught:
        decoder.finish()
    assert caught.value.code == "IncompleteBody"


def refused(body: bytes, kind: str, length: int) -> str:
    decoder = ChunkedDecoder.of(kind, length, proof())
    try:
        decoder.feed(body)
        decoder.finish()
    except ServiceError as e:
        return e.code
    except Refused as e:
        return e.reason
    return "believed"


def test_what_does_not_fit_is_refused():
    plain = chunked([b"x" * 10], {"x-amz-checksum-crc32": "A"}, signed=False)
    unsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert refused(plain, unsigned, 10) == "believed"
    assert refused(plain, unsigned, 9) == "IncompleteBody"
    assert refused(plain, unsigned, 11) == "IncompleteBody"
    assert refused(plain + b"x", unsigned, 10) == "InvalidRequest"
    assert refused(plain, SIGNED, 10) == "InvalidRequest"
    assert refused(chunked([b"x" * 10]), unsigned, 10) == "InvalidRequest"
    assert refused(chunked([b"x" * 10], {"a": "b"}), SIGNED, 10) == "MalformedTrailerError"
    assert refused(chunked([b"x" * 10]), SIGNED + "-TRAILER", 10) == "MalformedTrailerError"
    assert refused(chunked([b"x" * 10] * 3), SIGNED, 30) == "InvalidChunkSizeError"
    assert refused(b"f" * 9000, SIGNED, 10) == "InvalidRequest"
    assert refused(b"ffffffffffffffff\r\n", unsigned, 10) == "IncompleteBody"
    signed = chunked([b"x" * 10], {"x-amz-checksum-crc32": "A"})
    assert refused(signed, SIGNED + "-TRAILER", 10) == "believed"
    assert refused(signed.replace(b"crc32:A", b"crc32:B"), SIGNED + "-TRAILER", 10) == "mismatch"


def test_a_request_is_decoded_to_the_plain_one_it_stands_for():
    headers = {
        "content-encoding": "gzip,aws-chunked",
        "content-length": "99",
        "x-amz-decoded-content-length": "3",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    body = chunked([b"abc"], {"x-amz-checksum-crc32": "AAAA"}, signed=False)
    unsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    plain = decoded(WireRequest("PUT", "/b/k", "", headers, body), unsigned, None)
    assert plain.body == b"abc"
    assert plain.headers["content-length"] == "3"
    assert plain.headers["x-amz-checksum-crc32"] == "AAAA"
    headers["x-amz-trailer"] = "x-amz-checksum-sha1"
    with pytest.raises(ServiceError, match="trailing data"):
        decoded(WireRequest("PUT", "/b/k", "", headers, body), unsigned, None)
    del headers["x-amz-decoded-content-length"]
    with pytest.raises(ServiceError, match="Content-Length"):
        decoded(WireRequest("PUT", "/b/k", "", headers, body), unsigned, None)


def test_many_small_reads_of_a_large_body_take_no_more_than_linear_time():
    body = chunked([b"x" * 8192] * 500)
    decoder = ChunkedDecoder.of(SIGNED, 8192 * 500, proof())
    assert len(decoder.feed(body)) == 8192 * 500
    decoder.finish()
