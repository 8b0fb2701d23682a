"""Filters: which rows fit a value with wildcards."""

import fnmatch
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstead.services.ec2 import filters


@dataclass(frozen=True)
class Thing:
    tags: dict[str, str]


def fits(value: str, text: str) -> bool:
    wanted = [{"Name": "tag:Name", "Values": [value]}]
    return bool(filters.select([Thing({"Name": text})], wanted, {}))


@given(value=st.text("ab*?", max_size=12), text=st.text("abc", max_size=12))
def test_wildcards_fit_as_those_of_file_names_do(value, text):
    assert fits(value, text) == fnmatch.fnmatchcase(text, value)


def test_a_backslash_takes_the_next_character_as_it_is():
    assert fits(r"100\*\?", "100*?")
    assert not fits(r"100\*", "1000")
    assert fits("a\\", "a\\")


@pytest.mark.timeout(10)
def test_no_value_takes_for_ever():
    assert not fits("*a" * 100 + "b", "a" * 256)
