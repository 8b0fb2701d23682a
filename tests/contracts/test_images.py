"""What every image store promises, tried on the fake and on the real one with what builds in a second."""

import asyncio
import errno
import os
import shutil
import subprocess

import pytest

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.images import tiny
from cloudstead.dataplane.images.docker import DockerImages
from cloudstead.dataplane.images.driver import Recipe
from cloudstead.dataplane.images.fake import FakeImages
from cloudstead.dataplane.images.store import Images

_TINY = Recipe(name="tiny", source="tiny", login="ec2-user")
_MINE = Recipe(name="mine", source="imported", login="admin")


@pytest.fixture(
    params=["fake", *(pytest.param(name, marks=pytest.mark.root) for name in ("store", "docker"))]
)
def images(request, tmp_path):
    if request.param == "fake":
        return FakeImages()
    if request.param == "docker":
        return DockerImages(request.getfixturevalue("engine"), store(tmp_path))
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


def test_a_name_that_something_else_has_is_refused(images, tmp_path):
    asyncio.run(images.ensure(_TINY))
    archive = tmp_path / "root.tar"
    subprocess.run(["tar", "-cf", archive, "-T", "/dev/null"], check=True)
    with pytest.raises(DriverError, match="choose another name"):
        asyncio.run(images.import_archive(_TINY, archive))


@pytest.fixture
def bare(tmp_path):
    """A root file system that nothing of ours is in."""
    asyncio.run(store(tmp_path / "bare").ensure(_TINY))
    root = tmp_path / "bare/tiny/rootfs"
    shutil.rmtree(root / "usr/lib/cloudstead")
    return root


def packed(root):
    archive = root.parent / "root.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", root, "."], check=True)
    return archive


@pytest.mark.root
def test_an_imported_tarball_gets_what_a_guest_needs(tmp_path, bare):
    images = store(tmp_path / "images")
    asyncio.run(images.import_archive(_MINE, packed(bare)))
    root = tmp_path / "images/mine/rootfs"
    assert (root / "usr/lib/cloudstead/dropbear").exists()
    assert "\nadmin:*:" in (root / "etc/shadow").read_text()


@pytest.mark.root
def test_what_was_imported_once_can_be_imported_again_but_nothing_else_by_its_name(tmp_path, bare):
    images, archive = store(tmp_path / "images"), packed(bare)
    for _ in range(2):
        asyncio.run(images.import_archive(_MINE, archive))
    archive.write_bytes(b"")
    with pytest.raises(DriverError, match="choose another name"):
        asyncio.run(images.import_archive(_MINE, archive))
    assert (tmp_path / "images/mine/rootfs/usr/lib/cloudstead/init").exists()


@pytest.mark.root
def test_an_oci_layout_is_imported_with_all_its_layers(tmp_path, bare):
    if shutil.which("skopeo") is None or shutil.which("umoci") is None:
        pytest.skip("needs skopeo and umoci")
    layout = f"{tmp_path}/layout:mine"
    (tmp_path / "more").write_text("of the second layer")
    for words in (
        ("init", "--layout", tmp_path / "layout"),
        ("new", "--image", layout),
        ("insert", "--image", layout, bare, "/"),
        ("insert", "--image", layout, tmp_path / "more", "/etc/more"),
        ("insert", "--image", layout, "--whiteout", "/etc/profile"),
    ):
        subprocess.run(["umoci", *words], check=True, capture_output=True)
    asyncio.run(store(tmp_path / "images").import_archive(_MINE, f"oci:{layout}"))
    root = tmp_path / "images/mine/rootfs"
    assert (root / "etc/more").read_text() == "of the second layer"
    assert not (root / "etc/profile").exists()
    assert (root / "usr/lib/cloudstead/dropbear").exists()
    assert [path.name for path in root.parent.iterdir() if path.name != "rootfs"] == ["image.json"]


@pytest.mark.root
def test_links_of_an_imported_image_lead_nowhere_but_into_it(tmp_path, bare):
    outside = tmp_path / "outside"
    outside.mkdir()
    (bare / "etc").rename(bare / "settings")
    (bare / "etc").symlink_to("/settings")
    (bare / "settings/os-release").unlink()
    (bare / "settings/os-release").symlink_to("/../../../../../../usr/lib/os-release")
    shutil.rmtree(bare / "home")
    (bare / "home").symlink_to(outside)
    mine = Recipe(name="mine", source="imported", login="admin", os_release={"VARIANT": "mine"})
    asyncio.run(store(tmp_path / "images").import_archive(mine, packed(bare)))
    root = tmp_path / "images/mine/rootfs"
    assert "\nadmin:*:" in (root / "settings/shadow").read_text()
    assert (root / "usr/lib/os-release").read_text() == 'VARIANT="mine"\n'
    assert list(outside.iterdir()) == []


@pytest.mark.root
def test_a_login_that_the_image_has_stays_who_it_is(tmp_path, bare):
    root_login = Recipe(name="mine", source="imported", login="root")
    asyncio.run(store(tmp_path / "images").import_archive(root_login, packed(bare)))
    root = tmp_path / "images/mine/rootfs"
    assert (root / "etc/passwd").read_text().count("root:x:0:0:root:/root:/bin/sh\n") == 1
    assert not (root / "home/root").exists()


@pytest.mark.root
def test_a_login_is_nobody_who_is_there_already(tmp_path, bare):
    with (bare / "etc/passwd").open("a") as file:
        file.write("pi:x:1000:1000::/home/pi:/bin/sh\n")
    with (bare / "etc/group").open("a") as file:
        file.write("games:x:1001:\n")
    asyncio.run(store(tmp_path / "images").import_archive(_MINE, packed(bare)))
    root = tmp_path / "images/mine/rootfs"
    assert "\nadmin:x:1002:1002:" in (root / "etc/passwd").read_text()
    assert (root / "home/admin").stat().st_uid == 1002


@pytest.mark.root
@pytest.mark.parametrize(
    ("recipe", "source", "command"),
    [
        (_TINY, None, "setup$"),
        (Recipe(name="debian-12", source="debian", login="admin"), None, "setup$"),
        (_MINE, "oci:nowhere:mine", "setup --with images$"),
    ],
)
def test_a_program_that_is_missing_is_named_with_the_command_that_brings_it(
    tmp_path, monkeypatch, recipe, source, command
):
    images = store(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    work = images.ensure(recipe) if source is None else images.import_archive(recipe, source)
    with pytest.raises(DriverError, match=f"is needed .*; run: sudo cloudstead {command}"):
        asyncio.run(work)


@pytest.mark.root
def test_what_cannot_be_fetched_or_unpacked_leaves_nothing(tmp_path):
    images = store(tmp_path / "images")
    (tmp_path / "torn.tar").write_bytes(b"no archive at all" * 100)
    for source in (tmp_path / "torn.tar", tmp_path / "not-there.tar", f"oci:{tmp_path}/nowhere:mine"):
        with pytest.raises(DriverError):
            asyncio.run(images.import_archive(_MINE, source))
    assert seen(images) == []
    assert list((tmp_path / "images").glob(".building-*")) == []
