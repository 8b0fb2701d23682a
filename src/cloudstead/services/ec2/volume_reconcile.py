"""Makes volumes on disk match volumes' rows."""

from collections.abc import Iterable

from cloudstead.control.steps import Ensure, Forget, Remove, Step
from cloudstead.dataplane.block.driver import BlockDriver, VolumeSeen, VolumeSpec
from cloudstead.services.ec2.instance_rows import Volume
from cloudstead.store import Row, Store


class Volumes:
    """One row, one volume."""

    kind = Volume
    wakes_on: tuple[type[Row], ...] = ()

    def __init__(self, store: Store, block: BlockDriver) -> None:
        self._store = store
        self._block = block

    async def observe(self) -> Iterable[VolumeSeen]:
        return await self._block.observe()

    def plan(self, row: Volume, seen: VolumeSeen | None) -> Step | None:
        """What is seen may be half made; only `made` says that a volume is whole."""
        match row.want, seen:
            case "absent", None:
                return Forget()
            case "absent", _:
                return Remove()
            case "present", None:
                return Ensure()
            case _:
                return None if row.made else Ensure()

    async def perform(self, row: Volume, step: Step) -> None:
        match step:
            case Ensure():
                spec = VolumeSpec(id=row.id, size_bytes=row.size_gib << 30, image=row.image or None)
                await self._block.ensure(spec)
                with self._store.transaction():
                    current = self._store.get(Volume, row.id)
                    if current is not None:
                        self._store.update(current, made=True)
            case Remove():
                await self._block.remove(row.id)
            case _:
                raise AssertionError(step)

    async def sweep(self, id: str) -> None:
        await self._block.discard(id)
