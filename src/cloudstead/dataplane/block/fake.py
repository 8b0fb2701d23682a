"""Volumes that only say they exist, for tests."""

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.block.driver import VolumeSeen, VolumeSpec


class FakeVolumes:
    """The BlockDriver of no disk at all. `fail` is what every change says no with."""

    def __init__(self) -> None:
        self._volumes: dict[str, VolumeSpec] = {}
        self.fail: str | None = None

    async def observe(self) -> list[VolumeSeen]:
        return [VolumeSeen(id=id) for id in sorted(self._volumes)]

    async def ensure(self, spec: VolumeSpec) -> None:
        self._may_change()
        self._volumes.setdefault(spec.id, spec)

    async def remove(self, id: str) -> None:
        self._may_change()
        self._volumes.pop(id, None)

    async def discard(self, id: str) -> None:
        await self.remove(id)

    def _may_change(self) -> None:
        if self.fail is not None:
            raise DriverError(self.fail)
