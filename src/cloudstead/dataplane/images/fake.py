"""Images that only say they exist, for tests."""

from pathlib import Path

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.images.driver import ImageSeen, Progress, Recipe, origin


class FakeImages:
    """The ImagesDriver of no bytes at all. `fail` is what every change says no with."""

    def __init__(self) -> None:
        self._images: dict[str, str] = {}  # name: origin
        self.fail: str | None = None

    async def observe(self) -> list[ImageSeen]:
        return [
            ImageSeen(name=name, size_bytes=0, origin=from_) for name, from_ in sorted(self._images.items())
        ]

    async def ensure(self, recipe: Recipe, progress: Progress | None = None) -> None:  # noqa: ARG002
        self._may_change()
        if recipe.source == "imported" and recipe.name not in self._images:
            raise DriverError(f"the image {recipe.name} was imported once and is gone: import it again")
        self._images.setdefault(recipe.name, "")

    async def import_archive(
        self,
        recipe: Recipe,
        source: Path | str,
        progress: Progress | None = None,  # noqa: ARG002
    ) -> None:
        self._may_change()
        if self._images.setdefault(recipe.name, origin(source)) != origin(source):
            raise DriverError(f"there is another image {recipe.name} already: choose another name")

    async def remove(self, name: str) -> None:
        self._may_change()
        self._images.pop(name, None)

    def _may_change(self) -> None:
        if self.fail is not None:
            raise DriverError(self.fail)
