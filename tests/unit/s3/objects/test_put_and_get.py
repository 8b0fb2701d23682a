"""Putting an object and getting it back: bytes, headers, checksums, ranges and conditions."""

import base64
import hashlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.s3.objects.client import Client, Pieces, refused
from tests.unit.s3.objects.conftest import BUCKET, OWNER, SEALING_KEY

from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.objects import driver
from cloudstead.services.s3 import encryption
from cloudstead.services.s3.checksums import ALGORITHMS
from cloudstead.services.s3.operations import parts

BIG = bytes(range(256)) * 4 * 1100  # more than a piece of the engine, and no whole number of chunks


def b64(data):
    return base64.b64encode(data).decode()


def put(s3, key="k", body=b"hello", **more):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def get(s3, key="k", **more):
    return s3.get_object(Bucket=BUCKET, Key=key, **more)


def test_what_was_put_comes_back_with_todays_defaults(s3):
    made = put(s3)
    assert made == {
        "ETag": f'"{hashlib.md5(b"hello").hexdigest()}"',
        "ChecksumCRC64NVME": "M3eFcAZSQlc=",
        "ChecksumType": "FULL_OBJECT",
        "ServerSideEncryption": "AES256",
    }
    got = get(s3)
    assert got["Body"] == b"hello"
    assert s3.status == 200
    assert s3.headers["content-type"] == "binary/octet-stream"
    assert s3.headers["accept-ranges"] == "bytes"
    assert got["ServerSideEncryption"] == "AES256"
    assert got["Metadata"] == {}
    assert "VersionId" not in got
    assert "ChecksumCRC64NVME" not in got


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_000, 1_200_000])
def test_a_body_of_any_size_comes_back_however_it_came(s3, size):
    body = bytes(size % 251 for _ in range(1)) * size
    put(s3, body=body)
    assert get(s3)["Body"] == body
    s3.put_object(Bucket=BUCKET, Key="k2", body=Pieces(body[: size // 3], body[size // 3 :]))
    assert get(s3, "k2")["Body"] == body
    assert get(s3, "k2")["ContentLength"] == size
    assert s3.head_object(Bucket=BUCKET, Key="k2")["ETag"] == s3.head_object(Bucket=BUCKET, Key="k")["ETag"]


def test_headers_and_metadata_come_back(s3):
    put(
        s3,
        ContentType="text/plain",
        CacheControl="no-cache",
        ContentDisposition="attachment",
        ContentEncoding="gzip",
        ContentLanguage="de",
        Expires="Sun, 01 Dec 2030 16:00:00 GMT",
        WebsiteRedirectLocation="/there",
        Metadata={"a": "1", "b-c": "x y"},
        StorageClass="STANDARD_IA",
    )
    head = s3.head_object(Bucket=BUCKET, Key="k")
    assert head["ContentType"] == "text/plain"
    assert head["CacheControl"] == "no-cache"
    assert head["ContentDisposition"] == "attachment"
    assert head["ContentEncoding"] == "gzip"
    assert head["ContentLanguage"] == "de"
    assert s3.headers["expires"] == "Sun, 01 Dec 2030 16:00:00 GMT"
    assert head["WebsiteRedirectLocation"] == "/there"
    assert head["Metadata"] == {"a": "1", "b-c": "x y"}
    assert head["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize("text", ["soon", "0", "2030-12-01", "Sun, 01 Dec 2030 16:00:00 GMT"])
def test_a_time_of_expiry_that_is_none_comes_back_as_it_was_sent(s3, text):
    put(s3, spoil={"expires": text})
    get(s3)
    assert s3.headers["expires"] == text
    s3.copy_object(Bucket=BUCKET, Key="k2", CopySource=f"{BUCKET}/k")
    s3.head_object(Bucket=BUCKET, Key="k2", ResponseExpires="2031-01-02T03:04:05Z")
    assert s3.headers["expires"] == "Thu, 02 Jan 2031 03:04:05 GMT"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("deflate, gzip", "deflate, gzip"),
        ("gzip, aws-chunked", "gzip"),
        ("aws-chunked,gzip", "gzip"),
        ("deflate, gzip,aws-chunked", "deflate, gzip"),
        ("aws-chunked", None),
        ("aws-chunked, aws-chunked", None),
    ],
)
def test_how_a_body_was_sent_is_no_encoding_of_the_object(s3, sent, kept):
    put(s3, ContentEncoding=sent)
    assert s3.head_object(Bucket=BUCKET, Key="k").get("ContentEncoding") == kept


def test_a_request_may_have_other_headers_in_the_answer(s3):
    put(s3)
    got = get(s3, ResponseContentType="text/html", ResponseCacheControl="max-age=1")
    assert got["ContentType"] == "text/html"
    assert got["CacheControl"] == "max-age=1"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("Mini\u00c3\u00b6", "=?UTF-8?Q?Mini=C3=83=C2=B6?="),  # UTF-8, as its bytes are
        ("=?UTF-8?B?TWluacO2?=", "=?UTF-8?Q?Mini=C3=B6?="),
        ("=?UTF-8?Q?abc?=", "abc"),
    ],
)
def test_metadata_that_is_not_ascii_comes_back_in_words(s3, sent, told):
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"", spoil={"x-amz-meta-who": sent})
    s3.head_object(Bucket=BUCKET, Key="k")
    assert s3.headers["x-amz-meta-who"] == told


def test_too_much_metadata_is_refused(s3):
    refusal = refused(put, s3=s3, Metadata={"a": "x" * 2048})
    assert (refusal.status, refusal.code) == (400, "MetadataTooLarge")
    put(s3, Metadata={"a": "x" * 2047})


def test_an_unknown_storage_class_is_refused(s3):
    assert refused(put, s3=s3, StorageClass="CHEAP").code == "InvalidStorageClass"


def test_a_missing_object_and_a_missing_bucket(s3):
    assert (refused(get, s3=s3).status, refused(get, s3=s3).code) == (404, "NoSuchKey")
    assert refused(get, s3=s3).error["Key"] == "k"
    assert refused(s3.get_object, Bucket="none-such", Key="k").code == "NoSuchBucket"
    refusal = refused(s3.head_object, Bucket=BUCKET, Key="k")
    assert (refusal.status, refusal.body) == (404, b"")


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "a//b", "/", " ", "ü\u2028", "a\x00b", "k" * 1024, "é" * 512]
)
def test_any_key_is_but_a_name(s3, key):
    put(s3, key, b"x" + key.encode())
    assert get(s3, key)["Body"] == b"x" + key.encode()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET, EncodingType="url")["Contents"]]
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_a_key_too_long_is_refused(s3):
    refusal = refused(put, s3=s3, key="é" * 512 + "x")
    assert (refusal.status, refusal.code) == (400, "KeyTooLongError")


# --- checksums


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=lambda one: one.name)
def test_every_checksum_is_compared_kept_and_told(s3, algorithm):
    right = {algorithm.member: b64(algorithm.of(b"hello"))}
    made = put(s3, **right)
    assert made[algorithm.member] == right[algorithm.member]
    got = get(s3, ChecksumMode="ENABLED")
    assert got[algorithm.member] == right[algorithm.member]
    assert got["ChecksumType"] == "FULL_OBJECT"
    refusal = refused(put, s3=s3, key="other", **{algorithm.member: b64(algorithm.of(b"other"))})
    assert (refusal.status, refusal.code) == (400, "BadDigest")
    assert refusal.message == f"The {algorithm.name} you specified did not match the calculated checksum."
    assert refused(get, s3=s3, key="other").code == "NoSuchKey"


def test_the_checksums_are_the_standard_ones():
    values = {
        "CRC32": "cbf43926",
        "CRC32C": "e3069283",
        "CRC64NVME": "ae8b14860a799888",
        "XXHASH64": "8cb841db40e6ae83",
    }
    for name, value in values.items():
        assert ALGORITHMS[name].of(b"123456789").hex() == value


def test_a_checksum_that_comes_in_the_trailer_is_compared(s3):
    announced = {"x-amz-trailer": "x-amz-checksum-crc32c"}
    right = b64(ALGORITHMS["CRC32C"].of(b"hello"))

    def send(text):
        body = Pieces(b"hel", b"lo", trailers={"x-amz-checksum-crc32c": text})
        return s3.put_object(Bucket=BUCKET, Key="k", body=body, sent_headers=announced)

    assert send(right)["ChecksumCRC32C"] == right
    s3.delete_object(Bucket=BUCKET, Key="k")
    assert refused(send, text=b64(b"\0\0\0\0")).code == "BadDigest"
    assert refused(send, text="?").code == "InvalidRequest"
    assert refused(get, s3=s3).code == "NoSuchKey"


def test_two_checksums_or_one_that_is_none_are_refused(s3):
    crc, sha = b64(ALGORITHMS["CRC32"].of(b"hello")), b64(hashlib.sha256(b"hello").digest())
    refusal = refused(put, s3=s3, ChecksumCRC32=crc, ChecksumSHA256=sha)
    assert refusal.message.startswith("Expecting a single x-amz-checksum- header.")
    refusal = refused(put, s3=s3, ChecksumCRC32="AAAA")
    assert (refusal.code, refusal.message) == (
        "InvalidRequest",
        "Value for x-amz-checksum-crc32 header is invalid.",
    )
    refusal = refused(put, s3=s3, ChecksumAlgorithm="CRC32C", ChecksumCRC32=crc)
    assert refusal.message == "Value for x-amz-sdk-checksum-algorithm header is invalid."


def test_content_md5_is_compared(s3):
    put(s3, ContentMD5=b64(hashlib.md5(b"hello").digest()))
    refusal = refused(put, s3=s3, key="k2", ContentMD5=b64(hashlib.md5(b"other").digest()))
    assert refusal.code == "BadDigest"
    assert refusal.error["CalculatedDigest"] == b64(hashlib.md5(b"hello").digest())
    assert refused(put, s3=s3, ContentMD5="bad").code == "InvalidDigest"
    assert refused(get, s3=s3, key="k2").code == "NoSuchKey"


def test_an_upload_that_breaks_off_leaves_nothing_and_keeps_what_was(s3):
    put(s3, body=b"before")
    broken = Pieces(b"x" * 200_000, error=ServiceError("The body ended.", code="IncompleteBody"))
    assert refused(s3.put_object, Bucket=BUCKET, Key="k", body=broken).code == "IncompleteBody"
    assert get(s3)["Body"] == b"before"


# --- ranges


@pytest.mark.parametrize(
    ("range", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1-", 1, None),
        ("bytes=-5", -5, None),
        ("bytes=65535-65536", 65_535, 65_537),
        ("bytes=70000-1000000", 70_000, 1_000_001),
        ("bytes=0-99999999", 0, None),
        ("bytes=-99999999", 0, None),
    ],
)
def test_a_range_is_part_of_the_bytes(s3, range, start, end):
    put(s3, body=BIG)
    got = get(s3, Range=range)
    assert got["Body"] == BIG[start:end]
    assert s3.status == 206
    first = start % len(BIG)
    assert got["ContentRange"] == f"bytes {first}-{first + len(got['Body']) - 1}/{len(BIG)}"
    head = s3.head_object(Bucket=BUCKET, Key="k", Range=range)
    assert (s3.status, head["ContentLength"]) == (206, len(got["Body"]))


@pytest.mark.parametrize("range", ["bytes=5-", "bytes=5-9", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_satisfied(s3, range):
    put(s3)
    refusal = refused(get, s3=s3, Range=range)
    assert (refusal.status, refusal.code) == (416, "InvalidRange")
    assert refusal.error["ActualObjectSize"] == "5"
    assert refusal.headers["content-range"] == "bytes */5"


@pytest.mark.parametrize("range", ["bytes=3-1", "lines=0-1", "bytes=0-1,3-4", "bytes=-", "bytes=a-b"])
def test_a_range_that_is_none_gives_the_whole_object(s3, range):
    put(s3)
    assert get(s3, Range=range)["Body"] == b"hello"
    assert s3.status == 200


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 300_000), start=st.integers(0, 300_000), length=st.integers(0, 300_000))
def test_the_sealed_span_of_a_range_is_enough_and_no_more(size, start, length):
    start, end = min(start, size), min(start + length, size)
    body, key = bytes(size), bytes(32)
    sealed = encryption.seal(key, bytes(16), body)
    assert len(sealed) == encryption.sealed_size(size)
    assert encryption.plain_size(len(sealed)) == size
    if start < end:
        begin, stop = encryption.sealed_span(start, end, size)
        assert stop - begin <= end - start + 2 * encryption.CHUNK_BYTES + 16 * (3 + length // 65_536)


# --- conditions


def test_conditions_of_reads_have_their_order(s3, clock):
    etag = put(s3)["ETag"]
    then = clock.now()
    clock.advance(10)
    before, after = then - timedelta(seconds=60), then + timedelta(seconds=5)
    assert get(s3, IfMatch=etag)["Body"] == b"hello"
    assert get(s3, IfMatch=etag, IfUnmodifiedSince=before)["Body"] == b"hello"
    assert get(s3, IfNoneMatch='"x"', IfModifiedSince=after)["Body"] == b"hello"
    for fails in ({"IfMatch": '"x"'}, {"IfUnmodifiedSince": before}, {"IfMatch": '"x"', "IfNoneMatch": etag}):
        refusal = refused(get, s3=s3, **fails)
        assert (refusal.status, refusal.code) == (412, "PreconditionFailed")
    for same in (
        {"IfNoneMatch": etag},
        {"IfNoneMatch": "*"},
        {"IfModifiedSince": after},
        {"IfNoneMatch": etag, "IfModifiedSince": before},
    ):
        refusal = refused(get, s3=s3, **same)
        assert (refusal.status, refusal.body, refusal.headers["etag"]) == (304, b"", etag)


def test_conditions_of_writes_are_kept(s3):
    etag = put(s3, IfNoneMatch="*")["ETag"]
    refusal = refused(put, s3=s3, IfNoneMatch="*")
    assert (refusal.status, refusal.code, refusal.error["Condition"]) == (
        412,
        "PreconditionFailed",
        "If-None-Match",
    )
    assert refused(put, s3=s3, IfMatch='"x"').error["Condition"] == "If-Match"
    put(s3, body=b"two", IfMatch=etag)
    assert get(s3)["Body"] == b"two"
    refusal = refused(put, s3=s3, key="none", IfMatch=etag)
    assert (refusal.status, refusal.code) == (404, "NoSuchKey")
    for odd in ({"IfNoneMatch": etag}, {"IfMatch": "*"}, {"IfMatch": etag, "IfNoneMatch": "*"}):
        assert refused(put, s3=s3, **odd).status == 501


def test_of_many_writers_that_want_to_be_the_first_one_is(s3):
    writes = [
        ("put_object", {"Bucket": BUCKET, "Key": "k", "Body": b"%d" % n, "IfNoneMatch": "*"})
        for n in range(8)
    ]
    outcomes = s3.together(*writes)
    assert sum(isinstance(one, dict) for one in outcomes) == 1
    assert {one.code for one in outcomes if not isinstance(one, dict)} == {"PreconditionFailed"}


class Vanishing:
    """A store whose first body is gone between the look and the read, as if written over by another process."""

    def __init__(self, engine):
        self._engine = engine
        self.vanished = 0

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def peek(self, entry):
        return None

    async def read_whole(self, entry):
        self.vanished += 1
        if self.vanished == 1:
            raise driver.NoSuchVersion(entry.version_id)
        return await self._engine.read_whole(entry)


def test_what_is_written_over_while_it_is_looked_for_is_still_found(loop, store, tools, engine):
    vanishing = Vanishing(engine)
    s3 = Client(loop, parts(store, tools, vanishing, SEALING_KEY), OWNER)
    s3.create_bucket(Bucket=BUCKET)
    put(s3, body=b"new")
    assert get(s3)["Body"] == b"new"
    assert vanishing.vanished == 2
