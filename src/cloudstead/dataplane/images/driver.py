"""The image store: root file systems by name, built once from a recipe and kept.

An image is read-only once made; machines write to their own root volume above it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from cloudstead.core.errors import DriverError

Progress = Callable[[str], None]  # told a sentence for people as the work goes on


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How an image comes to be. `name` is its key in the store and safe as a folder name.

    `source`: "tiny" (busybox and dropbear from this machine), "debian" (mmdebstrap from Debian's packages),
    "imported" (there already, brought by `cloudstead image import`).
    """

    name: str
    source: Literal["tiny", "debian", "imported"]
    login: str  # ec2-user, ubuntu, admin, …
    suite: str = "bookworm"  # of Debian, for source "debian"
    os_release: dict[str, str] = {}  # fields of /etc/os-release that differ from the source's own


class ImageSeen(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    size_bytes: int
    origin: str = ""  # of an imported one: what it was brought from


def origin(source: Path | str) -> str:
    """What tells one imported source from another: a reference, or a file as it is now."""
    if isinstance(source, str):
        return source
    try:
        now = source.stat()
    except OSError as e:
        raise DriverError(f"{source}: {e.strerror}") from e
    return f"{source} {now.st_size} {now.st_mtime_ns}"


class ImagesDriver(Protocol):
    async def observe(self) -> list[ImageSeen]:
        """Every image that is whole."""
        ...

    async def ensure(self, recipe: Recipe, progress: Progress | None = None) -> None:
        """Make it exist; minutes for the first Debian one. Safe to repeat; two at once of one name build once."""
        ...

    async def import_archive(
        self, recipe: Recipe, source: Path | str, progress: Progress | None = None
    ) -> None:
        """Make an image from a root file system tarball (a path) or an OCI reference (`docker://…`, `oci:…`).

        Safe to repeat. A name that is taken by something else is refused: machines may stand on it.
        """
        ...

    async def remove(self, name: str) -> None:
        """Make it not exist. Safe to repeat. The caller knows that no machine stands on it."""
        ...
