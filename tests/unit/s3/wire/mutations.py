"""Any request to S3, as a client might have made it, and what may go wrong with it on the way."""

import random
import re

import botocore.session
from tests.compat.wire_oracle import sent
from tests.compat.wire_values import Values
from tests.unit.s3.objects.test_any_request import LIKELY, RARE
from tests.unit.s3.wire.asked import SIGNED, UNSIGNED, Asked

_MODEL = botocore.session.Session().get_service_model("s3")
OPERATIONS = sorted(_MODEL.operation_names)
_CONTENT = ("PutObject", "UploadPart")
#: What nobody who means well sends; latin-1, as on the wire.
ODD = [
    "",
    " ",
    "\t",
    "\x00",
    "\x01",
    "\x7f",
    "\x85",
    "\xa0",
    "\xff\xfe",
    "\r",
    "\r\n x",
    "..",
    "../..",
    "/../",
    "//",
    "%00",
    "%2e%2e%2f",
    "%ff",
    "%",
    "%zz",
    "%F0%9F%98%80",
    "\xf0\x9f\x98\x80",
    "%ED%A0%80",
    "a%CC%8A",
    "+",
    "&",
    "=",
    "?",
    "#",
    ";",
    ",",
    '"',
    "<",
    "]]>",
    "-1",
    "0",
    "1",
    "1.5",
    "1_0",
    "\xb2",
    "9" * 30,
    "99999999999",
    "true",
    "null",
    "*",
    "x" * 1025,
    "%C3%A9" * 600,
    "=?UTF-8?B?w6k=?=",
    "bytes=0-",
    "bytes=-0",
    "bytes=1-0,2-3",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "9999-12-31T23:59:59Z",
    "0000-00-00T00:00:00Z",
    "AAAA",
    "AAAA====",
    "arn:aws:s3:::plain",
    "arn:aws:kms:us-east-1:1:key/x",
    "a" * 64,
]
_HEADERS = re.findall(
    r"\S+",
    """authorization connection content-disposition content-encoding content-language content-length content-md5
content-type cookie date expect expires host if-match if-modified-since if-none-match if-unmodified-since origin
access-control-request-method range referer te trailer transfer-encoding upgrade x-amz-acl x-amz-bypass-governance-retention
x-amz-checksum-algorithm x-amz-checksum-crc32 x-amz-checksum-crc64nvme x-amz-checksum-sha256 x-amz-checksum-type
x-amz-content-sha256 x-amz-copy-source x-amz-copy-source-if-match x-amz-copy-source-if-modified-since
x-amz-copy-source-range x-amz-date x-amz-decoded-content-length x-amz-delete x-amz-expected-bucket-owner x-amz-grant-read
x-amz-meta-a x-amz-meta-\xe9 x-amz-metadata-directive x-amz-mp-object-size x-amz-object-attributes x-amz-object-lock-legal-hold
x-amz-object-lock-mode x-amz-object-lock-retain-until-date x-amz-object-ownership x-amz-rename-source x-amz-request-payer
x-amz-sdk-checksum-algorithm x-amz-security-token x-amz-server-side-encryption x-amz-server-side-encryption-aws-kms-key-id
x-amz-server-side-encryption-bucket-key-enabled x-amz-server-side-encryption-context
x-amz-server-side-encryption-customer-algorithm x-amz-server-side-encryption-customer-key
x-amz-server-side-encryption-customer-key-md5 x-amz-storage-class x-amz-tagging x-amz-tagging-directive x-amz-target
x-amz-trailer x-amz-website-redirect-location x-amz-write-offset-bytes x-http-method-override""",
)
_QUERIES = re.findall(
    r"\S+",
    """X-Amz-Algorithm=AWS4-HMAC-SHA256 X-Amz-Expires X-Amz-Signature AWSAccessKeyId=x&Signature=y&Expires Signature
accelerate acl analytics attributes continuation-token cors delete delimiter encoding-type=url encryption id intelligent-tiering
inventory key-marker legal-hold lifecycle list-type=2 location logging marker max-keys max-parts max-uploads metrics notification
object-lock ownershipControls part-number-marker partNumber partNumber=1&uploadId policy policyStatus prefix publicAccessBlock
renameObject replication requestPayment response-content-type response-expires restore retention select&select-type=2 start-after
tagging torrent upload-id-marker uploadId uploads version-id-marker versionId versioning versions website x-id""",
)
_METHODS = [
    "GET",
    "HEAD",
    "PUT",
    "POST",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "PROPFIND",
    "M-SEARCH",
    "get",
]


def valid(chance: random.Random, operation: str, buckets, keys, uploads) -> Asked:
    """A request that botocore might write; often one that succeeds."""
    shape = _MODEL.operation_model(operation).input_shape
    params = Values(str(chance.random()), direction="input").of(shape) if shape is not None else {}
    for member in list(params):
        optional = member not in shape.required_members
        if optional and chance.random() < (0.95 if member.startswith(RARE) else 0.6):
            del params[member]
        elif isinstance(params[member], type(LIKELY.get(member, [None])[0])) and chance.random() < 0.8:
            params[member] = chance.choice(LIKELY[member])
    if "Bucket" in params:
        params["Bucket"] = chance.choice(buckets)
    if "Key" in params and chance.random() < 0.8:
        params["Key"] = chance.choice(keys)
    if "UploadId" in params and uploads:
        params["Bucket"], params["Key"], params["UploadId"] = chance.choice(uploads)
    if operation in _CONTENT:
        params["Body"] = chance.randbytes(chance.choice((0, 5, 2000, 70_000)))
    wire = sent(_MODEL.operation_model(operation), params, "rest-xml")
    kept = {name: value for name, value in wire.headers.items() if name not in ("host", "content-length")}
    asked = Asked(wire.method, wire.path, wire.query, _on_wire(kept), wire.body)
    if operation in _CONTENT:
        _code(chance, asked)
    return asked


def _on_wire(headers):
    pairs = [
        (name.encode().decode("latin-1"), value.encode().decode("latin-1")) for name, value in headers.items()
    ]
    return {re.sub("[^!-~\x80-\xff]|:", "_", name): value.replace("\n", " ") for name, value in pairs}


def _code(chance: random.Random, asked: Asked) -> None:
    asked.payload = chance.choice((None, None, "UNSIGNED-PAYLOAD", SIGNED, SIGNED + "-TRAILER", UNSIGNED))
    if asked.payload in (SIGNED + "-TRAILER", UNSIGNED):
        asked.headers["x-amz-trailer"] = "x-amz-checksum-crc32"
        asked.trailer = chance.choice(("AAAAAA==", "x"))


def spoil(chance: random.Random, asked: Asked) -> None:
    """One to three things otherwise than they were."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        chance.choice((_method, _path, _query, _query, _header, _header, _header, _body, _body))(
            chance, asked
        )


def _method(chance, asked):
    asked.method = chance.choice(_METHODS)


def _path(chance, asked):
    at = chance.randint(1, len(asked.path))
    asked.path = chance.choice(
        (asked.path[:at], asked.path[:at] + _odd(chance) + asked.path[at:], f"/{_odd(chance)}{asked.path}", f"{asked.path}/")
    )  # fmt: skip


def _query(chance, asked):
    added = chance.choice(_QUERIES) + chance.choice(("", "=", "=" + _odd(chance)))
    asked.query = chance.choice(
        (added, f"{asked.query}&{added}", asked.query[: chance.randint(0, len(asked.query))])
    )


def _header(chance, asked):
    if asked.headers and chance.random() < 0.4:
        name = chance.choice(list(asked.headers))
        if chance.random() < 0.3:
            del asked.headers[name]
            return
        old = asked.headers[name]
        at = chance.randint(0, len(old))
        asked.headers[name] = old[:at] + _odd(chance) + old[at:]
        return
    asked.headers[chance.choice(_HEADERS)] = _odd(chance)


def _odd(chance):
    return chance.choice(ODD)


def _body(chance, asked):
    body = asked.body
    at = chance.randint(0, len(body))
    asked.body = chance.choice(
        (
            body[:at],
            body[:at] + chance.randbytes(chance.choice((1, 3, 50))) + body[at:],
            body[:at] + _odd(chance).encode("latin-1") + body[at + 1 :],
            body + body,
            b"",
            b"<a/>",
            b"<a><b></a>",
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>',
            b"<a>" * 3000,
            b"\xff\xfe<\x00a\x00/\x00>\x00",
            b"{}",
            body.replace(b">", b">" + _odd(chance).encode("latin-1"), 1),
            body.replace(b"</", b"<x/></"),
        )
    )


def spoil_bytes(chance: random.Random, written: bytes) -> bytes:
    """Bytes lost, doubled, swapped or put in, as no library would do it; mostly in the head."""
    head = written.index(b"\r\n\r\n") + 4
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(head if chance.random() < 0.8 else len(written))
        put = chance.choice((b"", bytes([chance.randrange(256)]), *FRAMING))
        written = written[:at] + put + written[at + chance.choice((0, 1, 1, 9)) :]
        head = min(head, len(written))
    return written


#: What frames requests, where it does not belong.
FRAMING = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\r\n ",
    b"\r\nContent-Length: 3",
    b"\r\nContent-Length: -1",
    b"\r\ncontent-length: 0x10\r\n",
    b"\r\nTransfer-Encoding: chunked\r\n",
    b"\r\nTransfer-Encoding : chunked\r\n",
    b"\r\nTransfer-Encoding: xchunked\r\n",
    b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
    b"\r\nHost: other\r\n",
    b"\r\nExpect: 100-continue\r\n",
    b" HTTP/1.0\r\n",
    b" HTTP/9.9\r\n",
    b"http://plain.s3.localhost/",
    b"0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)
