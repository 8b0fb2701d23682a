"""What the documents say is there, and what is there they say."""

import re
from pathlib import Path

import pytest
from tests.tidy.generated import PARTS, pages
from tests.tidy.repository import ROOT, documents, files, read

from cloudstead.core.settings import known

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_PROMISE = re.compile(r"^\| ([A-Z]+-\d+) \|.*\| (.+?) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`|`(benchmarks/[\w/]+\.py)`")


def test_what_is_made_from_the_code_is_fresh():
    found = pages()
    stale = [path.name for path, text in found.items() if path.read_text() != text]
    assert not stale, "run `make docs`"
    assert all(any(f"generated: {part}" in text for text in found.values()) for part in PARTS)


def test_every_setting_is_documented():
    table = read(Path("docs/configuration.md"))
    assert [setting.name for setting in known() if f"`{setting.variable}`" not in table] == []


def test_every_setting_is_read_by_something():
    sources = [
        read(name) for name in files() if name.parts[:2] == ("src", "cloudstead") and name.suffix == ".py"
    ]
    code = "\n".join(source for source in sources if "class Settings:" not in source)
    unread = [one.name for one in known() if not re.search(rf"\b(settings|in_force)\.{one.name}\b", code)]
    assert unread == []


@pytest.mark.parametrize("document", documents(), ids=str)
def test_links_lead_somewhere(document):
    text = _FENCED.sub("", read(document))
    for target in _LINK.findall(text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        place = (ROOT / document).parent / path if path else ROOT / document
        assert place.exists(), f"{document}: {target}"
        if anchor and place.suffix == ".md":
            assert anchor in _anchors(place.read_text()), f"{document}: {target}"


def test_every_promise_names_its_test_or_says_that_there_is_none_yet():
    promises = _PROMISE.findall(read(Path("SPECIFICATION.md")))
    assert len(promises) > 20
    names = [name for name, _ in promises]
    assert len(set(names)) == len(names), "each promise has its own name"
    for name, proof in promises:
        if proof.startswith("pending"):
            continue
        found = _TEST.findall(proof)
        assert found, f"{name}: {proof}"
        for file, test, benchmark in found:
            if benchmark:
                assert (ROOT / benchmark).exists(), f"{name}: {benchmark}"
            else:
                assert (ROOT / file).exists(), f"{name}: {file}"
                assert re.search(rf"^\s*(async )?def {test}\(", (ROOT / file).read_text(), re.MULTILINE), (
                    f"{name}: {test}"
                )


def test_the_changelog_has_its_shape():
    """Keep a Changelog 1.1: Unreleased first, then versions, newest first, with what changed under known headings."""
    text = read(Path("CHANGELOG.md"))
    assert text.startswith("# Changelog\n")
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    dated = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d\d-\d\d", version) for version in versions[1:]]
    assert all(dated), versions
    numbers = [tuple(map(int, one.groups())) for one in dated]
    assert numbers == sorted(numbers, reverse=True)
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def _anchors(text):
    plain = [
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in _HEADING.findall(text)
    ]
    return set(plain)
