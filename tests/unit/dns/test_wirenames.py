"""Names between text and wire."""

import dns.exception
import dns.name
import pytest

from cloudstead.dataplane.dns.wirenames import is_below, is_name, to_text, to_wire


@pytest.mark.parametrize(
    "text",
    [
        ".",
        "com",
        "Example.COM.",
        "_sip._tcp.x-1.example",
        "*.example.",
        r"\042.example.",
        r"a\.b.example",
        r"sp\032ace.example",
        "a" * 63 + ".b",
    ],
)
def test_the_short_way_and_the_librarys_agree(text):
    assert to_wire(text) == dns.name.from_text(text).to_wire().lower()
    assert is_name(to_wire(text))


@pytest.mark.parametrize("text", ["a" * 64 + ".b", "a..b", ".".join(["a" * 60] * 5)])
def test_what_is_no_name_is_said(text):
    with pytest.raises(dns.exception.DNSException):
        to_wire(text)


def test_text_comes_back_with_its_escapes():
    assert to_text(to_wire(r"a\.b.Example.")) == r"a\.b.example"


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [("a.b", "b", True), ("b", "b", True), ("ab", "b", False), ("b", "a.b", False), ("a.b", ".", True)],
)
def test_below_goes_by_whole_labels(name, other, expected):
    assert is_below(to_wire(name), to_wire(other)) is expected


@pytest.mark.parametrize(
    "wire", [b"", b"\x01", b"\x01a", b"\x00\x00", b"\x40" + b"a" * 64 + b"\0", b"\xc0\x0c"]
)
def test_other_bytes_are_no_name(wire):
    assert not is_name(wire)
