"""What every holder of volumes promises, tried on the fake, on directories and on a Docker engine."""

import asyncio
import contextlib

import pytest

from cloudstead.core.clock import ManualClock
from cloudstead.core.errors import DriverError
from cloudstead.dataplane.block.directories import Directories
from cloudstead.dataplane.block.docker import DockerVolumes
from cloudstead.dataplane.block.driver import VolumeSpec
from cloudstead.dataplane.block.fake import FakeVolumes

_SPEC = VolumeSpec(id="vol-1", size_bytes=1 << 30, image="tiny")


@pytest.fixture(params=["fake", "directories", pytest.param("docker", marks=pytest.mark.root)])
def volumes(request, tmp_path):
    if request.param == "docker":
        return DockerVolumes(request.getfixturevalue("engine"))
    return FakeVolumes() if request.param == "fake" else Directories(tmp_path)


def seen(volumes) -> list[str]:
    return [one.id for one in asyncio.run(volumes.observe())]


def test_each_step_twice(volumes):
    for _ in range(2):
        asyncio.run(volumes.remove("vol-1"))
    assert seen(volumes) == []
    for _ in range(2):
        asyncio.run(volumes.ensure(_SPEC))
    assert seen(volumes) == ["vol-1"]
    for _ in range(2):
        asyncio.run(volumes.remove("vol-1"))
    assert seen(volumes) == []


def test_bytes_of_one_that_exists_are_not_touched(tmp_path):
    asyncio.run(Directories(tmp_path).ensure(_SPEC))
    (tmp_path / "volumes/vol-1/upper/mine").write_text("kept")
    asyncio.run(Directories(tmp_path).ensure(_SPEC))
    assert (tmp_path / "volumes/vol-1/upper/mine").read_text() == "kept"


def test_what_a_crash_left_half_made_or_half_deleted_is_seen_and_mended(tmp_path):
    (tmp_path / "volumes/vol-1").mkdir(parents=True)
    (tmp_path / "volumes/.removing-vol-2/upper").mkdir(parents=True)
    volumes = Directories(tmp_path)
    assert sorted(seen(volumes)) == ["vol-1", "vol-2"]
    asyncio.run(volumes.ensure(_SPEC))
    assert (tmp_path / "volumes/vol-1/work").is_dir()
    asyncio.run(volumes.remove("vol-2"))
    assert seen(volumes) == ["vol-1"]


def test_a_volume_made_again_after_a_deletion_cut_short_can_be_removed(tmp_path):
    (tmp_path / "volumes/.removing-vol-1/upper").mkdir(parents=True)
    volumes = Directories(tmp_path)
    asyncio.run(volumes.ensure(_SPEC))
    asyncio.run(volumes.remove("vol-1"))
    assert seen(volumes) == []


def test_what_is_discarded_is_gone_or_refused_and_never_another(volumes):
    for id in ("vol-1", "vol-2"):
        asyncio.run(volumes.ensure(VolumeSpec(id=id, size_bytes=1 << 30, image="tiny")))
    kept = contextlib.nullcontext()
    if isinstance(volumes, DockerVolumes):
        kept = pytest.raises(DriverError, match="it is kept")
    with kept:
        for _ in range(2):
            asyncio.run(volumes.discard("vol-1"))
    assert seen(volumes) == (["vol-1", "vol-2"] if isinstance(volumes, DockerVolumes) else ["vol-2"])


def test_the_bytes_of_what_is_discarded_stay_within_reach_for_a_day(tmp_path):
    clock = ManualClock()
    volumes = Directories(tmp_path, clock)
    for _ in range(2):
        asyncio.run(volumes.ensure(_SPEC))
        (tmp_path / "volumes/vol-1/upper/mine").write_text("kept")
        asyncio.run(volumes.discard("vol-1"))
        clock.advance(3600)
    (tmp_path / "trash" / "note").write_text("put here by a person")
    kept = sorted((tmp_path / "trash").glob("*-vol-1"))
    assert [(one / "upper/mine").read_text() for one in kept] == ["kept", "kept"]
    clock.advance(22 * 3600 + 1)
    assert seen(volumes) == []
    assert not kept[0].exists()
    assert kept[1].exists()
    clock.advance(3600)
    assert seen(volumes) == []
    assert [path.name for path in (tmp_path / "trash").iterdir()] == ["note"]
