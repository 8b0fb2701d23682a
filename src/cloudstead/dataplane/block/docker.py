"""Root volumes in a Docker engine: the writable layer of a container, and an empty volume that says it is wanted.

There is no layer before there is a machine, so until then the empty volume alone stands for it. See
dataplane/instances/docker.py. The size of a volume is not enforced here: engines share one disk among all.
"""

import contextlib

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.block.driver import VolumeSeen, VolumeSpec
from cloudstead.dataplane.engine import VOLUME, Absent, Engine


class DockerVolumes:
    """The BlockDriver of a Docker engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def observe(self) -> list[VolumeSeen]:
        volumes, layers = await self._engine.find("volumes"), await self._engine.find("containers")
        ids = {each["Labels"][VOLUME] for each in (*volumes, *layers) if VOLUME in each["Labels"]}
        return [VolumeSeen(id=id) for id in sorted(ids)]

    async def ensure(self, spec: VolumeSpec) -> None:
        if not await self._engine.find("volumes", volume=spec.id):
            name, labels = self._engine.name(spec.id), self._engine.labels(volume=spec.id)
            await self._engine.ask(lambda c: c.create_volume(name, labels=labels))

    async def remove(self, id: str) -> None:
        for layer in await self._engine.find("containers", volume=id):
            if f"/{self._engine.name(id)}" not in layer["Names"]:
                raise DriverError(f"{id}: a machine still stands on it")
            await self._drop(layer["Id"])
        with contextlib.suppress(Absent):
            await self._engine.ask(lambda c: c.remove_volume(self._engine.name(id)))

    async def discard(self, id: str) -> None:
        """An engine has no place to keep it aside, so there it stays."""
        raise DriverError(
            f"{id}: nothing explains this volume, so it is kept; remove it in the engine if it is of no use"
        )

    async def _drop(self, container: str) -> None:
        with contextlib.suppress(Absent):
            await self._engine.ask(lambda c: c.remove_container(container, v=True, force=True))
