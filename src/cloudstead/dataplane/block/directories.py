"""Root volumes as directories: `<data>/volumes/<vol>/{upper,work}`, the writable layer of an overlay.

The size of a volume is not enforced here: the disk below is shared. What is discarded lies in `<data>/trash` for a day,
under the time it came there.
"""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloudstead.core.clock import Clock, SystemClock
from cloudstead.core.errors import DriverError
from cloudstead.dataplane.block.driver import VolumeSeen, VolumeSpec

log = logging.getLogger(__name__)

_REMOVING = ".removing-"
_TRASH_KEPT = timedelta(days=1)
_TIME = "%Y%m%dT%H%M%S.%fZ"


class Directories:
    def __init__(self, data: Path, clock: Clock | None = None) -> None:
        self._volumes = data.absolute() / "volumes"
        self._trash = data.absolute() / "trash"
        self._clock = clock or SystemClock()

    async def observe(self) -> list[VolumeSeen]:
        for old in self._outdated():
            await asyncio.to_thread(shutil.rmtree, old, True)
        return [VolumeSeen(id=name.removeprefix(_REMOVING)) for name in sorted(_names(self._volumes))]

    async def ensure(self, spec: VolumeSpec) -> None:
        try:
            for name in ("upper", "work"):
                (self._volumes / spec.id / name).mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise DriverError(f"{spec.id}: {e.strerror}") from e

    async def remove(self, id: str) -> None:
        self._check_free(id)
        # Renamed first: a volume half deleted is never taken for a whole one.
        doomed = self._volumes / f"{_REMOVING}{id}"
        await asyncio.to_thread(shutil.rmtree, doomed, True)  # what an earlier try left
        with contextlib.suppress(FileNotFoundError):
            (self._volumes / id).rename(doomed)
        await asyncio.to_thread(shutil.rmtree, doomed, True)

    async def discard(self, id: str) -> None:
        self._check_free(id)
        kept = self._trash / f"{self._clock.now().strftime(_TIME)}-{id}"
        try:
            self._trash.mkdir(mode=0o700, exist_ok=True)
            (self._volumes / id).rename(kept)
            log.warning("%s: kept for a day in %s", id, kept)
        except FileNotFoundError:
            pass
        except OSError as e:
            raise DriverError(f"{id}: cannot be kept in {self._trash}: {e.strerror}") from e
        await self.remove(id)  # what is left of one that was being removed

    # --- inside

    def _outdated(self) -> Iterator[Path]:
        for name in _names(self._trash):
            with contextlib.suppress(ValueError):  # not ours
                came = datetime.strptime(name.partition("-")[0], _TIME).replace(tzinfo=UTC)
                if self._clock.now() - came > _TRASH_KEPT:
                    yield self._trash / name

    def _check_free(self, id: str) -> None:
        """Refuse if it is the writable layer of a mount that we can see."""
        marker = f"upperdir={self._volumes / id / 'upper'}"
        with Path("/proc/thread-self/mounts").open(encoding="utf-8", errors="replace") as mounts:
            if any(marker in line.split()[3].split(",") for line in mounts):
                raise DriverError(f"{id}: a machine still stands on it")


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
