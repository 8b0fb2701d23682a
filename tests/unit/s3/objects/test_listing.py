"""Listing objects and versions: order, prefixes, pages, markers and encoding."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET

from cloudstead.dataplane.objects.driver import Entry
from cloudstead.services.s3 import listed
from cloudstead.services.s3.checksums import Checksum
from cloudstead.services.s3.objects_meta import Encryption, Meta, of, packed
from cloudstead.services.s3.rows import Acl, Grant


def fill(s3, *keys):
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")


def names(page):
    return [one["Key"] for one in page.get("Contents", [])], [
        one["Prefix"] for one in page.get("CommonPrefixes", [])
    ]


def test_keys_come_in_the_order_of_their_bytes(s3):
    fill(s3, "b", "a", "é", "B", "\U0001f600", "\uffee")
    assert names(s3.list_objects_v2(Bucket=BUCKET))[0] == ["B", "a", "b", "é", "\uffee", "\U0001f600"]


def test_what_a_line_tells(s3):
    fill(s3, "a")
    page = s3.list_objects_v2(Bucket=BUCKET)
    (line,) = page["Contents"]
    assert line.pop("LastModified").microsecond == 0
    assert line == {
        "Key": "a",
        "ETag": '"9dd4e461268c8034f5c8564e155c67a6"',
        "Size": 1,
        "StorageClass": "STANDARD",
        "ChecksumAlgorithm": ["CRC64NVME"],
        "ChecksumType": "FULL_OBJECT",
    }
    del page["Contents"]
    assert page == {"Name": BUCKET, "Prefix": "", "MaxKeys": 1000, "KeyCount": 1, "IsTruncated": False}
    owner = s3.list_objects_v2(Bucket=BUCKET, FetchOwner=True)["Contents"][0]["Owner"]
    assert s3.list_objects(Bucket=BUCKET)["Contents"][0]["Owner"] == owner


def test_a_changed_object_is_listed_anew(s3):
    fill(s3, "a")
    s3.list_objects_v2(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"longer")
    assert s3.list_objects_v2(Bucket=BUCKET)["Contents"][0]["Size"] == 6


def test_keys_beyond_the_delimiter_are_told_as_one(s3):
    fill(s3, "a/1", "a/2", "b", "b/", "c/d/e", "z")
    assert names(s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")) == (["b", "z"], ["a/", "b/", "c/"])
    assert names(s3.list_objects_v2(Bucket=BUCKET, Delimiter="/", Prefix="c/")) == ([], ["c/d/"])
    assert names(s3.list_objects_v2(Bucket=BUCKET, Prefix="b")) == (["b", "b/"], [])
    assert names(s3.list_objects_v2(Bucket=BUCKET, StartAfter="b")) == (["b/", "c/d/e", "z"], [])


def walk_v2(s3, **params):
    keys, prefixes, token = [], [], {}
    while True:
        page = s3.list_objects_v2(Bucket=BUCKET, **params, **token)
        found = names(page)
        assert page["KeyCount"] == len(found[0]) + len(found[1])
        keys += found[0]
        prefixes += found[1]
        if not page["IsTruncated"]:
            return keys, prefixes
        assert page["KeyCount"] == params["MaxKeys"]
        token = {"ContinuationToken": page["NextContinuationToken"]}


def walk_v1(s3, **params):
    keys, prefixes, marker = [], [], ""
    while True:
        page = s3.list_objects(Bucket=BUCKET, Marker=marker, **params)
        found = names(page)
        keys += found[0]
        prefixes += found[1]
        if not page["IsTruncated"]:
            return keys, prefixes
        marker = page.get("NextMarker") or found[0][-1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.sets(st.text(alphabet="ab/", min_size=1, max_size=5), max_size=12),
    prefix=st.sampled_from(["", "a", "a/", "/"]),
    delimiter=st.sampled_from(["", "/", "b"]),
    size=st.integers(1, 4),
)
def test_pages_of_any_size_make_the_same_listing(s3, keys, prefix, delimiter, size):
    there, _ = names(s3.list_objects_v2(Bucket=BUCKET))
    for key in there:
        s3.delete_object(Bucket=BUCKET, Key=key)
    fill(s3, *keys)
    asked = {"Prefix": prefix} | ({"Delimiter": delimiter} if delimiter else {})
    whole = names(s3.list_objects_v2(Bucket=BUCKET, **asked))
    told = [key for key in sorted(keys) if key.startswith(prefix)]
    rolled = [key for key in told if delimiter and delimiter in key[len(prefix) :]]
    assert whole[0] == [key for key in told if key not in rolled]
    assert whole[1] == sorted({key[: key.index(delimiter, len(prefix)) + len(delimiter)] for key in rolled})
    assert walk_v2(s3, MaxKeys=size, **asked) == whole
    assert walk_v1(s3, MaxKeys=size, **asked) == whole


def test_no_lines_are_asked_for(s3):
    fill(s3, "a")
    page = s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
    assert (page["IsTruncated"], page["KeyCount"], page["MaxKeys"]) == (False, 0, 0)
    refusal = refused(s3.list_objects_v2, Bucket=BUCKET, MaxKeys=-1)
    assert refusal.message == "Argument maxKeys must be an integer between 0 and 2147483647"
    assert s3.list_objects(Bucket=BUCKET, MaxKeys=5000)["MaxKeys"] == 1000


@pytest.mark.parametrize("token", ["", "?", "YQ"])
def test_a_token_that_is_none_is_refused(s3, token):
    refusal = refused(s3.list_objects_v2, Bucket=BUCKET, ContinuationToken=token)
    assert (refusal.code, refusal.message) == (
        "InvalidArgument",
        "The continuation token provided is incorrect",
    )


def test_keys_are_encoded_on_demand(s3):
    fill(s3, "a b+c/d", "ü")
    page = s3.list_objects_v2(Bucket=BUCKET, EncodingType="url", Delimiter="/", StartAfter="!")
    assert names(page) == (["%C3%BC"], ["a%20b%2Bc/"])
    assert (page["EncodingType"], page["StartAfter"], page["Delimiter"]) == ("url", "%21", "/")
    assert refused(s3.list_objects_v2, Bucket=BUCKET, EncodingType="xml").code == "InvalidArgument"


def test_versions_are_listed_newest_first_with_markers(versioned):
    ids = [versioned.put_object(Bucket=BUCKET, Key="a", Body=b"%d" % n)["VersionId"] for n in range(3)]
    marker = versioned.delete_object(Bucket=BUCKET, Key="a")["VersionId"]
    fill(versioned, "b/c")
    page = versioned.list_object_versions(Bucket=BUCKET, Delimiter="/")
    assert [(one["VersionId"], one["IsLatest"]) for one in page["Versions"]] == [
        (id, False) for id in reversed(ids)
    ]
    assert [(one["VersionId"], one["IsLatest"]) for one in page["DeleteMarkers"]] == [(marker, True)]
    assert page["CommonPrefixes"] == [{"Prefix": "b/"}]


def test_pages_of_versions_go_on_where_they_ended(versioned):
    for key in ("a", "b"):
        for n in range(3):
            versioned.put_object(Bucket=BUCKET, Key=key, Body=b"%d" % n)
    whole = [
        (one["Key"], one["VersionId"]) for one in versioned.list_object_versions(Bucket=BUCKET)["Versions"]
    ]
    found, after = [], {}
    while True:
        page = versioned.list_object_versions(Bucket=BUCKET, MaxKeys=2, **after)
        found += [(one["Key"], one["VersionId"]) for one in page["Versions"]]
        if not page["IsTruncated"]:
            break
        after = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
    assert found == whole
    assert len(whole) == 6
    assert (
        refused(versioned.list_object_versions, Bucket=BUCKET, VersionIdMarker="x").code == "InvalidArgument"
    )


_METAS = st.builds(
    Meta,
    size=st.integers(0, 5 << 40),
    encryption=st.builds(Encryption, kind=st.text(max_size=4), context=st.text(max_size=4)),
    checksum=st.none()
    | st.builds(Checksum, st.text(max_size=4), st.binary(max_size=4), st.just("COMPOSITE")),
    headers=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    tags=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    storage_class=st.sampled_from(["STANDARD", "GLACIER"]),
    acl=st.none() | st.builds(Acl, st.text(max_size=3), st.just([Grant("g", "READ")])),
    part_digests=st.lists(st.binary(max_size=3), max_size=3),
    restored_until_ms=st.integers(0, 9),
)


@given(st.lists(st.none() | _METAS, max_size=8))
def test_what_listings_unpack_of_metadata_is_what_it_says(metas):
    entries = [
        Entry(
            bucket="b",
            key="k",
            version_id="null",
            sequence=1,
            revision=1,
            modified_ms=1,
            size=1,
            etag="e",
            delete_marker=False,
            meta=b"" if meta is None else packed(meta),
            parts_count=0,
        )
        for meta in metas
    ]
    for one, entry in zip(listed.told(entries), entries, strict=True):
        meta = of(entry)
        assert (one.size, one.storage_class, one.acl) == (meta.size, meta.storage_class, meta.acl)
        assert (one.checksum is None) == (meta.checksum is None)
        if one.checksum is not None:
            assert (one.checksum.algorithm, one.checksum.type) == (
                meta.checksum.algorithm,
                meta.checksum.type,
            )


@pytest.mark.parametrize("encoding", [{}, {"EncodingType": "url"}])
def test_what_is_special_in_xml_or_in_urls_comes_as_it_was(s3, encoding):
    keys = ["a b", "a%20b", "a&b", "<a>", "a+b", "é/ü", "a/b?c=d", "x"]
    fill(s3, *keys)
    wanted = sorted(quote(key) if encoding else key for key in keys)
    s3_pages = [
        s3.list_objects(Bucket=BUCKET, **encoding),
        s3.list_objects_v2(Bucket=BUCKET, **encoding),
        {"Contents": s3.list_object_versions(Bucket=BUCKET, **encoding)["Versions"]},
    ]
    for page in s3_pages:
        assert sorted(names(page)[0]) == wanted
    told = s3.list_objects_v2(Bucket=BUCKET, Delimiter="b", **encoding)
    assert sorted(names(told)[1]) == sorted(
        quote(one) if encoding else one for one in ("a b", "a%20b", "a&b", "a+b", "a/b")
    )
