"""Images that only say they exist, for tests."""

from pathlib import Path

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.images.driver import ImageSeen, Progress, Recipe


class FakeImages:
    """The ImagesDriver of no bytes at all. `fail` is what every change says no with."""

    def __init__(self) -> None:
        self._images: set[str] = set()
        self.fail: str | None = None

    async def observe(self) -> list[ImageSeen]:
        return [ImageSeen(name=name, size_bytes=0) for name in sorted(self._images)]

    async def ensure(self, recipe: Recipe, progress: Progress | None = None) -> None:  # noqa: ARG002
        self._may_change()
        if recipe.source == "imported" and recipe.name not in self._images:
            raise DriverError(f"the image {recipe.name} was imported once and is gone: import it again")
        self._images.add(recipe.name)

    async def import_archive(
        self,
        recipe: Recipe,
        source: Path | str,  # noqa: ARG002
        progress: Progress | None = None,  # noqa: ARG002
    ) -> None:
        self._may_change()
        self._images.add(recipe.name)

    async def remove(self, name: str) -> None:
        self._may_change()
        self._images.discard(name)

    def _may_change(self) -> None:
        if self.fail is not None:
            raise DriverError(self.fail)
