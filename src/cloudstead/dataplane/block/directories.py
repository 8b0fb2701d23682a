"""Root volumes as directories: `<data>/volumes/<vol>/{upper,work}`, the writable layer of an overlay.

The size of a volume is not enforced here: the disk below is shared.
"""

import asyncio
import contextlib
import shutil
from pathlib import Path

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.block.driver import VolumeSeen, VolumeSpec

_REMOVING = ".removing-"


class Directories:
    def __init__(self, data: Path) -> None:
        self._volumes = data.absolute() / "volumes"

    async def observe(self) -> list[VolumeSeen]:
        try:
            names = [path.name for path in self._volumes.iterdir()]
        except FileNotFoundError:
            return []
        return [VolumeSeen(id=name.removeprefix(_REMOVING)) for name in sorted(names)]

    async def ensure(self, spec: VolumeSpec) -> None:
        try:
            for name in ("upper", "work"):
                (self._volumes / spec.id / name).mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise DriverError(f"{spec.id}: {e.strerror}") from e

    async def remove(self, id: str) -> None:
        if self._in_use(id):
            raise DriverError(f"{id}: a machine still stands on it")
        # Renamed first: a volume half deleted is never taken for a whole one.
        doomed = self._volumes / f"{_REMOVING}{id}"
        await asyncio.to_thread(shutil.rmtree, doomed, True)  # what an earlier try left
        with contextlib.suppress(FileNotFoundError):
            (self._volumes / id).rename(doomed)
        await asyncio.to_thread(shutil.rmtree, doomed, True)

    def _in_use(self, id: str) -> bool:
        """Whether it is the writable layer of a mount that we can see."""
        marker = f"upperdir={self._volumes / id / 'upper'}"
        with Path("/proc/thread-self/mounts").open(encoding="utf-8", errors="replace") as mounts:
            return any(marker in line.split()[3].split(",") for line in mounts)
