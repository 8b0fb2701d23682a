"""The AWS files keep every byte that is not ours."""

from hypothesis import given
from hypothesis import strategies as st

from cloudstead.cli.profile import with_keys

KEYS = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "s"}


def test_a_new_section_comes_last():
    assert with_keys("", "us", KEYS) == "[us]\naws_access_key_id = AKIA\naws_secret_access_key = s\n"
    assert with_keys("[a]\nx = 1", "us", {"k": "v"}) == "[a]\nx = 1\n\n[us]\nk = v\n"


def test_our_keys_change_in_place_and_others_stay():
    before = (
        "# mine\n[us]\naws_access_key_id=OLD\noutput = text\n; a word\n\n[other]\naws_access_key_id = X\n"
    )
    after = "# mine\n[us]\naws_secret_access_key = s\naws_access_key_id = AKIA\noutput = text\n; a word\n\n[other]\naws_access_key_id = X\n"
    assert with_keys(before, "us", KEYS) == after
    assert with_keys(after, "us", KEYS) == after


def test_a_key_that_stands_twice_stands_once():
    assert with_keys("[us]\nk = 1\nk = 2\n", "us", {"k": "3"}) == "[us]\nk = 3\n"


LINE = st.sampled_from(
    ["[a]", "[ us ]", "[us]", "[profile us]", "k = 1", "  s3 =", "# x", "", "\r", "x=\u2028y", "[us"]
)


@given(st.lists(LINE), st.booleans())
def test_what_is_in_other_sections_is_never_touched(lines, ended):
    before = "\n".join(lines) + ("\n" if ended and lines else "")
    after = with_keys(before, "us", {"k": "v"})
    assert with_keys(after, "us", {"k": "v"}) == after, "a second time changes nothing"
    assert _others(after)[: len(_others(before).rstrip("\n"))] == _others(before).rstrip("\n")


def _others(text):
    """The text without the first section of ours."""
    kept, ours, seen = [], False, False
    for line in text.split("\n"):
        if line.strip().startswith("[") and "]" in line:
            name = line.strip()[1:].partition("]")[0].strip()
            ours = name == "us" and not seen
            seen = seen or ours
        if not ours:
            kept.append(line)
    return "\n".join(kept)
