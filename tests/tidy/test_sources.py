"""House rules that no linter knows."""

import re
import tomllib
from pathlib import Path

import pytest
from tests.tidy.repository import ROOT, files, read

LINES_MAX = 800
_HERE = Path("tests/tidy/test_sources.py")
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_SAYS_NOTHING = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc", "data", "info"}
_MACHINE = re.compile(
    r"(?<![\w.}])/(work/(main|shared)|root/\.pyenv|opt/(pypi|wheels)|tmp/team)\b|\bUsers/\w+/"
)
_REGISTRY = re.compile(
    r"https?://(?!(pypi\.org|registry\.npmjs\.org)\b)[\w.-]*(pypi|registry|mirror|artifactory|nexus)[\w.-]*"
)


def _sources():
    return [name for name in files() if name.suffix == ".py" or name.name in ("cloudstead", "run")]


def test_no_file_is_longer_than_one_can_read():
    long = {str(name): count for name in _sources() if (count := read(name).count("\n")) > LINES_MAX}
    assert not long, "split them by subject"


def test_nothing_is_left_for_later_in_the_code():
    found = [
        f"{name}: {line.strip()}"
        for name in _sources()
        if name != _HERE
        for line in read(name).splitlines()
        if _UNFINISHED.search(line)
    ]
    assert not found, "finish it, or file an issue"


def test_modules_are_named_for_what_they_are_about():
    vague = [
        str(name) for name in _sources() if name.stem in _SAYS_NOTHING or name.parent.name in _SAYS_NOTHING
    ]
    assert not vague


@pytest.mark.parametrize("pattern", [_MACHINE, _REGISTRY], ids=["paths", "registries"])
def test_nothing_tells_of_the_machine_it_was_written_on(pattern):
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in files()
        if name != _HERE
        for number, line in enumerate(read(name).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


def test_every_service_has_its_import_contract():
    """The layers' linter protects only what is listed; a service that is not would be open to all others."""
    contracts = tomllib.loads(read(Path("pyproject.toml")))["tool"]["importlinter"]["contracts"]
    protected = {
        module for one in contracts if one["type"] == "protected" for module in one["protected_modules"]
    }
    folders = sorted(path.parent.name for path in (ROOT / "src/cloudstead/services").glob("*/__init__.py"))
    assert {f"cloudstead.services.{name}.*" for name in folders} == protected


def test_every_driver_folder_says_what_it_promises():
    """A data plane that services see does so through its driver module, which is a Protocol and no driver."""
    for path in (ROOT / "src/cloudstead/dataplane").glob("*/driver.py"):
        text = path.read_text()
        assert "Protocol" in text, path
        assert "subprocess" not in text, path


def test_what_must_be_executable_is():
    for name in ("cloudstead", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o111, name
