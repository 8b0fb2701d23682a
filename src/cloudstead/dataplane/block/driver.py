"""What EC2 needs of whatever really holds a volume's bytes.

Only root volumes exist so far: a writable layer over an image. Named after the volume's id.
"""

from typing import Protocol

import msgspec


class VolumeSpec(msgspec.Struct, frozen=True, kw_only=True):
    id: str  # vol-…
    size_bytes: int
    image: str | None = None  # the root file system underneath, for a root volume


class VolumeSeen(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class BlockDriver(Protocol):
    async def observe(self) -> list[VolumeSeen]:
        """Every volume that exists here, whole or in part."""
        ...

    async def ensure(self, spec: VolumeSpec) -> None:
        """Make it exist, empty if it is new. Safe to repeat; never touches the bytes of one that exists."""
        ...

    async def remove(self, id: str) -> None:
        """Make it not exist, bytes included. Safe to repeat, and on one never made."""
        ...

    async def discard(self, id: str) -> None:
        """As `remove`, for one that nobody can explain: its bytes stay within a person's reach for a day at least."""
        ...
