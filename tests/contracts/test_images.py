"""What every image store promises, tried on the fake and on the real one with what builds in a second."""

import asyncio
import errno
import os
import subprocess

import pytest

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.images import tiny
from cloudstead.dataplane.images.driver import Recipe
from cloudstead.dataplane.images.fake import FakeImages
from cloudstead.dataplane.images.store import Images

_TINY = Recipe(name="tiny", source="tiny", login="ec2-user")


@pytest.fixture(params=["fake", pytest.param("store", marks=pytest.mark.root)])
def images(request, tmp_path):
    if request.param == "fake":
        return FakeImages()
    return store(tmp_path)


def store(folder) -> Images:
    if os.geteuid() != 0:
        pytest.skip("needs root: files in an image belong to many users")
    return Images(folder)


def seen(images) -> list[str]:
    return [one.name for one in asyncio.run(images.observe())]


def test_each_step_twice(images):
    for _ in range(2):
        asyncio.run(images.remove("tiny"))
        asyncio.run(images.ensure(_TINY))
    asyncio.run(images.ensure(_TINY))
    assert seen(images) == ["tiny"]
    for _ in range(2):
        asyncio.run(images.remove("tiny"))
    assert seen(images) == []


def test_an_imported_image_that_is_gone_cannot_be_made_again(images):
    with pytest.raises(DriverError, match="import it again"):
        asyncio.run(images.ensure(Recipe(name="mine", source="imported", login="admin")))


@pytest.mark.root
def test_two_at_once_build_once(tmp_path, monkeypatch):
    built, fill = [], tiny.fill
    monkeypatch.setattr(tiny, "fill", lambda root: (built.append(root), fill(root)))
    one, other = store(tmp_path), store(tmp_path)

    async def both():
        await asyncio.gather(one.ensure(_TINY), one.ensure(_TINY), other.ensure(_TINY))

    asyncio.run(both())
    assert len(built) == 1


@pytest.mark.root
def test_a_full_disk_keeps_nothing_half_made(tmp_path, monkeypatch):
    def full(root):
        (root / "part").touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    images = store(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(tiny, "fill", full)
        with pytest.raises(DriverError, match="no space left"):
            asyncio.run(images.ensure(_TINY))
    assert seen(images) == []
    assert list(tmp_path.glob(".building-*")) == []
    asyncio.run(images.ensure(_TINY))
    assert seen(images) == ["tiny"]


@pytest.mark.root
def test_what_a_crashed_build_left_is_swept(tmp_path):
    (tmp_path / ".building-tiny/rootfs/rest").mkdir(parents=True)
    images = store(tmp_path)
    assert seen(images) == []
    asyncio.run(images.ensure(_TINY))
    assert not (tmp_path / "tiny/rootfs/rest").exists()


@pytest.mark.root
def test_an_imported_tarball_gets_what_a_guest_needs(tmp_path):
    images = store(tmp_path / "images")
    asyncio.run(images.ensure(_TINY))
    archive = tmp_path / "root.tar.gz"
    folder = tmp_path / "images/tiny/rootfs"
    subprocess.run(["tar", "-czf", archive, "--exclude=./usr/lib/cloudstead", "-C", folder, "."], check=True)
    mine = Recipe(name="mine", source="imported", login="admin")
    asyncio.run(images.import_archive(mine, archive))
    root = tmp_path / "images/mine/rootfs"
    assert (root / "usr/lib/cloudstead/dropbear").exists()
    assert "\nadmin:*:" in (root / "etc/shadow").read_text()
