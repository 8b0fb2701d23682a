"""Images that an engine builds because nobody here is root, from stand-ins for the public ones it would fetch."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from tests.contracts.engine_worlds import ID, TINY, machine

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.images import guest, tiny
from cloudstead.dataplane.images.docker import DockerImages
from cloudstead.dataplane.images.driver import Recipe

pytestmark = pytest.mark.root


def stand_in(podman, root, name):
    archive = root.with_suffix(".tar")
    subprocess.run(["tar", "-cf", archive, "-C", root, "."], check=True)
    podman("import", str(archive), name)
    return archive


def copied(root, *programs):
    """Put programs of this machine and their libraries where they are here."""
    for program in programs:
        said = subprocess.run(
            ["ldd", shutil.which(Path(program).name)], capture_output=True, text=True
        ).stdout
        shutil.copy(shutil.which(Path(program).name), root / program)
        for path in (word for word in said.split() if word.startswith("/")):
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / path[1:])


@pytest.fixture
def bare(tmp_path):
    """What a busybox image has."""
    root = tmp_path / "bare"
    tiny.fill(root)
    home = root / "usr/lib/cloudstead"
    home.mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), home / "busybox")
    return root


@pytest.fixture
def bases(podman, bare, tmp_path):
    """Debian, whose apt only notes what it is asked for since all is there already; and busybox."""
    stand_in(podman, bare, "docker.io/library/busybox:stable")
    debian = tmp_path / "debian"
    shutil.copytree(bare, debian, symlinks=True)
    for name in ("busybox", "bash"):
        (debian / "bin" / name).unlink(missing_ok=True)
    copied(
        debian,
        "bin/busybox",
        "bin/bash",
        "usr/bin/ldd",
        "usr/bin/perl",
        "usr/sbin/dropbear",
        "usr/bin/dropbearkey",
    )
    (debian / "etc/shells").write_text("/bin/sh\n/bin/bash\n")
    (debian / "usr/bin/apt-get").write_text('#!/bin/sh\necho "$@" >>/var/log/asked\n')
    (debian / "usr/bin/apt-get").chmod(0o755)
    stand_in(podman, debian, "docker.io/library/debian:bookworm-slim")
    yield
    podman("image", "rm", "--all", "--force")


def test_a_guest_that_the_engine_built_lets_you_in(bases, engine, docker):
    images, said = DockerImages(engine, None), []
    asyncio.run(images.remove("tiny"))
    recipe = msgspec.structs.replace(TINY, login="ubuntu", os_release={"VARIANT": "built"})
    for _ in range(2):
        asyncio.run(images.ensure(recipe, said.append))
    assert [one.name for one in asyncio.run(images.observe())] == ["tiny"]
    assert any(line.startswith("FROM") for line in said)
    asyncio.run(docker.machines.ensure(machine()))
    docker.booted()
    assert docker.ssh("whoami", login="ubuntu") == "ubuntu\n"
    assert 'VARIANT="built"' in docker.ssh("cat /etc/os-release", login="ubuntu")
    assert "made from the image tiny" in docker.ssh("cat /etc/motd", login="ubuntu")


def test_debian_is_built_from_its_packages(bases, engine, docker):
    images = DockerImages(engine, None)
    debian = Recipe(name="debian-12", source="debian", login="admin")
    asyncio.run(images.ensure(debian))
    asyncio.run(docker.machines.ensure(machine(image="debian-12")))
    docker.booted()
    assert docker.ssh("whoami", login="admin") == "admin\n"
    assert "openssh-server" in docker.ssh("cat /var/log/asked", login="admin")


def test_a_tarball_becomes_a_guest_without_root(bases, engine, docker, podman, bare):
    (bare / "etc/mine").write_text("mine")
    archive = stand_in(podman, bare, "elsewhere")
    images = DockerImages(engine, None)
    mine = Recipe(name="mine", source="imported", login="root")
    for _ in range(2):
        asyncio.run(images.import_archive(mine, archive))
    asyncio.run(docker.machines.ensure(machine(image="mine")))
    docker.booted()
    assert docker.ssh("id -u; cat /etc/mine", login="root") == "0\nmine"
    with pytest.raises(DriverError, match="choose another name"):
        asyncio.run(images.import_archive(mine, "docker://docker.io/library/busybox:stable"))


def test_what_an_engine_cannot_fetch_or_build_is_said(engine, tmp_path):
    images = DockerImages(engine, None)
    mine = Recipe(name="mine", source="imported", login="admin")
    with pytest.raises(DriverError, match="import as root"):
        asyncio.run(images.import_archive(mine, "oci:/nowhere:mine"))
    with pytest.raises(DriverError, match="import it again"):
        asyncio.run(images.ensure(mine))
    with pytest.raises(DriverError, match="engine"):
        asyncio.run(images.ensure(TINY))  # no stand-in, and no way out to the public image
    assert asyncio.run(images.observe()) == []


def test_what_furnishes_on_disk_and_what_does_in_the_engine_agree(bases, engine, docker, tmp_path):
    """The same recipe by both ways: the same login, the same commands, the same ways to end a machine."""
    on_disk = tmp_path / "on-disk"
    tiny.fill(on_disk)
    guest.furnish(on_disk, TINY)
    images = DockerImages(engine, None)
    asyncio.run(images.remove("tiny"))
    asyncio.run(images.ensure(TINY))
    asyncio.run(docker.machines.ensure(machine()))
    docker.booted()
    for name in ("passwd", "group", "motd"):
        assert (
            docker.ssh(f"cat /etc/{name}").splitlines() == (on_disk / "etc" / name).read_text().splitlines()
        )
    assert docker.ssh("ls /sbin").split() == sorted(path.name for path in (on_disk / "sbin").iterdir())
    assert docker.ssh("ls /usr/lib/cloudstead/bin").split() == sorted(guest.applets())
    assert docker.seen() == [(ID, 0, True)]
