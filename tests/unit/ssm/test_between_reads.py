"""What is read is of one moment, whatever other processes write between two looks into the store."""

import pytest
from tests.support.api import ROOT, Api
from tests.unit.ssm.conftest import KEY, published

from cloudstead.services.ssm.operations import parts, read_parameter
from cloudstead.services.ssm.rows import Parameter, Version
from cloudstead.store import Store


class Interrupted(Store):
    """Lets another process write right after each look."""

    def __init__(self, path, write):
        super().__init__(path)
        self._write = lambda: None
        for kind in (Parameter, Version):  # what was never looked into is read whole at the first look
            self.rows(kind)
        self._write = write

    def get(self, kind, id):
        found = super().get(kind, id)
        self._write()
        return found

    def rows(self, kind, **equal):
        found = super().rows(kind, **equal)
        self._write()
        return found


@pytest.fixture
def worlds(tmp_path, tools):
    """The Parameter Store of a process that is interrupted by one that deletes and makes anew what it reads."""
    path = tmp_path / "state.sqlite"
    with Store(path) as other_store:
        other = Api("ssm", *parts(other_store, tools, KEY, published))

        def write():
            other.delete_parameters(Names=["/a/b"])

        other.put_parameter(Name="/a/b", Value="1", Type="SecureString")
        with Interrupted(path, write) as store:
            yield Api("ssm", *parts(store, tools, KEY, published)), store


def test_a_parameter_deleted_while_it_is_read_is_whole_or_gone(worlds):
    ssm, _ = worlds
    shown = ssm.get_parameter(Name="/a/b", WithDecryption=True)["Parameter"]
    assert (shown["Value"], shown["Version"]) == ("1", 1)


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("get_parameters", {"Names": ["/a/b"]}),
        ("get_parameters_by_path", {"Path": "/a"}),
        ("get_parameter_history", {"Name": "/a/b"}),
        ("describe_parameters", {}),
    ],
)
def test_lists_are_whole(worlds, operation, asked):
    ssm, _ = worlds
    assert len(getattr(ssm, operation)(**asked)["Parameters"]) == 1


def test_what_other_services_read_is_whole(worlds):
    _, store = worlds
    assert read_parameter(store, KEY, published, ROOT, "/a/b") == "1"
