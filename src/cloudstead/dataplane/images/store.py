"""The image store: `<images>/<name>/{rootfs,image.json}`, built aside and renamed whole.

The one thing a reader would get wrong: `debian` images share one build. The base is made once by mmdebstrap; each
image of it is a copy by hard links (or reflinks) that differs in a user and /etc/os-release, and must never be
written to in place.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from cloudstead.core.errors import DriverError
from cloudstead.dataplane import host
from cloudstead.dataplane.images import debian, guest, tiny
from cloudstead.dataplane.images.driver import ImageSeen, Progress, Recipe, origin

_OCI_REFERENCE = re.compile(r"(docker|oci|oci-archive|docker-archive|dir|containers-storage):")
_BUILDING = ".building-"
_UNPACK_TIMEOUT_S = 900.0


class Images:
    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._locks: dict[str, asyncio.Lock] = {}

    async def observe(self) -> list[ImageSeen]:
        if not self._folder.is_dir():
            return []
        found = (self._seen(path.name) for path in sorted(self._folder.iterdir()))
        return [one for one in found if one is not None]

    async def ensure(self, recipe: Recipe, progress: Progress | None = None) -> None:
        if self._whole(recipe.name):
            return
        say = progress or (lambda _: None)
        match recipe.source:
            case "tiny":
                async with self._building(recipe.name) as root:
                    if root:
                        await asyncio.to_thread(tiny.fill, root)
                        await asyncio.to_thread(guest.furnish, root, recipe)
            case "debian":
                base = f"base-{recipe.suite}"
                async with self._building(base) as root:
                    if root:
                        say(f"Building Debian {recipe.suite} from its packages: a minute or two, once")
                        await debian.fill(root, recipe.suite)
                async with self._building(recipe.name) as root:
                    if root:
                        await self._copy(base, root)
                        await asyncio.to_thread(guest.furnish, root, recipe)
            case "imported":
                raise DriverError(f"the image {recipe.name} was imported once and is gone: import it again")

    async def import_archive(
        self, recipe: Recipe, source: Path | str, progress: Progress | None = None
    ) -> None:
        say = progress or (lambda _: None)
        async with self._building(recipe.name, origin(source)) as root:
            if not root:
                known = self._seen(recipe.name)
                if known is None or known.origin != origin(source):
                    raise DriverError(f"there is another image {recipe.name} already: choose another name")
                return
            if isinstance(source, str) and _OCI_REFERENCE.match(source):
                await _unpack_oci(source, root, say)
            else:
                await _unpack_tarball(Path(source), root, say)
            await asyncio.to_thread(guest.furnish, root, recipe)

    async def remove(self, name: str) -> None:
        doomed = self._folder / f"{_BUILDING}removed-{name}"
        await asyncio.to_thread(shutil.rmtree, doomed, True)  # what an earlier try left
        with contextlib.suppress(FileNotFoundError):
            (self._folder / name).rename(doomed)
        await asyncio.to_thread(shutil.rmtree, doomed, True)

    def root(self, name: str) -> Path:
        """Where the files of an image that is whole lie. Read-only to all."""
        return self._folder / name / "rootfs"

    # --- inside

    def _whole(self, name: str) -> bool:
        return (self._folder / name / "image.json").exists()

    def _seen(self, name: str) -> ImageSeen | None:
        try:
            return msgspec.json.decode((self._folder / name / "image.json").read_bytes(), type=ImageSeen)
        except (OSError, msgspec.DecodeError):
            return None

    @asynccontextmanager
    async def _building(self, name: str, origin: str = "") -> AsyncIterator[Path | None]:
        """An empty root to fill, which becomes the image when the block ends well; None if it is there already.

        One at a time for each name, in all processes. What a crash left of an earlier try is swept away.
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            if self._whole(name):
                yield None
                return
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                with (self._folder / f".lock-{name}").open("w") as lock:
                    await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
                    if self._whole(name):
                        yield None
                        return
                    draft = self._folder / f"{_BUILDING}{name}"
                    await asyncio.to_thread(shutil.rmtree, draft, True)
                    try:
                        (draft / "rootfs").mkdir(parents=True)
                        yield draft / "rootfs"
                        size = await asyncio.to_thread(_size_bytes, draft / "rootfs")
                        (draft / "image.json").write_bytes(
                            msgspec.json.encode(ImageSeen(name=name, size_bytes=size, origin=origin))
                        )
                        await asyncio.to_thread(shutil.rmtree, self._folder / name, True)
                        draft.rename(self._folder / name)
                    finally:
                        await asyncio.to_thread(shutil.rmtree, draft, True)
            except OSError as e:
                if e.errno == errno.ENOSPC:
                    raise DriverError(f"image {name}: no space left on the disk") from e
                raise DriverError(f"image {name}: {e}") from e

    async def _copy(self, base: str, root: Path) -> None:
        command: list[str | Path] = [
            "cp",
            "--archive",
            "--link",
            "--no-target-directory",
            self._folder / base / "rootfs",
            root,
        ]
        await host.run(command, timeout_s=120.0)


async def _unpack_tarball(archive: Path, root: Path, say: Progress) -> None:
    say(f"Unpacking {archive}")
    command: list[str | Path] = ["tar", "--extract", "--numeric-owner", "--xattrs", "--file", archive]
    await host.run([*command, "--directory", root], timeout_s=_UNPACK_TIMEOUT_S)


async def _unpack_oci(reference: str, root: Path, say: Progress) -> None:
    """Fetch an OCI image with skopeo and unpack it with umoci into `root`."""
    for part in ("skopeo", "umoci"):
        if shutil.which(part) is None:
            raise DriverError(
                f"{part} is needed to import OCI images; run: sudo cloudstead setup --with images"
            )
    work = root.parent / "oci"
    say(f"Fetching {reference}")
    await host.run(["skopeo", "copy", reference, f"oci:{work}:image"], timeout_s=_UNPACK_TIMEOUT_S)
    say("Unpacking")
    bundle = root.parent / "bundle"
    await host.run(["umoci", "unpack", "--image", f"{work}:image", bundle], timeout_s=_UNPACK_TIMEOUT_S)
    await asyncio.to_thread(_take_unpacked, bundle, work, root)


def _take_unpacked(bundle: Path, work: Path, root: Path) -> None:
    root.rmdir()
    (bundle / "rootfs").rename(root)
    shutil.rmtree(work)
    shutil.rmtree(bundle)


def _size_bytes(root: Path) -> int:
    total = 0
    for folder, _, files in os.walk(root):
        total += sum((Path(folder) / file).lstat().st_size for file in files)
    return total
