"""Requests to S3 that can be taken apart, changed before or after they are signed, and written in bytes.

Text is latin-1, one character per byte on the wire.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from types import SimpleNamespace

from tests.unit.s3.wire.world import HOST

from cloudstead.gateway.canonical import canonical_path, canonical_query, canonical_request
from cloudstead.gateway.sigv4 import signing_key

NOTHING = sha256(b"").hexdigest()
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_CHUNK_BYTES = 8192
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@dataclass
class Asked:
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: What the signature says of the body; None for its hash.
    payload: str | None = None
    #: The value of the trailer that `x-amz-trailer` announces.
    trailer: str = ""

    def written(self) -> bytes:
        target = f"{self.path}?{self.query}" if self.query else self.path
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"{self.method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + self.body


def sign(asked: Asked, key, now, *, region: str = "us-east-1") -> None:
    """By version 4, in a header; `key` is (id, secret). What is in chunks is coded and signed piece by piece."""
    at = now.strftime("%Y%m%dT%H%M%SZ")
    headers = asked.headers
    headers.setdefault("host", HOST)
    headers["x-amz-date"] = at
    headers["x-amz-content-sha256"] = asked.payload or sha256(asked.body).hexdigest()
    if asked.payload in (SIGNED, SIGNED + "-TRAILER", UNSIGNED):
        headers["x-amz-decoded-content-length"] = str(len(asked.body))
        headers["content-encoding"] = "aws-chunked"
    names = ";".join(sorted(name for name in headers if name == "host" or name.startswith("x-amz-")))
    canonical = canonical_request(
        asked.method,
        canonical_path(asked.path, s3=True),
        canonical_query(asked.query),
        headers,
        names,
        headers["x-amz-content-sha256"],
    )
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    hashed = sha256(canonical.encode("latin-1")).hexdigest()
    secret = signing_key(key[1], at[:8], region, "s3")
    signature = digest(secret, f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashed}".encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key[0]}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    if "content-encoding" in headers and asked.payload:
        asked.body = _chunked(asked, SimpleNamespace(at=at, scope=scope, secret=secret, last=signature))
    if asked.body or asked.method in ("PUT", "POST"):
        headers["content-length"] = str(len(asked.body))


def _chunked(asked: Asked, by) -> bytes:
    """The body as S3's transfer coding has it, in pieces of 8 KiB, the least that S3 takes."""
    assert asked.payload is not None
    signs = asked.payload.startswith(SIGNED)
    out = b""
    for start in range(0, len(asked.body) + _CHUNK_BYTES, _CHUNK_BYTES):
        chunk = asked.body[start : start + _CHUNK_BYTES]
        extension = b""
        if signs:
            text = f"{by.at}\n{by.scope}\n{by.last}\n{NOTHING}\n{sha256(chunk).hexdigest()}"
            by.last = digest(by.secret, f"AWS4-HMAC-SHA256-PAYLOAD\n{text}".encode(), "sha256").hex()
            extension = b";chunk-signature=" + by.last.encode()
        out += b"%x%b\r\n" % (len(chunk), extension) + (chunk + b"\r\n" if chunk else b"")
        if not chunk:
            break
    if (name := asked.headers.get("x-amz-trailer")) is not None:
        line = f"{name}:{asked.trailer}\n"
        out += line.replace("\n", "\r\n").encode()
        if signs:
            text = f"{by.at}\n{by.scope}\n{by.last}\n{sha256(line.encode()).hexdigest()}"
            said = digest(by.secret, f"AWS4-HMAC-SHA256-TRAILER\n{text}".encode(), "sha256").hex()
            out += f"x-amz-trailer-signature:{said}\r\n".encode()
    return out + b"\r\n"
