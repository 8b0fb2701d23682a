"""RFC 2047 as S3 writes it: the form by what the text mostly is, words that fit, and never anything but ASCII."""

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstead.core.encoded_words import decoded, encoded

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain, with = and ?", "plain, with = and ?"),
        ("", ""),
        # What S3 was seen to answer for these, sent as UTF-8.
        ("Mini\u00c3\u00b6", "=?UTF-8?Q?Mini=C3=83=C2=B6?="),
        ("\u00c3\u00b6", "=?UTF-8?B?w4PCtg==?="),
        ("\u00c3\u0084M\u00c3\u0084Z\u00c3\u0095\u00c3\u0091 S3", "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?="),
        ("a b_c=d?e \u00e9", "=?UTF-8?Q?a_b=5Fc=3Dd=3Fe_=C3=A9?="),
        ("a line\r\nand another", "=?UTF-8?Q?a_line=0D=0Aand_another?="),
    ],
)
def test_text_is_said_in_words_unless_it_is_ascii(text, said):
    assert encoded(text) == said
    assert decoded(said) == text


@given(TEXT)
def test_what_is_said_is_short_ascii_words_that_mean_the_text(text):
    said = encoded(text)
    assert said.isascii()
    assert said.isprintable() or said == text
    if said != text:
        assert all(len(word) <= 75 for word in said.split(" "))
        assert str(make_header(decode_header(said))) == text
        assert decoded(said) == text


@given(
    st.text(st.characters(max_codepoint=255), max_size=60), st.sampled_from(["utf-8", "utf-7", "hex", "x"])
)
def test_anything_is_read_and_can_be_said_again(text, charset):
    for told in (text, f"=?{charset}?Q?{text}?=", f"=?{charset}?b?{text}?= {text}"):
        said = encoded(decoded(told))
        assert "\r" not in said
        assert "\n" not in said
        assert said.isascii()
