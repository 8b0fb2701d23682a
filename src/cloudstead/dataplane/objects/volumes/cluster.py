"""What the master and the volume servers are asked: needles, which are small files of bytes, each with copies.

What a reader would get wrong: a volume server that is asked to write with a sync does not pass that on to the other
copies. So each copy is written from here, and all are synced before a write has succeeded.

A needle's bytes are blocks of 64 KiB, each followed by its CRC32C: any of them can be read and verified alone.
"""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from cloudstead.dataplane.objects.disk import Bytes
from cloudstead.dataplane.objects.driver import Corrupt, Unreachable
from cloudstead.dataplane.objects.format import BLOCK_BYTES, crc32c
from cloudstead.dataplane.objects.volumes.http import Answer, Http

log = logging.getLogger(__name__)

_LOCATIONS_S = 10.0
_LOCATIONS_MAX = 10_000  # volumes
_CRC = struct.Struct("<I")
_STORED_BLOCK_BYTES = BLOCK_BYTES + _CRC.size
_BLOCKS_AT_ONCE = 16  # what a read asks for, and keeps in memory


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """Which cluster, and how it is used. `takes_new` says that new bodies go there; those that are there are read anyhow."""

    masters: tuple[str, ...]
    collection: str = "cloudstead"
    replication: str = "010"
    timeout_s: float = 5.0
    takes_new: bool = True

    @property
    def copies(self) -> int:
        return 1 + sum(map(int, self.replication))


class Needle(NamedTuple):
    volume: int
    key: int
    cookie: int

    @property
    def target(self) -> str:
        return f"/{self.volume},{self.key:x}{self.cookie:08x}"


class Assigned(msgspec.Struct, frozen=True):
    """`count` needles of one volume, whose keys follow on each other."""

    first: Needle
    count: int


class _AssignAnswer(msgspec.Struct):
    fid: str = ""
    count: int = 0
    error: str = ""


class _Location(msgspec.Struct):
    url: str


class _LookupAnswer(msgspec.Struct):
    locations: list[_Location] = []
    error: str = ""


class Cluster:
    """For one event loop."""

    def __init__(self, settings: ClusterSettings) -> None:
        self.settings = settings
        self._http = Http(settings.timeout_s)
        self._locations: dict[int, tuple[float, tuple[str, ...]]] = {}  # until when they are believed
        self._turn = 0
        self._master = 0

    async def close(self) -> None:
        await self._http.close()

    # --- the master

    async def assign(self, count: int) -> Assigned:
        """Raises Unreachable, too where no volume can be written with all its copies."""
        asked = {
            "count": count,
            "collection": self.settings.collection,
            "replication": self.settings.replication,
        }
        answer = await self._ask_master(f"/dir/assign?{urlencode(asked)}")
        try:
            told = msgspec.json.decode(answer.body, type=_AssignAnswer)
            volume, _, rest = told.fid.partition(",")
            first = Needle(int(volume), int(rest[:-8], 16), int(rest[-8:], 16))
        except (msgspec.DecodeError, ValueError):
            raise Unreachable(f"the master gives no place for bodies: {_said(answer)}") from None
        return Assigned(first, min(told.count, count))

    async def locations(self, volume: int, *, anew: bool = False) -> tuple[str, ...]:
        """The servers that have a copy; none if the master knows no such volume. What is known is used if it is away."""
        now = asyncio.get_running_loop().time()
        until, known = self._locations.get(volume, (0.0, ()))
        if known and now < until and not anew:
            return known
        asked = {"volumeId": volume, "collection": self.settings.collection}
        try:
            answer = await self._ask_master(f"/dir/lookup?{urlencode(asked)}")
            told = msgspec.json.decode(answer.body, type=_LookupAnswer)
        except (Unreachable, msgspec.DecodeError) as e:
            if known:
                return known
            raise e if isinstance(e, Unreachable) else Unreachable(f"the master: {e}") from e
        if len(self._locations) >= _LOCATIONS_MAX:
            self._locations.clear()
        found = tuple(location.url for location in told.locations)
        self._locations[volume] = (now + _LOCATIONS_S, found)
        return found

    async def _ask_master(self, target: str) -> Answer:
        failed: Unreachable | None = None
        masters = self.settings.masters
        for n in range(len(masters)):
            at = (self._master + n) % len(masters)
            master = masters[at]
            try:
                answer = await self._http.ask(master, "GET", target)
            except Unreachable as e:
                failed = e
                continue
            if answer.status < 500:
                self._master = at  # the others are asked once it is away
                return answer
            failed = Unreachable(f"{master}: {_said(answer)}")
        raise Unreachable(f"no master helps: {failed}")

    # --- needles

    async def write(self, needle: Needle, data: Bytes) -> None:
        """All copies, synced, or Unreachable; then some may be there all the same."""
        where = await self.locations(needle.volume)
        if len(where) < self.settings.copies:
            where = await self.locations(needle.volume, anew=True)
        if len(where) < self.settings.copies:
            raise Unreachable(f"volume {needle.volume} has {len(where)} of {self.settings.copies} copies")
        body = _with_crcs(data)
        writes = [self._write_copy(server, needle, body) for server in where]
        results = await asyncio.gather(*writes, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                self._locations.pop(needle.volume, None)
                raise result

    async def _write_copy(self, server: str, needle: Needle, body: Sequence[Bytes]) -> None:
        target = f"{needle.target}?type=replicate&fsync=true"
        headers = "Content-Type: application/octet-stream\r\n"
        answer = await self._http.ask(server, "POST", target, headers=headers, body=body)
        if answer.status != 201:
            raise Unreachable(f"{server} does not take {needle.target}: {_said(answer)}")

    async def read(self, needle: Needle, length: int, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes [start, end) of a needle whose body is so long, verified; from any copy that has them."""
        for at in range(start // BLOCK_BYTES, -(-end // BLOCK_BYTES), _BLOCKS_AT_ONCE):
            last = min(at + _BLOCKS_AT_ONCE, -(-end // BLOCK_BYTES))
            data = await self._read_blocks(needle, length, at, last)
            first = at * BLOCK_BYTES
            if first < start or first + len(data) > end:
                data = data[max(0, start - first) : end - first]
            yield data

    async def _read_blocks(self, needle: Needle, length: int, first: int, last: int) -> bytes:
        """Each copy is tried, and then each that the master knows of by now."""
        tried: set[str] = set()
        wrong: list[str] = []
        away: list[str] = []
        for anew in (False, True):
            servers = await self.locations(needle.volume, anew=anew)
            self._turn += 1
            for n in range(len(servers)):
                server = servers[(self._turn + n) % len(servers)]
                if server in tried:
                    continue
                tried.add(server)
                try:
                    return await self._read_copy(server, needle, length, first, last)
                except Corrupt as e:
                    wrong.append(str(e))
                except Unreachable as e:
                    away.append(str(e))
        if wrong and not away:
            raise Corrupt(f"needle {needle.target}: {'; '.join(wrong)}")
        raise Unreachable(
            f"needle {needle.target}: {'; '.join(away + wrong) or 'no server has its volume now'}"
        )

    async def _read_copy(self, server: str, needle: Needle, length: int, first: int, last: int) -> bytes:
        end = min(last * _STORED_BLOCK_BYTES, _stored_bytes(length))
        headers = f"Range: bytes={first * _STORED_BLOCK_BYTES}-{end - 1}\r\n"
        answer = await self._http.ask(server, "GET", needle.target, headers=headers)
        if answer.status in (404, 416):
            raise Corrupt(f"{server} does not have it")
        if answer.status not in (200, 206):
            raise Unreachable(f"{server}: {_said(answer)}")
        stored = answer.body if answer.status == 206 else answer.body[first * _STORED_BLOCK_BYTES : end]
        if len(stored) != end - first * _STORED_BLOCK_BYTES:
            raise Corrupt(f"{server} has another length")
        data = _without_crcs(stored)
        if data is None:
            log.error("objects: %s does not match its checksum on %s", needle.target, server)
            raise Corrupt(f"{server} has bytes that do not match their checksum")
        return data

    async def delete(self, needle: Needle) -> bool:
        """Whether no copy is left. While a server with one is away nothing is done: it would bring it back."""
        where = await self.locations(needle.volume)
        if len(where) < self.settings.copies:
            return False
        gone = True
        for server in where:
            answer = await self._http.ask(server, "DELETE", f"{needle.target}?type=replicate")
            gone = gone and answer.status in (202, 404)
        return gone

    async def copies(self, needle: Needle) -> int:
        """How many servers say that they have it."""
        found = 0
        for server in await self.locations(needle.volume):
            try:
                found += (await self._http.ask(server, "HEAD", needle.target)).status == 200
            except Unreachable as e:
                log.warning("objects: %s", e)
        return found


def _said(answer: Answer) -> str:
    return f"{answer.status} {answer.body[:300].decode(errors='replace')}".strip()


def _stored_bytes(length: int) -> int:
    return length + -(-length // BLOCK_BYTES) * _CRC.size


def _with_crcs(data: Bytes) -> list[Bytes]:
    view = memoryview(data)
    found: list[Bytes] = []
    for at in range(0, len(view), BLOCK_BYTES):
        block = view[at : at + BLOCK_BYTES]
        found += (block, _CRC.pack(crc32c(block)))
    return found


def _without_crcs(stored: bytes) -> bytes | None:
    """None if a block is not what was written."""
    view = memoryview(stored)
    found: list[memoryview] = []
    for at in range(0, len(view), _STORED_BLOCK_BYTES):
        block, crc = view[at : at + BLOCK_BYTES], view[at + BLOCK_BYTES : at + _STORED_BLOCK_BYTES]
        if len(crc) < _CRC.size:  # the last one
            block, crc = view[at : -_CRC.size], view[-_CRC.size :]
        if crc32c(block) != _CRC.unpack(crc)[0]:
            return None
        found.append(block)
    return b"".join(found)
