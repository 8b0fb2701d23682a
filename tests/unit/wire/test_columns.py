"""Lists told by columns are written as the lines that they stand for, byte by byte."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.wire.asking import rest

from cloudstead.core.columns import Columns, Moments
from cloudstead.gateway.wire import ResultMismatch, serialize

ASKED = {
    "Contents": rest("s3", "GET", "/b?list-type=2"),
    "Versions": rest("s3", "GET", "/b?versions"),
    "DeleteMarkers": rest("s3", "GET", "/b?versions"),
    "CommonPrefixes": rest("s3", "GET", "/b?list-type=2"),
}
_TEXT = st.text(st.characters() | st.sampled_from("&<>\r\n\t\0 %\"'é\ufffe"), max_size=8)
_COLUMNS = {
    "Key": _TEXT,
    "LastModified": st.integers(0, 253402300799),
    "ETag": _TEXT,
    "Size": st.integers(0, 5 << 40),
    "VersionId": _TEXT,
    "IsLatest": st.booleans(),
    "Prefix": _TEXT,
}
_MEMBERS = {
    "Contents": ("Key", "LastModified", "ETag", "Size"),
    "Versions": ("Key", "LastModified", "ETag", "Size", "VersionId", "IsLatest"),
    "DeleteMarkers": ("Key", "LastModified", "VersionId", "IsLatest"),
    "CommonPrefixes": ("Prefix",),
}
_MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
_RESTS = {
    "Contents": [
        {"StorageClass": "STANDARD", "ChecksumAlgorithm": ["SHA256", "CRC32"], "Owner": {"ID": "a&b"}},
        {"StorageClass": "GLACIER", "RestoreStatus": {"RestoreExpiryDate": _MOMENT}},
        {"StorageClass": None},
        {},
    ],
    "Versions": [{"Owner": {"ID": "%s"}, "ChecksumType": "COMPOSITE"}, {}],
    "DeleteMarkers": [{"Owner": {"ID": "o"}}, {}],
    "CommonPrefixes": [{}],
}


@st.composite
def lists(draw):
    name = draw(st.sampled_from(sorted(_MEMBERS)))
    count = draw(st.integers(0, 12))
    members = draw(st.permutations(_MEMBERS[name]))
    each = {one: draw(st.lists(_COLUMNS[one], min_size=count, max_size=count)) for one in members}
    if "LastModified" in each:
        each["LastModified"] = Moments(each["LastModified"])
    rest = draw(st.lists(st.sampled_from(_RESTS[name]), min_size=count, max_size=count))
    return name, Columns(each, rest)


@given(lists())
def test_columns_are_written_as_their_lines_are(told):
    name, columns = told
    match = ASKED[name][0]
    lines = serialize(match, {"Name": "b", name: columns.lines(), "MaxKeys": 1}, "id")
    assert serialize(match, {"Name": "b", name: columns, "MaxKeys": 1}, "id") == lines
    assert len(columns) == len(columns.lines())


@pytest.mark.parametrize(
    ("each", "rest"),
    [
        ({"Kee": ["a"]}, {}),
        ({"Key": [1]}, {}),
        ({"Key": [None]}, {}),
        ({"Size": ["1"]}, {}),
        ({"Size": [True]}, {}),
        ({"LastModified": [_MOMENT]}, {}),
        ({"Owner": [{"ID": "x"}]}, {}),
        ({"Key": ["a", "b"]}, {}),
        ({"Key": []}, {}),
        ({"Key": ["a"]}, {"Nothing": 1}),
    ],
)
def test_columns_that_the_shape_does_not_have_are_refused(each, rest):
    with pytest.raises(ResultMismatch):
        serialize(ASKED["Contents"][0], {"Contents": Columns(each, [rest])}, "id")
