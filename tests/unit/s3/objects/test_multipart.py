"""Uploads in parts: from the beginning to an object, or to nothing."""

import base64
import hashlib

import pytest
from tests.unit.s3.objects.client import Pieces, Refusal, refused
from tests.unit.s3.objects.conftest import BUCKET, OTHER
from tests.unit.s3.objects.test_encryption import KEY, OTHER_KEY, customer

from cloudstead.services.s3.checksums import ALGORITHMS

MIB = 1 << 20
FIRST, SECOND, LAST = b"a" * 5 * MIB, b"b" * 5 * MIB, b"c" * 1000


def b64(data):
    return base64.b64encode(data).decode()


def begin(s3, key="k", **more):
    return s3.create_multipart_upload(Bucket=BUCKET, Key=key, **more)["UploadId"]


def send(s3, upload, number, body, key="k", **more):
    return s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body, **more)


def complete(s3, upload, parts, key="k", **more):
    return s3.complete_multipart_upload(
        Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more
    )


def sent(s3, upload, *bodies, **more):
    return [
        {"PartNumber": number, **send(s3, upload, number, body, **more)}
        for number, body in enumerate(bodies, 1)
    ]


def lines(parts, *members):
    return [{name: part[name] for name in ("PartNumber", "ETag", *members)} for part in parts]


def test_parts_become_one_object(s3):
    upload = begin(s3, ContentType="text/plain", Metadata={"a": "1"}, Tagging="t=1")
    parts = sent(s3, upload, FIRST, SECOND, LAST)
    assert refused(s3.head_object, Bucket=BUCKET, Key="k").status == 404
    made = complete(s3, upload, lines(parts))
    md5s = b"".join(hashlib.md5(body).digest() for body in (FIRST, SECOND, LAST))
    assert made["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    whole = FIRST + SECOND + LAST
    assert made["ChecksumCRC64NVME"] == b64(ALGORITHMS["CRC64NVME"].of(whole))
    assert made["ChecksumType"] == "FULL_OBJECT"
    assert made["Location"] == f"http://localhost:4566/{BUCKET}/k"
    got = s3.get_object(Bucket=BUCKET, Key="k")
    assert got["Body"] == whole
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("text/plain", {"a": "1"}, 1)
    assert s3.list_objects_v2(Bucket=BUCKET)["Contents"][0]["Size"] == len(whole)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_ranges_and_parts_of_it_can_be_read(s3):
    upload = begin(s3)
    complete(s3, upload, lines(sent(s3, upload, FIRST, SECOND, LAST)))
    whole = FIRST + SECOND + LAST
    for start, end in (
        (0, 10),
        (5 * MIB - 5, 5 * MIB + 5),
        (10 * MIB - 1, 10 * MIB + 900),
        (5 * MIB, 10 * MIB),
    ):
        got = s3.get_object(Bucket=BUCKET, Key="k", Range=f"bytes={start}-{end - 1}")
        assert got["Body"] == whole[start:end]
    part = s3.get_object(Bucket=BUCKET, Key="k", PartNumber=2)
    assert (s3.status, part["Body"] == SECOND, part["PartsCount"]) == (206, True, 3)
    assert part["ContentRange"] == f"bytes {5 * MIB}-{10 * MIB - 1}/{len(whole)}"
    assert s3.head_object(Bucket=BUCKET, Key="k", PartNumber=3)["ContentLength"] == len(LAST)
    refusal = refused(s3.get_object, Bucket=BUCKET, Key="k", PartNumber=4)
    assert (refusal.status, refusal.code) == (416, "InvalidPartNumber")
    refusal = refused(s3.get_object, Bucket=BUCKET, Key="k", PartNumber=1, Range="bytes=0-1")
    assert refusal.code == "InvalidRequest"


def test_completing_again_answers_the_same(s3):
    upload = begin(s3)
    parts = lines(sent(s3, upload, LAST))
    assert complete(s3, upload, parts) == complete(s3, upload, parts)
    refusal = refused(complete, s3=s3, upload=begin(s3)[:-1] + "x", parts=parts)
    assert (refusal.status, refusal.code) == (404, "NoSuchUpload")


def test_of_two_who_complete_at_once_both_are_answered(s3):
    upload = begin(s3)
    parts = lines(sent(s3, upload, LAST))
    call = (
        "complete_multipart_upload",
        {"Bucket": BUCKET, "Key": "k", "UploadId": upload, "MultipartUpload": {"Parts": parts}},
    )
    one, two = s3.together(call, call)
    assert one == two


def test_the_last_of_a_number_counts_and_what_is_not_listed_is_dropped(s3):
    upload = begin(s3)
    old = send(s3, upload, 1, b"old")["ETag"]
    new = send(s3, upload, 1, b"new")["ETag"]
    send(s3, upload, 7, b"never")
    refusal = refused(complete, s3=s3, upload=upload, parts=[{"PartNumber": 1, "ETag": old}])
    assert (refusal.code, refusal.error["PartNumber"]) == ("InvalidPart", "1")
    complete(s3, upload, [{"PartNumber": 1, "ETag": new}])
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"] == b"new"


def test_numbers_need_not_follow_each_other(s3):
    upload = begin(s3)
    first, last = send(s3, upload, 3, FIRST)["ETag"], send(s3, upload, 9000, LAST)["ETag"]
    complete(s3, upload, [{"PartNumber": 3, "ETag": first}, {"PartNumber": 9000, "ETag": last}])
    assert s3.get_object(Bucket=BUCKET, Key="k", PartNumber=2)["Body"] == LAST


def test_a_list_must_be_in_order_complete_and_of_large_parts(s3):
    upload = begin(s3)
    parts = lines(sent(s3, upload, LAST, FIRST))
    assert refused(complete, s3=s3, upload=upload, parts=parts[::-1]).code == "InvalidPartOrder"
    assert refused(complete, s3=s3, upload=upload, parts=[parts[0], parts[0]]).code == "InvalidPartOrder"
    refusal = refused(complete, s3=s3, upload=upload, parts=parts)
    assert (refusal.code, refusal.error["ProposedSize"]) == ("EntityTooSmall", "1000")
    missing = [*parts[1:], {"PartNumber": 5, "ETag": parts[0]["ETag"]}]
    assert refused(complete, s3=s3, upload=upload, parts=missing).code == "InvalidPart"
    assert refused(complete, s3=s3, upload=upload, parts=[]).code == "MalformedXML"
    assert (
        refused(s3.complete_multipart_upload, Bucket=BUCKET, Key="k", UploadId=upload).code == "MalformedXML"
    )
    complete(s3, upload, parts[1:])


@pytest.mark.parametrize("number", [0, 10_001, -1])
def test_a_part_has_a_number_from_one_to_ten_thousand(s3, number):
    refusal = refused(send, s3=s3, upload=begin(s3), number=number, body=b"x")
    assert refusal.message == "Part number must be an integer between 1 and 10000, inclusive"


def test_an_aborted_upload_is_gone_with_its_parts(s3):
    upload = begin(s3)
    parts = lines(sent(s3, upload, LAST))
    s3.abort_multipart_upload(Bucket=BUCKET, Key="k", UploadId=upload)
    assert s3.status == 204
    for call in (
        lambda: send(s3, upload, 1, b"x"),
        lambda: complete(s3, upload, parts),
        lambda: s3.list_parts(Bucket=BUCKET, Key="k", UploadId=upload),
        lambda: s3.abort_multipart_upload(Bucket=BUCKET, Key="k", UploadId=upload),
    ):
        assert refused(call).code == "NoSuchUpload"
    assert refused(s3.head_object, Bucket=BUCKET, Key="k").status == 404


def test_an_upload_goes_with_its_key_alone(s3):
    upload = begin(s3)
    assert refused(send, s3=s3, upload=upload, number=1, body=b"x", key="other").code == "NoSuchUpload"
    assert refused(send, s3=s3, upload="é", number=1, body=b"x").code == "NoSuchUpload"


def test_a_part_that_breaks_off_or_is_not_what_it_claims_leaves_nothing(s3):
    upload = begin(s3)
    broken = Pieces(b"x" * 200_000, error=__import__("cloudstead").core.errors.ServiceError("gone"))
    with pytest.raises(Refusal):
        s3.upload_part(Bucket=BUCKET, Key="k", UploadId=upload, PartNumber=1, body=broken)
    wrong = b64(hashlib.md5(b"other").digest())
    assert refused(send, s3=s3, upload=upload, number=1, body=b"x", ContentMD5=wrong).code == "BadDigest"
    assert "Parts" not in s3.list_parts(Bucket=BUCKET, Key="k", UploadId=upload)


# --- checksums


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_a_checksum_of_each_kind_is_made_of_the_parts(s3, name):
    algorithm = ALGORITHMS[name]
    for type in algorithm.types:
        upload = begin(s3, ChecksumAlgorithm=name, ChecksumType=type)
        bodies = (FIRST, LAST)
        parts = [
            {
                "PartNumber": number,
                **send(s3, upload, number, body, **{algorithm.member: b64(algorithm.of(body))}),
            }
            for number, body in enumerate(bodies, 1)
        ]
        assert [part[algorithm.member] for part in parts] == [b64(algorithm.of(body)) for body in bodies]
        made = complete(s3, upload, lines(parts, algorithm.member), ChecksumType=type)
        whole = (
            b64(algorithm.of(FIRST + LAST))
            if type == "FULL_OBJECT"
            else b64(algorithm.of(algorithm.of(FIRST) + algorithm.of(LAST))) + "-2"
        )
        assert (made[algorithm.member], made["ChecksumType"]) == (whole, type)
        head = s3.head_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")
        assert (head[algorithm.member], head["ChecksumType"]) == (whole, type)
        attributes = s3.get_object_attributes(
            Bucket=BUCKET, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectParts", "ObjectSize"]
        )
        assert attributes["Checksum"] == {algorithm.member: whole.partition("-")[0], "ChecksumType": type}
        assert attributes["ETag"] == made["ETag"].strip('"')
        assert attributes["ObjectSize"] == 5 * MIB + 1000
        assert attributes["ObjectParts"]["TotalPartsCount"] == 2
        assert len(attributes["ObjectParts"].get("Parts", ())) == (2 if type == "COMPOSITE" else 0)


def test_a_composite_checksum_needs_that_of_every_part(s3):
    upload = begin(s3, ChecksumAlgorithm="SHA256")
    refusal = refused(send, s3=s3, upload=upload, number=1, body=LAST)
    assert refusal.message == (
        "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null"
    )
    other = {"ChecksumCRC32": b64(ALGORITHMS["CRC32"].of(LAST))}
    assert refused(send, s3=s3, upload=upload, number=1, body=LAST, **other).message.endswith("Type: crc32")
    right = b64(hashlib.sha256(LAST).digest())
    etag = send(s3, upload, 1, LAST, ChecksumSHA256=right)["ETag"]
    refusal = refused(complete, s3=s3, upload=upload, parts=[{"PartNumber": 1, "ETag": etag}])
    assert refusal.message.startswith("The upload was created using a sha256 checksum.")
    wrong = b64(hashlib.sha256(b"").digest())
    listed = [{"PartNumber": 1, "ETag": etag, "ChecksumSHA256": wrong}]
    assert refused(complete, s3=s3, upload=upload, parts=listed).code == "InvalidPart"


def test_the_whole_is_compared_with_what_the_client_expects(s3):
    upload = begin(s3, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = lines(sent(s3, upload, FIRST, LAST))
    wrong = b64(b"\0\0\0\0")
    assert refused(complete, s3=s3, upload=upload, parts=parts, ChecksumCRC32=wrong).code == "BadDigest"
    assert refused(complete, s3=s3, upload=upload, parts=parts, MpuObjectSize=1).code == "InvalidRequest"
    assert refused(complete, s3=s3, upload=upload, parts=parts, ChecksumType="COMPOSITE").message == (
        "The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same "
        "checksum mode."
    )
    right = b64(ALGORITHMS["CRC32"].of(FIRST + LAST))
    complete(s3, upload, parts, ChecksumCRC32=right, MpuObjectSize=5 * MIB + 1000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "COMPOSITE"},
        {"ChecksumAlgorithm": "SHA1", "ChecksumType": "FULL_OBJECT"},
        {"ChecksumType": "FULL_OBJECT"},
    ],
)
def test_not_every_type_goes_with_every_algorithm(s3, wrong):
    assert refused(begin, s3=s3, **wrong).code == "InvalidRequest"


def test_a_part_may_claim_another_checksum_where_none_was_declared(s3):
    upload = begin(s3)
    part = send(s3, upload, 1, LAST, ChecksumCRC32=b64(ALGORITHMS["CRC32"].of(LAST)))
    made = complete(s3, upload, [{"PartNumber": 1, "ETag": part["ETag"]}])
    assert made["ChecksumCRC64NVME"] == b64(ALGORITHMS["CRC64NVME"].of(LAST))


# --- copies of parts


def test_parts_can_be_copied(s3):
    s3.put_object(Bucket=BUCKET, Key="source", Body=FIRST + LAST)
    upload = begin(s3)
    copied = s3.upload_part_copy(
        Bucket=BUCKET, Key="k", UploadId=upload, PartNumber=1, CopySource=f"{BUCKET}/source"
    )["CopyPartResult"]
    ranged = s3.upload_part_copy(
        Bucket=BUCKET,
        Key="k",
        UploadId=upload,
        PartNumber=2,
        CopySource=f"{BUCKET}/source",
        CopySourceRange=f"bytes={5 * MIB - 3}-{5 * MIB + 2}",
    )["CopyPartResult"]
    listed = [{"PartNumber": n, "ETag": one["ETag"]} for n, one in ((1, copied), (2, ranged))]
    complete(s3, upload, listed)
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"] == FIRST + LAST + b"aaaccc"


@pytest.mark.parametrize("range", ["bytes=0-99999", "bytes=5-", "0-5", "bytes=3-1"])
def test_a_range_of_a_source_must_lie_inside(s3, range):
    s3.put_object(Bucket=BUCKET, Key="source", Body=LAST)
    refusal = refused(
        s3.upload_part_copy,
        Bucket=BUCKET,
        Key="k",
        UploadId=begin(s3),
        PartNumber=1,
        CopySource=f"{BUCKET}/source",
        CopySourceRange=range,
    )
    assert (refusal.status, refusal.code) == (400, "InvalidArgument")


def test_a_copy_of_an_object_of_parts_is_in_one_piece(s3):
    upload = begin(s3)
    complete(s3, upload, lines(sent(s3, upload, FIRST, LAST)))
    made = s3.copy_object(Bucket=BUCKET, Key="c", CopySource=f"{BUCKET}/k")["CopyObjectResult"]
    assert made["ETag"] == f'"{hashlib.md5(FIRST + LAST).hexdigest()}"'
    assert s3.get_object(Bucket=BUCKET, Key="c")["Body"] == FIRST + LAST


# --- keys of clients


def test_every_part_needs_the_client_s_key(s3):
    upload = begin(s3, **customer(KEY))
    refusal = refused(send, s3=s3, upload=upload, number=1, body=LAST)
    assert refusal.message.startswith("The multipart upload initiate requested encryption.")
    refusal = refused(send, s3=s3, upload=upload, number=1, body=LAST, **customer(OTHER_KEY))
    assert refusal.message.startswith("The provided encryption parameters did not match")
    etag = send(s3, upload, 1, LAST, **customer(KEY))["ETag"]
    complete(s3, upload, [{"PartNumber": 1, "ETag": etag}])
    assert s3.get_object(Bucket=BUCKET, Key="k", **customer(KEY))["Body"] == LAST
    assert refused(s3.get_object, Bucket=BUCKET, Key="k", **customer(OTHER_KEY)).status == 403


def test_the_end_needs_no_key_but_takes_no_other(s3):
    upload = begin(s3, **customer(KEY))
    listed = [{"PartNumber": 1, "ETag": send(s3, upload, 1, LAST, **customer(KEY))["ETag"]}]
    refusal = refused(complete, s3=s3, upload=upload, parts=listed, **customer(OTHER_KEY))
    assert (refusal.status, refusal.code) == (400, "InvalidRequest")
    complete(s3, upload, listed, **customer(KEY))
    assert s3.get_object(Bucket=BUCKET, Key="k", **customer(KEY))["Body"] == LAST


def test_where_a_checksum_was_asked_for_the_end_needs_the_client_s_key(s3):
    upload = begin(s3, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT", **customer(KEY))
    listed = [{"PartNumber": 1, "ETag": send(s3, upload, 1, LAST, **customer(KEY))["ETag"]}]
    refusal = refused(complete, s3=s3, upload=upload, parts=listed)
    assert (refusal.status, refusal.code) == (400, "InvalidRequest")
    complete(s3, upload, listed, **customer(KEY))


# --- listings


def test_parts_are_listed_in_pages(s3):
    upload = begin(s3, ChecksumAlgorithm="CRC32C")
    for number in (3, 1, 2):
        send(s3, upload, number, b"x", ChecksumCRC32C=b64(ALGORITHMS["CRC32C"].of(b"x")))
    page = s3.list_parts(Bucket=BUCKET, Key="k", UploadId=upload, MaxParts=2)
    assert [part["PartNumber"] for part in page["Parts"]] == [1, 2]
    assert (page["IsTruncated"], page["NextPartNumberMarker"], page["MaxParts"]) == (True, 2, 2)
    assert (page["ChecksumAlgorithm"], page["ChecksumType"]) == ("CRC32C", "COMPOSITE")
    assert page["Parts"][0]["ChecksumCRC32C"] == b64(ALGORITHMS["CRC32C"].of(b"x"))
    page = s3.list_parts(Bucket=BUCKET, Key="k", UploadId=upload, PartNumberMarker=2)
    assert [(part["PartNumber"], part["Size"]) for part in page["Parts"]] == [(3, 1)]
    assert page["IsTruncated"] is False


def test_uploads_are_listed_by_key_and_age(s3):
    ids = [begin(s3, key) for key in ("b", "a/1", "a/2", "b")]
    page = s3.list_multipart_uploads(Bucket=BUCKET, Delimiter="/")
    assert [(one["Key"], one["UploadId"]) for one in page["Uploads"]] == [("b", ids[0]), ("b", ids[3])]
    assert page["CommonPrefixes"] == [{"Prefix": "a/"}]
    page = s3.list_multipart_uploads(Bucket=BUCKET, MaxUploads=3)
    assert page["IsTruncated"] is True
    rest = s3.list_multipart_uploads(
        Bucket=BUCKET, KeyMarker=page["NextKeyMarker"], UploadIdMarker=page["NextUploadIdMarker"]
    )
    assert [one["UploadId"] for one in rest["Uploads"]] == [ids[3]]


# --- conditions, versions


def test_an_upload_completes_on_a_condition(s3):
    upload = begin(s3)
    parts = lines(sent(s3, upload, LAST))
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    assert refused(complete, s3=s3, upload=upload, parts=parts, IfNoneMatch="*").status == 412
    complete(s3, upload, parts, IfMatch=s3.head_object(Bucket=BUCKET, Key="k")["ETag"])


def test_what_is_completed_is_a_version(versioned):
    upload = begin(versioned)
    made = complete(versioned, upload, lines(sent(versioned, upload, LAST)))
    versioned.put_object(Bucket=BUCKET, Key="k", Body=b"later")
    got = versioned.get_object(Bucket=BUCKET, Key="k", VersionId=made["VersionId"])
    assert got["Body"] == LAST


def test_who_began_an_upload_may_end_it_in_a_bucket_of_another(old_s3):
    old_s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read-write")
    other = old_s3.by(OTHER)
    mine, theirs = begin(old_s3), begin(other)
    other.list_parts(Bucket=BUCKET, Key="k", UploadId=theirs)
    other.abort_multipart_upload(Bucket=BUCKET, Key="k", UploadId=theirs)
    for call in (other.list_parts, other.abort_multipart_upload):
        assert refused(call, Bucket=BUCKET, Key="k", UploadId=mine).code == "AccessDenied"
